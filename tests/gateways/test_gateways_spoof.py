"""What a client says of itself changes nothing: headers that only the gateway or the verifier may set."""

from __future__ import annotations

import pytest

from reconciler.verify.gateways.interface import IDENTITY, MISLEADING
from tests.gateways.kit import GOOD, NARROW, WHO, Bench, asked_for
from tests.gateways.recording import Answer

SAID = "6.6.6.6"
SPOOFED = (
    *MISLEADING,
    *IDENTITY,
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Envoy-Original-Path",
    "X-Envoy-External-Address",
)


@pytest.mark.parametrize("name", SPOOFED)
def test_a_spoofed_header_changes_neither_the_check_nor_what_the_upstream_believes(
    bench: Bench, name: str
) -> None:
    assert bench.client.ask("/v1/devices", (name, SAID)).status == 200
    assert asked_for(bench.check()) == ("GET", "/v1/devices", "127.0.0.1")
    assert SAID not in str(bench.check().headers)
    reached = bench.reached()
    assert {key: reached.one(key) for key in WHO} == WHO
    assert reached.all("X-Forwarded-For") == ["127.0.0.1"]
    if not name.startswith("X-Envoy"):
        assert SAID not in str(reached.headers)


def test_a_header_twice_or_in_other_letters_is_no_way_around(bench: Bench) -> None:
    bench.client.ask(
        "/v1/devices",
        *[("x-forwarded-for", SAID), ("X-FORWARDED-FOR", SAID)],
        *[("x-forwarded-uri", "/v1/free"), ("X-FORWARDED-URI", "/v1/free")],
        *[("x-reconciler-owner", SAID), ("X-RECONCILER-OWNER", SAID)],
    )
    assert asked_for(bench.check()) == ("GET", "/v1/devices", "127.0.0.1")
    assert bench.reached().all("X-Reconciler-Owner") == [WHO["X-Reconciler-Owner"]]


def test_no_header_of_the_verifiers_family_comes_from_the_client(bench: Bench) -> None:
    """Not even one that no verifier knows yet. nginx can name headers only, and says so."""
    bench.client.ask("/v1/devices", ("X-Reconciler-Scope", SAID), ("x-reconciler-x", SAID))
    assert (SAID in str(bench.reached().headers)) == (bench.name == "nginx")


def test_underscores_are_no_way_around(bench: Bench) -> None:
    """An application server may take `X_Reconciler_Owner` for `X-Reconciler-Owner`."""
    spellings = ("X_Reconciler_Owner", "X-Reconciler_Owner", "X_Reconciler-Owner", "x_reconciler_owner")
    bench.client.ask("/v1/devices", *[(name, SAID) for name in spellings])
    assert SAID not in str(bench.reached().headers)


@pytest.mark.parametrize("answer", [Answer(200), Answer(200, tuple((name, "") for name in IDENTITY))])
def test_where_the_verifier_says_nothing_the_client_does_not_speak_for_it(
    bench: Bench, answer: Answer
) -> None:
    with bench.verifier.saying(lambda _: answer):
        bench.client.ask("/v1/devices", *[(name, SAID) for name in IDENTITY])
    reached = bench.reached()
    assert {name: reached.one(name) for name in IDENTITY} == dict.fromkeys(IDENTITY, "")


def test_connection_takes_no_header_away_that_the_gateway_set(bench: Bench) -> None:
    """What `Connection` names is for one hop only, and a gateway takes it out: but not its own."""
    named = "close, X-Forwarded-For, X-Forwarded-Uri, X-Forwarded-Method, X-Reconciler-Owner"
    reply = bench.client.ask("/v1/devices", ("Connection", named))
    if reply.status == 400:  # Envoy lets nobody name these.
        assert bench.upstream.seen == []
        return
    assert asked_for(bench.check()) == ("GET", "/v1/devices", "127.0.0.1")
    reached = bench.reached()
    assert {key: reached.one(key) for key in WHO} == WHO
    assert reached.all("X-Forwarded-For") == ["127.0.0.1"]


def test_connection_brings_no_token_past_the_check(bench: Bench) -> None:
    reply = bench.client.ask("/v1/devices", ("Connection", "close, Authorization"), token=NARROW)
    assert reply.status in (401, 403)
    assert bench.upstream.seen == []


@pytest.mark.parametrize("tokens", [(GOOD, "other"), ("other", GOOD), (GOOD, GOOD)])
def test_two_authorization_headers_never_pass(bench: Bench, tokens: tuple[str, str]) -> None:
    """nginx refuses them; the others hand both to the verifier, in one header or in two."""
    first, second = tokens
    reply = bench.client.ask("/v1/devices", ("Authorization", f"Bearer {first}"), token=second)
    assert bench.upstream.seen == []
    if bench.name == "nginx":
        assert (reply.status, bench.verifier.seen) == (400, [])
        return
    assert reply.status == 401
    arrived = bench.check().all("Authorization")
    assert ",".join(arrived) == f"Bearer {first},Bearer {second}"


@pytest.mark.parametrize("query", ["api=device.read", "project=plant-a", "user=root", "api=a&app=b"])
def test_the_clients_query_is_never_the_gateways_word(bench: Bench, query: str) -> None:
    """`/verify?api=…` is how a gateway says what is called; a client must not."""
    bench.client.ask(f"/v1/devices?{query}")
    assert asked_for(bench.check())[1] == f"/v1/devices?{query}"


def test_a_header_that_the_verifier_may_be_told_to_trust_does_not_come_from_the_client(bench: Bench) -> None:
    """`--device-header` and `--user-header` name headers of the gateway's own."""
    bench.client.ask("/v1/devices", ("X-Device", SAID), ("X-User", SAID), ("Cookie", f"a={SAID}"))
    assert SAID not in str(bench.check().headers)
