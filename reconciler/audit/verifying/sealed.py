"""Whether the artifacts are those that the records tell of. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import TypeAlias

from reconciler.artifacts.interface import Header
from reconciler.audit.drift import OF_GIT
from reconciler.audit.verifying.chain import Link
from reconciler.audit.verifying.finding import Check, Finding
from reconciler.audit.verifying.resealed import Sealed, judged
from reconciler.records.body import Body, Change

RESTORE = "restore it from git: git log --full-history -- FILE; or rotate the token"
RESEALED = (
    "git log -- FILE tells who ran reseal; that it holds the same, only who can open it can tell (reconcile"
    " download); the next apply records it"
)


@dataclass(frozen=True, slots=True)
class Placed:
    """What a record put at a path."""

    digest: str
    header: Header
    name: str
    """Of its token, then."""
    record: str
    """Path of the record."""


@dataclass(frozen=True, slots=True)
class Stands:
    """What stands at a path of the artifacts folder."""

    digest: str | None
    """None for what is no file, or is not there to be read."""
    sealed: Callable[[], Sealed | None]
    """Takes it apart; None where it is no artifact."""
    plain: Callable[[], bool]
    """Whether it is a short text, as people write for git."""


@dataclass(frozen=True, slots=True)
class AtCommit:
    """What should have stood at a path, by the records that one commit brought."""

    commit: str
    path: str
    placed: Placed


UNTRACED = "see what git tells of it: git log --full-history -- FILE, and whether git fsck finds nothing"
Recorded: TypeAlias = Callable[[str, Placed], Sealed | None]
"""What a record put at a path, as the commit that brought it has it; None where that has something else."""


def is_path(path: str) -> bool:
    """Whether an artifact may stand there: records are not trusted with anything else."""
    parts = path.split("/")
    return path.isprintable() and not any(part in ("", ".", "..") for part in parts)


def in_place(links: Sequence[Link]) -> dict[str, Placed]:
    """What stands where, as records of these say in their order."""
    places: dict[str, Placed] = {}
    for link in links:
        if link.body is not None:
            fold(places, link.body, link.path)
    return places


def fold(places: dict[str, Placed], body: Body, record: str) -> None:
    """Adds what one record says. What leaves a place leaves it before anything is put there."""
    for change in body.done:
        if change.removed is not None:
            places.pop(change.removed, None)
    for change in body.done:
        if change.artifact is not None:
            places[change.artifact.path] = _placed(change, record)


def _placed(change: Change, record: str) -> Placed:
    digest = change.artifact.digest if change.artifact is not None else ""
    return Placed(digest, Header(change.kind, change.token or "", change.generation), change.name, record)


def to_look_at(links: Sequence[Link], brought: Mapping[str, str]) -> tuple[list[AtCommit], list[Finding]]:
    """What should have stood where, at the commit that brought each record; and what no commit can tell.

    `brought` is name of a record → commit. Where one commit brought several records, the last word counts.
    """
    looks: list[AtCommit] = []
    found: list[Finding] = []
    groups: dict[str, list[Link]] = {}
    for link in links:
        if link.name not in brought:
            told = "no commit is seen to bring it, so what it says of artifacts is held against none"
            found.append(Finding(Check.RECORD_UNTRACED, link.path, told, UNTRACED))
        elif link.body is not None:
            groups.setdefault(brought[link.name], []).append(link)
    for commit, members in groups.items():
        places = in_place(members)
        looks += (AtCommit(commit, path, placed) for path, placed in places.items() if is_path(path))
        found += _superseded(members, places, commit)
    return looks, found


def _superseded(members: Sequence[Link], places: Mapping[str, Placed], commit: str) -> Iterator[Finding]:
    """Artifacts that a later record of the same commit replaced: nobody committed what stood there."""
    for link in members:
        for change in link.body.done if link.body is not None else ():
            artifact = change.artifact
            if artifact is None:
                continue
            if not is_path(artifact.path):
                told = f"the artifact of {change.name} stands at no path that one can have"
                yield Finding(Check.ARTIFACT_DIGEST, link.path, told, RESTORE)
            elif artifact.path not in places or places[artifact.path].record != link.path:
                told = (
                    f"{artifact.path} of {change.name} was replaced before {commit[:10]} brought the record:"
                    " its bytes are in no commit"
                )
                yield Finding(Check.ARTIFACT_SUPERSEDED, link.path, told, "commit after each apply")


def at_commits(looks: Sequence[AtCommit], digests: Sequence[str | None]) -> Iterator[Finding]:
    """Artifacts that were not what their record says, at the commit that brought it."""
    for look, digest in zip(looks, digests, strict=True):
        if digest == look.placed.digest:
            continue
        what = "there was none" if digest is None else "there were other bytes"
        told = f"at commit {look.commit[:10]}, which brought {PurePosixPath(look.placed.record).name}, {what}"
        yield Finding(Check.ARTIFACT_DIGEST, look.path, f"{told} than the record names", RESTORE)


def now_there(
    placed: Mapping[str, Placed], stands: Mapping[str, Stands], recorded: Recorded
) -> Iterator[Finding]:
    """Artifacts that are not what the records say, at the revision that is looked at."""
    stray = {path: one for path, one in stands.items() if path not in placed and _matters(path, one)}
    for path, expected in placed.items():
        found = stands.get(path)
        if found is None:
            yield from _missing(path, expected, stray, recorded)
        elif found.digest != expected.digest:
            yield _differs(path, expected, found, partial(recorded, path, expected))
    for path in stray:
        told = "it stands among the artifacts, and no record tells of it"
        yield Finding(
            Check.ARTIFACT_UNEXPLAINED, path, told, "find out who added it: git log --full-history -- FILE"
        )


def _matters(path: str, one: Stands) -> bool:
    """Whether a record should tell of it: a file that is for git, and nothing else, needs none."""
    if PurePosixPath(path).name not in OF_GIT or one.digest is None:
        return True
    return not one.plain() or one.sealed() is not None


def _missing(path: str, expected: Placed, stray: dict[str, Stands], recorded: Recorded) -> Iterator[Finding]:
    for other, one in stray.items():
        if one.digest == expected.digest or _header(one.sealed()) == expected.header:
            del stray[other]
            if one.digest != expected.digest:
                yield _differs(other, expected, one, partial(recorded, path, expected))
            told = (
                f"the artifact of {expected.name} was moved here from {path}, and no record tells of it yet"
            )
            yield Finding(Check.ARTIFACT_MOVED, other, told, "the next apply takes it up")
            return
    told = f"the artifact of {expected.name}, which {PurePosixPath(expected.record).name} put there, is gone"
    yield Finding(Check.ARTIFACT_MISSING, path, told, RESTORE)


def _header(found: Sealed | None) -> Header | None:
    return None if found is None else found.header


def _differs(path: str, expected: Placed, found: Stands, recorded: Callable[[], Sealed | None]) -> Finding:
    sealed = found.sealed()
    header = _header(sealed)
    by = PurePosixPath(expected.record).name
    if sealed is not None and header == expected.header:
        check, told = judged(recorded(), sealed)
        told = f"it is not the file that {by} put there, {told}"
        return Finding(check, path, told, RESTORE if check is Check.ARTIFACT_CHANGED else RESEALED)
    if header is None:
        what = "and is no artifact that can be read"
    elif header.token_id == expected.header.token_id:
        what = f"and is of generation {header.generation}, not {expected.header.generation}"
    else:
        what = f"and is of another token: {header.kind} {header.token_id}"
    return Finding(Check.ARTIFACT_CHANGED, path, f"it is not the file that {by} put there, {what}", RESTORE)
