"""Whether the records are a chain from the first to the last. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from reconciler.audit.verifying.finding import Check, Finding
from reconciler.canonical import digest
from reconciler.errors import RecordUnreadable
from reconciler.records.body import Body
from reconciler.records.chain import RecordFile, file_name, is_record
from reconciler.records.envelope import Signed, read

SKEW = 3600
"""Seconds by which a record may be older than the one before: clocks differ, and a run that waits for another
has read its clock before."""
RESTORE = "restore the file from git: git log --full-history -- FILE shows what became of it"
SOMEBODY = "find out who wrote it: git log --full-history -- FILE"


@dataclass(frozen=True, slots=True)
class Link:
    """One record of the chain."""

    path: str
    sequence: int
    """As its file is named."""
    digest: str
    """Of all its bytes."""
    signed: Signed | None
    """None where it cannot be read."""

    @property
    def body(self) -> Body | None:
        """What it says."""
        return None if self.signed is None else self.signed.body

    @property
    def name(self) -> str:
        """Of its file, without the folder."""
        return PurePosixPath(self.path).name


def _nobody(_: str) -> bool:
    return False


def linked(
    files: Sequence[RecordFile],
    folder: str,
    found: list[Finding],
    outsider: Callable[[str], bool] = _nobody,
) -> list[Link]:
    """The records of a folder in their order, each with what it says. Findings of single files are added.

    `outsider` says of a name that it never was one.
    """
    links: list[Link] = []
    for file in sorted(files, key=lambda one: one.path):
        if not is_record(file.path, folder):
            told = "it stands among the records, and is not named as one"
            if file.path != f"{folder}/{file.name}":
                told = "it stands in a folder among the records, where none belongs"
            found.append(Finding(Check.RECORD_FOREIGN, file.path, told, SOMEBODY))
        elif (link := _link(file, found, outsider)) is not None:
            links.append(link)
    return links


def _link(file: RecordFile, found: list[Finding], outsider: Callable[[str], bool]) -> Link | None:
    sequence = int(file.name.partition("-")[0])
    try:
        signed = read(file.data)
    except RecordUnreadable as error:
        if outsider(file.name):
            told = f"it never was a record: {error}"
            found.append(Finding(Check.RECORD_FOREIGN, file.path, told, SOMEBODY))
            return None
        found.append(Finding(Check.RECORD_UNREADABLE, file.path, str(error), RESTORE))
        return Link(file.path, sequence, digest(file.data), None)
    body = signed.body
    if file.name != file_name(body.sequence, body.run):
        told = f"it is named for another record: it is record {body.sequence} of run {body.run}"
        found.append(Finding(Check.RECORD_MISNAMED, file.path, told, RESTORE))
    return Link(file.path, sequence, digest(file.data), signed)


def chain(links: Sequence[Link], folder: str, before: Link | None = None) -> Iterator[Finding]:
    """What does not fit together: numbers, previous digests, times. `before` is the one that they follow."""
    for link in links:
        yield from _numbered(link, before, folder)
        yield from _following(link, before)
        if before is None or before.sequence != link.sequence:
            before = link


def _numbered(link: Link, before: Link | None, folder: str) -> Iterator[Finding]:
    expected = 1 if before is None else before.sequence + 1
    if before is not None and link.sequence == before.sequence:
        told = f"record {link.sequence} is there twice: {before.name} is another"
        yield Finding(Check.RECORD_DOUBLED, link.path, told, SOMEBODY)
    elif link.sequence != expected:
        gone = f"record {expected} is not there"
        if link.sequence > expected + 1:
            gone = f"records {expected} to {link.sequence - 1} are not there"
        yield Finding(
            Check.RECORD_MISSING,
            f"{folder}/{expected:08d}-*.json",
            gone,
            "restore it from git: git log --full-history -- FOLDER shows when it went",
        )


def _following(link: Link, before: Link | None) -> Iterator[Finding]:
    body = link.body
    if body is None:
        return
    if before is None and body.sequence == 1 and body.previous is not None:
        yield Finding(Check.RECORD_EDITED, link.path, "it is the first, and names one before it", RESTORE)
    if before is None or link.sequence != before.sequence + 1:
        return
    if body.previous != before.digest:
        told = (
            f"record {link.sequence} follows other bytes: this file was edited since, or that one is forged"
        )
        yield Finding(Check.RECORD_EDITED, before.path, told, RESTORE)
    if before.body is not None and body.at < before.body.at - SKEW:
        told = f"its time is {body.time}, and the record before it is of {before.body.time}"
        yield Finding(Check.RECORD_BACKDATED, link.path, told, "see the clock of the machine that applied")


def late(links: Sequence[Link], now: int) -> Iterator[Finding]:
    """Records of a time that is still to come."""
    for link in links:
        if link.body is not None and link.body.at > now + SKEW:
            told = f"its time is still to come: {link.body.time}"
            yield Finding(
                Check.RECORD_BACKDATED,
                link.path,
                told,
                "see the clock of the machine that applied, and of this",
            )


def anchored(links: Sequence[Link], anchors: Collection[str], folder: str) -> Iterator[Finding]:
    """Digests that were noted earlier, and that no record has any more: the line was rewritten."""
    known = {link.digest for link in links}
    for anchor in anchors:
        if anchor not in known:
            yield Finding(
                Check.ANCHOR_MISSING,
                folder,
                f"no record has the digest {anchor}, which was noted earlier: the records were rewritten",
                "look for it in another clone: sha256sum of its record files",
            )
