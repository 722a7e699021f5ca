"""The live store as the rest of the house sees it: plain values, one read, one way to write.

Times are epoch seconds, UTC. Nothing here holds a secret: public keys, hashes, and a shared
secret only as it was sealed to the verifier.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class TokenState(StrEnum):
    """`expired` is not stored: it follows from `expires_at` and the time."""

    ACTIVE = "active"
    DISABLED = "disabled"
    EXPIRED = "expired"
    DELETED = "deleted"


class CredentialState(StrEnum):
    """Of one generation."""

    ACTIVE = "active"
    RETIRING = "retiring"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Credential:
    """The checkable half of one generation of a token."""

    generation: int
    state: CredentialState
    algorithm: str
    not_before: int
    not_after: int | None
    """When it ends by itself: the end of its overlap, of its lifetime, or never."""
    public_key: str | None = None
    secret_hash: str | None = None
    sealed_secret: str | None = None
    """A shared secret, sealed (armored age) to the verifier's own recipients."""


@dataclass(frozen=True, slots=True)
class Setback:
    """New credentials that could not be made for a token, one after the other."""

    count: int
    """How many times in a row."""
    retry_at: int
    """When it is tried again, if its spec stays what it is."""
    spec: str
    """Digest of the spec that they were to be made for."""


@dataclass(frozen=True, slots=True)
class LiveToken:
    """One live token with the credentials that are not retired, newest first."""

    id: str
    name: str
    kind: str
    state: TokenState
    """As stored: active, disabled or deleted."""
    grants: Mapping[str, tuple[str, ...]]
    declared: str
    """The spec as it was applied, in its normal form (JSON): what a change is measured against."""
    spec_digest: str
    commit: str | None
    created_at: int
    changed_at: int
    expires_at: int | None
    protect: bool
    artifact_path: str | None
    artifact_digest: str | None
    revision: int = 0
    """The workspace revision at which this record last changed; set by the store."""
    deleted_at: int | None = None
    due_at: int | None = None
    """When its newest credential is due for rotation, if it is ever."""
    artifact_contents: str | None = None
    """Digest of what was sealed for the newest credential, which encrypting it anew does not change."""
    artifact_recipients: tuple[str, ...] | None = None
    """Everybody it was sealed to since, by name; None where that was not kept."""
    last_generation: int = 0
    """The newest generation that was ever made: no number is used twice, whatever became of it."""
    setback: Setback | None = None
    """Why no new credential is made for now."""
    credentials: tuple[Credential, ...] = ()

    def state_at(self, now: int) -> TokenState:
        """The state at a time: a token that is active and past its end is expired."""
        over = self.expires_at is not None and self.expires_at <= now
        return TokenState.EXPIRED if over and self.state is TokenState.ACTIVE else self.state

    @property
    def generation(self) -> int:
        """The newest generation that was made, or 0 when none was."""
        return max(self.last_generation, self.credentials[0].generation if self.credentials else 0)


@dataclass(frozen=True, slots=True)
class Holder:
    """A credential, of any state and of any token, that has a public key which somebody asks for."""

    public_key: str
    name: str
    """Of its token, which may be deleted."""
    token_id: str
    generation: int
    state: CredentialState


@dataclass(frozen=True, slots=True)
class Record:
    """What one run did, chained to the record before by its digest."""

    sequence: int
    run: str
    body: str
    """The text of its file (`records.envelope`). The digest is `sha256:` of its bytes."""
    digest: str
    published: bool = False


@dataclass(frozen=True, slots=True)
class Intent:
    """A journal entry: one change of a run, from when it is certain to when the run ends.

    With `after`, an artifact is being published, and then the token becomes `after`; without `path`, no
    artifact is waited for.
    Without, the change is true in the store already; if `path` is set, the artifact there is
    still to leave the tree.
    """

    run: str
    number: int
    """Position among the run's intents, from 0. (run, number) names an intent."""
    action: str
    kind: str
    name: str
    token_id: str
    generation: int
    path: str | None = None
    digest: str | None = None
    """Digest of the artifact to be published; None where none is."""
    after: LiveToken | None = None
    failed: str | None = None
    """The code of what went wrong, where the change could not be carried out."""


@dataclass(frozen=True, slots=True)
class Run:
    """An apply that wrote something to the store and has not ended: running, or interrupted."""

    id: str
    plan_digest: str
    started_at: int
    actor: str
    commit: str | None
    overrides: Mapping[str, int | bool] = field(default_factory=dict)
    """The brakes that somebody let go for it, by name."""
    released: tuple[tuple[str, str], ...] = ()
    """(rule, message) of what would have held it without that."""
    reason: str | None = None
    """Why, in the words of who runs it."""
    stopped: str | None = None
    """The code of the error that stopped it, where it could still say so."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write to one workspace. `fence` grows with each new holder."""

    workspace: str
    holder: str
    run: str
    fence: int
    acquired_at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class Finish:
    """Ends a run: its intents become live, except those dropped, and leave the journal."""

    run: str
    drop: frozenset[int] = frozenset()
    """Numbers of intents that are given up."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One transaction's worth of writes. Everything in it happens, or nothing."""

    begin: Run | None = None
    """Opens a run: until it is finished, `state().run` tells of it."""
    approval: str | None = None
    """What was approved, in words of the applier's own, until another is given; empty for nothing, None to
    leave what is there."""
    tokens: Sequence[LiveToken] = ()
    """Records to insert or replace by id. Credentials are inserted or replaced by generation; ones
    that are not named stay as they are."""
    stopped: str | None = None
    """The code of the error that stops the run that is open."""
    journal: Sequence[Intent] = ()
    """Intents to add, or to replace by run and number."""
    finish: Finish | None = None
    """Applied after `tokens`."""
    record: Record | None = None
    """Its `sequence` must be one more than the head's, and starts from 1."""
    published: Sequence[int] = ()
    """Sequence numbers of records that are published by now."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """The state of one workspace as one read saw it."""

    store_id: str
    """Made when the store was made; the same for every workspace in it."""
    revision: int
    """Grows by one with every committed batch."""
    head: Record | None = None
    """The newest record."""
    run: Run | None = None
    """The run that has begun and not ended."""
    lease: Lease | None = None
    unpublished: tuple[Record, ...] = ()
    approval: str | None = None
    """As the last batch that gave one had it."""
    applied: str | None = None
    """The commit of the newest run that ended and had one."""

    @property
    def unsettled(self) -> bool:
        """Whether an apply left something that the next one settles, or runs now: no plan shows it."""
        return self.run is not None or bool(self.unpublished)


@dataclass(frozen=True, slots=True)
class Since:
    """What changed in a workspace after a revision, and how many tokens there are, as one read saw it.

    Whoever follows a store starts from 0 again where `store_id` is another one, `revision` is lower than the
    one he knew, or `mark_before` is not the mark that he knew it by: that store was put in the place of his,
    or is an older copy of it, which was perhaps applied to since. The counts tell him whether what he knew
    and what changed make up the whole.
    """

    store_id: str
    revision: int
    """Of the workspace: where the next question goes on from."""
    token_count: int
    """How many tokens are not deleted."""
    tombstone_count: int
    """How many are."""
    tokens: tuple[LiveToken, ...]
    """As they are now, deleted ones too; with the credentials that are not retired, so that deleted ones
    have none. In no order to rely on."""
    mark: str | None = None
    """Who made `revision`; None where that is not kept."""
    mark_before: str | None = None
    """Who made the revision that was asked for."""


class Watch(Protocol):
    """An eye on a store, for one thread that waits; others may wake it or close it at any time.

    It sees every commit from the moment it was made on. So make the watch first, and read then: what is
    committed while that read goes on ends the next wait.
    """

    def wait(self, seconds: float) -> bool:
        """True as soon as something may have changed, also where nothing that matters did; False when the
        time is over, and then the store was there just now.

        Raises StoreUnreadable where it is out of reach, or the watch is closed. While it is out of
        reach, each call tries again once, and whoever calls leaves some time in between. The call that
        finds it again returns True.
        """

    def wake(self) -> None:
        """Lets the wait that is going on, or the next one, return True at once."""

    def close(self) -> None:
        """Wakes, and lets the connection go. Does not wait for anybody."""


class LiveStore(Protocol):
    """A live store of any make. Every method raises StoreUnreadable when a read breaks off.

    One object serves one workspace, by name; others in the same store are out of its reach.
    """

    url: str
    """Where it is, without any password."""

    def workspaces(self) -> Sequence[str]:
        """The names of all workspaces in the store, sorted: nothing else of another is in reach."""

    def state(self) -> Workspace:
        """Revision, chain head, unfinished run and lease of this workspace."""

    def tokens(self) -> Iterator[LiveToken]:
        """Every token that is not deleted, in the order of its name, as one consistent read."""

    def token(self, name: str) -> LiveToken | None:
        """The token that has this name now."""

    def tombstones(self, name: str) -> Sequence[LiveToken]:
        """Deleted tokens that had this name, newest first."""

    def token_by_id(self, token_id: str) -> LiveToken | None:
        """The token that has this id, deleted or not."""

    def graveyard(self) -> Iterator[LiveToken]:
        """Every deleted token, in the order of its name, newest first, as one consistent read."""

    def holders(self, public_keys: Collection[str]) -> Sequence[Holder]:
        """Every credential that has one of these keys, retired ones and those of deleted tokens too; in the
        order of the names, ids and generations."""

    def since(self, revision: int) -> Since:
        """Every token that changed after this revision, as one consistent read; from 0, every one.

        Raises StoreUnreadable where a token cannot be read, or a read from 0 brings more or fewer than
        there are. All of it is in memory at once.
        """

    def watch(self) -> Watch:
        """A watch on the store. Raises StoreUnreadable where it is out of reach."""

    def first_use(self, digest: str, expires_at: int, now: int) -> bool:
        """Remembers that a one-time assertion was used: True for the first who asks about this digest in
        this workspace, whatever process asks; False for everybody else until `expires_at`.

        This is the one thing that a verifier writes. It carries no intent: no token, no revision, no
        count changes by it, and it needs no lease. What is live changes by apply alone.
        """

    def intents(self) -> Iterator[Intent]:
        """The journal, in the order in which it was written."""

    def records(self) -> Iterator[Record]:
        """Every record, in order."""

    def records_of(self, plan_digest: str) -> Sequence[Record]:
        """Those of runs of the plan with this digest, by their sequence; one that was blocked is no run."""

    def acquire(self, holder: str, run: str, now: int, ttl: int) -> Lease:
        """The lease, with a new fencing number. Raises StoreLocked while somebody holds it."""

    def renew(self, lease: Lease, now: int, ttl: int) -> Lease:
        """The same lease with a later end. Raises LeaseLost."""

    def release(self, lease: Lease) -> None:
        """Gives the lease up. Nothing happens where it was lost already."""

    def commit(self, lease: Lease, batch: Batch) -> int:
        """Writes a batch in one transaction; returns the new revision. Raises LeaseLost."""

    def close(self) -> None:
        """Lets connections go."""
