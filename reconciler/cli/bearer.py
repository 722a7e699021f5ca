"""reconcile bearer"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass

import click

from reconciler.artifacts.plaintext import opened_fields
from reconciler.audit.export import declared_by
from reconciler.cli.context import Invocation, passed
from reconciler.cli.output import echo_note
from reconciler.errors import ArtifactTampered, ReconcilerError, UsageError
from reconciler.kinds import all_kinds
from reconciler.kinds.bearing import Asked, Bearing, Fields, Signing
from reconciler.kinds.fields import parse_duration
from reconciler.readers.exchanging import TOKEN, Endpoint, endpoint_of, posting, token_of
from reconciler.readers.opening import OwnersKey, Reader, opened
from reconciler.secret import Secret
from reconciler.workspace import Workspace

ASSERTION = 60
"""Seconds that a token lasts which is only for the token endpoint."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """What the command line asks for."""

    workspace: Workspace
    name: str
    ttl: int | None
    audience: str | None
    endpoint: Endpoint | None
    flagged: bool
    """Whether the endpoint stands on the command line itself, and not in the environment."""
    force: bool

    def asked(self, ttl: int, audience: str) -> Asked:
        """What is to be signed."""
        around = self.workspace.around
        return Asked(audience, around.clock(), ttl, around.entropy)

    def for_apis(self, signing: Signing) -> Asked:
        """The same, for calls to APIs. Raises UsageError for a life that is too long."""
        if (self.ttl or 0) > signing.longest:
            raise UsageError(
                f"--ttl is longer than a token that is signed here may last, {signing.longest // 60}m",
                hint="leave it out, and sign a new one for each call",
            )
        return self.asked(self.ttl or signing.usual, self.audience or self.workspace.specs.audience)


@click.command("bearer")
@click.argument("name")
@click.option("--ttl", metavar="5m", help="How long a token that is signed here lasts, up to 10m.")
@click.option("--audience", metavar="AUD", help="Whom it is for, if not this workspace's verifier.")
@click.option(
    "--exchange", metavar="URL", help="Give the credential to this verifier for a short-lived token."
)
@click.option("--force", is_flag=True, help="Show a token that lasts, even on a terminal.")
@passed
def command(
    invocation: Invocation,
    name: str,
    ttl: str | None,
    audience: str | None,
    exchange: str | None,
    *,
    force: bool,
) -> int:
    """Print a bearer token, for a request to an API: out of the token's artifact, with your identity.

    \b
        curl -H "Authorization: Bearer $(reconcile bearer plant-a-historian)" …

    For an RSA key a JWT is signed, which lasts five minutes. Of other tokens it is the one that was
    delivered; that lasts, so it is not shown on a terminal unless you say --force.

    With --exchange URL, or RECONCILER_VERIFIER, the credential is proven to the verifier there, which
    gives a token that lasts some minutes. That address is never taken from specs: a pull request must
    not choose where a secret goes. It is https, or http on this machine, and no redirect is followed. A
    verifier whose issuer is another address takes --audience ISSUER/oauth/token.

    \b
    Exit codes: 0 done, 1 error, 64 wrong usage.
    """
    workspace = invocation.workspace
    url = exchange or workspace.around.environ.get("RECONCILER_VERIFIER")
    endpoint = endpoint_of(url) if url else None
    wish = _Wish(workspace, name, _seconds(ttl), audience, endpoint, exchange is not None, force)
    if endpoint is not None and ttl is not None:
        raise UsageError(
            "--ttl is for a token that is signed here, and this one is the verifier's",
            hint="leave it out, or leave --exchange out and RECONCILER_VERIFIER unset",
        )
    click.echo(_token(wish).open())
    return 0


def _seconds(ttl: str | None) -> int | None:
    try:
        return None if ttl is None else parse_duration(ttl)
    except ValueError as error:
        raise UsageError("--ttl is not a duration", hint="write one such as 30s or 5m") from error


def _token(wish: _Wish) -> Secret:
    try:
        delivered = opened(Reader(wish.workspace, echo_note), wish.name)
    except OwnersKey as error:
        raise _elsewhere(wish, error) from error
    bearer = _bearing(delivered.kind, wish.name)
    fields = {name: Secret(text) for name, text in opened_fields(delivered.opened).items()}
    if wish.endpoint is not None and (bearer.client is not None or wish.flagged):
        return _exchanged(wish, wish.endpoint, bearer, fields)
    if bearer.signing is not None:
        return bearer.signing.sign(fields, wish.for_apis(bearer.signing))
    return _as_delivered(wish, bearer, fields)


def _bearing(kind: str, name: str) -> Bearing:
    found = all_kinds()[kind]
    if found.bearer is None:
        raise UsageError(
            f"{name} gives no bearer token: a {kind} is {found.summary}",
            hint=f"get what it signs with: reconcile download {name}",
        )
    return found.bearer


def _exchanged(wish: _Wish, endpoint: Endpoint, bearer: Bearing, fields: Fields) -> Secret:
    from reconciler.cli.posting import post

    if bearer.client is None:
        raise UsageError(
            f"{wish.name} is not exchanged: it is sent as it was delivered", hint="leave --exchange out"
        )
    client = bearer.client(fields, wish.asked(ASSERTION, wish.audience or endpoint.url))
    return token_of(endpoint, post(posting(endpoint, client)))


def _as_delivered(wish: _Wish, bearer: Bearing, fields: Fields) -> Secret:
    if wish.ttl is not None or wish.audience is not None:
        shorter = "; --exchange URL gives one that is short-lived" if bearer.client is not None else ""
        raise UsageError(
            f"the token of {wish.name} is signed already, for as long and for whom it is",
            hint=f"leave --ttl and --audience out{shorter}",
        )
    if sys.stdout.isatty() and not wish.force:
        raise UsageError("this would show on the terminal a token that lasts", hint="pipe it, or add --force")
    found = fields[bearer.delivered or ""]
    if TOKEN.fullmatch(found.open()) is None:
        raise ArtifactTampered(
            f"what was delivered to {wish.name} is no token",
            hint=f"look at it: reconcile download {wish.name}",
        )
    return found


def _elsewhere(wish: _Wish, error: OwnersKey) -> ReconcilerError:
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
