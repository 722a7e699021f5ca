"""reseal: who comes, who leaves, who cannot open, and what is not touched."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from reconciler.artifacts import identities
from reconciler.artifacts.opener import metadata_of
from reconciler.artifacts.resealing import Resealer
from tests.cli.kit import Shop, on_terminal

RULES = "creation_rules:\n  - path_regex: ^artifacts/\n    age: {}\n"
STANZA_YAML = 2
"""Lines of a recipient beside its age file: `- recipient: …` and `enc: |`."""


def mine(shop: Shop) -> str:
    """The recipient that the workspace was made with."""
    return (shop.root / ".sops.yaml").read_text().rpartition("age: ")[2].strip()


def seal_to(shop: Shop, *recipients: str) -> None:
    """The pull request that edits the rules."""
    (shop.root / ".sops.yaml").write_text(RULES.format(",".join(recipients)))


def git(shop: Shop, *arguments: str) -> str:
    """Runs git in the workspace."""
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *who, *arguments], cwd=shop.root, capture_output=True, text=True, check=True, timeout=30
    )
    return done.stdout


def changed(shop: Shop) -> dict[str, tuple[int, int]]:
    """(lines that came, lines that went) of each artifact that differs from the last commit."""
    rows = (line.split("\t") for line in git(shop, "diff", "--numstat", "artifacts").splitlines())
    return {path: (int(added), int(removed)) for added, removed, path in rows}


@pytest.fixture
def tracked(stocked: Shop) -> Shop:
    """Four live tokens, in git."""
    git(stocked, "init", "--quiet")
    git(stocked, "add", ".")
    git(stocked, "commit", "--quiet", "-m", "applied")
    return stocked


def stanza_lines(path: Path) -> int:
    """How many lines the newest recipient of a file takes."""
    return STANZA_YAML + len(metadata_of(path.read_bytes(), path.name).age[-1].enc.splitlines())


def test_churn_is_what_the_change_means_and_no_line_more(tracked: Shop) -> None:
    """Apply twice and reseal twice: no line. One recipient more: its own lines in each file, none removed."""
    tracked.ok("apply", "--yes")
    tracked.ok("reseal", "--yes")
    assert changed(tracked) == {}
    other = identities.generate()[0]
    seal_to(tracked, mine(tracked), other)
    for _ in range(2):
        tracked.ok("reseal", "--yes")
    diff = changed(tracked)
    assert len(diff) == 4
    for path, (added, removed) in diff.items():
        assert (added, removed) == (stanza_lines(tracked.root / path), 0)
    tracked.ok("apply", "--yes")
    assert {path: lines for path, lines in changed(tracked).items() if "records" not in path} == diff
    assert "Nothing to do" in tracked.ok("plan").out


def test_check_says_what_reseal_would_do_and_needs_no_key(
    tracked: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a pre-commit hook: no identity, no live store, nothing written, exit 1 until it is done."""
    assert tracked.ok("reseal", "--check").out == ""
    other = identities.generate()[0]
    seal_to(tracked, mine(tracked), other)
    before = tracked.tree()
    with monkeypatch.context() as bare:
        bare.setenv("HOME", "/nonexistent")
        bare.delenv("SOPS_AGE_KEY_FILE", raising=False)
        bare.delenv("SOPS_AGE_KEY", raising=False)
        bare.setenv("RECONCILER_STORE", "postgresql://127.0.0.1:1/none")
        ran = tracked.run("reseal", "--check")
        assert ran.code == 1
        assert f"artifacts/RSAToken/historian.yaml: + {other}\n" in ran.out
        assert "4 of 4 artifacts not sealed to whom the rules name." in ran.err
        assert tracked.tree() == before
    tracked.ok("reseal", "--yes")
    assert tracked.ok("reseal", "--check").out == ""


def test_json_says_who_came_and_who_left(tracked: Shop) -> None:
    """With a stable schema, per artifact."""
    old, new = mine(tracked), identities.generate()[0]
    seal_to(tracked, old, new)
    document = tracked.ok("reseal", "bridge", "--format", "json", "--yes").json
    assert document == {
        "schema": "reconciler/reseal/v1",
        "artifacts": [
            {
                "name": "bridge",
                "path": "artifacts/JWTToken/bridge.yaml",
                "added": [new],
                "removed": [],
                "regrouped": False,
            }
        ],
        "failed": [],
    }
    assert len(changed(tracked)) == 1


def test_who_left_has_seen_the_secret_so_the_plan_rotates(tracked: Shop) -> None:
    """Resealed or not; and after the rotation there is nothing left to do."""
    old, leaving = mine(tracked), identities.generate()[0]
    seal_to(tracked, old, leaving)
    tracked.ok("reseal", "--yes")
    tracked.ok("apply", "--yes")
    seal_to(tracked, old)
    reason = f"it was sealed to {leaving[:20]}"
    assert reason in tracked.run("plan").out
    ran = tracked.ok("reseal", "--yes")
    assert "a new data key" in ran.out
    assert "4 tokens lost a recipient, who has seen the secret: the next plan rotates" in ran.err
    assert reason in tracked.run("plan").out
    assert tracked.run("apply", "--yes").code == 3
    tracked.ok("apply", "--yes", "--max-rotate", "4")
    assert "Nothing to do" in tracked.ok("plan").out
    assert tracked.ok("reseal", "--check").out == ""


def test_a_new_recipient_is_warned_of_until_somebody_reseals(tracked: Shop) -> None:
    """The plan has nothing to do and says who is not served yet; in JSON too."""
    seal_to(tracked, mine(tracked), identities.generate()[0])
    ran = tracked.ok("plan")
    assert "Nothing to do" in ran.out
    assert "warning: the rules name recipients to whom 4 artifacts are not sealed: bridge, console" in ran.out
    (warned,) = tracked.ok("plan", "--format", "json").json["warnings"]
    assert warned["rule"] == "recipients-added"
    tracked.ok("reseal", "--yes")
    assert "warning" not in tracked.ok("plan").out
    tracked.ok("apply", "--yes")
    assert "warning" not in tracked.ok("plan").out


def test_what_cannot_be_opened_is_named_and_the_rest_goes_on(tracked: Shop) -> None:
    """A forgery, a swap and a missing file: each with its reason; exit 1; none of them is touched."""
    seal_to(tracked, mine(tracked), identities.generate()[0])
    artifacts = tracked.root / "artifacts"
    swapped = (artifacts / "TokenAuth/erp.yaml").read_bytes()
    (artifacts / "RSAToken/historian.yaml").write_bytes(swapped)
    text = (artifacts / "JWTToken/bridge.yaml").read_text()
    (artifacts / "JWTToken/bridge.yaml").write_text(text.replace("kind: JWTToken", "kind: RSAToken"))
    (artifacts / "TokenAuth/erp.yaml").unlink()
    before = tracked.tree()
    ran = tracked.run("reseal", "--yes")
    assert ran.code == 1
    assert "bridge: artifacts/JWTToken/bridge.yaml: the header says kind RSAToken" in ran.err
    assert "historian: artifacts/RSAToken/historian.yaml: it belongs to another token" in ran.err
    assert "erp: the artifact artifacts/TokenAuth/erp.yaml cannot be read" in ran.err
    assert "1 of 4 artifacts encrypted anew." in ran.err
    after = tracked.tree()
    assert {path for path in after if after[path] != before[path]} == {"artifacts/LoginToken/console.yaml"}
    assert set(after) == set(before)


def test_a_stranger_is_told_whose_identity_it_takes(tracked: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """And changes nothing."""
    seal_to(tracked, mine(tracked), identities.generate()[0])
    before = tracked.tree()
    monkeypatch.setenv("SOPS_AGE_KEY", identities.generate()[1].open())
    for name in ("HOME", "XDG_CONFIG_HOME", "SOPS_AGE_KEY_FILE"):
        monkeypatch.setenv(name, "/nonexistent") if name == "HOME" else monkeypatch.delenv(
            name, raising=False
        )
    ran = tracked.run("reseal", "--yes")
    assert ran.code == 1
    assert "none of the identities at hand opens it (SOPS_AGE_KEY)" in ran.err
    assert tracked.tree() == before


@pytest.mark.parametrize("way", ["file", "folder"])
def test_a_link_is_not_followed(tracked: Shop, tmp_path: Path, way: str) -> None:
    """Neither the artifact nor a folder on the way may lead out: what is there stays as it is."""
    seal_to(tracked, mine(tracked), identities.generate()[0])
    inside, outside = tracked.root / "artifacts/JWTToken", tmp_path / "outside"
    if way == "folder":
        inside.rename(outside)
        inside.symlink_to(outside)
        victim = outside / "bridge.yaml"
    else:
        victim = inside.rename(outside) / "bridge.yaml"
        inside.mkdir()
        (inside / "bridge.yaml").symlink_to(victim)
    before = victim.read_bytes()
    ran = tracked.run("reseal", "bridge", "--yes")
    assert ran.code == 1
    assert "bridge: the artifact artifacts/JWTToken/bridge.yaml cannot be read" in ran.err
    assert victim.read_bytes() == before


def test_a_full_disk_leaves_the_file_as_it_was(tracked: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence, exit 1, no half-written file beside it; later it works."""
    seal_to(tracked, mine(tracked), identities.generate()[0])
    before = tracked.tree()
    with monkeypatch.context() as full:

        def no_room(_: int) -> None:
            raise OSError(28, os.strerror(28))

        full.setattr(os, "fsync", no_room)
        ran = tracked.run("reseal", "bridge", "--yes")
    assert ran.code == 1
    assert "bridge.yaml cannot be written: No space left on device" in ran.err
    assert tracked.tree() == before
    tracked.ok("reseal", "bridge", "--yes")


def test_a_file_that_changes_meanwhile_is_not_overwritten(
    tracked: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An apply that rotates at the same time wins."""
    seal_to(tracked, mine(tracked), identities.generate()[0])
    place = tracked.root / "artifacts/JWTToken/bridge.yaml"
    real = Resealer.reseal

    def slow(*given: Any) -> bytes:
        data = real(*given)
        place.write_bytes(b"of another")
        return data

    monkeypatch.setattr(Resealer, "reseal", slow)
    ran = tracked.run("reseal", "bridge", "--yes")
    assert ran.code == 1
    assert "was changed while it was encrypted anew" in ran.err
    assert place.read_bytes() == b"of another"


def test_names_that_are_none(tracked: Shop) -> None:
    """Each says what to do."""
    assert "there is no token nobody" in tracked.run("reseal", "nobody", "--yes").err
    assert "no spec declares nobody" in tracked.run("reseal", "nobody", "--check").err
    (tracked.root / ".sops.yaml").unlink()
    ran = tracked.run("reseal", "--check")
    assert (ran.code, ran.err.count("there is no .sops.yaml")) == (1, 1)


def test_without_the_live_store_the_records_tell_what_an_artifact_must_hold(tracked: Shop) -> None:
    """A clone is enough to reseal, and what stands in another's place is known there too."""
    seal_to(tracked, mine(tracked), identities.generate()[0])
    shutil.rmtree(tracked.root / ".reconciler")
    ran = tracked.ok("reseal", "bridge", "--yes")
    assert "the records of this clone are asked" in ran.err
    assert len(changed(tracked)) == 1
    artifacts = tracked.root / "artifacts"
    shutil.copy(artifacts / "JWTToken/bridge.yaml", artifacts / "RSAToken/historian.yaml")
    assert "belongs to another token" in tracked.run("reseal", "historian", "--yes").err


@pytest.mark.parametrize("form", ["text", "json"])
def test_without_a_terminal_nobody_is_added_unless_yes_is_said(tracked: Shop, form: str) -> None:
    """A pull request that adds a recipient does not get in by a script that somebody runs from habit."""
    tracked.ok("reseal", "--format", form)
    eve = identities.generate()[0]
    seal_to(tracked, mine(tracked), eve)
    ran = tracked.run("reseal", "--format", form)
    assert (ran.code, ran.out) == (64, "")
    assert f"artifacts/JWTToken/bridge.yaml: + {eve}\n" in ran.err
    assert "there is nobody to ask" in ran.err
    assert "pass --yes" in ran.err
    assert changed(tracked) == {}


def test_on_a_terminal_who_comes_is_shown_and_no_is_no(tracked: Shop) -> None:
    """Before anything is opened; and yes is yes."""
    eve = identities.generate()[0]
    seal_to(tracked, mine(tracked), eve)
    code, shown = on_terminal(["reseal"], answer="n\n")
    assert code == 130
    assert shown.index(eve) < shown.index("Encrypt 4 artifacts anew for these recipients? [y/N]")
    assert changed(tracked) == {}
    assert on_terminal(["reseal", "--format", "json"], answer="n\n")[0] == 130
    assert on_terminal(["reseal"], answer="y\n")[0] == 0
    assert len(changed(tracked)) == 4


def test_nothing_else_is_done_than_what_was_shown(tracked: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that somebody puts into the tree while the question stands is not what was agreed to."""
    seal_to(tracked, mine(tracked), identities.generate()[0])
    bridge = tracked.root / "artifacts/JWTToken/bridge.yaml"
    before = bridge.read_bytes()
    tracked.ok("reseal", "bridge", "--yes")
    resealed = bridge.read_bytes()
    bridge.write_bytes(before)

    def confirmed(*_: object, **__: object) -> bool:
        bridge.write_bytes(resealed)
        return True

    monkeypatch.setattr("reconciler.cli.reseal.interactive", lambda: True)
    monkeypatch.setattr("click.confirm", confirmed)
    ran = tracked.run("reseal")
    assert ran.code == 1
    assert "artifacts/JWTToken/bridge.yaml was changed since you were asked" in ran.err
    assert "3 of 4 artifacts encrypted anew." in ran.err


def test_check_of_a_named_token_whose_artifact_is_not_there_fails(tracked: Shop) -> None:
    """Else a pull request passes by taking the artifact away; of all tokens, one may be not issued yet."""
    (tracked.root / "artifacts/TokenAuth/erp.yaml").unlink()
    ran = tracked.run("reseal", "--check", "erp", "bridge")
    assert ran.code == 1
    assert "erp: the artifact artifacts/TokenAuth/erp.yaml cannot be read" in ran.err
    tracked.ok("reseal", "--check", "bridge")
    tracked.ok("reseal", "--check")


def test_the_rule_is_that_of_the_place_where_the_spec_wants_the_artifact(tracked: Shop) -> None:
    """While an apply that moves it is to come; the file is encrypted anew where it lies."""
    me, team = mine(tracked), identities.generate()[0]
    (tracked.root / ".sops.yaml").write_text(
        "creation_rules:\n"
        f"  - {{path_regex: '^artifacts/new/JWTToken/', age: '{me},{team}'}}\n"
        f"  - {{age: '{me}'}}\n"
    )
    tracked.spec(
        "apiVersion: reconciler/v1\nkind: Workspace\nmetadata: {name: default}\n"
        "spec: {deliver: {path: 'new/{kind}/{name}'}}\n",
        "workspace.yaml",
    )
    (told,) = [
        check["message"]
        for check in tracked.run("doctor", "--format", "json").json["checks"]
        if check["name"] == "recipients"
    ]
    assert told == "1 artifact not sealed to all whom the rules name: bridge"
    assert f"artifacts/JWTToken/bridge.yaml: + {team}\n" in tracked.ok("reseal", "bridge", "--yes").out
    assert len(changed(tracked)) == 1
    tracked.ok("apply", "--yes")
    assert "Nothing to do" in tracked.ok("plan").out
    moved = tracked.root / "artifacts/new/JWTToken/bridge.yaml"
    assert set(metadata_of(moved.read_bytes(), moved.name).recipients) == {me, team}
