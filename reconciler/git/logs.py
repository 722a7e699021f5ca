"""What the commits of a line changed, and how they are signed, each in one run of git."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise

from reconciler.git.contents import Contents
from reconciler.git.running import Git
from reconciler.git.trees import FILES, SUBMODULE
from reconciler.times import seconds_of

LONG = 3600
"""Seconds for what reads the whole history."""
SET = (
    "-c",
    "log.showRoot=true",
    "-c",
    "log.showSignature=false",
    "-c",
    "log.follow=false",
    "-c",
    "trailer.separators=:",
    "-c",
    "core.commitGraph=false",
)
"""Stands before `log`: whatever is set on this machine, or came with the clone, the line is the same."""
PLAIN = (
    "--no-renames",
    "--no-ext-diff",
    "--full-index",
    "--no-abbrev",
    "--ignore-submodules=none",
    "--no-relative",
    "--no-color",
    "--no-notes",
    "--no-mailmap",
    "--encoding=UTF-8",
)
"""Stands behind it, for the same."""
OLDEST_FIRST = ("--topo-order", "--reverse", "--full-history")
"""Every commit after those that it follows; none is left out because another made it of no effect."""
COMMIT = re.compile(r"([0-9a-f]{40,64})(?: (.*))?")
"""Of a malformed commit, git may print no time, or whatever stands there."""
LATEST = seconds_of("9998-12-31T23:59:59Z")
"""No time is later, so that each can be written."""
ADDED, REMOVED = "A", "D"
SIGNED = "%H%x00%ct%x00%G?%x00%GS%x00%GK%x00%GF"
NONE, UNTOLD = "N", "?"
"""No signature, as git says it; and one of which git says the same, as it cannot check it here: no file says
whose SSH keys are whose, or there is no gpg.
"""
SIGNATURE = re.compile(rb"^gpgsig(-sha256)? ", re.MULTILINE)
"""Begins the signature, in the head of a commit."""


@dataclass(frozen=True, slots=True)
class Touch:
    """What one commit did to one path."""

    commit: str
    at: int
    """Epoch seconds, as the commit says."""
    path: str
    """From the top of the repository."""
    before: tuple[str, ...]
    """Its blob in each of the commits that this one follows; one for a commit that is no merge."""
    after: str
    status: str
    """As git tells it: `A` added, `D` removed, `M` changed; a letter for each of `before`."""

    @property
    def added(self) -> bool:
        """Whether none of those before had it."""
        return set(self.status) == {ADDED}

    @property
    def removed(self) -> bool:
        """Whether it is gone by this commit."""
        return REMOVED in self.status


@dataclass(frozen=True, slots=True)
class Signature:
    """What git says of the signature of a commit."""

    commit: str
    at: int
    verdict: str
    """`G` good, `N` none, `?` one that git cannot check here, `U` by a key that is not trusted; other letters
    as in `git log`, `%G?`."""
    signer: str
    key: str


def moment(text: str) -> int:
    """Epoch seconds as a commit says them: between 1970 and what can be written, whatever stands there."""
    try:
        return min(max(int(text), 0), LATEST)
    except ValueError:
        return 0


def literal(path: str) -> str:
    """A path, as a pattern of git's own that stands for nothing else."""
    return re.sub(r"([][*?\\])", r"\\\1", path)


def touches(git: Git, revision: str, patterns: Sequence[str]) -> Iterator[Touch]:
    """What each commit that a revision holds did to the paths of patterns, from the top; oldest first.

    Of a merge, what it has that none of those before had. Raises GitFailed.
    """
    paths = [f":(top,glob){pattern}" for pattern in patterns]
    asked = (*SET, "log", *PLAIN, *OLDEST_FIRST, "-z", "-c", "--raw", "--format=%H %ct")
    told = iter(git.must(*asked, revision, "--", *paths, timeout=LONG).out.split(b"\0"))
    commit, at = "", 0
    for part in told:
        text = part.lstrip(b"\n")
        if text.startswith(b":"):
            yield _touch(commit, at, text.decode(), os.fsdecode(next(told)))
        elif (found := COMMIT.fullmatch(text.decode(errors="replace").strip())) is not None:
            commit, at = found[1], moment(found[2] or "")


def _touch(commit: str, at: int, meta: str, path: str) -> Touch:
    parents = len(meta) - len(meta.lstrip(":"))
    parts = meta[parents:].split(" ")
    # Of a submodule there is no content here.
    ids = [
        one if mode != SUBMODULE else "0" * len(one)
        for mode, one in zip(parts[: parents + 1], parts[parents + 1 : -1], strict=True)
    ]
    return Touch(commit, at, path, tuple(ids[:-1]), ids[-1], parts[-1])


def signatures(git: Git, revision: str, patterns: Sequence[str], signers: str | None) -> Iterator[Signature]:
    """How each commit is signed that changes the paths, and each merge that brings such a change to its first
    line; oldest first. `signers` is a file of whom SSH keys are of. Raises GitFailed.
    """
    paths = [f":(top,glob){pattern}" for pattern in patterns]
    own = ("-c", f"gpg.ssh.allowedSignersFile={signers}") if signers else ()
    asked = (*SET, *own, "log", *PLAIN, *OLDEST_FIRST, "--show-pulls", "-z", f"--format={SIGNED}%x00")
    parts = git.must(*asked, revision, "--", *paths, timeout=LONG).out.decode(errors="replace").split("\0")
    fields = len(SIGNED.split("%x00"))
    with closing(Contents(git)) as contents:
        for start in range(0, len(parts) - fields, fields + 1):
            commit, at, verdict, signer, key, finger = parts[start : start + fields]
            if verdict == NONE and SIGNATURE.search(contents.read(commit).partition(b"\n\n")[0]):
                verdict = UNTOLD
            yield Signature(commit, moment(at), verdict, signer, finger or key)


def graph(git: Git, revision: str) -> Iterator[tuple[str, int, tuple[str, ...]]]:
    """Each commit that a revision holds, its time, and those that it follows; oldest first.

    Raises GitFailed.
    """
    asked = (*SET, "log", *PLAIN, "--topo-order", "--reverse", "--format=%H %P,%ct", revision)
    for line in git.must(*asked, timeout=LONG).text.splitlines():
        named, _, at = line.partition(",")
        commit, *parents = named.split()
        yield commit, moment(at), tuple(parents)


def parted(git: Git, commits: Sequence[str]) -> list[str]:
    """The commits at which lines parted: one as a rule, none where they have nothing in common."""
    return git.run(*SET, "merge-base", "--all", "--octopus", *commits).text.split()


def resolved(git: Git, names: Sequence[str]) -> list[tuple[str, str] | None]:
    """The (id, type) of each thing that is named as `COMMIT:PATH` or so, in one run; None where it is not.

    No name has the end of a line in it. Raises GitFailed.
    """
    if not names:
        return []
    form = "--batch-check=%(objectname) %(objecttype)"
    told = git.must("cat-file", form, given="".join(f"{name}\n" for name in names).encode(), timeout=LONG)
    return [_object(line) for line in told.out.decode(errors="replace").splitlines()]


def _object(line: str) -> tuple[str, str] | None:
    ident, _, what = line.rpartition(" ")
    return (ident, what) if what in ("blob", "tree", "commit", "tag") else None


@dataclass(frozen=True, slots=True)
class Moved:
    """What stands at one path of a tree, and did not in the tree before."""

    path: str
    blob: str | None
    """None for nothing, or for what is no file."""


def steps(git: Git, trees: Sequence[str], modes: Collection[str] = FILES) -> Iterator[list[Moved]]:
    """What differs from each tree to the next, in one run; the first is held against nothing.

    What has another mode counts as nothing. Raises GitFailed.
    """
    if not trees:
        return
    nothing = git.must("hash-object", "-t", "tree", "--stdin", given=b"").text
    pairs = "".join(f"{one} {other}\n" for one, other in pairwise((nothing, *trees)))
    asked = ("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", "--stdin")
    told = iter(git.must(*asked, given=pairs.encode(), timeout=LONG).out.split(b"\0"))
    found: list[Moved] | None = None
    for part in told:
        # The line of a pair stands before what differs; where nothing does, the next one follows at once.
        for line in part.decode(errors="replace").splitlines():
            if not line.startswith(":"):
                if found is not None:
                    yield found
                found = []
            elif found is not None:
                found.append(_moved(line, os.fsdecode(next(told)), modes))
    yield found or []


def _moved(meta: str, path: str, modes: Collection[str]) -> Moved:
    mode, blob = meta.split(" ")[1], meta.split(" ")[3]
    return Moved(path, blob if mode in modes else None)
