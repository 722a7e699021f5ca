"""What a range such as `main` or `A..B` stands for: two commits, or one and the work tree."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.errors import GitFailed
from reconciler.git.repository import Repository


@dataclass(frozen=True, slots=True)
class Range:
    """Two sides, by the ids of their commits."""

    base: str | None
    """None before the first commit."""
    head: str | None
    """None for the work tree."""


def sides(repository: Repository, text: str | None) -> Range:
    """What is compared. Raises GitFailed.

    Nothing: the work tree with HEAD. `BASE`: the work tree with where HEAD and BASE parted. `A..B`: these
    two. `A...B`: B with where the two parted. A side that is left out is HEAD.
    """
    if text is None:
        return Range(repository.head(), None)
    one, dots, other = text.partition("..")
    if not dots:
        return Range(_parted(repository, repository.commit(text)), None)
    if other.startswith("."):
        head = repository.commit(other[1:] or "HEAD")
        return Range(repository.parted(repository.commit(one or "HEAD"), head), head)
    return Range(repository.commit(one or "HEAD"), repository.commit(other or "HEAD"))


def _parted(repository: Repository, base: str) -> str:
    checked_out = repository.head()
    if checked_out is None:
        raise GitFailed("nothing is checked out here yet", hint="commit first, or compare two commits: A..B")
    return repository.parted(base, checked_out)
