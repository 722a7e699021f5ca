"""Whether each record was added to git once, and left as it was. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from reconciler.audit.verifying.chain import SOMEBODY
from reconciler.audit.verifying.finding import Check, Finding
from reconciler.canonical import digest
from reconciler.errors import RecordUnreadable
from reconciler.git.logs import Touch
from reconciler.records.chain import FILE_NAME, file_name
from reconciler.records.envelope import read

SEE = "see it with: git show COMMIT -- FILE; nothing changes a record once it is there"


class Past:
    """What the names of records ever stood for."""

    def __init__(self, touches: Iterable[Touch], content: Callable[[str], bytes]) -> None:
        self._content = content
        self._blobs: dict[str, set[str]] = defaultdict(set)
        self._numbered: dict[int, set[str]] = defaultdict(set)
        self._known: dict[str, bool] = {}
        for touch in touches:
            name = PurePosixPath(touch.path).name
            if (found := FILE_NAME.fullmatch(name)) is not None:
                blobs = {blob for blob in (*touch.before, touch.after) if blob.strip("0")}
                self._blobs[name] |= blobs
                self._numbered[int(found[1])] |= blobs

    def outsider(self, name: str) -> bool:
        """Whether no commit had a record of this name that can be read and follows another: anybody may have
        put it there.
        """
        if name not in self._known:
            self._known[name] = not any(self._chained(name, blob) for blob in self._blobs[name])
        return self._known[name]

    def _chained(self, name: str, blob: str) -> bool:
        try:
            body = read(self._content(blob)).body
        except RecordUnreadable:
            return False
        if file_name(body.sequence, body.run) != name:
            return False
        if body.previous is None:
            return body.sequence == 1
        return any(digest(self._content(one)) == body.previous for one in self._numbered[body.sequence - 1])


def filed(
    touches: Sequence[Touch],
    there: Mapping[str, str],
    homes: Mapping[str, Collection[str]],
    outsider: Callable[[str], bool],
) -> Iterator[Finding]:
    """What happened to records after they were added. `there` is name → blob of those that are there now;
    `homes` are the folders that records may move to, for each commit that moved some.

    A record that two lines brought alike is the same record: only other bytes, or none, are findings. One
    that moved with its folder stays what it was.
    """
    first, last, gone = dict[str, Touch](), dict[str, Touch](), set[str]()
    moved = moves(touches)
    for touch in touches:
        name = PurePosixPath(touch.path).name
        if FILE_NAME.fullmatch(name) is None:
            continue
        if outsider(name):
            yield from _taken_out(touch, there)
            continue
        came = moved.get((touch.commit, name), ())
        home = any(folder in homes.get(touch.commit, ()) for folder in came)
        if home and touch.removed:
            continue
        last[name] = touch
        if home and touch.added:
            told = f"commit {touch.commit[:10]} moved it here"
            yield Finding(Check.RECORD_MOVED, touch.path, told, "see that spec.artifacts was changed there")
            continue
        yield from _touched(touch, first.get(name))
        if touch.removed:
            gone.add(name)
        if touch.added:
            first.setdefault(name, touch)
    yield from _dropped(first, last, gone, there)


def _taken_out(touch: Touch, there: Collection[str]) -> Iterator[Finding]:
    if touch.removed and PurePosixPath(touch.path).name not in there:
        told = f"commit {touch.commit[:10]} removed it; it never was a record that follows the others"
        yield Finding(Check.RECORD_FOREIGN_REMOVED, touch.path, told, SOMEBODY)


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
    first: Mapping[str, Touch], last: Mapping[str, Touch], gone: Collection[str], there: Mapping[str, str]
) -> Iterator[Finding]:
    """Records that are not there, and no commit is told to have removed them: a merge left them out, or they
    stand in a folder that is none of records now.
    """
    for name, newest in last.items():
        touch = first.get(name, newest)
        if name not in there and name not in gone:
            told = f"commit {touch.commit[:10]} had it, and it is not there: a merge left it out, or it moved"
            yield Finding(Check.RECORD_REMOVED, newest.path, told, SEE)
        elif name in there and there[name] != newest.after:
            told = f"it is not as commit {newest.commit[:10]} left it: a merge took another line's"
            yield Finding(Check.RECORD_CHANGED_LATER, touch.path, told, SEE)


def moves(touches: Sequence[Touch]) -> dict[tuple[str, str], set[str]]:
    """(commit, name) of records that went from one folder to others, as they were → those folders."""
    gone: dict[tuple[str, str], str] = {}
    come: dict[tuple[str, str], list[Touch]] = defaultdict(list)
    for touch in touches:
        key = (touch.commit, PurePosixPath(touch.path).name)
        if touch.removed:
            gone[key] = touch.before[0]
        elif touch.added:
            come[key].append(touch)
    found = {
        key: {str(PurePosixPath(one.path).parent) for one in come[key] if one.after == blob}
        for key, blob in gone.items()
        if key in come
    }
    return {key: folders for key, folders in found.items() if folders}


def brought(touches: Sequence[Touch]) -> dict[str, Touch]:
    """Name of each record → the commit that brought it first."""
    found: dict[str, Touch] = {}
    for touch in touches:
        if touch.added:
            found.setdefault(PurePosixPath(touch.path).name, touch)
    return found
