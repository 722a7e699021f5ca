"""What passes behind each gateway as it is printed, what is refused, and what each side gets to see."""

from __future__ import annotations

import socket
import threading
import time

from tests.gateways.kit import DENIED, GOOD, MISSING, NARROW, UNKNOWN, WHO, Bench, asked_for, receive, written
from tests.gateways.recording import Answer

WEB_SOCKET = (
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
)


def test_a_granted_call_passes_with_the_identity_of_its_bearer(bench: Bench) -> None:
    assert bench.client.ask("/v1/devices?page=2").status == 200
    reached = bench.reached()
    assert (reached.method, reached.target) == ("GET", "/v1/devices?page=2")
    assert {name: reached.one(name) for name in WHO} == WHO
    assert asked_for(bench.check()) == ("GET", "/v1/devices?page=2", "127.0.0.1")


def test_the_upstream_gets_no_token_and_the_address_of_the_client(bench: Bench) -> None:
    bench.client.ask()
    assert bench.reached().all("Authorization") == []
    assert bench.reached().all("X-Forwarded-For") == ["127.0.0.1"]


def test_a_call_that_is_not_granted_is_403_with_the_challenge_and_the_reason(bench: Bench) -> None:
    reply = bench.client.ask(token=NARROW)
    assert (reply.status, reply.json) == (403, DENIED)
    assert reply.all("WWW-Authenticate") == ['Bearer realm="acme", error="insufficient_scope"']
    assert reply.all("Cache-Control") == ["no-store"]
    assert bench.upstream.seen == []


def test_no_token_is_401_with_a_challenge_that_names_no_error(bench: Bench) -> None:
    reply = bench.client.ask(token=None)
    assert (reply.status, reply.json) == (401, MISSING)
    assert reply.all("WWW-Authenticate") == ['Bearer realm="acme"']
    assert bench.upstream.seen == []


def test_a_bad_token_is_401_with_the_challenge_and_no_more_than_the_verifier_tells(bench: Bench) -> None:
    reply = bench.client.ask(token="no-such-token")
    assert (reply.status, reply.json) == (401, UNKNOWN)
    assert reply.all("WWW-Authenticate") == ['Bearer realm="acme", error="invalid_token"']
    assert bench.upstream.seen == []


def test_a_verdict_holds_for_one_request_only(bench: Bench) -> None:
    """On one connection, with a token that was good a moment ago: nothing is cached."""
    with bench.client.connected() as connection:
        for _ in range(2):
            connection.sendall(written("/v1/devices", ("Connection", "keep-alive")))
            assert receive(connection).status == 200
        with bench.verifier.saying(lambda _: Answer(401, (("WWW-Authenticate", "Bearer"),))):
            connection.sendall(written("/v1/devices"))
            assert receive(connection).status == 401
    assert (len(bench.verifier.seen), len(bench.upstream.seen)) == (3, 2)


def test_a_body_reaches_the_upstream_and_never_the_verifier(bench: Bench) -> None:
    body = b"x" * 3_000_000
    assert bench.client.ask(method="POST", body=body).status == 200
    assert bench.reached().body == body
    check = bench.check()
    assert asked_for(check)[0] == "POST"
    assert check.body == b""
    assert check.one("Content-Length") in ("", "0")
    assert check.all("Transfer-Encoding") == check.all("Content-Type") == []


def test_a_method_is_checked_as_it_is_called(bench: Bench) -> None:
    for method in ("DELETE", "HEAD", "OPTIONS", "PATCH", "PUT"):
        bench.verifier.seen.clear()
        assert bench.client.ask(method=method).status == 200
        assert asked_for(bench.check())[0] == bench.upstream.seen.pop().method == method


def test_a_web_socket_is_checked_and_then_flows_both_ways(bench: Bench) -> None:
    with bench.client.connected() as connection:
        connection.sendall(written("/v1/events", *WEB_SOCKET))
        head = connection.recv(65_536)
        assert b" 101 " in head
        connection.sendall(b"ping")
        assert _ends_with(connection, head, b"ping")
    check = bench.check()
    assert asked_for(check)[1] == "/v1/events"
    assert check.all("Upgrade") == check.all("Sec-WebSocket-Key") == []


def _ends_with(connection: socket.socket, got: bytes, end: bytes) -> bool:
    while not got.endswith(end):
        data = connection.recv(1024)
        if not data:
            return False
        got += data
    return True


def test_a_web_socket_without_a_good_token_is_not_opened(bench: Bench) -> None:
    assert bench.client.ask("/v1/events", *WEB_SOCKET, token="bad").status == 401
    assert bench.upstream.seen == []


def test_what_the_upstream_says_bit_by_bit_arrives_bit_by_bit(bench: Bench) -> None:
    """A stream would be of no use if the gateway waited for its end; nothing marks it as one of events."""
    more = threading.Event()
    bench.upstream.trickle = (b"data: one\n\n", more, b"data: two\n\n")
    try:
        with bench.client.connected() as connection:
            connection.sendall(written("/v1/stream"))
            assert _holds(connection, b"data: one")
            more.set()
            assert _holds(connection, b"data: two")
    finally:
        more.set()
        bench.upstream.trickle = None


def _holds(connection: socket.socket, wanted: bytes) -> bool:
    got = b""
    while wanted not in got:
        data = connection.recv(1024)
        if not data:
            return False
        got += data
    return True


def test_no_token_and_no_query_stands_in_what_the_gateway_prints(bench: Bench) -> None:
    """Not even where something fails."""
    for _ in range(3):
        bench.client.ask("/v1/logged?access_token=query-secret")
        bench.client.ask("/v1/logged?page=query-secret", token="bad-secret")
    wanted = 0 if bench.name == "traefik" else 6  # Traefik prints nothing.
    deadline = time.monotonic() + 10
    while (log := bench.log.read_text()).count("/v1/logged") < wanted and time.monotonic() < deadline:
        pass
    assert log.count("/v1/logged") >= wanted
    assert "query-secret" not in log
    with bench.verifier.down(), bench.upstream.down():
        bench.client.ask("/v1/logged", token="bad-secret")
    with bench.upstream.down():
        bench.client.ask("/v1/logged")
    log = bench.log.read_text()
    assert "bad-secret" not in log
    assert GOOD not in log
