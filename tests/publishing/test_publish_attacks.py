"""What a pull request may plant in the branch: it starts nothing, moves nothing, and gets nothing."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from reconciler.canonical import digest
from reconciler.errors import PartlyApplied, SpecsInvalid
from tests.apply.kit import check_quiet, check_settled, jwt_token
from tests.publishing.kit import GitHouse, Hub, check_published, git

SUBMODULE, LINK = "160000", "120000"


def plant(hub: Hub, mode: str, path: str, target: str = "/etc") -> str:
    """A commit to the main branch in which a path is a link or a submodule."""
    blob = git(hub.bare, "hash-object", "-w", "--stdin", given=target.encode())
    ident = hub.head() if mode == SUBMODULE else blob
    listed = git(hub.bare, "ls-tree", "-r", "main").splitlines()
    kept = [line for line in listed if not f"{line.partition(chr(9))[2]}/".startswith(f"{path}/")]
    index = hub.folder / "planting"
    index.unlink(missing_ok=True)
    lines = "\n".join([*kept, f"{mode} {ident}\t{path}"]) + "\n"
    own = ["-c", "core.bare=true"]
    environ = dict(os.environ) | {"GIT_INDEX_FILE": str(index)}

    def run(*arguments: str, given: str = "") -> str:
        done = subprocess.run(
            ["git", *own, *arguments], cwd=hub.bare, input=given.encode(), env=environ, capture_output=True,
            check=True,
        )  # fmt: skip
        return done.stdout.decode().strip()

    run("update-index", "--index-info", given=lines)
    tree = run("write-tree")
    commit = git(hub.bare, "commit-tree", "-p", hub.head(), "-m", "planted", tree)
    git(hub.bare, "update-ref", "refs/heads/main", commit)
    return commit


PLANTED = {
    "the artifacts folder is a link": (LINK, "artifacts", "artifacts is no folder but a link"),
    "a folder of a kind is a link": (
        LINK,
        "artifacts/JWTToken",
        "artifacts/JWTToken is no folder but a link",
    ),
    "the artifacts folder is a submodule": (SUBMODULE, "artifacts", "artifacts is no folder but a submodule"),
    "the records are a submodule": (SUBMODULE, "artifacts/records", "records is no folder but a submodule"),
    "an artifact is a submodule": (SUBMODULE, "artifacts/JWTToken/one.yaml", "one.yaml is a submodule"),
}


@pytest.mark.parametrize("what", PLANTED)
def test_what_is_no_folder_in_the_branch(hub: Hub, what: str) -> None:
    """Nothing is committed over or through it; it is said what stands there."""
    mode, path, message = PLANTED[what]
    house = hub.clone()
    house.propose(jwt_token("one"))
    planted = plant(hub, mode, path)
    with pytest.raises(PartlyApplied, match=message):
        house.apply()
    assert (house.live(), hub.head()) == ({}, planted)
    house.close()


def test_a_link_in_place_of_an_artifact_is_replaced_in_the_branch(hub: Hub) -> None:
    """What it leads to is not looked at."""
    house = hub.clone()
    house.propose(jwt_token("one"))
    plant(hub, LINK, "artifacts/JWTToken/one.yaml")
    house.apply()
    check_published(hub, house.now)
    assert list(house.live()) == ["one"]
    house.close()


def test_a_link_in_the_checkout_is_not_followed(hub: Hub, tmp_path: Path) -> None:
    """It stays, with the checkout; what was pushed is published all the same."""
    house = hub.clone()
    house.propose(jwt_token("one"))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (house.root / "artifacts").mkdir()
    (house.root / "artifacts" / "JWTToken").symlink_to(elsewhere)
    house.apply()
    assert list(elsewhere.iterdir()) == []
    assert house.git("diff", "--cached", "--name-only") == ""
    check_published(hub, house.now)
    house.close()


@pytest.mark.parametrize("path", ["artifacts/JWTToken/ONE.yaml", "artifacts/jwttoken/one.yaml"])
def test_a_twin_in_other_letters_is_refused(hub: Hub, path: str) -> None:
    """On a disk that does not tell them apart, it would stand in place of the artifact."""
    house = hub.clone()
    house.propose(jwt_token("one"))
    hub.commit("main", {path: "theirs"})
    with pytest.raises(PartlyApplied, match=r"one\.yaml in other letters"):
        house.apply()
    assert house.live() == {}
    hub.commit("main", {path: None})
    house.apply()
    check_published(hub, house.now)
    house.close()


FILTER = "* filter=evil diff=evil merge=evil text eol=crlf ident working-tree-encoding=UTF-16\n"


def test_what_git_takes_for_settings_starts_nothing_and_changes_no_byte(hub: Hub) -> None:
    """Attributes that name filters of this user, submodules, LFS: artifacts are what was sealed."""
    house = hub.clone()
    ran = hub.folder / "ran"
    for name in ("filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "diff.evil.command"):
        house.git("config", name, f"touch {ran}")
    house.propose(jwt_token("one"))
    hub.commit(
        "main",
        {
            ".gitattributes": FILTER,
            "artifacts/.gitattributes": FILTER,
            ".lfsconfig": "[lfs]\nurl = https://evil.invalid\n",
            ".gitmodules": '[submodule "x"]\npath = x\nurl = ext::sh -c touch% ran\n',
        },
    )
    house.git("-c", "core.attributesFile=/dev/null", "fetch", "--quiet", "origin")
    ran.unlink(missing_ok=True)
    house.apply()
    assert not ran.exists()
    token = house.live()["one"]
    assert digest(hub.read("artifacts/JWTToken/one.yaml")) == token.artifact_digest
    house.close()


def test_hooks_that_came_with_the_tree_do_not_run(hub: Hub) -> None:
    """Those of the user do, as in any push."""
    house = hub.clone()
    house.propose(jwt_token("one"))
    for folder in (house.root / "hooks", house.root / ".githooks", house.root / ".git" / "hooks"):
        folder.mkdir(exist_ok=True)
        for name in ("pre-push", "post-commit", "pre-commit", "commit-msg", "post-checkout", "post-merge"):
            (folder / name).write_text(f"#!/bin/sh\necho {name} >>{hub.folder}/{folder.name.strip('.')}\n")
            (folder / name).chmod(0o755)
    own = house.root / ".git" / "hooks" / "pre-push"
    own.write_text(f"#!/bin/sh\necho {own.name} >>{hub.folder}/own\n")
    house.apply()
    assert (hub.folder / "own").read_text() == "pre-push\n"
    assert not (hub.folder / "githooks").exists()
    assert not (hub.folder / "hooks").exists()
    house.close()


@pytest.mark.parametrize("field", ["remote", "branch", "push"])
@pytest.mark.parametrize(
    "value", ["--upload-pack=x", "-x", "../hub.git", "ext::sh", "a/../b", "a b", "@{-1}", ""]
)
def test_names_that_are_more_than_names_are_faults(hub: Hub, field: str, value: str) -> None:
    """They stand in a spec, and a pull request may change it."""
    house = hub.clone()
    house.settings = {"publish": "git", "git": {field: value}}
    house.declare(jwt_token("one"))
    with pytest.raises(SpecsInvalid):
        house.plan()
    house.close()


def test_git_set_to_work_elsewhere_is_not(hub: Hub) -> None:
    """As in a hook that git runs: GIT_DIR and the like name another repository."""
    house = hub.clone()
    other = hub.clone()
    house.environ = {
        "GIT_DIR": str(other.root / ".git"),
        "GIT_WORK_TREE": str(other.root),
        "GIT_INDEX_FILE": str(other.root / ".git" / "index"),
        "GIT_OBJECT_DIRECTORY": str(other.root / ".git" / "objects"),
    }
    house.propose(jwt_token("one"))
    house.apply()
    check_settled(house)
    check_quiet(house)
    assert not (other.root / ".git" / "index").exists()
    check_published(hub, house.now)
    other.close()
    house.close()


def test_a_workspace_below_the_top_of_its_repository(hub: Hub) -> None:
    """Paths in the branch are from the top; everything else is as ever."""
    top = hub.clone()
    top.close()
    house = GitHouse(top.root / "sub" / "space", hub.url, settings={"publish": "git"})
    house.propose(jwt_token("one"))
    house.apply()
    assert git(hub.bare, "ls-tree", "--name-only", "main:sub/space/artifacts").splitlines() == [
        "JWTToken",
        "records",
    ]
    check_settled(house)
    check_quiet(house)
    assert top.git("status", "--porcelain", "sub") == ""
    house.git("checkout", "--quiet", "--detach", "HEAD^")
    check_quiet(house)
    house.close()
