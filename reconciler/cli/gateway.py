"""reconcile gateway"""

from __future__ import annotations

import click

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
@click.option("--issuer", metavar="TEXT", help="envoy-jwks: `iss` of its tokens; else the verifier's URL.")
@click.option("--audience", metavar="TEXT", help="envoy-jwks: `aud` of its tokens; else the issuer.")
@click.option(
    "--ca-file",
    default="/etc/ssl/certs/ca-certificates.crt",
    show_default=True,
    metavar="FILE",
    help="Who is trusted where --verifier or --upstream is https.",
)
def command(
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
    place = read_endpoint(verifier, "--verifier")
    issued_by = read_word(issuer or place.url, "--issuer")
    setting = Setting(
        verifier=place,
        upstream=read_upstream(upstream, "--upstream"),
        listen=read_listen(listen, "--listen"),
        issuer=issued_by,
        audience=read_word(audience or issued_by, "--audience"),
        authorities=read_file(ca_file, "--ca-file"),
    )
    click.echo(all_gateways()[name].render(setting), nl=False)
    return 0
