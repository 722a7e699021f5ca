"""What a token's holder sends: signed here, as it was delivered, or got for it from the verifier.

Each kind says in its own file which of them it can (`Kind.bearer`). Pure: the time is a value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from reconciler.secret import Secret

if TYPE_CHECKING:
    from reconciler.kinds.interface import Entropy

TOKEN_ENDPOINT = "/oauth/token"
"""Where a verifier exchanges credentials, below its address."""
JWT_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
"""How a client is known by what it signs (RFC 7523 §2.2)."""

Fields: TypeAlias = Mapping[str, Secret]
"""The fields of an opened artifact."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be signed."""

    audience: str
    """Whom it is for."""
    now: int
    """Epoch seconds."""
    ttl: int
    """Seconds that it lasts."""
    entropy: Entropy


@dataclass(frozen=True, slots=True)
class Unsigned:
    """A JWT before it is signed."""

    header: Mapping[str, object]
    claims: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Client:
    """How a holder proves itself to a token endpoint."""

    basic: tuple[Secret, Secret] | None = None
    """Id and secret (RFC 6749 §2.3.1)."""
    assertion: Secret | None = None
    """A signed JWT (RFC 7523 §2.2)."""


@dataclass(frozen=True, slots=True)
class Signing:
    """The holder signs a token of its own each time."""

    longest: int
    """Seconds that one may last."""
    usual: int
    unsigned: Callable[[str, str, Order], Unsigned]
    """(token id, algorithm, what is asked) → what is to be signed: an owner may do it elsewhere."""
    sign: Callable[[Fields, Order], Secret]
    """Raises CannotOpen for a key that cannot be read."""


@dataclass(frozen=True, slots=True)
class Bearing:
    """How the holder of a kind comes to a bearer token: by signing one, or with what it was given."""

    signing: Signing | None = None
    delivered: str | None = None
    """The field that is one already. It lasts, so it is nothing for a screen."""
    client: Callable[[Fields, Order], Client] | None = None
    """How to ask for one at the token endpoint, which is the audience; None where the kind cannot."""
