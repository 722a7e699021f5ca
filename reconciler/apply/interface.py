"""What an apply needs from outside: each effect is a port, so that a test can break any of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from reconciler.artifacts.interface import Sealer
from reconciler.kinds.interface import Entropy
from reconciler.live.interface import LiveStore, Record, Run
from reconciler.plan.change import Done
from reconciler.plan.document import Plan
from reconciler.records.signing.interface import Signer
from reconciler.secret import Secret
from reconciler.specs.load import Specs


@dataclass(frozen=True, slots=True)
class Publication:
    """What one publish makes durable, together."""

    run: str
    paths: Iterable[str] = ()
    """Staged artifacts that go into place."""
    removed: Iterable[str] = ()
    """Artifacts that leave the tree."""
    staying: Collection[str] = ()
    """Artifacts that are in place afterwards: on a disk that does not tell upper from lower case, one of
    them may be the file of a removed path."""
    records: Sequence[Record] = ()


@dataclass(frozen=True, slots=True)
class Published:
    """Where a publish can be found, if that is not the work tree alone."""

    remote: str
    branch: str
    """The branch that it was pushed to."""
    commit: str
    into: str | None = None
    """The branch that a pull request has yet to bring it into; None where it is there."""

    def to_json(self) -> Mapping[str, object]:
        """As the command line prints it, without what is empty."""
        found = {"remote": self.remote, "branch": self.branch, "commit": self.commit}
        return found | ({} if self.into is None else {"into": self.into})


class Publisher(Protocol):
    """Makes artifacts durable. Paths are relative to the workspace, with `/`.

    Every method raises PublishFailed when the disk, the folder or the remote does not let it.
    """

    def ready(self) -> None:
        """Sees that a publish can be made, as far as can be told beforehand: better known before keys are."""

    def stage(self, run: str, path: str, data: bytes) -> None:
        """Puts an artifact beside its place, out of sight. Called from several threads."""

    def take(self, path: str) -> bytes | None:
        """The artifact that is in place, durably; None where there is none."""

    def publish(self, publication: Publication) -> Published | None:
        """Puts staged artifacts into place, takes removed ones out, adds records: in this order, or at once.

        Durable on return. What is there already changes nothing.
        """

    def published(self, path: str) -> str | None:
        """Digest of the artifact that is in place, durably; None where there is none."""

    def record(self, name: str) -> bytes | None:
        """The file of a record that is published, by its name; None where there is none."""

    def fence(self, run: str) -> None:
        """Sees to it that no publish of a run, however far on its way, happens after this.

        To be asked before something of an interrupted run is given up because it is not published.
        """

    def discard(self) -> None:
        """Drops all that is staged, whichever run left it. What cannot be dropped stays."""


class Progress(Protocol):
    """Tells a person how far a run is."""

    def start(self, what: str, total: int) -> None:
        """A step of so many things begins."""

    def advance(self) -> None:
        """One of them is done."""

    def note(self, text: str) -> None:
        """Something that the person should know."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Every effect that an apply has."""

    store: LiveStore
    sealer: Sealer
    publisher: Publisher
    seal_for_verifier: Callable[[Secret], str | None]
    """A shared secret → the same, sealed to the verifier; None where no verifier is named."""
    entropy: Entropy
    signer: Signer
    progress: Progress


@dataclass(frozen=True, slots=True)
class Job:
    """One plan, ready to be carried out."""

    plan: Plan
    specs: Specs
    run: Run
    workers: int
    """Keys that are made at the same time."""
    approval: str = ""
    """What is kept of what was approved until all of it is done; empty where nobody was asked."""
    kept: str | None = None
    """What was kept before, and stays so where nothing is done."""


@dataclass(frozen=True, slots=True)
class Result:
    """What an apply did."""

    run: str | None
    """None where there was nothing to do."""
    done: Sequence[Done] = ()
    resumed: str | None = None
    """The interrupted run that was settled first, if there was one."""
    waits: bool = False
    """Whether more is to be done, when its time has come."""
    published: Published | None = None
    """Where its artifacts and its record were pushed to, if they were."""

    def of(self, outcome: str) -> Sequence[Done]:
        """The changes that ended so."""
        return tuple(one for one in self.done if one.outcome == outcome)

    def to_json(self) -> Mapping[str, object]:
        """As the command line prints it."""
        changes = [
            {"action": one.action, "kind": one.kind, "name": one.name, "outcome": one.outcome}
            | ({"error": one.error} if one.error else {})
            | ({"why": one.why} if one.why else {})
            for one in self.done
        ]
        return {
            "schema": "reconciler/result/v1",
            "run": self.run,
            "resumed": self.resumed,
            "changes": changes,
            **({} if self.published is None else {"published": self.published.to_json()}),
        }
