"""Everything that lines of commits ever held, each object once, streamed: nothing of it is held whole."""

from __future__ import annotations

import os
import subprocess
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import IO

from reconciler.errors import GitFailed
from reconciler.git.contents import Contents
from reconciler.git.running import ALWAYS, Git
from reconciler.git.trees import SUBMODULE
from reconciler.git.trees import listed as listed_below

CHUNK = 1 << 16
"""Bytes that are read at once."""
STREAMED = ("-c", "core.bigFileThreshold=8m")
"""From this size on git holds no content as a whole either, unless it keeps it as a difference to another."""
LOCAL = {"GIT_NO_LAZY_FETCH": "1"}
"""What a partial clone lacks is not fetched on the way, one by one: it is told."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a commit has something that no commit before it has: a file at a path, or what it says itself."""

    commit: str
    """Its id; or that of a tag."""
    path: str | None
    """From the top of the repository; None for the commit or the tag itself."""
    id: str


@dataclass(slots=True)
class Content:
    """What an object contains, as it comes: it is to be read before the next one is asked for."""

    place: Place
    size: int | None
    """In bytes; None where the repository lacks it."""
    chunks: Iterator[bytes]


def places(git: Git, revisions: Sequence[str]) -> Iterator[Place]:
    """Every commit of the lines, and after each what it brought: a content once for each path it came to.

    Ancestors come before those that follow them. `revisions` are ids, with `^` before those that bound the
    range; or options such as `--all`. Raises GitFailed.
    """
    listing = ("rev-list", "--reverse", "--date-order", *revisions, "--")
    compare = ("diff-tree", "--stdin", "--always", "-r", "-c", "--root", "--raw", "-z", "--no-renames")
    with _started(git, listing) as lister, _started(git, (*compare, "--no-abbrev"), lister) as differ:
        _output(lister).close()  # its reader is git
        commit, fields = "", iter(_fields(differ))
        for one in fields:
            if not one.startswith(b":"):
                commit = one.decode()
                yield Place(commit, None, commit)
                continue
            parents = len(one) - len(one.lstrip(b":"))
            about, path = one[parents:].split(b" "), next(fields)
            mode, ident = about[parents].decode(), about[2 * parents + 1].decode()
            if mode != SUBMODULE and ident.strip("0"):
                yield Place(commit, os.fsdecode(path), ident)


def _fields(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    """What ends in NUL, of what a process prints."""
    rest = b""
    while data := _output(process).read(CHUNK):
        *whole, rest = (rest + data).split(b"\0")
        yield from (one.lstrip(b"\n") for one in whole)


def tips(git: Git) -> Iterator[Place]:
    """What branches and tags name besides commits: tags themselves, and what those name. Raises GitFailed."""
    listed = git.must("for-each-ref", "--format=%(objecttype) %(objectname) %(refname)").text
    ahead = [tuple(line.split(" ", 2)) for line in listed.splitlines()]
    with closing(Contents(git)) as reader:
        while ahead:
            kind, ident, name = ahead.pop()
            if kind == "tag":
                yield Place(ident, None, ident)
                about = reader.read(ident, CHUNK).decode(errors="replace").split("\n", 2)
                ahead.append((about[1].removeprefix("type "), about[0].removeprefix("object "), name))
            elif kind == "tree":
                for path, entry in listed_below(git, ident, "", "-r"):
                    if entry.mode != SUBMODULE:
                        yield Place(ident, path, entry.id)
            elif kind == "blob":
                yield Place(ident, name, ident)


def branches(git: Git) -> dict[str, list[str]]:
    """Commit → the branches, fetched ones too, of which it is the newest. Raises GitFailed."""
    form = "--format=%(objectname) %(symref) %(refname)"
    found: dict[str, list[str]] = {}
    for line in git.must("for-each-ref", form, "refs/heads", "refs/remotes").text.splitlines():
        commit, leads, name = line.split(" ", 2)
        if not leads:
            found.setdefault(commit, []).append(name.split("/", 2)[2])
    return found


def cut(git: Git) -> frozenset[str]:
    """Commits at which history ends because this clone was made so. Raises GitFailed."""
    named = git.must("rev-parse", "--git-path", "shallow").text
    with suppress(FileNotFoundError):
        return frozenset((git.folder / named).read_text().split())
    return frozenset()


def contents(git: Git, wanted: Iterator[Place]) -> Iterator[Content]:
    """What stands at places, in their order, from one git for all. Raises GitFailed."""
    with _started(git, (*STREAMED, "cat-file", "--batch", "--buffer"), asked=True) as reader:
        asking = _Asking(wanted, reader)
        asking.start()
        try:
            while (place := asking.next()) is not None:
                yield (content := _answer(reader, place))
                deque(content.chunks, maxlen=0)
        except BaseException:
            reader.kill()
            raise
        finally:
            asking.join()


class _Asking(threading.Thread):
    """Asks for objects while the answers are read. What goes wrong is raised where they are read.

    No more than pipes hold is asked for ahead.
    """

    def __init__(self, wanted: Iterator[Place], reader: subprocess.Popen[bytes]) -> None:
        super().__init__(daemon=True)
        self._wanted, self._reader = wanted, reader
        self._asked: deque[Place] = deque()
        self._changed = threading.Condition()
        self._over = False
        self._fault: BaseException | None = None

    def run(self) -> None:
        """Until there is no more, or git takes no more."""
        try:
            with suppress(OSError), _given(self._reader.stdin) as pipe:
                for place in self._wanted:
                    with self._changed:
                        self._asked.append(place)
                        self._changed.notify()
                    pipe.write(f"{place.id}\n".encode())
        except BaseException as fault:  # noqa: BLE001 # it is raised in the other thread
            self._fault = fault
        finally:
            with self._changed:
                self._over = True
                self._changed.notify()

    def next(self) -> Place | None:
        """The next that was asked for; None where there is no more."""
        with self._changed:
            self._changed.wait_for(lambda: self._asked or self._over)
            if self._asked:
                return self._asked.popleft()
        if self._fault is not None:
            raise self._fault
        return None


def _answer(reader: subprocess.Popen[bytes], place: Place) -> Content:
    heading = _output(reader).readline().split()
    if heading[1:] == [b"missing"]:
        return Content(place, None, iter(()))
    try:
        size = int(heading[2])
    except (IndexError, ValueError):
        raise _broken() from None
    return Content(place, size, _chunks(reader, size))


def _chunks(reader: subprocess.Popen[bytes], size: int) -> Iterator[bytes]:
    while size > 0:
        chunk = _output(reader).read(min(size, CHUNK))
        if not chunk:
            raise _broken()
        size -= len(chunk)
        yield chunk
    _output(reader).read(1)  # the end of the line


def _output(process: subprocess.Popen[bytes]) -> IO[bytes]:
    return _given(process.stdout)


def _given(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise _broken()
    return pipe


@contextmanager
def _started(
    git: Git, arguments: Sequence[str], given: subprocess.Popen[bytes] | None = None, *, asked: bool = False
) -> Iterator[subprocess.Popen[bytes]]:
    """A git whose output is read as it comes. Raises GitFailed where that came to its end, and git failed."""
    source = subprocess.PIPE if asked else subprocess.DEVNULL if given is None else given.stdout
    try:
        process = subprocess.Popen(
            ["git", *ALWAYS, *arguments],
            cwd=git.folder,
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=git.environment(LOCAL),
        )
    except OSError as error:
        raise GitFailed(
            f"git cannot be started: {error.strerror}", hint="install git, and have it on PATH"
        ) from None
    with process:
        try:
            yield process
            if process.wait() != 0:
                raise _broken()
        finally:
            process.kill()


def _broken() -> GitFailed:
    return GitFailed(
        "git broke off while it read the history",
        hint="run git fsck; a partial clone fetches what it lacks with git fetch --refetch --no-filter",
    )
