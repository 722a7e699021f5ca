"""Whether each record was added to git once, and left as it was. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from reconciler.audit.verifying.finding import Check, Finding
from reconciler.git.logs import Touch
from reconciler.records.chain import FILE_NAME

SEE = "see it with: git show COMMIT -- FILE; nothing changes a record once it is there"


def filed(touches: Sequence[Touch], there: Mapping[str, str]) -> Iterator[Finding]:
    """What happened to records after they were added. `there` is name → blob of those that are there now.

    A record that two lines brought alike is the same record: only other bytes, or none, are findings. One
    that moved with its folder stays what it was.
    """
    first: dict[str, Touch] = {}
    moved = _moves(touches)
    for touch in touches:
        name = PurePosixPath(touch.path).name
        if FILE_NAME.fullmatch(name) is None:
            continue
        if (touch.commit, name) in moved:
            if touch.added:
                told = f"commit {touch.commit[:10]} moved it here"
                yield Finding(
                    Check.RECORD_MOVED, touch.path, told, "see that spec.artifacts was changed there"
                )
            continue
        yield from _touched(touch, first.get(name))
        if touch.added:
            first.setdefault(name, touch)
    yield from _dropped(first, touches, there)


def _touched(touch: Touch, first: Touch | None) -> Iterator[Finding]:
    commit = touch.commit[:10]
    if touch.removed:
        told = f"commit {commit} removed it"
        yield Finding(Check.RECORD_REMOVED, touch.path, told, SEE)
    elif not touch.added:
        told = f"commit {commit} changed it after it was there"
        yield Finding(Check.RECORD_CHANGED_LATER, touch.path, told, SEE)
    elif first is not None and first.after != touch.after:
        told = f"commit {commit} added it anew, with other bytes than {first.commit[:10]} did"
        yield Finding(Check.RECORD_CHANGED_LATER, touch.path, told, SEE)


def _dropped(
    first: Mapping[str, Touch], touches: Sequence[Touch], there: Mapping[str, str]
) -> Iterator[Finding]:
    """Records that a merge left out: no commit removed them, and they are not there."""
    last = {PurePosixPath(touch.path).name: touch for touch in touches}
    for name, touch in first.items():
        newest = last[name]
        if name not in there and not newest.removed:
            told = f"commit {touch.commit[:10]} added it, and a merge after it left it out"
            yield Finding(Check.RECORD_REMOVED, touch.path, told, SEE)
        elif name in there and there[name] != newest.after:
            told = f"it is not as commit {newest.commit[:10]} left it: a merge took another line's"
            yield Finding(Check.RECORD_CHANGED_LATER, touch.path, told, SEE)


def _moves(touches: Sequence[Touch]) -> frozenset[tuple[str, str]]:
    """(commit, name) of records that went from one folder to another, as they were."""
    gone: dict[tuple[str, str], str] = {}
    come: dict[tuple[str, str], str] = {}
    for touch in touches:
        key = (touch.commit, PurePosixPath(touch.path).name)
        if touch.removed:
            gone[key] = touch.before[0]
        elif touch.added:
            come[key] = touch.after
    return frozenset(key for key, blob in gone.items() if come.get(key) == blob)


def brought(touches: Sequence[Touch]) -> dict[str, Touch]:
    """Name of each record → the commit that brought it first."""
    found: dict[str, Touch] = {}
    for touch in touches:
        if touch.added:
            found.setdefault(PurePosixPath(touch.path).name, touch)
    return found
