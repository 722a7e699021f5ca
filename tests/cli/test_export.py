"""export: specs from the live store, for the day the repository is lost."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from reconciler.plan.transition import NARROWED
from reconciler.specs.load import load
from tests.cli.kit import AUTH, JWT, LOGIN, RSA, Shop
from tests.specs.samples import FULL

NAMED = "apiVersion: reconciler/v1\nkind: Workspace\nmetadata: {name: acme}\n"
FILES = {
    "tokens/JWTToken/bridge.yaml",
    "tokens/LoginToken/console.yaml",
    "tokens/RSAToken/historian.yaml",
    "tokens/TokenAuth/erp.yaml",
}


def hands(shop: Shop, statement: str, *values: object) -> None:
    """Somebody writes to the live store past this tool."""
    with closing(sqlite3.connect(shop.root / ".reconciler" / "live.db")) as store, store:
        store.execute(statement, values)


def lose(shop: Shop, *but: str) -> None:
    """Everything in the workspace is gone but what is named."""
    for path in shop.root.iterdir():
        if path.name not in but:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def below(folder: Path) -> set[str]:
    """The files below a folder that are not hidden."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("[!.]*") if path.is_file()}


def test_the_specs_are_lost_and_come_back_and_there_is_nothing_to_do(stocked: Shop) -> None:
    before = {token.name: token.normal for token in load(stocked.root).tokens}
    lose(stocked, ".reconciler", "artifacts", ".sops.yaml")
    ran = stocked.ok("export")
    assert ran.out == "4 specs written below specs.\n"
    assert ran.err == ""
    assert below(stocked.root / "specs") == FILES
    assert {token.name: token.normal for token in load(stocked.root).tokens} == before
    assert "Nothing to do" in stocked.ok("plan").out
    tree = stocked.tree()
    stocked.ok("apply", "--yes")
    assert stocked.tree() == tree


def test_only_the_store_and_the_artifacts_are_left_and_there_is_nothing_to_do(stocked: Shop) -> None:
    """The creation rules are gone too, which the plan says; and it changes nothing."""
    lose(stocked, ".reconciler", "artifacts")
    stocked.ok("export")
    ran = stocked.ok("plan")
    assert "Nothing to do" in ran.out
    assert "rules-unusable" in ran.out


@pytest.mark.parametrize("kind", FULL)
def test_a_spec_that_says_all_it_can_plans_nothing(kind: str, shop: Shop) -> None:
    shop.ok("keygen")
    shop.spec(FULL[kind])
    shop.ok("apply", "--yes")
    lose(shop, ".reconciler", "artifacts", ".sops.yaml")
    shop.ok("export")
    assert "Nothing to do" in shop.ok("plan").out


def test_a_file_is_what_new_would_have_written(shop: Shop) -> None:
    shop.ok("keygen")
    shop.ok("new", "TokenAuth", "erp", "name=ERP", "owner=team-erp", "expire=60")
    shop.ok("apply", "--yes")
    written = (shop.root / "specs/tokens/erp.yaml").read_text()
    schema = (shop.root / "specs/.schema.json").read_bytes()
    lose(shop, ".reconciler", "artifacts", ".sops.yaml")
    shop.ok("export")
    exported = (shop.root / "specs/tokens/TokenAuth/erp.yaml").read_text()
    assert exported == written.replace("../.schema.json", "../../.schema.json")
    assert (shop.root / "specs/.schema.json").read_bytes() == schema


def test_a_workspace_that_had_a_name_gets_it_back_and_is_told_what_is_lost(shop: Shop) -> None:
    shop.ok("keygen")
    shop.spec(f"{NAMED}---\n{AUTH}")
    shop.ok("apply", "--yes")
    lose(shop, ".reconciler", "artifacts", ".sops.yaml")
    ran = shop.ok("export")
    assert below(shop.root / "specs") == {"workspace.yaml", "tokens/TokenAuth/erp.yaml"}
    assert ran.err.startswith("note: the live store does not keep the settings of a workspace (store, ")
    assert "brakes" in ran.err
    assert load(shop.root).name == "acme"
    assert "Nothing to do" in shop.ok("plan").out


def test_artifacts_that_stood_elsewhere_are_told_of(shop: Shop) -> None:
    shop.ok("keygen")
    shop.write(".sops.yaml", (shop.root / ".sops.yaml").read_text().replace("artifacts/", "sealed/"))
    shop.spec(f"{NAMED}spec: {{artifacts: sealed}}\n---\n{AUTH}")
    shop.ok("apply", "--yes")
    lose(shop, ".reconciler", "sealed", ".sops.yaml")
    assert "note: an artifact stands at sealed/TokenAuth/erp.yaml: set artifacts" in shop.ok("export").err


def test_several_workspaces_in_one_store_are_told_apart_by_name(shop: Shop) -> None:
    shop.ok("keygen")
    for name, spec in (("acme", AUTH), ("umbrella", JWT)):
        shop.spec(f"{NAMED.replace('acme', name)}---\n{spec}")
        shop.ok("apply", "--yes")
        shutil.move(shop.root / "artifacts", shop.root / name)
    lose(shop, ".reconciler")
    ran = shop.run("export")
    assert ran.code == 64
    assert "the live store holds acme, umbrella" in ran.err
    assert "--name" in ran.err
    shop.ok("export", "--name", "umbrella")
    assert below(shop.root / "specs") == {"workspace.yaml", "tokens/JWTToken/bridge.yaml"}
    ran = shop.run("export", "--name", "acme", "--output", "other")
    assert ran.code == 64
    assert "says that this is umbrella" in ran.err


def test_every_file_in_the_way_is_named_and_nothing_is_written(stocked: Shop) -> None:
    lose(stocked, ".reconciler", "artifacts", ".sops.yaml")
    stocked.spec("# mine\n", "tokens/RSAToken/historian.yaml")
    stocked.spec("# mine\n", "tokens/TokenAuth/erp.yaml")
    stocked.spec(JWT, "mine.yaml")
    before = stocked.tree()
    ran = stocked.run("export")
    assert (ran.code, ran.out) == (1, "")
    assert [line for line in ran.err.splitlines() if line.startswith("in the way: ")] == [
        "in the way: specs/tokens/TokenAuth/erp.yaml",
        "in the way: specs/tokens/RSAToken/historian.yaml",
        "in the way: specs/mine.yaml",
    ]
    assert "3 files in the way of the export: nothing was written" in ran.err
    assert stocked.tree() == before


def test_exporting_twice_writes_nothing_over(stocked: Shop) -> None:
    stocked.ok("export", "--output", "copy")
    before = stocked.tree()
    assert stocked.run("export", "--output", "copy").code == 1
    assert stocked.tree() == before


@pytest.mark.parametrize("target", ["nowhere", "/etc/hostname"])
def test_a_link_in_the_place_of_a_file_is_in_the_way_wherever_it_leads(target: str, stocked: Shop) -> None:
    (stocked.root / "copy/tokens/TokenAuth").mkdir(parents=True)
    (stocked.root / "copy/tokens/TokenAuth/erp.yaml").symlink_to(target)
    ran = stocked.run("export", "--output", "copy")
    assert ran.code == 1
    assert "in the way: copy/tokens/TokenAuth/erp.yaml\n" in ran.err
    assert not (stocked.root / "copy/tokens/TokenAuth/nowhere").exists()


def test_no_link_out_of_the_workspace_is_written_through(stocked: Shop) -> None:
    """A branch may have brought one along."""
    outside = stocked.root.parent / "elsewhere"
    outside.mkdir()
    (stocked.root / "copy").symlink_to(outside)
    ran = stocked.run("export", "--output", "copy/deep")
    assert ran.code == 1
    assert "is a link out of the workspace" in ran.err
    assert list(outside.iterdir()) == []


def test_a_folder_on_the_way_that_is_a_link_ends_it_and_leaves_nothing(stocked: Shop) -> None:
    outside = stocked.root.parent / "elsewhere"
    outside.mkdir()
    (stocked.root / "copy/tokens").mkdir(parents=True)
    (stocked.root / "copy/tokens/RSAToken").symlink_to(outside)
    before = stocked.tree()
    ran = stocked.run("export", "--output", "copy")
    assert ran.code == 1
    assert "is a link" in ran.err
    assert stocked.tree() == before
    assert list(outside.iterdir()) == []
    assert [path.name for path in (stocked.root / "copy/tokens").iterdir()] == ["RSAToken"]


def test_an_export_that_fails_half_way_leaves_nothing(stocked: Shop) -> None:
    """The file system refuses the third folder: a file has its name."""
    stocked.write("copy/tokens/RSAToken", "mine")
    before = stocked.tree()
    ran = stocked.run("export", "--output", "copy")
    assert ran.code == 1
    assert "error: copy/tokens/RSAToken/historian.yaml cannot be written" in ran.err
    assert stocked.tree() == before


def test_stdout_is_one_text_that_declares_everything(stocked: Shop) -> None:
    before = stocked.tree()
    wanted = {token.name: token.normal for token in load(stocked.root).tokens}
    ran = stocked.ok("export", "--stdout")
    assert stocked.tree() == before
    assert ran.out.count("\n---\n") == 3
    lose(stocked, ".reconciler", "artifacts", ".sops.yaml")
    stocked.spec(ran.out)
    assert {token.name: token.normal for token in load(stocked.root).tokens} == wanted
    assert "Nothing to do" in stocked.ok("plan").out


def test_stdout_says_the_workspace_too(shop: Shop) -> None:
    shop.ok("keygen")
    shop.spec(f"{NAMED}---\n{AUTH}")
    shop.ok("apply", "--yes")
    assert shop.ok("export", "--stdout").out.startswith("apiVersion: reconciler/v1\nkind: TokenAuth\n")
    lose(shop, ".reconciler")
    assert shop.ok("export", "--stdout").out.startswith("apiVersion: reconciler/v1\nkind: Workspace\n")
    assert not (shop.root / "specs").exists()


def test_stdout_and_output_exclude_each_other(stocked: Shop) -> None:
    assert stocked.run("export", "--stdout", "--output", "copy").code == 64


def test_a_token_that_an_interrupted_apply_narrowed_is_exported_as_declared(stocked: Shop) -> None:
    hands(
        stocked,
        "UPDATE token SET spec_digest = ?, grants = ? WHERE name = 'historian'",
        NARROWED,
        '{"apis":["device.read"],"projects":["plant-a"]}',
    )
    lose(stocked, ".reconciler", "artifacts", ".sops.yaml")
    ran = stocked.ok("export")
    assert "took access from historian: exported as declared" in ran.err
    assert "device.list" in (stocked.root / "specs/tokens/RSAToken/historian.yaml").read_text()
    assert "this spec gives it" in stocked.ok("plan").out


def test_an_apply_that_has_not_ended_is_told_of(stocked: Shop) -> None:
    """What it issues may be live in a moment, and is in no spec that was exported."""
    hands(
        stocked,
        "INSERT INTO run (workspace, id, plan_digest, started_at, actor)"
        " VALUES ('default', '00c0ffee', '', 1, 'me')",
    )
    hands(stocked, "UPDATE workspace SET open_run = '00c0ffee'")
    assert "note: the apply 00c0ffee has not ended" in stocked.ok("export", "--output", "copy").err


@pytest.mark.parametrize(
    "declared",
    [
        "{}",
        "[]",
        "no JSON",
        '{"apiVersion":"reconciler/v1","kind":"NoSuchToken","metadata":{"name":"erp"},"spec":{}}',
        '{"apiVersion":"reconciler/v1","kind":"TokenAuth","metadata":{"name":"other"},"spec":{"name":"E"}}',
        '{"apiVersion":"reconciler/v1","kind":"TokenAuth","metadata":{"name":"../x"},"spec":{"name":"E"}}',
    ],
)
def test_a_record_that_holds_no_spec_stops_the_export(declared: str, stocked: Shop) -> None:
    """Left out, the token would be planned to be deleted."""
    hands(stocked, "UPDATE token SET declared = ? WHERE name = 'erp'", declared)
    before = stocked.tree()
    ran = stocked.run("export", "--output", "copy")
    assert (ran.code, ran.out) == (1, "")
    assert "holds no spec that this version can read for erp" in ran.err
    assert stocked.tree() == before


def test_a_hostile_name_in_the_store_writes_nowhere_and_sends_no_escapes(stocked: Shop) -> None:
    hands(stocked, "UPDATE token SET name = ? WHERE name = 'erp'", "../../\x1b[31mevil")
    ran = stocked.run("export", "--output", "copy")
    assert ran.code == 1
    assert "\x1b" not in ran.err
    assert not (stocked.root / "copy").exists()


def test_a_store_that_is_not_there_is_an_error_and_no_empty_export(shop: Shop) -> None:
    ran = shop.run("export")
    assert (ran.code, ran.out) == (1, "")
    assert "holds nothing of workspace default" in ran.err
    assert "--store" in ran.err
    assert list(shop.root.iterdir()) == []


def test_a_token_in_any_script_comes_back(shop: Shop) -> None:
    shop.ok("keygen")
    shop.spec(RSA.replace("{env: prod}", '{env: "true", n: "007", day: "2027-01-01", empty: ""}'))
    shop.spec(LOGIN.replace("Admin console", "'لوحة: \"#1\" 👩'"), "login.yaml")
    shop.ok("apply", "--yes")
    before = {token.name: token.normal for token in load(shop.root).tokens}
    lose(shop, ".reconciler", "artifacts", ".sops.yaml")
    shop.ok("export")
    assert {token.name: token.normal for token in load(shop.root).tokens} == before
