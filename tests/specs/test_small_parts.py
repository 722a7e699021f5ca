"""Settings, times, canonical JSON, and files that are replaced whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.canonical import canonical, digest
from reconciler.specs.faults import did_you_mean, listed, nearest
from reconciler.specs.reader import read_file
from reconciler.specs.write import schema_line, write_whole
from reconciler.times import day, minute, seconds_of, timestamp

KEY = "AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"
WORKSPACE = """\
apiVersion: reconciler/v1
kind: Workspace
metadata: {name: acme}
spec:
  store: postgresql://db.example/tokens
  artifacts: out/sealed
  deliver: {path: "{owner}/{name}"}
  publish: git
  git: {remote: upstream, branch: release/2.0, push: bot/artifacts}
  brakes:
    delete: {count: 1, percent: 2}
    rotate: {count: 3, percent: 4}
    disable: {count: 5, percent: 6}
    perOwner: {delete: {count: 7, percent: 8}, rotate: {count: 9}, disable: {percent: 10}}
  planValidFor: 90m
  verifier: {recipients: [age1abc], url: "https://verifier.example:8443/tokens", audience: acme-apis}
  policies: [recommended]
  audit: {keys: ["ssh-ed25519  KEY  ci of acme"], records: signed, commits: signed, commitsSince: 2026-01-01}
""".replace("KEY", KEY)


def test_a_workspace_document_sets_every_setting() -> None:
    (found,) = read_file("f", WORKSPACE.encode()).workspaces
    settings = found.document.spec
    assert (found.document.metadata.name, found.line) == ("acme", 2)
    assert settings.model_dump() == {
        "store": "postgresql://db.example/tokens",
        "artifacts": "out/sealed",
        "deliver": {"path": "{owner}/{name}"},
        "publish": "git",
        "git": {"remote": "upstream", "branch": "release/2.0", "push": "bot/artifacts"},
        "brakes": {
            "delete": {"count": 1, "percent": 2},
            "rotate": {"count": 3, "percent": 4},
            "disable": {"count": 5, "percent": 6},
            "perOwner": {
                "delete": {"count": 7, "percent": 8},
                "rotate": {"count": 9, "percent": 100},
                "disable": {"count": 5, "percent": 10},
            },
        },
        "planValidFor": "90m",
        "verifier": {
            "recipients": ("age1abc",),
            "url": "https://verifier.example:8443/tokens",
            "audience": "acme-apis",
        },
        "policies": ("recommended",),
        "audit": {
            "keys": (f"ssh-ed25519 {KEY} ci of acme",),
            "records": "signed",
            "commits": "signed",
            "commitsSince": "2026-01-01T00:00:00Z",
        },
    }


@pytest.mark.parametrize(
    "name",
    [
        "-f",
        "a..b",
        "a/.b",
        "a@{1}",
        "a b",
        "",
        "a/",
        "/a",
        "a:b",
        "+a",
        "a//b",
        "HEAD",
        "refs/heads/a",
        "a.lock",
        "a.lock/b",
    ],
)
def test_a_branch_is_a_name_and_nothing_that_git_takes_for_more(name: str) -> None:
    text = WORKSPACE.replace("release/2.0", f"'{name}'")
    assert [fault.rule for fault in read_file("f", text.encode()).faults] == ["workspace.git.branch"]


@pytest.mark.parametrize(("branch", "push"), [("main", "main/x"), ("release/2.0", "release")])
def test_no_branch_lies_below_the_name_of_another(branch: str, push: str) -> None:
    """git would refuse the push, when all is made that was to be pushed."""
    text = WORKSPACE.replace("release/2.0", branch).replace("bot/artifacts", push)
    assert [fault.rule for fault in read_file("f", text.encode()).faults] == ["workspace.git.push"]


@pytest.mark.parametrize("name", ["https://evil.example/x", "../x", "-u", "", "a/b", "ext::sh"])
def test_a_remote_is_the_name_of_one_that_the_repository_has(name: str) -> None:
    text = WORKSPACE.replace("upstream", f"'{name}'")
    assert [fault.rule for fault in read_file("f", text.encode()).faults] == ["workspace.git.remote"]


@pytest.mark.parametrize("folder", ["/abs", "a//b", "a/../b", ".", "a/", "a\\b", ""])
def test_the_artifacts_folder_lies_inside_the_workspace(folder: str) -> None:
    text = WORKSPACE.replace("out/sealed", f"'{folder}'")
    assert [fault.rule for fault in read_file("f", text.encode()).faults] == ["workspace.artifacts"]


def test_times_are_written_in_utc_and_read_back() -> None:
    assert timestamp(1795351207) == "2026-11-22T12:40:07Z"
    assert (day(1795351207), minute(1795351207)) == ("2026-11-22", "12:40")
    assert seconds_of(timestamp(1795351207)) == 1795351207
    for text in ("2026-11-22", "2026-11-22T12:40:07", "2026-11-22T12:40:07+01:00", "now"):
        with pytest.raises(ValueError, match="does not match"):
            seconds_of(text)


def test_canonical_json_is_one_text_for_one_value() -> None:
    assert canonical({"b": [1, 1.5, None, True], "a": "工"}) == '{"a":"工","b":[1,1.5,null,true]}'.encode()
    assert digest(b"") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_the_nearest_word_is_offered_only_when_it_is_near() -> None:
    assert nearest("OWNER", ["owner", "title"]) == "owner"
    assert nearest("zzz", ["owner", "title"]) is None
    assert nearest("x", []) is None
    assert nearest("o" * 100_000, ["owner"]) is None
    assert did_you_mean("ownr", ["owner"]) == "did you mean owner?"
    assert did_you_mean("zzz", ["owner"]) == "it can be owner"
    assert listed(["a", "b", "c"]) == "it can be a, b or c"
    assert listed([str(number) for number in range(9)]) == "it can be 0, 1, 2, 3, 4, 5, 6, 7 …"


def test_a_file_is_replaced_whole_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.yaml"
    path.parent.mkdir(exist_ok=True)
    write_whole(path, b"one", 0o600)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"one", 0o600)
    path.chmod(0o640)
    write_whole(path, b"two")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"two", 0o640)
    assert [entry.name for entry in path.parent.iterdir()] == ["a.yaml"]


def test_a_file_that_cannot_be_replaced_stays_and_nothing_is_left_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"one")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, b"two")
    assert path.read_bytes() == b"one"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.yaml"]


def test_the_schema_line_leads_from_the_file_to_the_schema(tmp_path: Path) -> None:
    specs = tmp_path / "specs"
    assert schema_line(specs / "a.yaml", specs) == "# yaml-language-server: $schema=.schema.json\n"
    assert schema_line(specs / "b" / "c" / "a.yaml", specs).endswith("$schema=../../.schema.json\n")


def test_to_read_specs_takes_no_library_that_makes_keys() -> None:
    """What is not imported costs no time at every start; only keys that sign records are looked at."""
    keyless = "".join(line for line in WORKSPACE.splitlines(keepends=True) if KEY not in line)
    code = (
        "import sys; from reconciler.specs.reader import read_file; from pathlib import Path;"
        "read_file('f', sys.stdin.buffer.read());"
        "print(sorted({'jwt', 'cryptography', 'rapidfuzz', 'sqlalchemy', 'click', 'ssl'}"
        " & set(sys.modules)))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], input=keyless.encode(), capture_output=True, check=True
    )
    assert ran.stdout.decode().strip() == "[]"
