"""Verifier and upstream see the same path, whatever a client writes: else one is called unchecked."""

from __future__ import annotations

import pytest

from tests.gateways.kit import Bench, asked_for, written
from tests.gateways.recording import Answer, Request

PATHS = [
    "/",
    "//",
    "//evil/x",
    "/a//b",
    "/a/./b",
    "/a/../b",
    "/..",
    "/a/%2e%2e/b",
    "/a/%2E./b",
    "/%2e%2e/%2e%2e/etc",
    "/a/..;/b",
    "/a;x=1/b",
    "/a%2fb",
    "/a%2Fb",
    "/a%252fb",
    "/a%5cb",
    "/a\\b",
    "/a%3bb",
    "/a%00b",
    "/a%41b",
    "/a%20b",
    "/a+b",
    "/a|b",
    '/a"b',
    "/a:b@c",
    "/a#b",
    "/a%23b",
    "/a%3fb",
    "/é",
    "/a?",
    "/a??b",
    "/a?b;c=1&api=d",
    "/a?b=/../c",
    "/a?b=%2f%00",
    "/.reconciler/verify",
    "/a/../.reconciler/verify",
    "/verify?api=x",
    "*",
]


@pytest.mark.parametrize("path", PATHS)
def test_the_upstream_gets_the_path_that_was_checked_or_nothing(bench: Bench, path: str) -> None:
    reply = bench.client.raw(written("PATH").replace(b"PATH", path.encode()))
    checked = [asked_for(check)[:2] for check in bench.verifier.seen]
    reached = [(request.method, request.target) for request in bench.upstream.seen]
    if reply.status == 200:
        assert reached == checked
        assert len(reached) == 1
    else:
        assert 400 <= reply.status < 500
        assert reached == []


PLAIN = ["/v1/devices", "/v1/devices?page=2&sort=-name", "/v1/a-b_c.d~e", "/v1/%E5%B7%A5", "/v1/a%20b", "/"]


@pytest.mark.parametrize("path", PLAIN)
def test_a_plain_path_arrives_as_it_was_sent(bench: Bench, path: str) -> None:
    assert bench.client.ask(path).status == 200
    assert bench.reached().target == asked_for(bench.check())[1] == path


@pytest.mark.parametrize("path", ["/a//b", "/a/../b", "/a/%2e%2e/b", "/a/..;/b", "//evil/x"])
def test_what_a_path_could_hide_is_there_for_the_verifier_to_refuse(bench: Bench, path: str) -> None:
    """Nothing is resolved on the way; Traefik decodes `%2e`, and leaves the dots."""
    bench.client.ask(path)
    seen = asked_for(bench.check())[1]
    assert seen == (path.replace("%2e", ".") if bench.name == "traefik" else path)


@pytest.mark.parametrize("path", ["/a%2fb", "/a%2Fb", "/a%5cb", "/a%252fb"])
def test_an_encoded_slash_stays_encoded(bench: Bench, path: str) -> None:
    """Envoy refuses it by itself; for the others the verifier decides."""
    status = bench.client.ask(path).status
    if bench.name == "envoy" and path != "/a%252fb":
        assert status == 400
        assert bench.verifier.seen == bench.upstream.seen == []
    else:
        assert bench.reached().target.lower() == asked_for(bench.check())[1].lower() == path.lower()


def test_an_absolute_request_target_is_checked_by_its_path(bench: Bench) -> None:
    assert bench.client.ask("http://evil.example/v1/x?y=1").status == 200
    assert bench.reached().target == asked_for(bench.check())[1] == "/v1/x?y=1"


@pytest.mark.parametrize("target", ["evil.example:443", "/v1/devices", "127.0.0.1:22"])
def test_no_tunnel_is_opened(bench: Bench, target: str) -> None:
    assert bench.client.ask(target, method="CONNECT").status in (400, 404, 405, 501)
    assert bench.upstream.seen == []


def test_a_path_that_the_verifier_refuses_does_not_pass(bench: Bench) -> None:
    def judge(check: Request) -> Answer:
        plain = ".." not in asked_for(check)[1]
        return Answer(200) if plain else Answer(403, (("WWW-Authenticate", "Bearer"),))

    with bench.verifier.saying(judge):
        assert bench.client.ask("/v1/../admin").status in (400, 403)
    assert bench.upstream.seen == []
