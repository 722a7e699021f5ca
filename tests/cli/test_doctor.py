"""doctor: what is set up, what is missing, and who can open what."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from reconciler.artifacts import identities
from tests.artifacts.kit import SOPS
from tests.cli.kit import AUTH, Shop

TEAMS = """\
creation_rules:
  - path_regex: ^artifacts/old/
    age: {other}
  - path_regex: ^artifacts/JWTToken/
    age: {jwt}
  - age: {rest}
"""


def checks(shop: Shop, *arguments: str) -> dict[str, list[dict[str, Any]]]:
    """What doctor found, by what it looked at."""
    found: dict[str, list[dict[str, Any]]] = {}
    for check in shop.run(*arguments, "doctor", "--format", "json").json["checks"]:
        found.setdefault(check["name"], []).append(check)
    return found


def mine(shop: Shop) -> str:
    return (shop.root / ".sops.yaml").read_text().rpartition("age: ")[2].strip()


def rules(shop: Shop, **recipients: str) -> None:
    (shop.root / ".sops.yaml").write_text(TEAMS.format(**recipients))


def test_all_is_well_in_a_workspace_that_works(stocked: Shop) -> None:
    """One screen: nine lines, every check with its state, exit 0."""
    ran = stocked.ok("doctor")
    assert len(ran.out.splitlines()) <= 24
    found = checks(stocked)
    assert found["specs"][0]["message"] == "4 specs in workspace default"
    assert found["rules"][0]["message"] == "1 creation rule, each for some artifact"
    assert found["artifacts"][0]["message"] == "4 in place, 4 of them open with your identities"
    assert found["recipients"][0]["message"].startswith("every artifact is sealed to whom its rule names")
    assert "keys.txt" in found["identities"][0]["message"]
    states = {check["state"] for name, several in found.items() for check in several if name != "git"}
    assert states == {"ok"}


def test_what_is_missing_is_named(shop: Shop) -> None:
    """Without rules, identity or live store: a fault, two notes, and what to do about each."""
    shop.spec(AUTH)
    ran = shop.run("doctor")
    assert ran.code == 1
    assert "fault  rules       there is no .sops.yaml" in ran.out
    assert "note   identities  none found" in ran.out
    assert "holds nothing yet" in ran.out
    assert ran.out.count("reconcile keygen") == 2
    assert "recipients" not in checks(shop)


def test_a_rule_that_matches_nothing_is_named(stocked: Shop) -> None:
    """By its place in the file and its regex."""
    rules(stocked, other=mine(stocked), jwt=mine(stocked), rest=mine(stocked))
    (found,) = checks(stocked)["rules"]
    assert found["state"] == "note"
    assert found["message"] == "1 of 3 creation rules for no artifact: rule 0 (path_regex ^artifacts/old/)"


def test_artifacts_that_are_sealed_to_others_than_their_rules_name(stocked: Shop) -> None:
    """Who can open one and should not, and who should and cannot, each with the names of the tokens."""
    me, other = mine(stocked), identities.generate()[0]
    rules(stocked, other=me, jwt=other, rest=f"{me},{other}")
    strangers, lacking = checks(stocked)["recipients"]
    assert strangers["message"] == (
        f"1 artifact sealed to whom the rules do not name for them ({me}): bridge"
    )
    assert "rotates" in strangers["hint"]
    assert lacking["message"] == (
        "3 artifacts not sealed to all whom the rules name: console, erp, historian"
    )
    assert "reconcile reseal" in lacking["hint"]


def test_which_artifacts_do_not_open(stocked: Shop) -> None:
    """By name; and they are no fault: somebody else owns them."""
    me, other = mine(stocked), identities.generate()[0]
    rules(stocked, other=me, jwt=other, rest=me)
    stocked.ok("apply", "--yes")
    (found,) = checks(stocked)["artifacts"]
    assert (found["state"], found["message"]) == (
        "note",
        "4 in place, 3 of them open with your identities; not bridge",
    )


def test_broken_swapped_and_missing_artifacts_are_faults(stocked: Shop) -> None:
    """Each with its reason; exit 1."""
    artifacts = stocked.root / "artifacts"
    (artifacts / "TokenAuth/erp.yaml").unlink()
    shutil.copy(artifacts / "LoginToken/console.yaml", artifacts / "JWTToken/bridge.yaml")
    (artifacts / "RSAToken/historian.yaml").write_text("hello")
    assert stocked.run("doctor").code == 1
    messages = [check["message"] for check in checks(stocked)["artifacts"]]
    assert messages[0] == "1 of 4 are missing: erp"
    assert "recipients" not in checks(stocked)
    assert "it belongs to another token" in messages[1]
    assert "historian.yaml" in messages[2]


def test_a_sops_that_is_missing_is_a_fault_only_where_a_rule_needs_it(
    stocked: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Age recipients need none; PGP does."""
    monkeypatch.setenv("RECONCILER_SOPS", "/no/such/sops")
    assert checks(stocked)["sops"][0]["state"] == "note"
    me, file = mine(stocked), stocked.root / ".sops.yaml"
    file.write_text(f"creation_rules: [{{age: {me}, pgp: 85D77543B3D624B63CEA9E6DBC17301B491B3F21}}]\n")
    assert checks(stocked)["sops"][0]["state"] == "fault"
    monkeypatch.setenv("RECONCILER_SOPS", SOPS)
    assert checks(stocked)["sops"][0]["message"].endswith("; a creation rule needs it")


def test_a_sops_that_is_too_old(stocked: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Says which version it takes."""
    old = tmp_path / "old-sops"
    old.write_text("#!/bin/sh\necho sops 3.7.3\n")
    old.chmod(0o755)
    monkeypatch.setenv("RECONCILER_SOPS", str(old))
    (found,) = checks(stocked)["sops"]
    assert (found["state"], found["message"]) == ("note", "version 3.7 is too old")
    assert "3.9 or newer" in found["hint"]


def test_broken_specs_hide_what_depends_on_them(stocked: Shop) -> None:
    """They are told first, and what needs no specs is looked at all the same."""
    stocked.spec("kind: 1\n", "bad.yaml")
    found = checks(stocked)
    assert found["specs"][0]["state"] == "fault"
    assert {"identities", "git", "sops"} <= set(found)


def test_git(stocked: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing, or too old: a note, since plans and records then name no commit."""
    with monkeypatch.context() as none:
        none.setenv("PATH", "/nowhere")
        assert "note   git         the program is not there" in stocked.run("doctor").out
    old = tmp_path / "git"
    old.write_text("#!/bin/sh\necho git version 1.8.3\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    (found,) = checks(stocked)["git"]
    assert (found["state"], found["message"]) == ("note", "version 1.8.3 is older than 2.30")


def test_an_owner_without_the_live_store_gets_the_same_screen(stocked: Shop) -> None:
    """The records in the clone tell whose artifacts they are."""
    shutil.rmtree(stocked.root / ".reconciler")
    found = checks(stocked)
    assert found["artifacts"][0]["message"] == "4 in place, 4 of them open with your identities"
    assert found["live store"][0]["state"] == "note"


def test_a_sops_that_does_not_run_is_not_taken_for_a_missing_key(
    stocked: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It might open what it was needed for: a fault with the remedy, for doctor and for download --all."""
    artifact = stocked.root / "artifacts/JWTToken/bridge.yaml"
    pgp = "    pgp:\n        - created_at: '2026-01-01T00:00:00Z'\n          enc: x\n          fp: ABCD\n"
    text = artifact.read_text()
    start, end = text.index("    age:\n"), text.index("    lastmodified")
    artifact.write_text(text[:start] + pgp + text[end:])
    monkeypatch.setenv("RECONCILER_SOPS", "/no/such/sops")
    assert "/no/such/sops cannot be started" in checks(stocked)["artifacts"][0]["message"]
    ran = stocked.run("download", "--all", "--output", "../mine", "--format", "json")
    assert ran.code == 1
    assert [one["name"] for one in ran.json["failed"]] == ["bridge"]
    assert ran.json["closed"] == []
