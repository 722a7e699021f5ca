"""download --all: every artifact of an owner, each for itself."""

from __future__ import annotations

import resource
import shutil
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reconciler.artifacts.identities import generate
from reconciler.live.sql import SqlStore
from tests.cli.kit import AUTH, Ran, Shop, on_terminal


def owned(name: str, owner: str | None) -> str:
    """A spec of a token that is quick to make."""
    whose = f", owner: {owner}" if owner else ""
    return AUTH.replace("{name: erp}", f"{{name: {name}{whose}}}")


@pytest.fixture
def teams(shop: Shop) -> Shop:
    """Three tokens of team-a, one of team-b that is sealed to somebody else, and one of nobody."""
    shop.ok("keygen")
    other, _ = generate()
    mine = (shop.root / ".sops.yaml").read_text().partition("age: ")[2].strip()
    shop.write(
        ".sops.yaml",
        "creation_rules:\n"
        f"  - {{path_regex: 'theirs', age: {other}}}\n"
        f"  - {{path_regex: '^artifacts/', age: {mine}}}\n",
    )
    specs = [owned(f"a{number}", "team-a") for number in (1, 2, 3)]
    shop.spec("---\n".join([*specs, owned("theirs", "team-b"), owned("nobodys", None)]))
    shop.ok("apply", "--yes")
    return shop


def secret_of(shop: Shop, name: str) -> str:
    """The secret that an artifact carries, to be searched for."""
    fields = shop.ok("download", name, "--stdout").out
    (line,) = [line for line in fields.splitlines() if line.startswith("secret: ")]
    return line.removeprefix("secret: ")


def no_secret(shop: Shop, ran: Ran, *names: str) -> None:
    """No secret of these tokens stands in anything that was printed."""
    for name in names:
        assert secret_of(shop, name) not in ran.out + ran.err


def folder(shop: Shop, name: str = "mine") -> dict[str, bytes]:
    """The files of a folder in the workspace."""
    return {path.name: path.read_bytes() for path in (shop.root / name).iterdir()}


def artifact(shop: Shop, name: str) -> Path:
    """Where the artifact of a token stands."""
    return shop.root / f"artifacts/TokenAuth/{name}.yaml"


def test_all_of_an_owner_go_each_into_a_private_file_of_its_own(teams: Shop) -> None:
    """And of nobody else's; each is what `download NAME` gives, and no secret is printed."""
    ran = teams.ok("download", "--all", "--owner", "team-a", "--output", "deep/mine")
    place = teams.root / "deep/mine"
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert sorted(path.name for path in place.iterdir()) == ["a1.yaml", "a2.yaml", "a3.yaml"]
    for path in place.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.read_text() == teams.ok("download", path.stem, "--stdout").out
    assert [line.partition(":")[0] for line in ran.out.splitlines()] == [
        f"deep/mine/a{number}.yaml" for number in (1, 2, 3)
    ]
    assert "3 new files in deep/mine, readable by you alone." in ran.err
    no_secret(teams, ran, "a1", "a2", "a3")


def test_without_output_the_files_land_in_the_current_folder(
    teams: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not in the workspace's, as with one token."""
    (teams.root / "here").mkdir()
    monkeypatch.chdir(teams.root / "here")
    teams.ok("download", "--all", "--owner", "team-a")
    assert sorted(folder(teams, "here")) == ["a1.yaml", "a2.yaml", "a3.yaml"]


def test_all_is_what_the_reader_can_open_and_the_rest_is_one_note(teams: Shop) -> None:
    """What is sealed to others is no error, unless it was asked for by its owner."""
    ran = teams.ok("download", "--all", "--output", "mine")
    assert sorted(folder(teams)) == ["a1.yaml", "a2.yaml", "a3.yaml", "nobodys.yaml"]
    assert ran.err.count("none of your identities opens 1 of 5 artifacts") == 1
    assert "error:" not in ran.err
    strict = teams.run("download", "--all", "--owner", "team-b", "--output", "theirs")
    assert strict.code == 1
    assert strict.err.count("error: theirs: ") == 1
    assert folder(teams, "theirs") == {}


def test_what_goes_wrong_with_one_is_no_harm_to_the_others(teams: Shop) -> None:
    """A file that is there, one that was tampered with and one that is lost: each is named once."""
    teams.spec("---\n".join(owned(f"b{number}", "team-a") for number in (1, 2)), "more.yaml")
    teams.ok("apply", "--yes")
    teams.write("mine/a1.yaml", "precious")
    artifact(teams, "a2").write_bytes(artifact(teams, "a3").read_bytes())
    artifact(teams, "b1").unlink()
    arguments = ("download", "--all", "--owner", "team-a", "--output", "mine")
    ran = teams.run(*arguments)
    assert ran.code == 1
    assert sorted(folder(teams)) == ["a1.yaml", "a3.yaml", "b2.yaml"]
    assert folder(teams)["a1.yaml"] == b"precious"
    errors = [line for line in ran.err.splitlines() if line.startswith("error: ")]
    assert [line.split(": ")[1] for line in errors] == ["a1", "a2", "b1"]
    assert "mine/a1.yaml exists, and is not overwritten; name another place" in errors[0]
    assert "belongs to another token" in errors[1]
    assert "cannot be read: No such file or directory; pull the commit" in errors[2]
    no_secret(teams, ran, "a1", "a3", "b2")
    before = folder(teams)
    assert teams.run(*arguments).code == 1
    assert folder(teams) == before


def test_a_missing_or_tampered_artifact_is_an_error_without_an_owner_too(teams: Shop) -> None:
    """Only what is whole and sealed to others is passed over."""
    artifact(teams, "a1").unlink()
    text = artifact(teams, "a2").read_text()
    artifact(teams, "a2").write_text(text.replace("generation: 1", "generation: 2"))
    ran = teams.run("download", "--all", "--output", "mine")
    assert ran.code == 1
    assert [name for name in ("a1", "a2", "theirs") if f"error: {name}: " in ran.err] == ["a1", "a2"]
    assert sorted(folder(teams)) == ["a3.yaml", "nobodys.yaml"]


def test_json_says_what_was_written_and_what_failed_and_no_secret(teams: Shop) -> None:
    """Machines get the whole outcome on stdout, in both ways to call it."""
    teams.write("mine/a1.yaml", "precious")
    ran = teams.run("download", "--all", "--owner", "team-a", "--output", "mine", "--format", "json")
    assert ran.code == 1
    assert ran.json["schema"] == "reconciler/download/v1"
    ids = {token["name"]: token["id"] for token in teams.ok("list", "--format", "json").json["tokens"]}
    assert ran.json["files"] == [
        {
            "name": name,
            "kind": "TokenAuth",
            "id": ids[name],
            "generation": 1,
            "path": f"mine/{name}.yaml",
        }
        for name in ("a2", "a3")
    ]
    (failed,) = ran.json["failed"]
    assert set(failed) == {"name", "error", "hint"}
    assert failed["name"] == "a1"
    one = teams.ok("download", "a1", "--format", "json").json
    assert [file["path"] for file in one["files"]] == ["a1.yaml"]
    assert one["failed"] == []
    no_secret(teams, ran, "a1", "a2", "a3")


def test_an_owner_without_the_live_store_gets_all_that_the_records_tell(teams: Shop) -> None:
    """What is declared and not issued yet is left out; what no record vouches for is an error."""
    teams.spec(owned("later", "team-a"), "later.yaml")
    shutil.rmtree(teams.root / ".reconciler")
    ran = teams.ok("download", "--all", "--owner", "team-a", "--output", "mine")
    assert sorted(folder(teams)) == ["a1.yaml", "a2.yaml", "a3.yaml"]
    assert ran.err.count("the records of this clone are asked") == 1
    artifact(teams, "later").write_bytes(artifact(teams, "a1").read_bytes())
    artifact(teams, "a2").write_bytes(artifact(teams, "nobodys").read_bytes())
    ran = teams.run("download", "--all", "--owner", "team-a", "--output", "again")
    assert ran.code == 1
    assert "error: later: no record in this clone says" in ran.err
    assert "error: a2: " in ran.err
    assert sorted(folder(teams, "again")) == ["a1.yaml", "a3.yaml"]


def test_the_live_store_is_read_once_however_many_tokens_there_are(
    teams: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One read of all, and none of any single token."""
    asked: list[str] = []
    for name in ("tokens", "token", "tombstones"):
        real = getattr(SqlStore, name)

        def counted(self: SqlStore, *rest: Any, name: str = name, real: Any = real) -> Any:
            asked.append(name)
            return real(self, *rest)

        monkeypatch.setattr(SqlStore, name, counted)
    teams.ok("download", "--all", "--owner", "team-a", "--output", "mine")
    assert asked == ["tokens"]


def test_an_unknown_owner_is_an_error_that_makes_no_folder(teams: Shop) -> None:
    """A slip of the finger does not read as an owner with nothing; one who only declared something does."""
    ran = teams.run("download", "--all", "--owner", "team-aa", "--output", "mine")
    assert (ran.code, ran.out) == (1, "")
    assert "no token has the owner team-aa" in ran.err
    assert "did you mean team-a?" in ran.err
    assert not (teams.root / "mine").exists()
    teams.spec(owned("later", "team-new"), "later.yaml")
    ran = teams.ok("download", "--all", "--owner", "team-new", "--output", "mine")
    assert "no token of team-new is live" in ran.err


def test_an_unknown_owner_where_nobody_owns_anything_is_an_error_too(shop: Shop) -> None:
    """There is nothing to choose from, and saying so must not stumble."""
    shop.ok("keygen")
    shop.spec(AUTH)
    shop.ok("apply", "--yes")
    ran = shop.run("download", "--all", "--owner", "\x1b[2Jx")
    assert ran.code == 1
    assert "no token here has an owner" in ran.err
    assert "\x1b" not in ran.err


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("a1", "--all"),
        ("--all", "--stdout"),
        ("--owner", "team-a"),
        ("a1", "--owner", "team-a"),
        ("a1", "--stdout", "--format", "json"),
        ("a1", "--output", "."),
    ],
)
def test_what_makes_no_sense_together_exits_64_and_writes_nothing(
    arguments: tuple[str, ...], teams: Shop
) -> None:
    """Each is refused before anything is opened."""
    before = teams.tree()
    ran = teams.run("download", *arguments)
    assert (ran.code, ran.out) == (64, "")
    assert teams.tree() == before


@pytest.mark.parametrize("path", ["../evil", "artifacts/.bashrc", "/etc/x.yaml/..", "a/Evil.yaml", "a/.ssh"])
def test_a_store_does_not_choose_where_files_are_written(path: str, teams: Shop) -> None:
    """A live record whose artifact stands elsewhere is one error, wherever its path leads."""
    (teams.root / "mine").mkdir()
    place = (teams.root / path).resolve()
    if not place.is_dir():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(artifact(teams, "a1").read_bytes())
    with sqlite3.connect(teams.root / ".reconciler/live.db") as store:
        store.execute("UPDATE token SET artifact_path = ? WHERE name = 'a1'", (path,))
    before = set(teams.root.parent.rglob("*"))
    ran = teams.run("download", "--all", "--owner", "team-a", "--output", "mine")
    assert ran.code == 1
    assert "error: a1: " in ran.err
    assert {file.name for file in set(teams.root.parent.rglob("*")) - before} == {"a2.yaml", "a3.yaml"}


def test_links_that_came_with_the_repository_are_not_followed(teams: Shop, tmp_path: Path) -> None:
    """Neither one in place of the file nor one in place of the folder, with one token or with all."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (teams.root / "mine").mkdir()
    (teams.root / "mine/a1.yaml").symlink_to(outside / "a1.yaml")
    assert teams.run("download", "--all", "--owner", "team-a", "--output", "mine").code == 1
    assert sorted(path.name for path in (teams.root / "mine").iterdir()) == ["a1.yaml", "a2.yaml", "a3.yaml"]
    (teams.root / "away").symlink_to(outside)
    for arguments in (("--all", "--output", "away/deep"), ("a1", "--output", "away/x")):
        ran = teams.run("download", *arguments)
        assert ran.code == 1
        assert "is a link out of the workspace" in ran.err
    assert list(outside.iterdir()) == []
    teams.ok("download", "--all", "--owner", "team-a", "--output", str(outside))


def test_a_full_disk_is_one_sentence_and_leaves_nothing_half_written(teams: Shop) -> None:
    """The limit is the system's own: the file can be made, and not be filled."""
    (teams.root / "mine").mkdir()
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "reconciler.cli",
            "download",
            "--all",
            "--owner",
            "team-a",
            "--output",
            "mine",
        ],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20)),
    )
    assert done.returncode == 1
    assert folder(teams) == {}
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert "mine/a1.yaml cannot be written: File too large; 2 more were not begun; name another" in errors[0]


def test_a_download_that_is_interrupted_leaves_no_file(teams: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C between making a file and filling it."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("reconciler.cli.saving.os.fdopen", interrupted)
    assert teams.run("download", "a1").code == 130
    assert not (teams.root / "a1.yaml").exists()


@pytest.mark.parametrize("place", ["/proc/none", "mine/file", "/dev/null/x"])
def test_a_folder_that_cannot_be_made_or_is_none_is_one_error(place: str, teams: Shop) -> None:
    """Before anything is opened."""
    teams.write("mine/file", "precious")
    ran = teams.run("download", "--all", "--output", place)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.count("error:") == 1
    assert "cannot be used as a folder" in ran.err


def test_on_a_terminal_all_shows_files_and_no_secret(teams: Shop) -> None:
    """What scrolls by may be seen by others."""
    code, shown = on_terminal(["download", "--all", "--output", "mine"])
    assert code == 0
    assert "mine/a1.yaml: TokenAuth a1, id " in shown
    for name in ("a1", "a2", "a3", "nobodys"):
        assert secret_of(teams, name) not in shown
