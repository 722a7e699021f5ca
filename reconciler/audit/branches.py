"""What merges brought to a line: the commits of the branches that were merged, and what each asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from reconciler.audit.history import Line, Step, named_as_spec, steps_of
from reconciler.audit.meanings import Meanings
from reconciler.git.logs import SET
from reconciler.git.repository import Repository
from reconciler.git.running import SLOW

Brought: TypeAlias = Mapping[str, Sequence[Step]]
"""A merge of the line → the commits that it brought and that changed something, oldest first."""


def brought(repository: Repository, found: Line, folders: Sequence[str]) -> Brought:
    """What each merge of a line brought: a commit came with the first that follows it. Raises GitFailed."""
    parents = _parents(repository, found.commit)
    merges = dict[str, str]()
    seen = set(found.whole)
    for commit in found.whole:
        left = list(parents.get(commit, ())[1:])
        while left:
            one = left.pop()
            if one not in seen:
                seen.add(one)
                merges[one] = commit
                left.extend(parents.get(one, ()))
    inside = defaultdict[str, list[Step]](list)
    options = ("--full-history", "--topo-order", "--diff-merges=off")
    for step in steps_of(repository, found.commit, folders, *options) if merges else ():
        if step.touched and step.commit in merges:
            inside[merges[step.commit]].append(step)
    return inside


def blobs(steps: Iterable[Step]) -> Iterator[str]:
    """The blobs that tell what steps changed."""
    for step in steps:
        for one in step.touched:
            if named_as_spec(one.path):
                yield from (blob for blob in (one.before, one.blob if one.is_spec else None) if blob)


def askers(steps: Iterable[Step], names: set[str], meanings: Meanings) -> tuple[Step, ...]:
    """Those that changed what tokens of these names are declared as; else those that changed a catalog."""
    listed = list(steps)
    named = tuple(step for step in listed if names & _changed(step, meanings))
    return named or tuple(step for step in listed if _regroups(step, meanings))


def _changed(step: Step, meanings: Meanings) -> set[str]:
    """The names that mean something else since, as far as the files tell that it touched."""
    before, after = set[tuple[str, str]](), set[tuple[str, str]]()
    for one in step.touched:
        before |= _declared(one.path, one.before, meanings)
        after |= _declared(one.path, one.blob if one.is_spec else None, meanings)
    return {name for name, _ in before ^ after}


def _declared(path: str, blob: str | None, meanings: Meanings) -> set[tuple[str, str]]:
    if blob is None or not named_as_spec(path) or blob not in meanings or meanings[blob].faults:
        return set()
    return {(token.name, token.normal) for token in meanings[blob].tokens}


def _regroups(step: Step, meanings: Meanings) -> bool:
    return any(meanings[blob].catalogs for blob in blobs((step,)) if blob in meanings)


def _parents(repository: Repository, commit: str) -> dict[str, tuple[str, ...]]:
    """Every commit that is in the history of one → its parents."""
    asked = ("rev-list", "--parents", "--end-of-options", commit, "--")
    told = repository.git.must(*SET, *asked, timeout=SLOW).text.splitlines()
    return {one: tuple(parents) for one, *parents in map(str.split, told)}
