"""One request is one request: none hides in the body of another and passes unchecked."""

from __future__ import annotations

import pytest

from tests.gateways.kit import GOOD, Bench, receive, written

HIDDEN = f"GET /v1/hidden HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {GOOD}\r\n\r\n".encode()
CHUNKED = b"0\r\n\r\n" + HIDDEN
TE = ("Transfer-Encoding", "chunked")


def _length(body: bytes) -> tuple[str, str]:
    return ("Content-Length", str(len(body)))


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ((TE, _length(CHUNKED)), CHUNKED),
        ((_length(CHUNKED), TE), CHUNKED),
        ((TE, ("Content-Length", "5")), CHUNKED),
        ((("Content-Length", "0"), _length(HIDDEN)), HIDDEN),
        ((("Content-Length", "+0"),), HIDDEN),
        ((("Content-Length", f"0, {len(HIDDEN)}"),), HIDDEN),
        ((("Transfer-Encoding", "xchunked"), _length(CHUNKED)), CHUNKED),
        ((("Transfer-Encoding ", "chunked"), _length(CHUNKED)), CHUNKED),
        ((("Transfer-Encoding", "chunked, identity"), _length(CHUNKED)), CHUNKED),
        ((("Transfer-Encoding", "identity"), ("Transfer-Encoding", "chunked"), _length(CHUNKED)), CHUNKED),
    ],
)
def test_a_request_of_two_lengths_is_refused_or_becomes_one_of_one_length(
    bench: Bench, headers: tuple[tuple[str, str], ...], body: bytes
) -> None:
    """nginx and Envoy refuse it. Caddy and Traefik go by the chunks, and drop the length; the connection is
    closed after that, so that nothing that follows is taken for a request."""
    reply = bench.client.raw(written("/v1/first", *headers, method="POST") + body)
    assert [request.target for request in bench.upstream.seen if request.target != "/v1/first"] == []
    if bench.name in ("nginx", "envoy"):
        assert reply.status in (400, 501)
        assert bench.upstream.seen == []
    for request in bench.upstream.seen:
        assert not (request.all("Transfer-Encoding") and request.all("Content-Length"))
        assert HIDDEN not in request.body


def test_each_request_on_a_connection_is_checked_by_itself(bench: Bench) -> None:
    """Sent at once, before the first is answered; the second has no token."""
    keep = ("Connection", "keep-alive")
    with bench.client.connected() as connection:
        connection.sendall(written("/v1/first", keep) + written("/v1/second", token=None))
        assert receive(connection).status == 200
    assert [request.target for request in bench.upstream.seen] == ["/v1/first"]


@pytest.mark.parametrize("line", ["X-A: b\rX-Reconciler-Owner: evil", "X-A: b\nX-Reconciler-Owner: evil"])
def test_a_bare_line_end_smuggles_no_header(bench: Bench, line: str) -> None:
    data = written("/v1/devices").replace(b"Host:", f"{line}\r\nHost:".encode())
    bench.client.raw(data)
    for request in bench.upstream.seen:
        assert "evil" not in request.all("X-Reconciler-Owner")
