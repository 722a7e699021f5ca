"""What is applied is what the commit says, whatever git was told to write into a checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.git.converting import converted
from tests.cli import conftest as cli
from tests.cli.kit import Shop
from tests.git.kit import ENVIRON, Repo, made

shop = cli.shop
PATHS = ("specs/a.yaml", "specs/b.yaml")
BACKSLASH = (
    r"{apiVersion: reconciler/v1, kind: JWTToken, metadata: {name: enc, owner: o, title: "
    '"x\\"}, spec: {apis: [x.y], users: [u]}} # "}, spec: {apis: [\'*\'], users: [u]}}\n'
)
"""In a commit, by SHIFT_JIS, the backslash is a ¥ that hides nothing, and the token has one API."""


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = made(tmp_path / "repo")
    for path in PATHS:
        repo.write(path, "one: \\ $Id$\ntwo: x\n")
    return repo


def found(repo: Repo) -> tuple[str, ...]:
    return tuple(converted(repo.root, ENVIRON, "specs", PATHS))


def checked_out_anew(repo: Repo) -> None:
    repo.commit()
    repo.git("rm", "--cached", "-r", "-q", ".")
    repo.git("reset", "--hard", "-q")


@pytest.mark.parametrize("attribute", ["working-tree-encoding=SHIFT_JIS", "ident"])
def test_a_file_that_git_writes_otherwise_than_it_keeps_it_is_found(repo: Repo, attribute: str) -> None:
    """Although `git status` calls it unchanged; the other one is none."""
    repo.write(".gitattributes", f"specs/a.yaml {attribute}\n")
    checked_out_anew(repo)
    assert repo.git("status", "--porcelain") == ""
    assert found(repo) == ("specs/a.yaml",)


def test_what_somebody_edited_and_ends_of_lines_are_no_conversion(repo: Repo) -> None:
    """Nor is a file that no commit has, or a workspace that is in no repository."""
    repo.write(".gitattributes", "specs/a.yaml text eol=crlf\n")
    checked_out_anew(repo)
    assert b"\r\n" in (repo.root / "specs/a.yaml").read_bytes()
    assert found(repo) == ()
    repo.write("specs/a.yaml", "edited\n")
    repo.write("specs/b.yaml", "edited\n")
    assert found(repo) == ()
    assert converted(repo.root, ENVIRON, "specs", ["specs/new.yaml"]) == []
    assert converted(repo.root.parent, ENVIRON, "specs", PATHS) == ()


def test_a_spec_that_was_converted_is_not_applied(shop: Shop) -> None:
    """A reviewer read that the token has one API; the checkout says all of them."""
    repo = made(shop.root)
    repo.write(".gitattributes", "specs/enc.yaml working-tree-encoding=SHIFT_JIS\n")
    repo.write("specs/enc.yaml", BACKSLASH)
    repo.commit()
    assert "apis: [x.y]" in repo.git("show", "HEAD:specs/enc.yaml")
    ran = shop.run("plan")
    assert ran.code == 3
    assert "specs/enc.yaml does not say here what the commit says" in ran.out
    assert shop.run("apply", "--yes").code == 3
    repo.write("specs/enc.yaml", BACKSLASH.replace("x.y", "y.z"))
    assert "does not say here what the commit says" not in shop.run("plan").out
