"""The line of a revision: how it came to be, first parent by first parent, and which spec files each step
changed.

What a merge brought counts as of the merge: before it, nobody had agreed to it. A commit may say any time
of itself, so time is the committer's and never goes back: a step that says it was made before the one that
it follows counts as made at the same moment.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from reconciler.audit.clocks import in_time, odd
from reconciler.errors import GitFailed
from reconciler.git.logs import LATEST, PLAIN, SET, moment
from reconciler.git.repository import Repository
from reconciler.git.running import SLOW
from reconciler.git.trees import FILES, LITERAL
from reconciler.specs.files import SUFFIXES

TRAILERS = ("reviewed-by", "approved-by", "acked-by", "co-authored-by")
"""What commits say of who had a part in them. Anybody can write anything there."""
TOLD = f"%(trailers:{','.join(f'key={one}' for one in TRAILERS)},unfold=true)"
FIELDS = ("%H", "%P", "%an", "%ae", "%at", "%cn", "%ce", "%ct", "%s", TOLD)
"""What is asked of a commit. None of it can hold a null byte, which stands behind each."""
SHOWN = 7
"""Letters of a commit's id that a message has room for."""
WHOLE = ("--first-parent", "--diff-merges=first-parent")
RAW = ("--raw", "-z")


@dataclass(frozen=True, slots=True)
class Person:
    """Who a commit says that it is from. Anybody can write anything there."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Touched:
    """One path that differs from the first parent, from the workspace."""

    path: str
    mode: str | None
    """As git writes it; None where nothing stands there any more."""
    blob: str | None
    """The id of its content; None where nothing stands there any more."""
    before: str | None = None
    """The id of what stood there; None where nothing did."""

    @property
    def is_spec(self) -> bool:
        """Whether it is read as specs: a file, neither hidden nor with a name that cannot be shown."""
        return self.mode in FILES and named_as_spec(self.path)


@dataclass(frozen=True, slots=True)
class Step:
    """One commit of a line that changed something."""

    commit: str
    parents: tuple[str, ...]
    """None of a first commit, and of one whose history this clone lacks."""
    author: Person
    authored: int
    """Epoch seconds, as it says."""
    committer: Person
    committed: int
    """Epoch seconds, as it says."""
    subject: str
    touched: tuple[Touched, ...]
    """What it changed below the folders that were asked for."""
    at: int
    """When it counts as made: no step is before the one that it follows."""
    trailers: tuple[tuple[str, str], ...] = ()
    """Who had a part in it, as it says: (such as `Reviewed-by`, who)."""


@dataclass(frozen=True, slots=True)
class Line:
    """The steps of a revision that changed something, oldest first."""

    commit: str
    """The revision itself."""
    at: int
    """When that counts as made."""
    whole: Mapping[str, int]
    """Every commit of the line, oldest first, those too that changed nothing → when it counts as made."""
    steps: tuple[Step, ...]
    cut: str | None
    """The oldest commit of the line that this clone has, where it has not what that follows."""
    ahead: tuple[str, ...] = ()
    """The commits that say that they are of later than now."""
    cut_at: int = 0
    """When that was made: what was before, nobody can tell from this clone."""

    @property
    def set_back(self) -> tuple[Step, ...]:
        """The steps that say that they were made before the one that they follow."""
        return tuple(step for step in self.steps if step.committed < step.at)


def line(repository: Repository, commit: str, folders: Sequence[str], now: int = LATEST) -> Line:
    """The line of a commit, with what it did to folders of the workspace.

    `now` is epoch seconds: no commit was made later. Raises GitFailed.
    """
    said = _committed(repository, commit)
    whole = dict(zip(said, in_time(list(said.values()), now), strict=True))
    ahead = tuple(one for one, at in said.items() if at > now)
    steps = tuple(
        replace(step, at=whole[step.commit]) for step in steps_of(repository, commit, folders, *WHOLE)
    )
    cut = _cut(repository, commit)
    return Line(commit, whole[commit], whole, steps, cut, ahead, 0 if cut is None else whole[cut])


def odd_times(line: Line) -> Iterator[str]:
    """What commits of a line say of their time that cannot be, for a reader."""
    return odd(
        "commit",
        [one[:SHOWN] for one in line.ahead],
        [step.commit[:SHOWN] for step in line.set_back],
    )


def steps_of(repository: Repository, commit: str, folders: Sequence[str], *options: str) -> list[Step]:
    """The commits that another follows and that changed something below folders of the workspace, oldest
    first; `at` is 0. Raises GitFailed.
    """
    paths = [f"{repository.prefix}{folder}" for folder in folders]
    form = f"--format=tformat:{'%x00'.join(FIELDS)}%x00"
    asked = (*SET, "log", *options, *PLAIN, *RAW, form, "--end-of-options", commit, "--", *paths)
    out = repository.git.must(*asked, timeout=SLOW, more=LITERAL).out
    return list(_steps(out, repository.prefix))[::-1]


def named_as_spec(path: str) -> bool:
    """Whether a path below the specs folder has the name of a spec file."""
    hidden = any(part.startswith(".") for part in path.split("/"))
    return path.lower().endswith(SUFFIXES) and not hidden and path.isprintable()


def _cut(repository: Repository, commit: str) -> str | None:
    """The commit at which the line ends although it has parents; None where the line is whole."""
    if not repository.is_shallow():
        return None
    first = repository.git.must("rev-list", "--first-parent", "--max-parents=0", commit).text.split()
    for one in first:
        head = repository.git.must("cat-file", "commit", one).out.partition(b"\n\n")[0]
        if b"\nparent " in head:
            return one
    return None


def _committed(repository: Repository, commit: str) -> dict[str, int]:
    """Every commit of a line, oldest first → when it says that it was made. Raises GitFailed."""
    asked = ("log", "--first-parent", "--format=tformat:%H %ct", "--end-of-options", commit, "--")
    told = repository.git.must(*SET, *asked, timeout=SLOW).text.splitlines()
    return {one: moment(committed) for one, _, committed in (line.partition(" ") for line in reversed(told))}


def _steps(out: bytes, prefix: str) -> Iterator[Step]:
    """What `git log` printed, newest first."""
    parts = iter(out.split(b"\0"))
    ahead = next(parts, b"")
    while True:
        while not ahead.strip():
            found = next(parts, None)
            if found is None:
                return
            ahead = found
        fields = [ahead.strip(), *islice(parts, len(FIELDS) - 1)]
        if len(fields) != len(FIELDS):
            raise _odd()
        touched = []
        for entry in parts:
            ahead = entry.strip(b"\n")
            if ahead.startswith(b":"):
                touched.append(_touched(ahead, next(parts, b""), prefix))
            elif ahead:
                break
        else:
            ahead = b""
        yield _step([field.decode(errors="replace") for field in fields], tuple(touched))


def _step(fields: Sequence[str], touched: tuple[Touched, ...]) -> Step:
    commit, parents, author, author_email, authored, committer, email, committed, subject, told = fields
    return Step(
        commit,
        tuple(parents.split()),
        Person(author, author_email),
        moment(authored),
        Person(committer, email),
        moment(committed),
        subject,
        touched,
        0,
        tuple(_trailers(told)),
    )


def _trailers(told: str) -> Iterator[tuple[str, str]]:
    for one in told.splitlines():
        name, colon, who = one.partition(":")
        if colon and who.strip():
            yield name.strip().capitalize(), who.strip()


def _touched(entry: bytes, path: bytes, prefix: str) -> Touched:
    try:
        _, mode, before, blob, _ = entry.decode().split(" ")
    except ValueError:
        raise _odd() from None
    name = os.fsdecode(path).removeprefix(prefix)
    gone = not mode.strip("0")
    was = before if before.strip("0") else None
    return Touched(name, None if gone else mode, None if gone else blob, was)


def _odd() -> GitFailed:
    return GitFailed("git log printed what it never does", hint="use git 2.31 or newer")
