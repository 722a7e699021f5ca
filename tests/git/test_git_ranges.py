"""What a range stands for; and that a clone without its history says so, and never answers wrongly."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import GitFailed
from reconciler.git.ranges import Range, sides
from tests.git.kit import Repo


class Forked:
    """`main` and `side`, which parted, each with commits of its own; `side` is checked out."""

    def __init__(self, repo: Repo, more: int = 1) -> None:
        self.repo = repo
        self.root = repo.commit(("a", "0"))
        self.base = repo.commit(("a", "1"))
        repo.git("checkout", "--quiet", "-b", "side")
        for number in range(more):
            self.side = repo.commit(("b", f"{number}"))
        repo.git("checkout", "--quiet", "main")
        for number in range(more):
            self.main = repo.commit(("c", f"{number}"))
        repo.git("checkout", "--quiet", "side")


def test_each_form_of_a_range_means_what_it_means_to_git(repo: Repo) -> None:
    found = Forked(repo)
    opened = repo.opened()
    expected = {
        None: Range(found.side, None),
        "main": Range(found.base, None),
        "main..side": Range(found.main, found.side),
        "main...side": Range(found.base, found.side),
        "main..": Range(found.main, found.side),
        "..main": Range(found.side, found.main),
        "main...": Range(found.base, found.side),
        "...main": Range(found.base, found.main),
        "..": Range(found.side, found.side),
        f"{found.root}..{found.main[:12]}": Range(found.root, found.main),
        "HEAD~1": Range(found.base, None),
    }
    assert {text: sides(opened, text) for text in expected} == expected


def test_a_file_called_like_a_range_is_no_range(repo: Repo) -> None:
    found = Forked(repo)
    repo.write("main..side", "x")
    assert sides(repo.opened(), "main..side") == Range(found.main, found.side)


@pytest.mark.parametrize(
    "text", ["nope", "nope..main", "main..nope", "main...nope", "main..side..x", "a....b"]
)
def test_a_side_that_is_no_commit_is_an_error(text: str, repo: Repo) -> None:
    Forked(repo)
    with pytest.raises(GitFailed, match="names no commit"):
        sides(repo.opened(), text)


def test_before_the_first_commit_the_work_tree_stands_against_nothing(repo: Repo) -> None:
    assert sides(repo.opened(), None) == Range(None, None)
    with pytest.raises(GitFailed, match="names no commit"):
        sides(repo.opened(), "main")


def test_on_a_branch_without_a_commit_a_base_is_an_error(repo: Repo) -> None:
    repo.commit(("a", "1"))
    repo.git("checkout", "--quiet", "--orphan", "new")
    with pytest.raises(GitFailed, match="nothing is checked out"):
        sides(repo.opened(), "main")


def test_histories_that_never_met_are_an_error(repo: Repo) -> None:
    repo.commit(("a", "1"))
    repo.git("checkout", "--quiet", "--orphan", "new")
    repo.commit(("b", "1"))
    with pytest.raises(GitFailed, match="no commit in common") as failed:
        sides(repo.opened(), "main")
    assert "A..B" in failed.value.hint


@pytest.mark.parametrize("depth", [1, 2])
def test_a_shallow_clone_without_the_merge_base_says_how_to_get_it(
    depth: int, repo: Repo, tmp_path: Path
) -> None:
    Forked(repo, more=3)
    clone = repo.clone(tmp_path / "clone", "--depth", str(depth), "--no-single-branch", "--branch", "side")
    with pytest.raises(GitFailed, match="which is shallow") as failed:
        sides(clone.opened(), "origin/main")
    assert "git fetch --unshallow" in failed.value.hint
    assert "fetch-depth: 0" in failed.value.hint
    clone.git("fetch", "--quiet", "--unshallow")
    assert sides(clone.opened(), "origin/main").base == repo.git("rev-parse", "main~3")


def test_a_shallow_clone_of_a_merge_knows_its_base(repo: Repo, tmp_path: Path) -> None:
    """What a pipeline checks out for a pull request: the merge, and its two parents."""
    found = Forked(repo)
    repo.git("checkout", "--quiet", "main")
    repo.git("merge", "--quiet", "--no-ff", "-m", "merge", "side")
    merge = repo.git("rev-parse", "HEAD")
    repo.git("branch", "pull", merge)
    repo.git("reset", "--quiet", "--hard", found.main)
    clone = repo.clone(tmp_path / "clone", "--depth", "2", "--branch", "pull")
    clone.git("fetch", "--quiet", "--depth", "1", "origin", "main:refs/remotes/origin/main")
    assert sides(clone.opened(), "origin/main") == Range(found.main, None)


def test_a_shallow_clone_never_answers_with_an_older_base(repo: Repo, tmp_path: Path) -> None:
    """Both sides merged an old commit again, which is seen; the true base is behind where history was cut."""
    old = repo.commit(("a", "0"))
    repo.commit(("a", "1"))
    true = repo.commit(("a", "2"))
    tree = repo.git("rev-parse", "HEAD^{tree}")
    one = repo.commit_of(tree, true, old)
    two = repo.commit_of(tree, repo.commit_of(tree, repo.commit_of(tree, true)), old)
    repo.git("update-ref", "refs/heads/one", one)
    repo.git("update-ref", "refs/heads/two", two)
    assert sides(repo.opened(), f"{one}...{two}").base == true
    clone = repo.clone(tmp_path / "clone", "--depth", "2", "--no-single-branch", "--branch", "one")
    assert clone.git("merge-base", one, two) == old, "git itself answers with an older one"
    with pytest.raises(GitFailed, match="which is shallow"):
        sides(clone.opened(), f"{one}...{two}")


def test_a_base_ref_of_a_shallow_clone_that_was_not_fetched_says_how_to_get_it(
    repo: Repo, tmp_path: Path
) -> None:
    Forked(repo)
    clone = repo.clone(tmp_path / "clone", "--depth", "1", "--branch", "side")
    with pytest.raises(GitFailed) as failed:
        sides(clone.opened(), "origin/main")
    assert "git fetch" in failed.value.hint
