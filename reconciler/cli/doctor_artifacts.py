"""What doctor says of the artifacts: whose they are, to whom they are sealed, and who can open them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from reconciler.artifacts.names import once
from reconciler.artifacts.resealing import stale
from reconciler.cli.doctor_check import NAMED, Check
from reconciler.cli.output import counted
from reconciler.errors import ArtifactTampered, CannotOpen, NoKey, NoRecipients, ReconcilerError
from reconciler.readers.finding import Failed, Kept, sought_of
from reconciler.readers.opening import Reader, Sought, sealed
from reconciler.workspace import Workspace


@dataclass(slots=True)
class Tally:
    """What was found, by the names of tokens."""

    total: int = 0
    compared: int = 0
    """Artifacts whose recipients could be compared with a rule."""
    opened: int = 0
    closed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    """Tokens without an artifact: their owners brought their keys."""
    missing: list[str] = field(default_factory=list)
    broken: list[Failed] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)
    """Sealed to fewer than their rule names, or grouped otherwise."""
    foreign: list[str] = field(default_factory=list)
    """Sealed to somebody whom their rule does not name."""
    strangers: list[str] = field(default_factory=list)
    """Who that is."""


def tally(workspace: Workspace) -> Tally:
    """Every artifact looked at: compared with its rule, and opened if it can be."""
    found = Tally()
    opener = workspace.opener
    for target in sought_of(Reader(workspace, _told_already), None):
        if isinstance(target, Kept):
            found.kept.append(target.name)
            continue
        found.total += 1
        if isinstance(target, Failed):
            found.broken.append(target)
            continue
        try:
            data = sealed(workspace, target)
        except CannotOpen as error:
            if isinstance(error.__cause__, FileNotFoundError):
                found.missing.append(target.name)
            else:
                found.broken.append(Failed.by(target.name, error))
            continue
        _compare(workspace, target, data, found)
        try:
            opener.open(data, target.path, target.expected)
            found.opened += 1
        except NoKey:
            found.closed.append(target.name)
        except ReconcilerError as error:
            found.broken.append(Failed.by(target.name, error))
    return found


def _told_already(_: str) -> None:
    """Whether the live store was asked is told by its own check."""


def _compare(workspace: Workspace, target: Sought, data: bytes, found: Tally) -> None:
    try:
        change = stale(data, target.path, workspace.rules.match(target.wanted))
    except (ArtifactTampered, NoRecipients):
        return  # opening says so, or the check of the rules does
    found.compared += 1
    if change.removed:
        found.foreign.append(target.name)
        found.strangers.extend(change.removed)
    elif change:
        found.lacking.append(target.name)


def artifact_checks(found: Tally) -> Iterator[Check]:
    """What is to be said of them."""
    if found.missing:
        yield Check(
            "artifacts",
            "fault",
            f"{len(found.missing)} of {found.total} are missing: {_some(found.missing)}",
            "restore them from git; apply makes new credentials for those that stay away",
        )
    for one in found.broken[:NAMED]:
        yield Check("artifacts", "fault", one.error, one.hint)
    if not found.missing and not found.broken:
        closed = f"; not {_some(found.closed)}" if found.closed else ""
        yield Check(
            "artifacts",
            "note" if found.closed else "ok",
            f"{found.total} in place, {found.opened} of them open with your identities{closed}",
        )
    if found.kept:
        count = counted(len(found.kept), "token")
        yield Check("own keys", "ok", f"{count} whose owner keeps the private key: {_some(found.kept)}")
    yield from _recipient_checks(found)


def _recipient_checks(found: Tally) -> Iterator[Check]:
    if found.foreign:
        yield Check(
            "recipients",
            "note",
            f"{counted(len(found.foreign), 'artifact')} sealed to whom the rules do not name for them"
            f" ({_some(once(found.strangers))}): {_some(found.foreign)}",
            "reconcile reseal shuts them out of the files, and the next plan rotates what they have seen",
        )
    if found.lacking:
        yield Check(
            "recipients",
            "note",
            f"{counted(len(found.lacking), 'artifact')} not sealed to all whom the rules name:"
            f" {_some(found.lacking)}",
            "as one who can open them: reconcile reseal",
        )
    if not found.foreign and not found.lacking and found.total and found.compared == found.total:
        yield Check("recipients", "ok", "every artifact is sealed to whom its rule names, and to nobody else")


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (" …" if len(names) > NAMED else "")
