"""What the check gives out.

What is made for every request is a named tuple: it is made three times as quickly as a frozen dataclass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import NamedTuple

from reconciler.kinds import all_kinds
from reconciler.kinds.checking import Call, Reason, SignIn

SCHEMA = "reconciler/verdict/v1"


class Identity(NamedTuple):
    """The live token behind a presented one. No secret is in it."""

    id: str
    name: str
    kind: str
    owner: str | None
    generation: int
    """Of the credential that proved it."""
    grants: Mapping[str, tuple[str, ...]]

    @property
    def scope(self) -> tuple[str, ...]:
        """The APIs that it may call, as OAuth calls them."""
        return self.grants.get(all_kinds()[self.kind].scope, ())


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """A key with which the verifier signs access tokens: the public half."""

    kid: str
    """Its thumbprint (RFC 7638)."""
    algorithm: str
    public_key: str
    """PEM, SubjectPublicKeyInfo."""


class Verdict(NamedTuple):
    """What became of one presented token."""

    reason: Reason
    call: Call
    token: Identity | None = None
    """Whose it is: only where its signature holds or its secret id is on record, accepted or not."""
    claimed: str | None = None
    """The id of the live or deleted token that it names, proven or not: for the log."""
    user: SignIn | None = None
    """Whom a sign-in token names."""
    expires_at: int | None = None
    """Epoch seconds at which what was presented ends, if it does."""

    @property
    def active(self) -> bool:
        """Whether it is accepted."""
        return self.reason is Reason.ACCEPTED

    def to_json(self) -> dict[str, object]:
        """As in `reconciler/verdict/v1`. Nothing of what was presented is in it."""
        return {
            "schema": SCHEMA,
            "active": self.active,
            "reason": str(self.reason),
            "says": self.reason.says,
            "remedy": self.reason.remedy,
            "token": None if self.token is None else self.token._asdict(),
            "user": None if self.user is None else asdict(self.user),
            "call": {name: value for name, value in asdict(self.call).items() if value is not None},
            "expires_at": self.expires_at,
        }


@dataclass(frozen=True, slots=True)
class Freshness:
    """How well a verifier knows what is live."""

    ready: bool
    """Whether it accepts anything at all."""
    revision: int
    """Of the live store, as it was last read."""
    tokens: int
    """Tokens that are not deleted."""
    age: float
    """Seconds since the store last answered."""
    why: str
    """What is wrong, where it is not ready."""
