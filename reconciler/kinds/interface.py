"""What a kind of token is: its spec, its grants, and how a credential of it is minted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from reconciler.kinds.bearing import Bearing
from reconciler.kinds.checking import Accepted, Call, Proof, Reason
from reconciler.kinds.fields import Model
from reconciler.secret import Secret

Entropy: TypeAlias = Callable[[int], bytes]
"""n → n random bytes, fit for keys. A value, so that a test can repeat a run."""

Grants: TypeAlias = Mapping[str, tuple[str, ...]]
"""What a token may do: a dimension such as `apis` → the names granted, sorted; `*` is all."""

S = TypeVar("S", bound=Model)

Names: TypeAlias = tuple[str, ...]


def meet(_: str, held: Names, wanted: Names) -> Names:
    """The names that are both held and wanted in one dimension; `*` is all names."""
    if held == ("*",):
        return wanted
    if wanted == ("*",):
        return held
    return tuple(name for name in held if name in wanted)


@dataclass(frozen=True, slots=True)
class Draft:
    """What a kind needs to know about the token that it mints a credential for."""

    token_id: str
    generation: int
    now: int
    """Epoch seconds: the run's one clock reading."""
    expires_at: int | None
    """Epoch seconds at which the token itself ends, if it does."""
    entropy: Entropy


@dataclass(frozen=True, slots=True)
class Minted:
    """One new credential: the owner's half, and the half that checks it."""

    secret: Mapping[str, str | Secret]
    """What the owner receives, field by field, in the order of the artifact; empty where the owner brought
    the key: then there is no artifact."""
    algorithm: str
    """The JOSE name (RFC 7518 §3.1, RFC 8037 §3.1)."""
    public_key: str | None = None
    """PEM, SubjectPublicKeyInfo."""
    secret_hash: str | None = None
    """`sha256:` and hex, of the secret id."""
    shared: Secret | None = None
    """A shared secret that the verifier itself needs, to be sealed to it alone."""
    not_after: int | None = None
    """Epoch seconds at which the credential ends by itself."""


@dataclass(frozen=True, slots=True)
class Kind(Generic[S]):
    """One kind of token. A file in `kinds/` makes one and names it `KIND`."""

    name: str
    """As `kind:` in a spec."""
    summary: str
    """What it is for, in one line of help."""
    spec: type[S]
    reissued_by: frozenset[str]
    """Fields of `spec` that the credential or its artifact carries: an edit needs a new one."""
    grants: Callable[[S], Grants]
    new_id: Callable[[Entropy], str]
    mint: Callable[[S, Draft], Minted]
    """Raises nothing of its own; a spec that validated can be minted."""
    claims: Callable[[Proof], Accepted | Reason]
    """What there is against the claims of a presented token, or the user whom it signs in."""
    allows: Callable[[Grants, Call], Reason | None]
    """Why the grants do not cover a call; None where they do."""
    signed_once: bool = False
    """Whether its JWT is signed when it is minted, with the generation in `gen`; else the owner signs."""
    signs_in: bool = False
    """Whether its JWTs sign users in, and call no API."""
    parameter: Callable[[S], str] = lambda _: "token"
    """The URL parameter that carries a JWT which signs a user in."""
    scope: str = "apis"
    """The dimension of its grants that OAuth calls the scope."""
    renewal: Callable[[S], int | None] = lambda _: None
    """Seconds after which a credential of this kind ends by itself, if it does."""
    copied: tuple[str, ...] = ()
    """The artifact's fields that `copy` takes when none is named: the first that is there."""
    bearer: Bearing | None = None
    """How its holder comes to a bearer token; None for a kind that is not for calling APIs."""
    pem: Callable[[S], bool] = lambda _: False
    """Whether the owner receives a private key, so that `deliver.format: pem` has a meaning."""
    own_key: Callable[[S], str | None] = lambda _: None
    """The public key that its owner brought (`ownkeys.FIELD`), if any: then nothing is delivered."""
    enabled: Callable[[S], bool] = lambda _: True
    """Whether the kind's own switch, if it has one, is on."""
    meet: Callable[[str, Names, Names], Names] = meet
    """(dimension, held, wanted) → what is left at once when a grant narrows."""
    carries_end: bool = False
    """Whether the credential has the token's end signed into it, so that a new end reissues it."""
    catalog: Mapping[str, str] = field(default_factory=dict)
    """Field of `spec` → the section of the catalog that its names must stand in. Only
    these fields may name groups; they stand at the top of `spec`."""
    example: Mapping[str, Any] = field(default_factory=dict)
    """The `spec` part of the example in help and reference."""


AnyKind: TypeAlias = Kind[Any]
