"""`reconcile audit verify`: what it prints, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.audit.audited import LIFE, Audited, Signer, copied, lived, rewritten
from tests.git.kit import ENVIRON

PAST = 1_700_000_000
"""Epoch seconds: the command reads the clock of this machine."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Audited:
    """A workspace with some history, signed: not to be written to."""
    return lived(tmp_path_factory.mktemp("command") / "house", at=PAST)


@pytest.fixture
def house(whole: Audited, tmp_path: Path) -> Audited:
    """A copy to tamper with."""
    return copied(whole, tmp_path / "house")


def run(house: Audited, *options: str) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of the command."""
    command = [sys.executable, "-m", "reconciler.cli", "-C", str(house.root), "audit", "verify", *options]
    done = subprocess.run(command, env=ENVIRON, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_a_clean_workspace_is_told_on_one_screen(house: Audited) -> None:
    """What was checked, what was not, the digest to note, and one line that says it all."""
    code, out, err = run(house, "--live")
    assert (code, err) == (0, "")
    assert len(out.splitlines()) < 24
    assert out.endswith("Nothing found, 1 note.\n")
    assert f"head {house.found().head}\n" in out


def test_a_finding_is_one_line_with_its_id_and_exit_1(house: Audited) -> None:
    """Where it is, what is so, and what a machine knows it by."""
    (house.root / "artifacts/LoginToken/shop.yaml").unlink()
    house.commit("remove")
    code, out, err = run(house)
    assert (code, err) == (1, "")
    assert out.splitlines()[0] == (
        "artifacts/LoginToken/shop.yaml: the artifact of shop, which"
        f" {house.records()[-1].name} put there, is gone [artifact-missing]"
    )
    assert out.splitlines()[1].startswith("  hint: restore it from git: ")
    assert out.endswith("1 finding, 1 note.\n")


def test_the_json_has_all_of_it_with_a_schema(house: Audited) -> None:
    """Findings apart from notes, each with what to do."""
    house.records()[0].unlink()
    house.commit("remove")
    code, out, _ = run(house, "--format", "json")
    found = json.loads(out)
    assert code == 1
    assert found["schema"] == "reconciler/audit-verify/v1"
    assert list(found) == [
        "schema", "workspace", "commit", "head", "findings", "notes", "checked", "unchecked",
    ]  # fmt: skip
    assert {"record-missing", "record-removed"} <= {one["check"] for one in found["findings"]}
    for one in [*found["findings"], *found["notes"]]:
        assert list(one) == ["check", "where", "message", "hint", "severity"]
        assert one["hint"]


def test_keys_of_ones_own_are_read_as_lines_and_as_pem(house: Audited, tmp_path: Path) -> None:
    """With remarks between them; another's keys find every record."""
    assert house.signer is not None
    own, other = tmp_path / "own", tmp_path / "other"
    own.write_text(f"# ours\n\n{Signer().line} old\n{house.signer.pem}{house.signer.line} kim\n")
    other.write_text(Signer().line)
    assert run(house, "--keys", str(own))[0] == 0
    code, out, _ = run(house, "--keys", str(other))
    assert code == 1
    assert out.count("[record-signature]") == LIFE
    assert out.count("hint: see who wrote the record") == 1


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--anchor", "sha256:12"], 64, "64 hexadecimal digits"),
        (["--keys", "nowhere"], 64, "does not exist"),
        (["--commits-since", "soon"], 64, "write a day"),
        (["--revision", "nowhere"], 1, "names no commit"),
        (["--revision=--all"], 1, "names no commit"),
    ],
)
def test_what_cannot_be_asked_is_refused(options: list[str], code: int, message: str, house: Audited) -> None:
    """In a sentence, on stderr, and nothing is printed as a result."""
    ended, out, err = run(house, *options)
    assert (ended, out) == (code, "")
    assert message in err


def test_what_is_not_committed_is_told_as_not_checked(house: Audited) -> None:
    """A record that is gone from the checkout alone is in the commit, and that is what is looked at."""
    where = "below artifacts/: what is checked out"
    assert not any(where in one for one in house.found().unchecked)
    house.records()[0].unlink()
    (house.root / "artifacts" / "new.yaml").write_text("x")
    (house.root / "other").write_text("not of the workspace")
    code, out, _ = run(house)
    assert code == 0
    assert f"  2 files {where} there is not what the commit has\n" in out
    assert f"2 files {where}" in " ".join(json.loads(run(house, "--format", "json")[1])["unchecked"])
    assert where not in run(house, "--revision", house.repo.git("rev-parse", "HEAD"))[1]


def test_a_file_with_what_is_no_key_is_refused(house: Audited, tmp_path: Path) -> None:
    """It is not taken for a file without keys."""
    file = tmp_path / "keys"
    file.write_text("no key\n")
    code, out, err = run(house, "--keys", str(file))
    assert (code, out) == (1, "")
    assert "no public key" in err


def test_what_a_record_says_is_shown_and_not_obeyed(house: Audited) -> None:
    """Whoever wrote it may have written what a terminal or a workflow takes for an order."""
    parts = {"overrides": {"delete": 1}, "actor": "\x1b[2Jkim\n::error::x", "reason": "##[error]\u202e"}
    rewritten(house, LIFE, parts, house.signer)
    house.commit("hostile")
    _, out, _ = run(house)
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert not any(line.startswith("::") for line in out.splitlines())


def test_a_folder_without_a_repository_is_an_error(tmp_path: Path) -> None:
    """There is no clone to look at."""
    (tmp_path / "specs").mkdir()
    house = Audited.__new__(Audited)
    house.root = tmp_path
    code, out, err = run(house)
    assert (code, out) == (1, "")
    assert "is in no git repository" in err
