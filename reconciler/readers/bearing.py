"""A bearer token for the holder of an artifact: signed, as it was delivered, or exchanged for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from reconciler.artifacts.plaintext import opened_fields
from reconciler.audit.export import declared_by
from reconciler.errors import ArtifactTampered, ReconcilerError, UsageError
from reconciler.kinds import all_kinds
from reconciler.kinds.bearing import Bearing, Fields, Order, Signing
from reconciler.readers.exchanging import TOKEN, Answer, Endpoint, Posting, posting, token_of
from reconciler.readers.opening import OwnersKey, Reader, opened
from reconciler.secret import Secret
from reconciler.workspace import Workspace

ASSERTION = 60
"""Seconds that a token lasts which is only for the token endpoint."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted, and how."""

    reader: Reader
    name: str
    ttl: int | None
    """Seconds."""
    audience: str | None
    endpoint: Endpoint | None
    flagged: bool
    """Whether the endpoint stands on the command line itself, and not in the environment."""
    post: Callable[[Posting], Answer]
    """Sends a credential to that endpoint."""
    seen: bool
    """Whether what is printed stands on a screen, so that a token which lasts is not printed."""

    @property
    def workspace(self) -> Workspace:
        """Whose token it is."""
        return self.reader.workspace

    def asked(self, ttl: int, audience: str) -> Order:
        """What is to be signed."""
        around = self.workspace.around
        return Order(audience, around.clock(), ttl, around.entropy)

    def for_apis(self, signing: Signing) -> Order:
        """The same, for calls to APIs. Raises UsageError for a life that is too long."""
        if (self.ttl or 0) > signing.longest:
            raise UsageError(
                f"--ttl is longer than a token that is signed here may last, {signing.longest // 60}m",
                hint="leave it out, and sign a new one for each call",
            )
        return self.asked(self.ttl or signing.usual, self.audience or self.workspace.specs.audience)


def bearer(wish: Wish) -> Secret:
    """The token. Raises UsageError for what cannot be asked for, CannotOpen, ExchangeFailed."""
    try:
        delivered = opened(wish.reader, wish.name)
    except OwnersKey as error:
        raise _elsewhere(wish, error) from error
    found = _bearing(delivered.kind, wish.name)
    fields = {name: Secret(text) for name, text in opened_fields(delivered.opened).items()}
    if wish.endpoint is not None and (found.client is not None or wish.flagged):
        return _exchanged(wish, wish.endpoint, found, fields)
    if found.signing is not None:
        return found.signing.sign(fields, wish.for_apis(found.signing))
    return _as_delivered(wish, found, fields)


def _bearing(kind: str, name: str) -> Bearing:
    found = all_kinds()[kind]
    if found.bearer is None:
        raise UsageError(
            f"{name} gives no bearer token: a {kind} is {found.summary}",
            hint=f"get what it signs with: reconcile download {name}",
        )
    return found.bearer


def _exchanged(wish: Wish, endpoint: Endpoint, bearer: Bearing, fields: Fields) -> Secret:
    if bearer.client is None:
        raise UsageError(
            f"{wish.name} is not exchanged: it is sent as it was delivered", hint="leave --exchange out"
        )
    client = bearer.client(fields, wish.asked(ASSERTION, wish.audience or endpoint.url))
    return token_of(endpoint, wish.post(posting(endpoint, client)))


def _as_delivered(wish: Wish, bearer: Bearing, fields: Fields) -> Secret:
    if wish.ttl is not None or wish.audience is not None:
        shorter = "; --exchange URL gives one that is short-lived" if bearer.client is not None else ""
        raise UsageError(
            f"the token of {wish.name} is signed already, for as long and for whom it is",
            hint=f"leave --ttl and --audience out{shorter}",
        )
    if wish.seen:
        raise UsageError("this would show on the terminal a token that lasts", hint="pipe it, or add --force")
    found = fields[bearer.delivered or ""]
    if TOKEN.fullmatch(found.open()) is None:
        raise ArtifactTampered(
            f"what was delivered to {wish.name} is no token",
            hint=f"look at it: reconcile download {wish.name}",
        )
    return found


def _elsewhere(wish: Wish, error: OwnersKey) -> ReconcilerError:
    """What its owner is to sign with the key that is not here."""
    declared = wish.workspace.specs.token(wish.name)
    spec = declared_by(error.token) if error.token else declared.spec() if declared else None
    if spec is None:
        return error
    signing = _bearing(spec.kind, wish.name).signing
    if signing is None:
        return error
    endpoint = wish.endpoint
    asked = wish.asked(ASSERTION, wish.audience or endpoint.url) if endpoint else wish.for_apis(signing)
    token_id = error.token.id if error.token else "TOKEN-ID"
    jwt = signing.unsigned(token_id, str(spec.spec.algorithm), asked)
    then = f", and post it to {endpoint.url} as client_assertion" if endpoint else ""
    shown = f"header {json.dumps(jwt.header)}, claims {json.dumps(jwt.claims)}"
    error.hint = f"sign with your own key: {shown}{then}"
    return error
