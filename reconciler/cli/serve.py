"""reconcile serve"""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.context import Invocation, now, passed
from reconciler.cli.values import HEADER, NAME, NETWORK, PLACE, SECONDS, TEXT, URL
from reconciler.errors import SettingsError

# The libraries of the extra are imported in the process that serves: workers count together only if
# where they do so is known before.
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from reconciler.verify.http.listening import Place
    from reconciler.verify.http.peers import Network
    from reconciler.verify.http.setup import Setup

NEEDED = ("httptools", "prometheus_client", "starlette", "uvicorn")
SHARED_METRICS = "PROMETHEUS_MULTIPROC_DIR"
FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("serve")
@click.option("--listen", type=PLACE, default="127.0.0.1:8400", show_default=True, help="Where to listen.")
@click.option("--trust", type=NETWORK, multiple=True, help="Network of gateways; by default this machine.")
@click.option("--max-stale", type=SECONDS, default="10s", show_default=True, help="Accept so long unread.")
@click.option("--leeway", type=SECONDS, default="30s", show_default=True, help="How far clocks may differ.")
@click.option("--audience", type=TEXT, help="What aud is in JWTs that owners sign.")
@click.option("--issuer", type=URL, help="Address of this verifier; by default spec.verifier.url.")
@click.option("--app", type=NAME, help="The service behind the gateway, for login tokens.")
@click.option("--device-header", type=HEADER, help="Header in which the gateway names the device.")
@click.option("--user-header", type=HEADER, help="Header in which the gateway names the user.")
@click.option("--introspect-api", type=NAME, default="reconciler.introspect", show_default=True, help="API.")
@click.option("--token-ttl", type=SECONDS, default="5m", show_default=True, help="Life of issued tokens.")
@click.option("--signing-key", type=FILE, multiple=True, help="Key for issued tokens; the first one signs.")
@click.option("--tls-cert", type=FILE, help="Certificate chain, PEM.")
@click.option("--tls-key", type=FILE, help="Its key, PEM.")
@click.option("--tls-client-ca", type=FILE, help="Clients must show a certificate of this authority.")
@click.option("--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes.")
@click.option("--access-log/--no-access-log", default=True, help="One line of JSON a request.")
@passed
def command(
    invocation: Invocation,
    listen: Place,
    trust: tuple[Network, ...],
    max_stale: int,
    leeway: int,
    audience: str | None,
    issuer: str | None,
    app: str | None,
    device_header: bytes | None,
    user_header: bytes | None,
    introspect_api: str,
    token_ttl: int,
    signing_key: tuple[Path, ...],
    tls_cert: Path | None,
    tls_key: Path | None,
    tls_client_ca: Path | None,
    workers: int,
    *,
    access_log: bool,
) -> int:
    """Check tokens over HTTP, for gateways and servers.

    Gateways ask /verify; programs use /oauth/token, /oauth/introspect and /sso/NAME. What apply changes
    is in force here at once. SIGTERM ends it when what has begun is answered; SIGHUP reads the routes of
    the catalog again.

    Where --listen is not this machine, everybody who gets there may read /metrics: it tells how much is
    asked and refused, and nothing of any token. What /readyz says of the store is told to --trust alone.
    """
    _check_installed()
    from reconciler.readers.serving import Flags, setup

    flags = Flags(
        trust=trust,
        max_stale=max_stale,
        leeway=leeway,
        audience=audience,
        issuer=issuer,
        app=app,
        device_header=device_header,
        user_header=user_header,
        introspect_api=introspect_api,
        token_ttl=token_ttl,
        signing_keys=signing_key,
        tls=(tls_cert, tls_key, tls_client_ca),
        access_log=access_log,
    )
    return _serve(setup(invocation.workspace, flags, now), listen, workers)


def _check_installed() -> None:
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise SettingsError(
            f"what serve needs is not installed: {', '.join(missing)}",
            hint="pip install 'reconciler[serve]'",
        )


def _serve(setup: Setup, listen: Place, workers: int) -> int:
    from reconciler.verify.http.listening import bound, bound_to

    listening = bound(listen)
    scheme = "http" if setup.tls is None else "https"

    def begun() -> None:
        click.echo(f"listening on {scheme}://{bound_to(listening)}", err=True)

    if workers > 1:
        return 0 if _in_workers(workers, setup, listening, begun) else 1
    from reconciler.verify.http.server import serve

    serve(setup, listening, begun=begun)
    return 0


def _in_workers(count: int, setup: Setup, listening: socket.socket, begun: Callable[[], None]) -> bool:
    from reconciler.verify.http.workers import Workers

    with tempfile.TemporaryDirectory(prefix="reconcile-serve-") as folder:
        os.environ[SHARED_METRICS] = folder
        shared = replace(setup, metrics_folder=folder)

        def work(lifeline: int) -> None:
            from reconciler.verify.http.server import serve

            serve(shared, listening, begun=_nothing, lifeline=lifeline)

        return Workers(count, work, begun).run()


def _nothing() -> None:
    """A worker tells nobody: its parent has."""
