"""plan and apply."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from reconciler.records.envelope import body_of
from tests.cli.kit import AUTH, JWT, LOGIN, RSA, Shop
from tests.live.interrupted import RUN, interrupt


def test_plan_writes_nothing(shop: Shop) -> None:
    shop.ok("keygen")
    shop.spec(RSA)
    before = sorted(shop.root.rglob("*"))
    shop.ok("plan")
    assert sorted(shop.root.rglob("*")) == before


def test_plan_json_is_the_document_of_the_design(shop: Shop) -> None:
    shop.ok("keygen")
    shop.spec(RSA)
    plan = shop.ok("plan", "--format", "json").json
    assert plan["schema"] == "reconciler/plan/v1"
    assert plan["digest"].startswith("sha256:")
    assert plan["summary"] == {"issue": 1}
    assert plan["blocked"] == []
    change = plan["changes"][0]
    assert {"action", "kind", "name", "reasons", "fields"} <= set(change)
    assert (change["action"], change["kind"], change["name"]) == ("issue", "RSAToken", "historian")


def test_detailed_exitcode_tells_whether_changes_are_pending(stocked: Shop) -> None:
    assert stocked.run("plan", "--detailed-exitcode").code == 0
    stocked.ok("set", "erp", "expire=60")
    assert stocked.run("plan", "--detailed-exitcode").code == 2
    assert stocked.run("plan").code == 0


def test_what_an_interrupted_run_left_is_pending_though_no_plan_shows_it(stocked: Shop) -> None:
    """So that a pipeline which asks the exit code whether to apply settles it; applying settles it once."""
    interrupt(f"sqlite:///{stocked.root}/.reconciler/live.db", "default")
    told = stocked.run("plan", "--detailed-exitcode", "--out", "tonight.plan")
    assert told.code == 2
    assert "Nothing to do" in told.out
    assert "the next one settles what it left" in told.err
    assert f"Settled run {RUN}" in stocked.ok("apply", "tonight.plan", "--yes").out
    assert stocked.run("plan", "--detailed-exitcode").code == 0


def test_apply_json_is_the_document_of_the_design(shop: Shop) -> None:
    shop.ok("keygen")
    shop.spec(AUTH)
    result = shop.ok("apply", "--yes", "--format", "json").json
    assert result["schema"] == "reconciler/result/v1"
    assert result["changes"] == [{"action": "issue", "kind": "TokenAuth", "name": "erp", "outcome": "done"}]
    assert shop.ok("apply", "--yes", "--format", "json").json["changes"] == []


def test_applying_twice_leaves_the_same_bytes(stocked: Shop) -> None:
    before = stocked.tree()
    assert "Nothing to do" in stocked.ok("apply", "--yes").out
    assert stocked.tree() == before


def test_a_saved_plan_is_applied_once_and_then_there_is_nothing_to_do(stocked: Shop) -> None:
    stocked.ok("set", "erp", "expire=60")
    stocked.ok("plan", "--out", "tonight.plan")
    assert "1 change applied" in stocked.ok("apply", "tonight.plan", "--yes").out
    assert "Nothing to do" in stocked.ok("apply", "tonight.plan", "--yes").out


def test_a_stale_plan_exits_4_and_changes_nothing(stocked: Shop) -> None:
    stocked.ok("set", "erp", "expire=60")
    stocked.ok("plan", "--out", "tonight.plan")
    stocked.ok("set", "erp", "expire=61")
    before = stocked.tree()
    ran = stocked.run("apply", "tonight.plan", "--yes")
    assert ran.code == 4
    assert "the spec of erp changed since this plan was made" in ran.err
    assert stocked.tree() == before


def test_a_plan_that_was_edited_or_is_none_exits_1(stocked: Shop) -> None:
    stocked.ok("set", "erp", "expire=60")
    stocked.ok("plan", "--out", "tonight.plan")
    path = stocked.root / "tonight.plan"
    path.write_text(path.read_text().replace('"modify"', '"delete"'))
    assert "edited after it was written" in stocked.run("apply", "tonight.plan", "--yes").err
    path.write_text("hello")
    assert stocked.run("apply", "tonight.plan", "--yes").code == 1
    assert "cannot be read" in stocked.run("apply", "none.plan", "--yes").err


def test_a_plan_of_another_workspace_exits_1(stocked: Shop) -> None:
    stocked.ok("set", "erp", "expire=60")
    stocked.ok("plan", "--out", "tonight.plan")
    stocked.spec("apiVersion: reconciler/v1\nkind: Workspace\nmetadata: {name: other}\n", "workspace.yaml")
    ran = stocked.run("apply", "tonight.plan", "--yes")
    assert ran.code == 1
    assert "made for workspace default, and this is other" in ran.err


def test_a_brake_exits_3_and_is_let_go_by_name(stocked: Shop) -> None:
    for name in ("erp", "console"):
        stocked.ok("remove", name)
    ran = stocked.run("plan")
    assert ran.code == 3
    assert "- delete  TokenAuth" in ran.out
    assert "[brake-delete]" in ran.out
    assert stocked.run("apply", "--yes").code == 3
    stocked.ok("plan", "--max-delete", "2", "--out", "two.plan")
    assert "2 changes applied" in stocked.ok("apply", "two.plan", "--yes").out


def test_empty_specs_never_mean_delete_everything(stocked: Shop) -> None:
    (stocked.root / "specs/tokens.yaml").unlink()
    ran = stocked.run("apply", "--yes", "--max-delete", "9")
    assert ran.code == 3
    assert "--allow-empty" in ran.err
    assert len(stocked.ok("list", "--format", "json").json["tokens"]) == 4
    stocked.ok("apply", "--yes", "--max-delete", "9", "--allow-empty")
    assert stocked.ok("list", "--format", "json").json["tokens"] == []
    assert not (stocked.root / "artifacts/RSAToken/historian.yaml").exists()


def test_protection_outlives_the_spec_that_declared_it(stocked: Shop) -> None:
    stocked.ok("set", "erp", "protect=true")
    stocked.ok("apply", "--yes")
    stocked.ok("remove", "erp")
    ran = stocked.run("apply", "--yes", "--max-delete", "1")
    assert ran.code == 3
    assert "erp is protected" in ran.err


def test_without_a_rule_nothing_is_issued_and_the_plan_says_why(shop: Shop) -> None:
    shop.spec(AUTH)
    ran = shop.run("plan")
    assert ran.code == 3
    assert "+ issue" in ran.out
    assert "run reconcile keygen" in ran.out


def test_every_artifact_opens_with_sops(stocked: Shop) -> None:
    import shutil
    import subprocess
    import sys

    sops = shutil.which("sops", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert sops is not None
    paths = sorted((stocked.root / "artifacts").rglob("*.yaml"))
    assert len(paths) == 4
    for path in paths:
        done = subprocess.run([sops, "decrypt", str(path)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "token_id: " in done.stdout


def test_a_new_format_moves_the_artifact_and_leaves_none_behind(stocked: Shop) -> None:
    stocked.ok("set", "erp", "format=json")
    assert "± rotate  TokenAuth  erp" in stocked.ok("plan").out
    stocked.ok("apply", "--yes")
    names = sorted(path.name for path in (stocked.root / "artifacts/TokenAuth").iterdir())
    assert names == ["erp.json"]
    assert json.loads(stocked.ok("download", "erp", "--stdout").out)["application"] == "ERP"


def test_a_lost_store_does_not_mean_that_nothing_exists(stocked: Shop) -> None:
    """Else a clone without the store would issue every token anew over the artifacts that are in use."""
    import shutil

    before = stocked.tree()
    shutil.rmtree(stocked.root / ".reconciler")
    ran = stocked.run("apply", "--yes")
    assert ran.code == 3
    assert "is empty for workspace default, and artifacts/records tells of applies" in ran.err
    assert stocked.run("--store", "sqlite:///other.db", "plan").code == 3
    assert {file: data for file, data in stocked.tree().items() if file != "other.db"} == before


def test_an_artifacts_folder_that_is_not_there_does_not_mean_that_all_is_lost(stocked: Shop) -> None:
    (stocked.root / "artifacts").rename(stocked.root / "elsewhere")
    ran = stocked.run("apply", "--yes")
    assert ran.code == 3
    assert "there is no folder artifacts, and 4 artifacts belong in it" in ran.err
    (stocked.root / "elsewhere").rename(stocked.root / "artifacts")
    assert "Nothing to do" in stocked.ok("apply", "--yes").out


def test_an_apply_that_fails_before_anything_changed_exits_1_every_time(
    stocked: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not with 6, at which a pipeline would run it again for ever."""
    rules = stocked.root / ".sops.yaml"
    pgp = "  - {path_regex: later, pgp: 85D77543B3D624B63CEA9E6DBC17301B491B3F21}\n"
    rules.write_text(rules.read_text().replace("creation_rules:\n", "creation_rules:\n" + pgp))
    monkeypatch.setenv("RECONCILER_SOPS", "/no/such/sops")
    stocked.spec(AUTH.replace("erp", "later"), "later.yaml")
    for _ in range(3):
        ran = stocked.run("apply", "--yes")
        assert ran.code == 1, ran.err
    assert len(stocked.ok("list", "--format", "json").json["tokens"]) == 4


def test_a_plan_that_was_applied_is_not_applied_again_when_an_artifact_is_lost(stocked: Shop) -> None:
    stocked.ok("set", "erp", "algorithm=HS512")
    stocked.ok("plan", "--out", "tonight.plan")
    stocked.ok("apply", "tonight.plan", "--yes")
    (stocked.root / "artifacts/TokenAuth/erp.yaml").unlink()
    ran = stocked.run("apply", "tonight.plan", "--yes")
    assert ran.code == 4


def test_a_plan_that_was_approved_is_sealed_to_whom_it_was_approved_for(shop: Shop) -> None:
    shop.ok("keygen")
    shop.spec(AUTH)
    shop.ok("plan", "--out", "tonight.plan")
    rules = shop.root / ".sops.yaml"
    rules.write_text(rules.read_text().replace("^artifacts/", "^artifacts/.*"))
    ran = shop.run("apply", "tonight.plan", "--yes")
    assert ran.code == 4
    assert "the creation rules in .sops.yaml changed" in ran.err


def test_a_plan_says_which_brakes_somebody_let_go(stocked: Shop) -> None:
    stocked.ok("remove", "erp")
    flags = ("--max-delete", "2", "--max-rotate", "3", "--max-disable", "0", "--allow-empty")
    out = stocked.ok("plan", *flags).out
    assert "lifted:  the brake on deletions, by --max-delete 2" in out
    assert "lifted:  the brake on rotations, by --max-rotate 3" in out
    assert "lifted:  the brake on disabling, by --max-disable 0" in out
    assert "by --allow-empty" in out


def test_a_brake_holds_what_one_owner_may_lose(shop: Shop) -> None:
    """The hint of the block is what lets the plan through, and the record says that it was given."""
    shop.ok("keygen")
    others = [AUTH.replace("erp", f"other{number}") for number in range(30)]
    mine = [JWT.replace("bridge", f"mine{number}") for number in range(4)]
    shop.spec("---\n".join((*others, *mine)))
    shop.ok("apply", "--yes")
    for number in range(3):
        shop.ok("set", f"mine{number}", "enabled=false")
    ran = shop.run("plan")
    assert ran.code == 3
    assert (
        "blocked: the plan would disable 3 of 4 tokens of team-mes, and 5 tokens or 50 % an owner"
        " lets 2 through [brake-owner-disable]" in ran.out
    )
    assert "with --max-disable 3" in ran.out
    assert shop.run("apply", "--yes", "--max-disable", "2").code == 3
    shop.ok("apply", "--yes", "--max-disable", "3")
    *_, newest = sorted((shop.root / "artifacts/records").iterdir())
    assert body_of(newest.read_text()).overrides == {"max_disable": 3}
    for number in range(3):
        shop.ok("set", f"mine{number}", "enabled=true")
    shop.ok("apply", "--yes")
    *_, newest = sorted((shop.root / "artifacts/records").iterdir())
    assert body_of(newest.read_text()).overrides == {}


def test_no_password_goes_to_a_host_that_a_spec_names(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.spec(
        "apiVersion: reconciler/v1\nkind: Workspace\nmetadata: {name: acme}\n"
        "spec: {store: 'postgresql://127.0.0.1:1/none'}\n"
    )
    monkeypatch.setenv("PGPASSWORD", "CANARY")
    ran = shop.run("plan")
    assert ran.code == 1
    assert "PGPASSWORD is set" in ran.err
    assert "CANARY" not in ran.err


def test_the_folder_of_the_store_may_not_lead_out_of_the_workspace(shop: Shop, tmp_path: Path) -> None:
    shop.ok("keygen")
    shop.spec(AUTH)
    outside = tmp_path / "outside"
    outside.mkdir()
    (shop.root / ".reconciler").symlink_to(outside)
    ran = shop.run("apply", "--yes")
    assert ran.code == 1
    assert "is a link out of the workspace" in ran.err
    assert list(outside.iterdir()) == []


def test_two_workspaces_without_a_name_cannot_share_a_file(shop: Shop, tmp_path: Path) -> None:
    shop.spec(AUTH)
    ran = shop.run("--store", f"sqlite:///{tmp_path}/shared.db", "plan")
    assert ran.code == 1
    assert "this workspace has no name" in ran.err


def test_a_store_of_no_known_make_is_told_as_that(shop: Shop) -> None:
    shop.spec(AUTH)
    assert "no name" not in shop.run("--store", "mysql://x/y", "plan").err


def test_a_store_that_others_may_share_needs_a_named_workspace(shop: Shop) -> None:
    shop.spec(AUTH)
    ran = shop.run("--store", "postgresql://127.0.0.1:1/none", "plan")
    assert ran.code == 1
    assert "this workspace has no name" in ran.err


def test_the_store_is_taken_from_flag_then_environment_then_specs(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.ok("keygen")
    shop.spec(AUTH)
    shop.spec(
        "apiVersion: reconciler/v1\nkind: Workspace\nmetadata: {name: acme}\nspec: {store: 'sqlite:///three.db'}\n",
        "workspace.yaml",
    )
    assert "in sqlite:three.db" in shop.ok("plan").out
    monkeypatch.setenv("RECONCILER_STORE", "sqlite:///two.db")
    assert "in sqlite:two.db" in shop.ok("plan").out
    assert "in sqlite:one.db" in shop.ok("--store", "sqlite:///one.db", "plan").out


def test_no_secret_appears_in_anything_that_a_whole_life_prints_or_writes(shop: Shop) -> None:
    """Every secret is collected from the opened artifacts, and then searched for everywhere."""
    printed: list[str] = []

    def go(*arguments: str) -> None:
        ran = shop.run(*arguments)
        printed.extend((ran.out, ran.err))

    shop.ok("keygen")
    shop.spec(f"{RSA}---\n{JWT}---\n{LOGIN}---\n{AUTH}")
    go("plan", "--format", "json", "--out", "one.plan")
    go("apply", "one.plan", "--yes")
    secrets: list[str] = []
    for name in ("historian", "bridge", "console", "erp"):
        fields = shop.ok("download", name, "--stdout").out
        secrets.extend(line.strip() for line in fields.splitlines() if len(line.strip()) > 40)
    go("set", "erp", "algorithm=HS512")
    go("set", "historian", "algorithm=PS256")
    go("apply", "--yes", "--format", "json")
    for command in (
        ["list"],
        ["show", "erp"],
        ["doctor"],
        ["validate"],
        ["--debug", "apply", "one.plan", "--yes"],
    ):
        go(*command, *(["--format", "json"] if command[0] in ("list", "show") else []))
    everything = "\n".join(printed).encode()
    for path in shop.root.rglob("*"):
        if path.is_file():
            everything += path.read_bytes()
    bodies = [secret for secret in secrets if "PUBLIC" not in secret and "sign_in" not in secret]
    public = everything.decode(errors="replace")
    private = [body for body in bodies if not _is_public(body, public)]
    assert len(private) > 10
    assert [body[:12] for body in private if body in public] == []


def _is_public(line: str, everything: str) -> bool:
    """Lines of the public key stand in the store by design."""
    block = everything.partition("-----BEGIN PUBLIC KEY-----")[2]
    return line in block and "PRIVATE" not in line
