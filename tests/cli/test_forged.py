"""What a branch cannot make its reader believe: a store, records and artifacts of an attacker's own.

The attacker may write to a pull request; the victim owns a token, or is CI, in a clone of that branch.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler.artifacts.formats import candidates
from reconciler.artifacts.interface import Header, Parcel
from reconciler.canonical import digest
from reconciler.cli.context import commit_of, surroundings, tracked_by_git
from reconciler.live.schema import VERSIONS
from reconciler.records.body import read_body, to_json
from reconciler.records.envelope import envelope, read, statement
from reconciler.workspace import Workspace
from tests.cli.kit import AUTH, Shop

NOWHERE = "postgresql://127.0.0.1:1/none"
ASKING = (("download", "erp", "--stdout"), ("download", "--all", "--output", "out"), ("reseal", "--yes"))


@pytest.fixture
def owned(shop: Shop) -> Shop:
    """A workspace with one live token, two records, and a name by which it may share a store."""
    shop.ok("keygen")
    shop.spec("apiVersion: reconciler/v1\nkind: Workspace\nmetadata: {name: default}\n", "workspace.yaml")
    shop.spec(AUTH)
    shop.ok("apply", "--yes")
    shop.ok("set", "erp", "expire=60")
    shop.ok("apply", "--yes")
    return shop


def git(shop: Shop, *arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *arguments], cwd=shop.root, capture_output=True, check=True, timeout=30)


def update(shop: Shop, statement: str, *values: str, file: str = ".reconciler/live.db") -> None:
    """Writes to a live store, past the tool."""
    store = sqlite3.connect(shop.root / file)
    with store:
        store.execute(statement, values)
    store.close()


def records(shop: Shop) -> list[Path]:
    """The records, oldest first."""
    return sorted((shop.root / "artifacts/records").iterdir())


def artifact(shop: Shop) -> Path:
    return shop.root / "artifacts/TokenAuth/erp.yaml"


def forged(shop: Shop) -> None:
    """Puts a secret of the attacker's own in place, under the true header: the recipients are public."""
    workspace = Workspace(shop.root, surroundings())
    with workspace.live() as store:
        token = store.token("erp")
    assert token is not None
    path = str(token.artifact_path)
    fields = {"token_id": token.id, "application": "ERP", "algorithm": "HS256", "secret": "of the attacker"}
    parcel = Parcel(Header(token.kind, token.id, 1), fields, path, candidates(path)[0].name, 1)
    artifact(shop).write_bytes(workspace.sealer.seal(parcel))


def no_store(_: Shop) -> None:
    """Nothing: the name leads nowhere."""


def garbage(shop: Shop) -> None:
    shop.write("two.db", "no database" * 400)


def older(shop: Shop) -> None:
    shutil.copy(shop.root / ".reconciler/live.db", shop.root / "two.db")
    update(shop, "UPDATE alembic_version SET version_num = ?", VERSIONS[0], file="two.db")


def of_others(shop: Shop) -> None:
    shutil.copy(shop.root / ".reconciler/live.db", shop.root / "two.db")
    text = "apiVersion: reconciler/v1\nkind: Workspace\nmetadata: {name: renamed}\n"
    shop.spec(text, "workspace.yaml")


@pytest.mark.parametrize("way", ["flag", "environment"])
@pytest.mark.parametrize(
    "store",
    [
        (NOWHERE, no_store, "[store-unreadable, exit 1]"),
        ("sqlite:///two.db", no_store, "sqlite:two.db holds nothing of workspace default"),
        ("sqlite:///two.db", garbage, "[store-unreadable, exit 1]"),
        ("sqlite:///two.db", older, "was made by an older version of this tool"),
        ("sqlite:///two.db", of_others, "holds nothing of workspace renamed"),
    ],
)
def test_a_store_that_the_user_named_is_not_replaced_by_what_a_branch_says(
    store: tuple[str, Callable[[Shop], None], str],
    way: str,
    owned: Shop,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is an error, of every command that opens artifacts; how to ask the records stands in the hint."""
    url, prepare, said = store
    prepare(owned)
    before = owned.tree()
    named = ("--store", url) if way == "flag" else ()
    if way == "environment":
        monkeypatch.setenv("RECONCILER_STORE", url)
    for arguments in ASKING:
        ran = owned.run(*named, *arguments)
        assert (ran.code, ran.out) == (1, "")
        assert said in ran.err
        assert "to ask the records of this clone instead, leave --store and RECONCILER_STORE out" in ran.err
        assert owned.tree() == before
    found = owned.run(*named, "doctor", "--format", "json").json["checks"]
    assert "fault" in [check["state"] for check in found if check["name"] == "artifacts"]


@pytest.mark.parametrize(
    ("version", "said"),
    [(VERSIONS[0], "was made by an older version"), ("ffff", "was made by a newer version")],
)
def test_a_store_of_another_version_is_no_reason_to_ask_the_branch(
    version: str, said: str, owned: Shop
) -> None:
    """Not even where nobody named it: it is there, and its word would be another."""
    update(owned, "UPDATE alembic_version SET version_num = ?", version)
    for arguments in ASKING:
        ran = owned.run(*arguments)
        assert (ran.code, ran.out) == (1, "")
        assert said in ran.err


def test_a_store_that_came_with_the_branch_is_not_believed(owned: Shop) -> None:
    """The attacker forges an artifact and commits a live store that vouches for it."""
    forged(owned)
    of_forgery = digest(artifact(owned).read_bytes())
    update(owned, "UPDATE token SET artifact_digest = ?, artifact_contents = NULL", of_forgery)
    assert "of the attacker" in owned.ok("download", "erp", "--stdout").out
    git(owned, "init", "--quiet")
    git(owned, "add", "--force", ".reconciler/live.db")
    for arguments in (*ASKING, ("plan",), ("apply", "--yes"), ("list",)):
        ran = owned.run(*arguments)
        assert (ran.code, ran.out) == (1, "")
        assert "git tracks .reconciler/live.db" in ran.err
        assert "git rm --cached .reconciler/live.db" in ran.err
    assert owned.run("--store", "sqlite:///.reconciler/live.db", "plan").code == 1
    git(owned, "rm", "--quiet", "--cached", ".reconciler/live.db")
    owned.ok("plan")


@pytest.mark.parametrize("end", ["-wal", "-journal"])
def test_a_journal_that_came_with_the_branch_is_not_played_into_the_store(end: str, owned: Shop) -> None:
    """The store is the victim's own; what lies beside it, SQLite would write into it."""
    git(owned, "init", "--quiet")
    owned.write(f".reconciler/live.db{end}", "pages of the attacker")
    git(owned, "add", "--force", f".reconciler/live.db{end}")
    before = (owned.root / ".reconciler/live.db").read_bytes()
    ran = owned.run("plan")
    assert ran.code == 1
    assert f"git tracks .reconciler/live.db{end}" in ran.err
    assert (owned.root / ".reconciler/live.db").read_bytes() == before


@pytest.mark.parametrize(
    ("way", "committed"),
    [
        ("file", ".reconciler/live.db"),
        ("file", "theirs/live.db"),
        ("folder", "theirs/live.db"),
        ("loop", ".reconciler/live.db"),
    ],
)
def test_a_link_does_not_hide_that_a_store_came_with_the_branch(
    way: str, committed: str, owned: Shop
) -> None:
    """Neither in place of the file nor of its folder; the link or what it leads to may be the attacker's."""
    place = owned.root / ".reconciler"
    place.rename(owned.root / "theirs")
    (owned.root / "theirs/.gitignore").unlink()
    if way == "folder":
        place.symlink_to("theirs")
    else:
        place.mkdir()
        (place / "live.db").symlink_to("../theirs/live.db" if way == "file" else "live.db")
    git(owned, "init", "--quiet")
    git(owned, "add", "--force", committed)
    ran = owned.run("download", "erp", "--stdout")
    assert (ran.code, ran.out) == (1, "")
    assert f"git tracks {committed}" in ran.err


def test_git_is_asked_where_no_commit_can_lead_it_astray(owned: Shop, tmp_path: Path) -> None:
    """A folder that looks like a repository, with a program in its settings, is none to us."""
    git(owned, "init", "--quiet")
    bare = owned.root / ".reconciler"
    subprocess.run(["git", "init", "--bare", "--quiet", bare], check=True, capture_output=True, timeout=30)
    hook = tmp_path / "hook"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/pwned\n")
    hook.chmod(0o755)
    with (bare / "config").open("a") as config:
        config.write(f"\tfsmonitor = {hook}\n")
    git(owned, "add", "--force", ".reconciler/live.db")
    assert tracked_by_git(owned.root / ".reconciler/live.db")
    assert not (tmp_path / "pwned").exists()


def test_a_pull_request_does_not_choose_the_commit_that_a_record_tells(tmp_path: Path) -> None:
    """What makes a folder a repository may be committed in the folder of a workspace."""
    inner = tmp_path / "tokens"
    (inner / "specs").mkdir(parents=True)
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True, timeout=30)
    subprocess.run(["git", "init", "--bare", "--quiet", inner], check=True, timeout=30)
    who = ("-c", "user.name=n", "-c", "user.email=e@example.org")
    for where in (tmp_path, inner):
        made = [
            "git",
            f"--git-dir={where / '.git' if where == tmp_path else where}",
            f"--work-tree={tmp_path}",
        ]
        subprocess.run(
            [*made, *who, "commit", "--quiet", "--allow-empty", "-m", where.name], check=True, timeout=30
        )
    true = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=30
    )
    assert commit_of(inner) == true.stdout.strip()


def test_the_commit_is_that_of_the_workspace_whatever_a_hook_has_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True, timeout=30)
    who = ("-c", "user.name=n", "-c", "user.email=e@example.org")
    made = ["git", *who, "commit", "--quiet", "--allow-empty", "-m", "x"]
    subprocess.run(made, cwd=tmp_path, check=True, timeout=30)
    found = commit_of(tmp_path)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "none"))
    assert found is not None
    assert commit_of(tmp_path) == found
    assert commit_of(tmp_path.parent) is None


def test_the_name_of_a_store_is_no_pattern_to_git(shop: Shop) -> None:
    """`[l]ive.db` is a file of its own; letters may differ in size, as some file systems let them."""
    git(shop, "init", "--quiet")
    for name in ("[l]ive.db", ":(exclude)x", "plain.db"):
        shop.write(name, "")
    git(shop, "--literal-pathspecs", "add", "[l]ive.db", ":(exclude)x")
    assert tracked_by_git(shop.root / "[l]ive.db")
    assert tracked_by_git(shop.root / ":(exclude)x")
    assert tracked_by_git(shop.root / "[L]ive.db")
    assert not tracked_by_git(shop.root / "plain.db")
    assert not tracked_by_git(shop.root.parent / "live.db")


def test_where_git_cannot_tell_a_store_is_not_believed(owned: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer is no "no": git is missing, or finds fault with the repository."""
    (owned.root / ".git").mkdir()
    ran = owned.run("plan")
    assert ran.code == 1
    assert "git does not say whether it tracks" in ran.err
    monkeypatch.setenv("PATH", "/nowhere")
    assert "git does not say whether it tracks" in owned.run("plan").err


def said(file: Path) -> dict[str, Any]:
    """What a record says."""
    return json.loads(json.dumps(to_json(read(file.read_bytes()).body)))  # type: ignore[no-any-return]


def filed(body: Mapping[str, Any]) -> bytes:
    """The file of a record that says that."""
    return envelope(statement(read_body(body)))


def test_records_need_their_own_names(owned: Shop) -> None:
    """What else lies in the folder is no record, and so cannot be the newest."""
    shutil.rmtree(owned.root / ".reconciler")
    body = said(records(owned)[0])
    body["changes"][0]["token"] = "of-the-attacker"
    for name in ("99999999.json", "99999999-x.json", "99999999-aa.json.json", "99999999-aa.JSON", "z.json"):
        (owned.root / "artifacts/records" / name).write_bytes(filed(body))
    assert owned.ok("download", "erp", "--stdout").out


def _edited(shop: Shop) -> Path:
    first = records(shop)[0]
    body = said(first)
    body["changes"][0]["artifact"]["contents"] = digest(b"of the attacker")
    first.write_bytes(filed(body))
    return first


def _appended(shop: Shop) -> Path:
    first = records(shop)[0]
    new = first.with_name(f"00000009-{'e' * 16}.json")
    new.write_bytes(filed({**said(first), "sequence": 9, "run": "e" * 16, "changes": []}))
    return records(shop)[1]


def _renamed(shop: Shop) -> Path:
    return records(shop)[1].rename(records(shop)[1].with_name(f"00000003-{'e' * 16}.json"))


def _removed(shop: Shop) -> Path:
    records(shop)[0].unlink()
    return records(shop)[0]


def _linked(shop: Shop) -> Path:
    first = records(shop)[0]
    first.rename(shop.root / "away")
    first.symlink_to(shop.root / "away")
    return first


def _folder(shop: Shop) -> Path:
    newest = records(shop)[1]
    newest.unlink()
    newest.mkdir()
    return newest


def _deep(shop: Shop) -> Path:
    newest = records(shop)[1]
    newest.write_text("[" * 200_000)
    return newest


def _large(shop: Shop) -> Path:
    newest = records(shop)[1]
    os.truncate(newest, 1 << 40)
    return newest


@pytest.mark.parametrize("attack", [_edited, _appended, _renamed, _removed, _linked, _folder, _deep, _large])
def test_records_that_do_not_fit_together_are_an_error_that_names_the_file(
    attack: Callable[[Shop], Path], owned: Shop
) -> None:
    """And neither a silent end nor a crash; doctor says it too."""
    shutil.rmtree(owned.root / ".reconciler")
    place = attack(owned).relative_to(owned.root)
    for arguments in ASKING:
        ran = owned.run(*arguments)
        assert (ran.code, ran.out) == (1, "")
        assert f"the records of this clone do not fit together at {place}: " in ran.err
        assert "[cannot-open, exit 1]" in ran.err
    assert f"do not fit together at {place}" in owned.run("doctor").out


def test_a_folder_of_records_that_is_a_link_is_not_followed(owned: Shop) -> None:
    shutil.rmtree(owned.root / ".reconciler")
    folder = owned.root / "artifacts/records"
    folder.rename(owned.root / "elsewhere")
    folder.symlink_to(owned.root / "elsewhere")
    assert "artifacts/records is a link" in owned.run("download", "erp", "--stdout").err


def test_a_record_that_does_not_say_what_was_sealed_vouches_for_nothing(owned: Shop) -> None:
    """Else a forger leaves it out, and seals a secret of his own under the true header."""
    forged(owned)
    shutil.rmtree(owned.root / ".reconciler")
    first, second = records(owned)
    body = said(first)
    del body["changes"][0]["artifact"]["contents"]
    first.write_bytes(filed(body))
    second.write_bytes(filed({**said(second), "previous": digest(first.read_bytes())}))
    ran = owned.run("download", "erp", "--stdout")
    assert (ran.code, ran.out) == (1, "")
    assert "nobody kept what was sealed for erp" in ran.err
    assert "or rotate the token" in ran.err
    assert "error: erp: nobody kept" in owned.run("download", "--all", "--output", "out").err


def test_of_a_token_of_an_older_version_only_the_very_file_is_opened(owned: Shop) -> None:
    """What was sealed was not kept then: the digest of the file must do, or there is nothing."""
    update(owned, "UPDATE token SET artifact_contents = NULL")
    assert owned.ok("download", "erp", "--stdout").out
    forged(owned)
    ran = owned.run("download", "erp", "--stdout")
    assert (ran.code, ran.out) == (1, "")
    assert "it is not the file that was published for it" in ran.err
    assert "[artifact-tampered, exit 1]" in ran.err
    update(owned, "UPDATE token SET artifact_digest = NULL")
    assert "nobody kept what was sealed for erp" in owned.run("download", "erp", "--stdout").err


@pytest.mark.parametrize("way", ["file", "folder"])
def test_an_artifact_is_not_read_through_a_link(way: str, owned: Shop, tmp_path: Path) -> None:
    """A link could lead to any file of the victim's, or to a device."""
    outside = tmp_path / "outside"
    folder = artifact(owned).parent
    folder.rename(outside)
    if way == "folder":
        folder.symlink_to(outside)
    else:
        folder.mkdir()
        artifact(owned).symlink_to(outside / "erp.yaml")
    ran = owned.run("download", "erp", "--stdout")
    assert (ran.code, ran.out) == (1, "")
    assert "the artifact artifacts/TokenAuth/erp.yaml cannot be read" in ran.err
    assert "None" not in ran.err
    assert "artifacts/TokenAuth/erp.yaml cannot be read" in owned.run("doctor").out
