"""reconcile gateway"""

from __future__ import annotations

import click

from reconciler.cli.context import Invocation, passed
from reconciler.errors import SpecsInvalid, UsageError
from reconciler.verify.gateways import all_gateways
from reconciler.verify.gateways.interface import Setting
from reconciler.verify.gateways.places import (
    read_endpoint,
    read_file,
    read_listen,
    read_upstream,
    read_word,
)


@click.command("gateway")
@click.argument("name", type=click.Choice(list(all_gateways())))
@click.option(
    "--verifier", default="http://127.0.0.1:8400", show_default=True, metavar="URL", help="Where it answers."
)
@click.option(
    "--upstream", default="http://127.0.0.1:9000", show_default=True, metavar="URL", help="Your API."
)
@click.option(
    "--listen",
    default="127.0.0.1:8080",
    show_default=True,
    metavar="ADDRESS:PORT",
    help="Where the gateway itself listens.",
)
@click.option("--issuer", metavar="TEXT", help="`iss` of issued tokens; by default as `serve` has it.")
@click.option("--audience", metavar="TEXT", help="`aud` of issued tokens; by default as `serve` has it.")
@click.option(
    "--ca-file",
    default="/etc/ssl/certs/ca-certificates.crt",
    show_default=True,
    metavar="FILE",
    help="Who is trusted where --verifier or --upstream is https.",
)
@passed
def command(
    invocation: Invocation,
    name: str,
    verifier: str,
    upstream: str,
    listen: str,
    issuer: str | None,
    audience: str | None,
    ca_file: str,
) -> int:
    """Print the configuration of a gateway that asks the verifier.

    Every request is checked by `reconcile serve`, and none passes while it does not answer. With
    envoy-jwks, Envoy checks by itself instead; what that gives up stands at the top of what is printed.
    """
    gateway, place = all_gateways()[name], read_endpoint(verifier, "--verifier")
    if gateway.offline and (issuer is None or audience is None):
        verifying, known = _issued(invocation)
        issuer, audience = issuer or verifying, audience or known
    setting = Setting(
        verifier=place,
        upstream=read_upstream(upstream, "--upstream"),
        listen=read_listen(listen, "--listen"),
        issuer=read_word(issuer or place.url, "--issuer"),
        audience=read_word(audience or place.url, "--audience"),
        authorities=read_file(ca_file, "--ca-file"),
    )
    click.echo(gateway.render(setting), nl=False)
    return 0


def _issued(invocation: Invocation) -> tuple[str | None, str]:
    """Issuer, if the workspace names one, and audience of issued tokens. Raises UsageError without specs."""
    try:
        specs = invocation.workspace.specs
    except SpecsInvalid as error:
        raise UsageError(
            "the workspace says which issuer and audience its tokens have, and there is none to read here",
            hint="run it in the workspace, or pass --issuer and --audience",
        ) from error
    return specs.settings.verifier.url, specs.audience
