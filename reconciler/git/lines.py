"""How lines of commits stand to each other, and what a merge of two would be."""

from __future__ import annotations

from reconciler.errors import GitFailed
from reconciler.git.repository import Repository
from reconciler.git.running import Git, said
from reconciler.git.shallow import DEEPEN

CONFLICTS = 1
"""How `git merge-tree` ends where both sides changed the same."""


def has_commit(git: Git, commit: str) -> bool:
    """Whether a commit, and what it holds, is in the repository."""
    return git.run("cat-file", "-e", f"{commit}^{{tree}}").code == 0


def is_ancestor(git: Git, one: str, other: str) -> bool:
    """Whether a commit is the other, or among those that the other follows."""
    return git.run("merge-base", "--is-ancestor", one, other).code == 0


def parting(repository: Repository, head: str, other: str) -> str | None:
    """The commit at which a checkout and another line parted; None where it cannot be told.

    A pipeline may have nothing but the merge commit of a pull request, cut off from what it follows: it
    names its parents all the same, and the first is of the branch that it goes into.
    """
    found = repository.merge_base(head, other)
    if found is not None:
        return found
    lines = repository.git.must("cat-file", "commit", head).text.partition("\n\n")[0].splitlines()
    parents = [line.removeprefix("parent ") for line in lines if line.startswith("parent ")]
    return next((parent for parent in parents if is_ancestor(repository.git, parent, other)), None)


def merged(git: Git, one: str, other: str) -> tuple[str, tuple[str, ...]]:
    """The tree of a merge of two commits, and the paths at which they conflict. Raises GitFailed."""
    ran = git.run("merge-tree", "--write-tree", "--name-only", "-z", "--no-messages", one, other)
    if ran.code not in (0, CONFLICTS):
        raise GitFailed(
            f"git cannot merge {other[:10]} into {one[:10]}: {said(ran.err)}",
            hint=f"spec.git.push needs git 2.38 or newer; where this clone is shallow, {DEEPEN}",
        )
    tree, *paths = ran.out.decode(errors="replace").rstrip("\0").split("\0")
    return tree, tuple(path for path in paths if path)
