"""reconcile bearer"""

from __future__ import annotations

import sys

import click

from reconciler.cli.context import Invocation, passed
from reconciler.cli.output import echo_note
from reconciler.errors import UsageError
from reconciler.kinds.fields import parse_duration
from reconciler.readers.bearing import Wish, bearer
from reconciler.readers.exchanging import Answer, Posting, endpoint_of
from reconciler.readers.opening import Reader


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
    if endpoint is not None and ttl is not None:
        raise UsageError(
            "--ttl is for a token that is signed here, and this one is the verifier's",
            hint="leave it out, or leave --exchange out and RECONCILER_VERIFIER unset",
        )
    wish = Wish(
        reader=Reader(workspace, echo_note),
        name=name,
        ttl=_seconds(ttl),
        audience=audience,
        endpoint=endpoint,
        flagged=exchange is not None,
        post=_post,
        seen=sys.stdout.isatty() and not force,
    )
    click.echo(bearer(wish).open())
    return 0


def _post(posting: Posting) -> Answer:
    from reconciler.cli.posting import post

    return post(posting)


def _seconds(ttl: str | None) -> int | None:
    try:
        return None if ttl is None else parse_duration(ttl)
    except ValueError as error:
        raise UsageError("--ttl is not a duration", hint="write one such as 30s or 5m") from error
