"""Where the verifier does not clearly say yes, nothing passes."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.gateways.kit import PATIENCE, WHO, Bench, receive, written
from tests.gateways.recording import BROKEN, Answer, Request


def test_nothing_passes_while_the_verifier_is_away_and_all_is_well_when_it_is_back(bench: Bench) -> None:
    assert bench.client.ask().status == 200
    bench.upstream.seen.clear()
    with bench.verifier.down():
        for _ in range(3):
            assert bench.client.ask().status in (500, 502, 503)
    assert bench.upstream.seen == []
    deadline = time.monotonic() + PATIENCE
    while bench.client.ask().status != 200 and time.monotonic() < deadline:
        pass
    assert bench.client.ask().status == 200


def test_a_verifier_that_is_killed_under_load_lets_nothing_through(bench: Bench) -> None:
    """Whatever reached the upstream was said yes to; what came after got 5xx."""
    allowed: list[Request] = []
    enough = threading.Event()

    def judge(check: Request) -> Answer:
        allowed.append(check)
        if len(allowed) > 20:
            enough.set()
        return Answer(200, tuple(WHO.items()))

    def many(_: int) -> list[int]:
        return [bench.client.ask().status for _ in range(25)]

    with bench.verifier.saying(judge), ThreadPoolExecutor(4) as pool:
        running = pool.map(many, range(4))
        assert enough.wait(PATIENCE)
        with bench.verifier.down():
            statuses = [status for one in running for status in one]
    passed = statuses.count(200)
    assert {status for status in statuses if status != 200} <= {500, 502, 503, 504}
    assert 0 < passed < len(statuses)
    assert passed <= len(bench.upstream.seen) <= len(allowed)


def test_a_verifier_that_does_not_answer_is_waited_for_briefly_and_then_nothing_passes(bench: Bench) -> None:
    """Traefik waits 30 s, which cannot be set: there, what is looked at is what becomes of those who wait."""
    with bench.verifier.silent(), bench.client.connected() as connection:
        connection.sendall(written("/v1/devices"))
        if bench.name == "traefik":
            deadline = time.monotonic() + PATIENCE
            while not bench.verifier.seen and time.monotonic() < deadline:
                pass
            with bench.verifier.down():
                assert receive(connection).status == 500
        else:
            assert receive(connection).status in (503, 504)
    assert bench.upstream.seen == []


@pytest.mark.parametrize("status", [301, 302, 400, 404, 418, 429, 500, 502, 503])
def test_whatever_is_not_yes_is_no(bench: Bench, status: int) -> None:
    with bench.verifier.saying(lambda _: Answer(status, tuple(WHO.items()))):
        reply = bench.client.ask()
    assert reply.status >= 300
    assert bench.upstream.seen == []


def test_an_answer_that_breaks_off_is_no(bench: Bench) -> None:
    class Broken(Answer):
        def encoded(self) -> bytes:
            return b"HTTP/1.1 2"

    with bench.verifier.saying(lambda _: Broken(BROKEN)):
        assert bench.client.ask().status in (500, 502, 503, 504)
    assert bench.upstream.seen == []
