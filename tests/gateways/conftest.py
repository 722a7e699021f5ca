"""Every gateway, each started once, between one upstream and a verifier that notes what it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TypeAlias

import pytest

from reconciler.verify.gateways import all_gateways
from reconciler.verify.gateways.interface import Setting
from reconciler.verify.gateways.places import Endpoint, Listen
from tests.gateways.kit import Bench, Client, echo, judge
from tests.gateways.recording import HOST, Recorder
from tests.servers import caddy, envoy, nginx, traefik
from tests.servers.fronts import Configure, Front, front

ASKING = {
    "caddy": caddy.command,
    "envoy": envoy.command,
    "nginx": nginx.command,
    "traefik": traefik.command,
}
"""Gateways that ask the verifier for each request."""
COMMANDS = {**ASKING, "envoy-jwks": envoy.command}
Opener: TypeAlias = Callable[[str, int], Front]
"""The name of a gateway, and the port of the verifier that it asks → the gateway, running."""


@pytest.fixture(scope="session")
def upstream() -> Iterator[Recorder]:
    """The API that is protected: it echoes."""
    server = Recorder(echo)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def recorded() -> Iterator[Recorder]:
    """A stand-in for the verifier, which shows what a gateway asks."""
    server = Recorder(judge)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def open_front(upstream: Recorder) -> Iterator[Opener]:
    """A gateway by its name, in front of the verifier on a port; the same one for the same verifier."""
    running: dict[tuple[str, int], Front] = {}
    with ExitStack() as stack:

        def opened(name: str, verifier_port: int) -> Front:
            if (name, verifier_port) not in running:
                configure = printed(
                    name, Endpoint("http", HOST, verifier_port), Endpoint("http", HOST, upstream.port)
                )
                running[name, verifier_port] = stack.enter_context(front(name, COMMANDS[name], configure))
            return running[name, verifier_port]

        yield opened


def printed(name: str, verifier: Endpoint, upstream: Endpoint, authorities: str = "") -> Configure:
    """What `reconcile gateway` prints, for whatever port the gateway is to listen on."""

    def configure(port: int) -> str:
        setting = Setting(verifier, upstream, Listen(HOST, port), verifier.url, "acme", authorities)
        return all_gateways()[name].render(setting)

    return configure


@pytest.fixture(params=ASKING)
def bench(
    request: pytest.FixtureRequest,
    upstream: Recorder,
    recorded: Recorder,
    open_front: Opener,
) -> Bench:
    """Each gateway in turn, with nothing written down yet."""
    running = open_front(request.param, recorded.port)
    recorded.seen.clear()
    upstream.seen.clear()
    return Bench(request.param, Client(running.port), recorded, upstream, running.log)
