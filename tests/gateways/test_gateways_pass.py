"""What passes, and what is refused, behind each gateway as it is printed."""

from __future__ import annotations

from tests.gateways.kit import WHO, Bench, asked_for


def test_a_granted_call_passes_with_the_identity_of_its_bearer(bench: Bench) -> None:
    reply = bench.client.ask("/v1/devices?page=2")
    assert reply.status == 200
    (reached,) = bench.upstream.seen
    assert (reached.method, reached.target) == ("GET", "/v1/devices?page=2")
    assert {name: reached.one(name) for name in WHO} == WHO
    (check,) = bench.verifier.seen
    assert asked_for(check) == ("GET", "/v1/devices?page=2", "127.0.0.1")
