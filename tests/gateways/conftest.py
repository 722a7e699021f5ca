"""Every gateway, each started once, in front of one upstream and of a verifier that writes down what it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from reconciler.verify.gateways import all_gateways
from reconciler.verify.gateways.interface import Setting
from reconciler.verify.gateways.places import Endpoint, Listen
from tests.gateways.kit import Bench, Client, echo, judge
from tests.gateways.recording import HOST, Recorder
from tests.servers import caddy, envoy, nginx, traefik
from tests.servers.fronts import Front, front

COMMANDS = {"caddy": caddy.command, "envoy": envoy.command, "nginx": nginx.command, "traefik": traefik.command}


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
def open_front(upstream: Recorder) -> Iterator[Callable[[str, int], Front]]:
    """A gateway by its name, in front of the verifier on a port; the same one for the same verifier."""
    running: dict[tuple[str, int], Front] = {}
    with ExitStack() as stack:

        def opened(name: str, verifier_port: int) -> Front:
            if (name, verifier_port) not in running:
                verifier = Endpoint("http", HOST, verifier_port)

                def configure(port: int) -> str:
                    setting = Setting(
                        verifier, Endpoint("http", HOST, upstream.port), Listen(HOST, port), verifier.url, "acme", ""
                    )
                    return all_gateways()[name].render(setting)

                running[name, verifier_port] = stack.enter_context(front(name, COMMANDS[name], configure))
            return running[name, verifier_port]

        yield opened


@pytest.fixture(params=COMMANDS)
def bench(
    request: pytest.FixtureRequest,
    upstream: Recorder,
    recorded: Recorder,
    open_front: Callable[[str, int], Front],
) -> Bench:
    """Each gateway in turn, with nothing written down yet."""
    running = open_front(request.param, recorded.port)
    recorded.seen.clear()
    upstream.seen.clear()
    return Bench(request.param, Client(running.port), recorded, upstream)
