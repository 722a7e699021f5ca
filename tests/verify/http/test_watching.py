"""The log, the metrics and the health of a verifier: they say what operators need, and no secret."""

from __future__ import annotations

import io
import json
import logging
import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.verify.http.accesslog import MOST_WAITING, Entry, Libraries, Log, Writer, line
from reconciler.verify.http.health import readyz
from reconciler.verify.http.message import Noted
from reconciler.verify.interface import Freshness
from tests.verify.http.kit import PLANT, Site, serving

FRESH = Freshness(ready=True, revision=7, tokens=3, age=0.25, why="")
LOST = Freshness(ready=False, revision=0, tokens=0, age=float("inf"), why="there is no live store yet")


def test_one_line_a_request_says_who_asked_for_what_and_why_not(asked: Site) -> None:
    asked.verify(asked.jwt("bridge"), ("X-Forwarded-For", "192.0.2.9"), uri="/v1/projects/p/devices")
    (entry,) = asked.log()
    assert entry.pop("ms") >= 0
    assert entry == {
        "time": "2027-01-15T08:00:00.000Z",
        "method": "GET",
        "path": "/verify",
        "status": 403,
        "reason": "api-denied",
        "called": "GET /v1/projects/p/devices",
        "token": asked.id("bridge"),
        "name": "bridge",
        "api": "device.list",
        "client": "192.0.2.9",
        "peer": "127.0.0.1",
    }


def test_a_token_that_is_not_on_record_is_not_named(asked: Site) -> None:
    """What was presented may be anybody's secret, or a lie."""
    forged = asked.signed("historian", sub="x").replace(".", "..", 1)
    for token in ("rcn_" + "a" * 49, forged, "eyJhbGciOiJub25lIn0.e30.", "x" * 9000):
        asked.verify(token)
        (entry,) = asked.log()
        assert {"token", "name"}.isdisjoint(entry)
        assert token not in json.dumps(entry)


def test_a_known_token_is_named_even_where_its_signature_does_not_hold(asked: Site) -> None:
    """So that an operator sees whose token somebody forges; no name goes with it."""
    head, body, _ = asked.signed("historian").split(".")
    asked.verify(f"{head}.{body}.{'A' * 342}")
    (entry,) = asked.log()
    assert entry["token"] == asked.id("historian")
    assert "name" not in entry


def test_neither_query_nor_header_nor_token_in_a_path_is_logged(asked: Site) -> None:
    token = asked.jwt("bridge")
    asked.ask("GET", f"/verify/path/v1/{token}/x?access_token={token}&secret=canary", ("X-Canary", "canary"))
    asked.ask("GET", f"/{asked.fields('bridge')['secret_id']}?canary")
    text = asked.lines.getvalue()
    assert "canary" not in text
    assert not any(part in text for part in token.split("."))
    assert [entry["path"] for entry in asked.log()] == ["/verify/path/v1/***/x", "/***"]


def test_no_value_ends_a_line_or_writes_one_of_its_own() -> None:
    noted = Noted("accepted", "id", 'a"b\n{', "K", "x\\", "\x1b[31m")
    text = line(Entry(1.5, "GET", '/a"\n\u2028' + "é" * 600, 200, None, 0.0015, noted))
    assert text.count("\n") == 1
    assert text.isascii()
    found = json.loads(text)
    assert (found["name"], found["client"], found["ms"]) == ('a"b\n{', "\x1b[31m", 1.5)
    assert len(found["path"]) == 500


def request(number: int) -> Entry:
    return Entry(0.0, "GET", f"/{number}", 200, "127.0.0.1", 0.0, Noted())


def test_lines_of_many_requests_go_out_in_pieces_that_no_other_worker_splits() -> None:
    """A pipe takes up to 4096 bytes at once (PIPE_BUF), however long the lines are."""
    written: list[str] = []
    waiting: list[Callable[[], None]] = []
    log = Log(written.append, lambda: 0.0, waiting.append)
    for number in range(200):
        log.request(request(number))
        log.request(Entry(0.0, "GET", "/" + "\xe9" * number, 200, "127.0.0.1", 0.0, Noted()))
    assert (len(waiting), written) == (1, [])
    waiting[0]()
    assert all(text.isascii() and text.endswith("\n") for text in written)
    assert 3500 < max(len(text) for text in written) <= 4096
    assert sum(len(text.splitlines()) for text in written) == 400


@pytest.mark.parametrize("error", [BrokenPipeError(), OSError(28, "full"), ValueError("closed")])
def test_a_reader_that_is_gone_stops_nothing(error: Exception) -> None:
    """A line that cannot be written is lost, and the one after it is written if it can be."""
    tried: list[str] = []

    def write(text: str) -> None:
        tried.append(text)
        if len(tried) == 1:
            raise error

    log = Log(write, lambda: 0.0, lambda flush: flush())
    log.event("error", "nobody reads this")
    log.event("error", "somebody reads this")
    assert [json.loads(text)["message"] for text in tried] == ["nobody reads this", "somebody reads this"]


def test_lines_that_nobody_reads_are_dropped_and_their_number_is_told() -> None:
    written: list[str] = []
    log = Log(written.append, lambda: 0.0, lambda _: None)
    for number in range(MOST_WAITING + 7):
        log.request(request(number))
    assert log.dropped == 7
    log.flush()
    log.request(request(0))
    log.flush()
    found = [json.loads(text) for text in "".join(written).splitlines()]
    assert len(found) == MOST_WAITING + 2
    assert found[-2]["message"].startswith("7 lines are not here")
    assert found[-1]["path"] == "/0"


def test_a_writer_that_waits_holds_up_neither_requests_nor_the_end() -> None:
    """And writes all of it when it no longer waits."""
    reads, began, written = threading.Event(), threading.Event(), list[str]()

    def stalled(text: str) -> None:
        began.set()
        reads.wait()
        written.append(text)

    writer = Writer()
    log = Log(stalled, lambda: 0.0, writer.soon)
    writer.start()
    log.request(request(1))
    assert began.wait(30)
    log.request(request(2))
    writer.close()
    assert written == []
    reads.set()
    for thread in threading.enumerate():
        if thread.name == "log":
            thread.join(30)
    assert "".join(written).count("\n") in (1, 2)


def test_a_token_that_the_end_of_a_long_path_cuts_off_is_hidden_too() -> None:
    for kept in range(13):
        path = "/" + "x" * (498 - kept) + "/rcn_" + "secret" * 9
        text = line(request(0)._replace(path=path))
        assert "rcn_" not in text
        assert json.loads(text)["path"][:400] == path[:400]


def test_what_libraries_say_comes_without_what_they_had_in_hand() -> None:
    stream = io.StringIO()
    handler = Libraries(Log(stream.write, lambda: 0.0, lambda flush: flush()))
    logger = logging.getLogger("library")
    logger.addHandler(handler)
    try:
        int("canary")
    except ValueError:
        logger.exception("broke off with %s", "canary")
    logger.warning("saw %s", "canary")
    logger.info("chatter")
    logger.removeHandler(handler)
    first, second = (json.loads(text) for text in stream.getvalue().splitlines())
    assert "ValueError" in first["message"]
    assert second["message"] == "library: saw %s"
    assert "canary" not in stream.getvalue()


def test_ready_says_how_fresh_and_not_ready_says_why() -> None:
    told = readyz(FRESH, stopping=False, known=True)
    assert (told.status, json.loads(told.body)) == (
        200,
        {"ready": True, "revision": 7, "tokens": 3, "age_seconds": 0.25},
    )
    told = readyz(LOST, stopping=False, known=True)
    assert (told.status, json.loads(told.body)["why"]) == (503, "there is no live store yet")
    told = readyz(FRESH, stopping=True, known=True)
    assert (told.status, json.loads(told.body)["why"]) == (503, "this verifier is stopping")


def test_who_is_no_gateway_learns_only_whether_it_is_ready(asked: Site) -> None:
    """Neither how many tokens there are nor what the store said."""
    told = asked.ask("GET", "/readyz", peer="192.0.2.7")
    assert (told.status, told.json) == (200, {"ready": True})
    with serving(asked.house, max_stale=0) as site:
        told = site.ask("GET", "/readyz", peer="192.0.2.7")
        assert (told.status, told.json) == (503, {"ready": False})
        assert "why" in site.ask("GET", "/readyz").json


def test_health_and_readiness_are_asked_by_get_and_head(asked: Site) -> None:
    assert asked.ask("GET", "/healthz").json == {"status": "ok"}
    assert asked.ask("GET", "/readyz").json["ready"] is True
    assert asked.ask("HEAD", "/healthz").status == 200
    assert asked.ask("POST", "/healthz").status == 405
    with serving(asked.house, max_stale=0) as site:
        assert site.ask("GET", "/readyz").status == 503
        assert site.ask("GET", "/healthz").status == 200


def counted(site: Site, name: str) -> dict[str, float]:
    """Label text → value, of one metric."""
    text = site.ask("GET", "/metrics").body.decode()
    found = re.findall(rf"^{name}(?:\{{(.*)\}})? ([0-9.e+-]+|\+Inf)$", text, re.MULTILINE)
    return {labels: float(value) for labels, value in found}


def test_metrics_count_checks_by_reason_and_kind_and_requests_by_endpoint(asked: Site) -> None:
    with serving(asked.house) as site:
        for _ in range(3):
            site.verify(site.jwt("bridge"))
        site.verify(site.jwt("bridge"), uri="/v1/projects/p/devices")
        site.verify("x.y.z")
        site.ask("GET", "/no/such/place")
        assert counted(site, "reconciler_checks_total") == {
            'kind="JWTToken",reason="accepted"': 3,
            'kind="JWTToken",reason="api-denied"': 1,
            'kind="none",reason="base64"': 1,
        }
        requests = counted(site, "reconciler_http_requests_total")
        assert requests['endpoint="verify",status="200"'] == 3
        assert requests['endpoint="other",status="404"'] == 1
        assert counted(site, "reconciler_http_request_seconds_count")['endpoint="verify"'] == 5
        assert counted(site, "reconciler_ready") == {"": 1}
        assert counted(site, "reconciler_tokens") == {"": len(site.house.live())}
        assert counted(site, "reconciler_store_revision") == {"": site.house.store().state().revision}


def test_lines_that_were_dropped_are_counted_once_each(asked: Site) -> None:
    with serving(asked.house) as site:
        assert counted(site, "reconciler_log_lines_dropped_total") == {"": 0}
        site.serving.log.dropped = 3
        assert counted(site, "reconciler_log_lines_dropped_total") == {"": 3}
        assert counted(site, "reconciler_log_lines_dropped_total") == {"": 3}


def test_no_label_grows_with_what_clients_send(asked: Site) -> None:
    with serving(asked.house) as site:
        before = site.ask("GET", "/metrics").body.count(b"\n")
        for number in range(50):
            site.ask("GET", f"/{number}")
            site.ask(f"M{number}", PLANT)
            site.verify(f"token{number}", target=f"/verify/path/{number}")
            site.ask("GET", f"/sso/{number}?token=x")
        text = site.ask("GET", "/metrics").body.decode()
    assert text.count("\n") - before < 120
    assert not any(word in text for word in ("token1", site.id("bridge"), "bridge", "/verify"))


def test_a_verifier_that_never_read_its_store_has_an_age_without_end(tmp_path: Path) -> None:
    from tests.apply.kit import House

    house = House(tmp_path / "bare", f"sqlite:///{tmp_path}/bare/live.db")
    house.declare()
    with serving(house) as site:
        assert counted(site, "reconciler_store_age_seconds") == {"": float("inf")}
        assert counted(site, "reconciler_ready") == {"": 0}
        told = site.ask("GET", "/readyz")
    assert (told.status, told.json["age_seconds"]) == (503, None)
    assert "live store" in told.json["why"]


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [("GET", "/", 404), ("GET", "/verify2", 404), ("GET", "/healthz/", 404), ("DELETE", "/metrics", 405)],
)
def test_what_is_not_there_answers_in_json(asked: Site, method: str, target: str, status: int) -> None:
    told = asked.ask(method, target)
    assert told.status == status
    assert told.headers["content-type"] == "application/json"
    assert told.headers["cache-control"] == "no-store"
    assert "error" in told.json
