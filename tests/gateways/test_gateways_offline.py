"""Envoy that checks by itself: what it accepts and what it refuses."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import OKPAlgorithm

from tests.gateways.conftest import Opener
from tests.gateways.kit import Client
from tests.gateways.recording import Answer, Recorder, Request

AUDIENCE = "acme"
KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
JWK = {**json.loads(OKPAlgorithm.to_jwk(KEY.public_key())), "kid": "k1", "alg": "EdDSA", "use": "sig"}


@dataclass
class Offline:
    """Envoy, with what the verifier publishes."""

    client: Client
    upstream: Recorder
    verifier: Recorder

    def claims(self, **others: object) -> dict[str, object]:
        """Of an `at+jwt` that the verifier gave out a moment ago."""
        now = int(time.time())
        usual: dict[str, object] = {
            "iss": f"http://127.0.0.1:{self.verifier.port}",
            "sub": "xmuvvorpcf3urllehbkr",
            "aud": AUDIENCE,
            "iat": now,
            "nbf": now,
            "exp": now + 300,
            "gen": 3,
            "scope": "device.read device.list",
        }
        return {name: value for name, value in {**usual, **others}.items() if value is not None}

    def ask(self, token: str, *headers: tuple[str, str]) -> int:
        """The status of a call with a token."""
        return self.client.ask("/v1/devices", *headers, token=token).status


def signed(claims: Mapping[str, object], key: Ed25519PrivateKey = KEY, kid: str = "k1") -> str:
    return jwt.encode(dict(claims), key, algorithm="EdDSA", headers={"typ": "at+jwt", "kid": kid})


def publish(request: Request) -> Answer:
    found = request.target == "/.well-known/jwks.json"
    return Answer(200 if found else 404, (), json.dumps({"keys": [JWK]}).encode())


@pytest.fixture(scope="module")
def publisher() -> Iterator[Recorder]:
    """What stands in for the verifier: it publishes keys."""
    server = Recorder(publish)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def offline(upstream: Recorder, publisher: Recorder, open_front: Opener) -> Offline:
    """Envoy as `envoy-jwks` sets it up, with nothing written down yet."""
    running = open_front("envoy-jwks", publisher.port)
    upstream.seen.clear()
    return Offline(Client(running.port), upstream, publisher)


def test_a_token_of_the_verifier_passes_with_what_is_in_it(offline: Offline) -> None:
    assert offline.ask(signed(offline.claims()), ("X-Reconciler-Owner", "evil")) == 200
    (reached,) = offline.upstream.seen
    assert reached.all("X-Reconciler-Token") == ["xmuvvorpcf3urllehbkr"]
    assert reached.all("X-Reconciler-Generation") == ["3"]
    assert reached.all("X-Reconciler-Scope") == ["device.read device.list"]
    assert reached.all("X-Reconciler-Owner") == reached.all("Authorization") == []


Change = Callable[[int], Mapping[str, object]]
BAD: dict[str, Change] = {
    "past": lambda now: {"exp": now - 10},
    "without an end": lambda _: {"exp": None},
    "of a day": lambda now: {"exp": now + 86_400},
    "not yet": lambda now: {"nbf": now + 120},
    "for another": lambda _: {"aud": "other"},
    "for one of a longer name": lambda _: {"aud": f"{AUDIENCE}-2"},
    "of another issuer": lambda _: {"iss": "http://127.0.0.1"},
}


@pytest.mark.parametrize("change", BAD.values(), ids=BAD)
def test_a_token_with_wrong_claims_is_refused(offline: Offline, change: Change) -> None:
    assert offline.ask(signed(offline.claims(**change(int(time.time()))))) in (401, 403)
    assert offline.upstream.seen == []


def test_a_token_that_the_verifier_did_not_sign_is_refused(offline: Offline) -> None:
    claims = offline.claims()
    public = KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    good = signed(claims)
    for token in (
        signed(claims, OTHER),
        signed(claims, OTHER, "other"),
        jwt.encode(claims, "", algorithm="none", headers={"kid": "k1"}),
        jwt.encode(claims, public, algorithm="HS256", headers={"kid": "k1"}),
        good[:-4],
        good.rpartition(".")[0] + ".",
    ):
        assert offline.ask(token) == 401
    assert offline.client.ask("/v1/devices", token=None).status == 401
    assert offline.client.ask(f"/v1/devices?access_token={good}", token=None).status == 401
    assert offline.upstream.seen == []


def test_two_authorization_headers_never_pass(offline: Offline) -> None:
    good = signed(offline.claims())
    for first, second in ((good, "bad"), ("bad", good), (good, good)):
        assert offline.ask(second, ("Authorization", f"Bearer {first}")) == 401
    assert offline.upstream.seen == []


def test_it_works_on_while_the_verifier_is_away(offline: Offline) -> None:
    """That is what it is for, and why a deleted token works on too."""
    with offline.verifier.down():
        assert offline.ask(signed(offline.claims())) == 200
        assert offline.ask("bad") == 401
