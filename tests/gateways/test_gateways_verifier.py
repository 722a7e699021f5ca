"""Each gateway before `reconcile serve` itself, with tokens that apply made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.gateways.conftest import ASKING, Opener
from tests.gateways.kit import Client, Reply
from tests.gateways.recording import Recorder
from tests.gateways.world import PATIENCE, Serving, World, made, serving

LIST = "/v1/projects/plant-a/devices"
EVENTS = "/v1/events"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A workspace with live tokens."""
    return made(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def verifier(world: World) -> Iterator[Serving]:
    """`reconcile serve`."""
    with serving(world) as running:
        yield running


@dataclass
class Line:
    """One gateway before the verifier."""

    name: str
    client: Client
    world: World
    upstream: Recorder

    def ask(self, target: str, *headers: tuple[str, str], **how: str) -> Reply:
        """A call, by default with the token of the historian."""
        token = how.pop("token", None) or self.world.signed("historian")
        return self.client.ask(target, *headers, token=token, **how)  # type: ignore[arg-type]


@pytest.fixture(params=ASKING)
def line(
    request: pytest.FixtureRequest, world: World, verifier: Serving, upstream: Recorder, open_front: Opener
) -> Line:
    """Each gateway in turn."""
    running = open_front(request.param, verifier.port)
    upstream.seen.clear()
    return Line(request.param, Client(running.port), world, upstream)


def test_a_granted_call_passes_with_who_it_is(line: Line) -> None:
    assert line.ask(f"{LIST}?page=2").status == 200
    (reached,) = line.upstream.seen
    assert reached.target == f"{LIST}?page=2"
    who = {
        "Token": line.world.held("historian")["token_id"],
        "Name": "historian",
        "Kind": "RSAToken",
        "Owner": "team-historian",
        "Generation": "1",
        "Api": "device.list",
        "Project": "plant-a",
        "User": "",
    }
    assert {name: reached.one(f"X-Reconciler-{name}") for name in who} == who
    assert reached.all("Authorization") == []


@pytest.mark.parametrize("field", ["jwt", "secret_id"])
def test_a_token_passes_in_each_of_its_forms(line: Line, field: str) -> None:
    assert line.ask(EVENTS, token=line.world.held("bridge")[field]).status == 200
    assert line.upstream.seen[0].one("X-Reconciler-Name") == "bridge"


@pytest.mark.parametrize(
    ("method", "target", "reason"),
    [
        ("PATCH", f"{LIST}/d1", "api-denied"),
        ("GET", EVENTS, "api-denied"),
        ("GET", "/v1/projects/plant-b/devices", "project-denied"),
        ("GET", "/v1/other", "api-unknown"),
    ],
)
def test_a_call_that_is_not_granted_is_403(line: Line, method: str, target: str, reason: str) -> None:
    reply = line.ask(target, method=method)
    assert reply.status == 403
    assert reply.all("WWW-Authenticate") == ['Bearer realm="acme", error="insufficient_scope"']
    assert reply.json == {"error": "insufficient_scope", "reason": reason}
    assert line.upstream.seen == []


def test_without_a_good_token_it_is_401(line: Line) -> None:
    reply = line.client.ask(LIST, token=None)
    assert reply.status == 401
    assert reply.all("WWW-Authenticate")[0].startswith('Bearer realm="acme"')
    for token in ("bad", line.world.signed("historian")[:-3], "rcn_" + "a" * 49):
        reply = line.ask(LIST, token=token)
        assert reply.status == 401
        assert reply.all("WWW-Authenticate") == ['Bearer realm="acme", error="invalid_token"']
        assert reply.json == {"error": "invalid_token"}
    assert line.upstream.seen == []


def test_a_deleted_token_is_401_on_the_next_request_after_apply(
    world: World, verifier: Serving, upstream: Recorder, open_front: Opener
) -> None:
    """Behind every gateway, and each let it pass a moment ago."""
    clients = {name: Client(open_front(name, verifier.port).port) for name in ASKING}
    token = world.held("leaver")["jwt"]
    assert {
        name: client.ask(EVENTS, token=token).status for name, client in clients.items()
    } == dict.fromkeys(ASKING, 200)
    world.run("remove", "leaver")
    world.run("apply", "--yes")
    upstream.seen.clear()
    assert {
        name: client.ask(EVENTS, token=token).status for name, client in clients.items()
    } == dict.fromkeys(ASKING, 401)
    assert upstream.seen == []


def test_an_address_is_the_clients_own_and_no_header_of_its(line: Line) -> None:
    here, elsewhere = line.world.held("here"), line.world.held("elsewhere")
    assert line.ask(EVENTS, token=here["login_token"]).status == 200
    line.upstream.seen.clear()
    for name in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP", "X-Client-IP"):
        said = "for=10.1.1.1" if name == "Forwarded" else "10.1.1.1"
        assert line.ask(EVENTS, (name, said), token=elsewhere["login_token"]).status == 403
    assert line.upstream.seen == []


@pytest.mark.parametrize(
    "target",
    [
        "/v1/projects/plant-a//devices",
        "//v1/projects/plant-a/devices",
        "/v1/projects/plant-b/../plant-a/devices",
        "/v1/projects/plant-a/devices/%2e%2e/devices",
        "/v1/projects/plant-a/devices/..;/devices",
        "/v1/projects/plant-a%2fdevices",
        "/v1/projects/plant-a/devices/d1%2f..%2f..",
        "/v1/projects/plant-a/devices/..\\..",
        "/v1/projects/plant-a/devices#/v1/projects/plant-b",
        "/v1/projects/plant-b/devices?api=device.list&project=plant-a",
        "/v1/projects/plant-b/devices?x=/v1/projects/plant-a/devices",
        "/verify?api=device.list&project=plant-a",
        "/../../verify?api=device.list&project=plant-a",
        "*",
    ],
)
def test_a_path_of_two_readings_does_not_pass(line: Line, target: str) -> None:
    assert 400 <= line.ask(target).status < 500
    assert line.upstream.seen == []


@pytest.mark.parametrize(
    "header",
    [
        ("X-Forwarded-Uri", LIST),
        ("X-Forwarded-Method", "GET"),
        ("X-Original-URI", LIST),
        ("X-Original-URL", LIST),
        ("X-HTTP-Method-Override", "GET"),
        ("X-Reconciler-Api", "device.list"),
    ],
)
def test_a_spoofed_header_opens_nothing(line: Line, header: tuple[str, str]) -> None:
    assert line.ask("/v1/projects/plant-b/devices", header).status == 403
    assert line.ask(f"{LIST}/d1", header, method="PATCH").status == 403
    assert line.upstream.seen == []


def test_two_tokens_never_pass(line: Line) -> None:
    good = line.world.signed("historian")
    for first, second in ((good, "bad"), ("bad", good), (good, good)):
        assert line.ask(LIST, ("Authorization", f"Bearer {first}"), token=second).status in (400, 401)
    assert line.ask(f"{LIST}?access_token={good}").status == 401
    assert line.upstream.seen == []


def test_offline_takes_what_the_verifier_gave_out_and_goes_on_taking_it(
    world: World, upstream: Recorder, open_front: Opener, tmp_path: Path
) -> None:
    """The owner's own token is refused there, and an end of the verifier ends nothing: as printed."""
    key = tmp_path / "key.pem"
    key.touch(mode=0o600)
    made_key = Ed25519PrivateKey.generate()
    key.write_bytes(made_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    held = world.held("bridge")
    with serving(world, "--signing-key", str(key), "--audience", "acme") as running:
        token = running.exchange(held)
        client = Client(open_front("envoy-jwks", running.port).port)
        upstream.seen.clear()
        assert client.ask(EVENTS, token=token).status == 200
        assert client.ask(EVENTS, token=held["jwt"]).status == 401
        assert client.ask(EVENTS, token=held["secret_id"]).status == 401
    assert client.ask(EVENTS, token=token).status == 200
    reached = upstream.seen[-1]
    assert reached.one("X-Reconciler-Token") == held["token_id"]
    assert (reached.one("X-Reconciler-Generation"), reached.one("X-Reconciler-Scope")) == ("1", "events.read")
    assert len(upstream.seen) == 2


def test_a_verifier_that_was_killed_lets_nothing_through(
    world: World, upstream: Recorder, open_front: Opener
) -> None:
    token = world.signed("historian")
    with ExitStack() as stack:
        running = stack.enter_context(serving(world))
        clients = {name: Client(open_front(name, running.port).port) for name in ASKING}
        assert {
            name: client.ask(LIST, token=token).status for name, client in clients.items()
        } == dict.fromkeys(ASKING, 200)
        upstream.seen.clear()
        running.process.kill()
        running.process.wait(PATIENCE)
        for client in clients.values():
            assert client.ask(LIST, token=token).status in (500, 502, 503)
    assert upstream.seen == []
