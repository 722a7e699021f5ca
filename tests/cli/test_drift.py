"""drift: what somebody did past the specs, each of it done for real."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from reconciler.plan.transition import NARROWED
from tests.cli.kit import AUTH, JWT, LOGIN, RSA, Ran, Shop

HISTORIAN = "artifacts/RSAToken/historian.yaml"
ERP = "artifacts/TokenAuth/erp.yaml"
NO_DRIFT = "No drift: 4 tokens live.\n"


def hands(shop: Shop, statement: str, *values: object) -> None:
    """Somebody writes to the live store past this tool."""
    with closing(sqlite3.connect(shop.root / ".reconciler" / "live.db")) as store, store:
        store.execute(statement, values)


def drifted(shop: Shop) -> Ran:
    """The command, which must find something."""
    ran = shop.run("drift")
    assert (ran.code, ran.err) == (2, "")
    return ran


def findings(shop: Shop) -> list[dict[str, Any]]:
    """What it found, with what every finding must have."""
    ran = shop.run("drift", "--format", "json")
    assert ran.json["schema"] == "reconciler/drift/v1"
    found: list[dict[str, Any]] = ran.json["findings"]
    assert ran.code == (2 if found else 0)
    for one in found:
        assert list(one) == ["rule", "name", "path", "message", "hint"]
        assert one["message"]
        assert one["hint"]
    return found


def told(shop: Shop) -> list[tuple[str, str | None, str | None]]:
    """Rule, name and path of each finding."""
    return [(one["rule"], one["name"], one["path"]) for one in findings(shop)]


def record(shop: Shop) -> Path:
    """The one record of a shop that was applied once."""
    (path,) = (shop.root / "artifacts/records").iterdir()
    return path


def test_a_workspace_as_apply_left_it_has_no_drift(stocked: Shop) -> None:
    before = stocked.tree()
    ran = stocked.ok("drift")
    assert (ran.out, ran.err) == (NO_DRIFT, "")
    assert findings(stocked) == []
    assert stocked.tree() == before


def test_an_empty_workspace_has_no_drift_and_gets_no_store(shop: Shop) -> None:
    shop.spec(AUTH)
    assert shop.ok("drift").out == "No drift: 0 tokens live.\n"
    assert not (shop.root / ".reconciler").exists()


def test_what_the_specs_newly_ask_is_no_drift_before_apply_or_after(stocked: Shop) -> None:
    """An issue, a change of grants, a rotation, a move to other folders: that is the plan."""
    stocked.spec(f"{AUTH.replace('erp', 'new')}", "new.yaml")
    stocked.ok("set", "historian", "apis=device.read", "keySize=3072")
    stocked.ok("set", "console", "owner=team-a")
    stocked.ok("set", "erp", "expire=60")
    assert stocked.ok("drift").out == NO_DRIFT
    stocked.ok("apply", "--yes")
    assert stocked.ok("drift").out == "No drift: 5 tokens live.\n"
    stocked.ok("remove", "new")
    stocked.ok("apply", "--yes")
    assert stocked.ok("drift").out == NO_DRIFT


def test_another_layout_is_no_drift_whoever_moves_the_files(stocked: Shop) -> None:
    text = (stocked.root / "specs/tokens.yaml").read_text()
    document = "apiVersion: reconciler/v1\nkind: Workspace\nmetadata: {name: default}\nspec:\n  "
    stocked.spec(text + "---\n" + document + 'deliver: {path: "x/{kind}/{name}"}\n')
    assert stocked.ok("drift").out == NO_DRIFT
    for path in (stocked.root / "artifacts").glob("[A-Z]*"):
        shutil.move(path, stocked.root / "artifacts" / "x" / path.name)
    assert stocked.ok("drift").out == NO_DRIFT
    stocked.ok("apply", "--yes")
    assert stocked.ok("drift").out == NO_DRIFT
    stocked.spec(text + "---\n" + document + "artifacts: sealed\n")
    assert stocked.ok("drift").out == NO_DRIFT


def test_removing_the_last_token_of_a_kind_leaves_a_folder_that_is_no_drift(stocked: Shop) -> None:
    stocked.ok("remove", "historian")
    stocked.ok("apply", "--yes")
    assert (stocked.root / "artifacts/RSAToken").is_dir()
    assert stocked.ok("drift").out == "No drift: 3 tokens live.\n"


EDITS = (
    (
        """UPDATE token SET grants = '{"apis":["*"],"projects":["plant-a"]}' WHERE name = 'historian'""",
        "apis is *",
    ),
    (
        "UPDATE token SET state = 'disabled' WHERE name = 'historian'",
        "it is disabled, and its spec says active",
    ),
    (
        "UPDATE token SET expires_at = 4102444800 WHERE name = 'historian'",
        "it ends 2100-01-01T00:00:00Z, and its spec says never",
    ),
    (
        "UPDATE token SET expires_at = 9999999999999999 WHERE name = 'historian'",
        "it ends at 9999999999999999 seconds",
    ),
    (
        "UPDATE token SET due_at = 1 WHERE name = 'historian'",
        "it is due for rotation 1970-01-01T00:00:01Z, and its spec says never",
    ),
    (
        "UPDATE token SET protect = 1 WHERE name = 'historian'",
        "it is protected, and its spec says not protected",
    ),
    (
        "UPDATE token SET spec_digest = 'sha256:0' WHERE name = 'historian'",
        "the digest is not that of the spec that it holds",
    ),
    (
        "UPDATE token SET declared = '[]' WHERE name = 'historian'",
        "it holds no spec of this token that can be read",
    ),
)


@pytest.mark.parametrize(("edit", "said"), EDITS)
def test_a_row_that_hands_edited_is_told_of(edit: str, said: str, stocked: Shop) -> None:
    hands(stocked, edit)
    (one,) = findings(stocked)
    assert (one["rule"], one["name"]) == ("drift.edited", "historian")
    assert said in one["message"]


def test_the_next_change_of_its_spec_mends_a_row_as_the_hint_says(stocked: Shop) -> None:
    hands(stocked, "UPDATE token SET state = 'disabled' WHERE name = 'erp'")
    assert told(stocked) == [("drift.edited", "erp", None)]
    stocked.ok("set", "erp", "expire=60")
    stocked.ok("apply", "--yes")
    assert findings(stocked) == []


def test_what_an_interrupted_apply_narrowed_is_no_drift(stocked: Shop) -> None:
    grants = '{"apis":["device.read"],"projects":["plant-a"]}'
    hands(stocked, "UPDATE token SET spec_digest = ?, grants = ? WHERE name = 'historian'", NARROWED, grants)
    assert findings(stocked) == []


def test_a_live_token_that_no_spec_names_is_undeclared(stocked: Shop) -> None:
    stocked.spec(f"{RSA}---\n{JWT}---\n{LOGIN}")
    assert told(stocked) == [("drift.undeclared", "erp", None)]
    stocked.ok("apply", "--yes")
    assert findings(stocked) == []


def test_artifacts_that_are_gone_swapped_broken_or_encrypted_anew_are_told_apart(stocked: Shop) -> None:
    artifacts = stocked.root / "artifacts"
    (stocked.root / HISTORIAN).unlink()
    shutil.copy(artifacts / "JWTToken/bridge.yaml", stocked.root / ERP)
    (artifacts / "JWTToken/bridge.yaml").write_text("no artifact")
    with (artifacts / "LoginToken/console.yaml").open("a") as file:
        file.write("\n")
    assert told(stocked) == [
        ("drift.artifact-broken", "bridge", "artifacts/JWTToken/bridge.yaml"),
        ("drift.artifact-resealed", "console", "artifacts/LoginToken/console.yaml"),
        ("drift.artifact-foreign", "erp", ERP),
        ("drift.artifact-missing", "historian", HISTORIAN),
    ]
    lines = drifted(stocked).out.splitlines()
    assert lines[0].startswith("drift.artifact-broken  bridge artifacts/JWTToken/bridge.yaml: ")
    assert lines[-1] == "4 findings, 4 tokens live."
    stocked.ok("apply", "--yes", "--max-rotate", "4")
    assert findings(stocked) == []


@pytest.mark.parametrize("what", ["folder", "link", "pipe"])
def test_what_is_no_file_in_the_place_of_an_artifact_is_broken(what: str, stocked: Shop) -> None:
    place = stocked.root / ERP
    data = place.read_bytes()
    place.unlink()
    if what == "folder":
        place.mkdir()
        (place / "x").touch()
    elif what == "link":
        (stocked.root / "kept").write_bytes(data)
        place.symlink_to(stocked.root / "kept")
    else:
        os.mkfifo(place)
    assert told(stocked) == [("drift.artifact-broken", "erp", ERP)]


def test_strays_of_every_make_are_told_of_and_nothing_is_opened(stocked: Shop) -> None:
    artifacts = stocked.root / "artifacts"
    shutil.copy(stocked.root / ERP, artifacts / "TokenAuth/ghost.yaml")
    (artifacts / "old/K").mkdir(parents=True)
    (artifacts / "old/K/a.yaml").touch()
    (artifacts / "old/b.yaml").touch()
    (artifacts / "empty/deep").mkdir(parents=True)
    (artifacts / "loop").symlink_to("..")
    (artifacts / "JWTToken/away.yaml").symlink_to("/etc/hostname")
    os.mkfifo(artifacts / "JWTToken/pipe.yaml")
    (artifacts / ".hidden").touch()
    (artifacts / ".gitkeep").touch()
    (artifacts / ".staging/left").mkdir(parents=True)
    (artifacts / ".staging/left/x").touch()
    assert told(stocked) == [
        ("drift.artifact-stray", None, f"artifacts/{path}")
        for path in (
            ".hidden",
            "loop",
            "JWTToken/away.yaml",
            "JWTToken/pipe.yaml",
            "TokenAuth/ghost.yaml",
            "old",
        )
    ]
    assert "this folder with 2 files" in drifted(stocked).out


def test_an_artifact_in_another_place_too_is_a_stray(stocked: Shop) -> None:
    shutil.copy(stocked.root / ERP, stocked.root / "artifacts/erp.yaml")
    assert told(stocked) == [("drift.artifact-stray", None, "artifacts/erp.yaml")]


def test_an_artifacts_folder_that_leads_elsewhere_is_not_walked(stocked: Shop) -> None:
    outside = stocked.root.parent / "elsewhere"
    shutil.move(stocked.root / "artifacts", outside)
    (outside / "private").touch()
    (stocked.root / "artifacts").symlink_to(outside)
    ran = drifted(stocked)
    assert "drift.artifact-stray  artifacts: this link belongs to no live token" in ran.out
    assert "private" not in ran.out


def test_records_that_are_gone_edited_or_added_are_told_of(stocked: Shop) -> None:
    path = record(stocked)
    shown = f"artifacts/records/{path.name}"
    data = path.read_bytes()
    path.write_bytes(data + b"\n")
    assert told(stocked) == [("drift.record-missing", None, shown)]
    path.unlink()
    assert told(stocked) == [("drift.record-missing", None, shown)]
    path.symlink_to("/etc/hostname")
    assert told(stocked) == [("drift.record-missing", None, shown)]
    path.unlink()
    path.write_bytes(data)
    other = path.with_name("00000002-abcd.json")
    other.write_bytes(data)
    (path.parent / "deep").mkdir()
    (path.parent / "deep/note.txt").touch()
    assert told(stocked) == [
        ("drift.record-stray", None, "artifacts/records/00000002-abcd.json"),
        ("drift.record-stray", None, "artifacts/records/deep/note.txt"),
    ]


def test_a_record_that_hands_edited_in_the_store_differs_from_the_tree(stocked: Shop) -> None:
    hands(stocked, "UPDATE record SET body = replace(body, '\"signatures\":[]', '\"signatures\":[ ]')")
    (one,) = findings(stocked)
    assert one["rule"] == "drift.record-missing"
    assert one["message"] == "it is not record 1 as the live store has it"


@pytest.mark.parametrize("run", ["../../../../etc/passwd", "a\x00b", "\x1b[31m"])
def test_a_run_with_a_hostile_name_reads_nothing_and_sends_no_escapes(run: str, stocked: Shop) -> None:
    hands(stocked, "UPDATE record SET run = ?", run)
    ran = drifted(stocked)
    assert ran.out.count("drift.record-missing") == 1
    assert ran.out.count("drift.record-stray") == 1
    assert "\x1b" not in ran.out
    assert "\x00" not in ran.out


def test_credentials_that_should_have_ended_are_told_of(stocked: Shop) -> None:
    hands(stocked, "UPDATE credential SET not_after = 1 WHERE algorithm = 'RS256'")
    edited, one = findings(stocked)
    assert "due for rotation" in edited["message"]
    assert (one["rule"], one["name"]) == ("drift.credential", "historian")
    assert one["message"] == "generation 1 is active, and it ended 1970-01-01T00:00:01Z"


def test_more_than_two_valid_credentials_are_told_of(stocked: Shop) -> None:
    for generation in (0, -1):
        hands(
            stocked,
            "INSERT INTO credential SELECT c.token_id, ?, 'retiring', c.algorithm, c.not_before, 4102444800,"
            " c.public_key, c.secret_hash, c.sealed_secret FROM credential c JOIN token t"
            " ON t.id = c.token_id WHERE t.name = 'erp' AND c.generation = 1",
            generation,
        )
    hands(stocked, "UPDATE token SET credential_count = 3 WHERE name = 'erp'")
    (one,) = findings(stocked)
    assert (one["rule"], one["name"]) == ("drift.credential", "erp")
    assert one["message"].startswith("3 of its credentials are valid")


def test_an_apply_that_has_not_ended_is_not_judged(stocked: Shop) -> None:
    """Its artifact and its record may be published, and its token not be live yet."""
    run = "00c0ffee"
    hands(
        stocked,
        "INSERT INTO run (workspace, id, plan_digest, started_at, actor) VALUES ('default', ?, '', 1, 'me')",
        run,
    )
    hands(stocked, "UPDATE workspace SET open_run = ?, intent_count = 2", run)
    intent = (
        "INSERT INTO intent (workspace, run, number, action, kind, name, token_id, generation, path)"
        " VALUES ('default', ?, ?, 'rotate', 'TokenAuth', ?, ?, 2, ?)"
    )
    erp = stocked.ok("show", "erp", "--format", "json").json["tokens"][0]["id"]
    hands(stocked, intent, run, 0, "new", "id", "artifacts/TokenAuth/new.yaml")
    hands(stocked, intent, run, 1, "erp", erp, ERP)
    (stocked.root / "artifacts/TokenAuth/new.yaml").touch()
    shutil.copy(stocked.root / HISTORIAN, stocked.root / ERP)
    (stocked.root / f"artifacts/records/00000002-{run}.json").touch()
    ran = stocked.ok("drift")
    assert ran.out == NO_DRIFT
    assert f"note: the apply {run} has not ended" in ran.err


@pytest.mark.parametrize("name", ["\x1b[31mred", "a\nNo drift: 0", "a\u202eb", "\udcff"])
def test_hostile_names_are_shown_and_not_sent(name: str, stocked: Shop) -> None:
    (stocked.root / "artifacts" / name).touch()
    ran = drifted(stocked)
    assert len(ran.out.splitlines()) == 2
    assert ran.out.startswith("drift.artifact-stray  artifacts/")
    assert not set(ran.out) & {"\x1b", "\u202e", "\udcff"}
    assert len(findings(stocked)) == 1


def test_hostile_rows_are_shown_and_not_sent(stocked: Shop) -> None:
    hands(stocked, "UPDATE token SET grants = ? WHERE name = 'erp'", json.dumps({"\x1b[31m": ["\n\x1b"]}))
    hands(stocked, "UPDATE token SET name = ? WHERE name = 'erp'", "\x1b[31m\nevil")
    ran = drifted(stocked)
    assert "\x1b" not in ran.out
    assert all(line.startswith("drift.") for line in ran.out.splitlines()[:-1])


def test_specs_that_have_faults_are_an_error(stocked: Shop) -> None:
    stocked.spec("kind: [\n", "broken.yaml")
    ran = stocked.run("drift")
    assert (ran.code, ran.out) == (1, "")


@pytest.mark.parametrize("folder", ["artifacts/TokenAuth", "artifacts/records"])
def test_a_folder_that_cannot_be_read_is_an_error(
    folder: str, stocked: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be looked at is not said to be in order."""
    scan = os.scandir

    def refused(path: Path) -> object:
        if path == stocked.root / folder:
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refused)
    ran = stocked.run("drift")
    assert (ran.code, ran.out) == (1, "")
    assert f"the folder {folder} cannot be read: Permission denied" in ran.err


def test_a_store_that_cannot_be_read_is_an_error(stocked: Shop) -> None:
    hands(stocked, "UPDATE workspace SET token_count = 9")
    ran = stocked.run("drift")
    assert (ran.code, ran.out) == (1, "")
