"""`reconcile serve` as a process: it starts, answers, follows the store, and ends with every answer given."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.apply.kit import House, verifier
from tests.verify.follow import held
from tests.verify.http.kit import CATALOG, JWT_BEARER, PLANT, TOKEN_URL, documents
from tests.verify.http.served import DEADLINE, Served, received, served, start, until
from tests.verify.kit import signed


@pytest.fixture
def place(house: House) -> House:
    """A workspace that was applied just now, on each make of store."""
    house.now = int(time.time())
    house.settings = {"verifier": {"recipients": [verifier()[0]], "url": "https://verifier.example"}}
    house.declare(*documents())
    house.apply()
    return house


@pytest.fixture
def local(tmp_path: Path, quick: None) -> Iterator[House]:
    """The same, on SQLite alone."""
    root = tmp_path / "local"
    house = House(root, f"sqlite:///{root}/.reconciler/live.db", now=int(time.time()))
    house.declare(*documents())
    house.apply()
    yield house
    house.close()


def without(name: str) -> list[dict[str, object]]:
    """Every document but that of one token."""
    return [dict(one) for one in documents() if dict(one["metadata"]).get("name") != name]  # type: ignore[call-overload]


def test_a_granted_call_passes_and_a_deleted_token_is_refused_at_once(place: House) -> None:
    token = held(place, "bridge")["jwt"]
    with served(place) as server:
        until(server.ready, "it is not ready")
        assert server.verify(token) == 200
        assert server.verify(token, "/v1/projects/plant-a/devices") == 403
        place.declare(*without("bridge"))
        place.apply()
        until(lambda: server.verify(token) == 401, "a deleted token is still good")
    assert server.log()[-1]["message"].startswith("stopping")


def test_two_servers_on_one_store_refuse_a_deleted_token_and_share_what_is_for_one_use(
    place: House, signing_key: Path
) -> None:
    fields = held(place, "historian")
    key = load_pem_private_key(fields["private_key"].encode(), None)
    arguments = ("--signing-key", str(signing_key))

    def assertion(jti: str) -> dict[str, str]:
        now, token_id = int(time.time()), fields["token_id"]
        claims = {
            "iss": token_id,
            "sub": token_id,
            "aud": TOKEN_URL,
            "iat": now,
            "exp": now + 300,
            "jti": jti,
        }
        text = signed({**claims, "jti": jti}, key, fields["algorithm"], {"kid": token_id})
        grant = {"grant_type": "client_credentials", "client_assertion_type": JWT_BEARER}
        return {**grant, "client_assertion": text}

    with (
        served(place, *arguments, folder="one") as one,
        served(place, *arguments, folder="two") as two,
    ):
        until(lambda: one.ready() and two.ready(), "they are not ready")
        for first, second in ((one, two), (two, one)):
            once = assertion(f"j{first.port}")
            status, body = first.post("/oauth/token", once)
            assert status == 200
            issued = json.loads(body)["access_token"]
            assert [second.post("/oauth/token", once)[0], first.post("/oauth/token", once)[0]] == [401, 401]
            assert [first.verify(issued), second.verify(issued)] == [200, 200]
        token = held(place, "bridge")["jwt"]
        assert [one.verify(token), two.verify(token)] == [200, 200]
        place.declare(*without("bridge"))
        place.apply()
        for server in (one, two):
            until(lambda server=server: server.verify(token) == 401, "a deleted token is good")  # type: ignore[misc]


def test_several_workers_answer_on_one_port_and_count_together(place: House) -> None:
    token = held(place, "bridge")["jwt"]
    with served(place, "--workers", "2") as server:
        until(server.ready, "it is not ready")
        for _ in range(40):
            assert server.verify(token) == 200
        text = ""

        def counted() -> float:
            nonlocal text
            text = server.get("/metrics")[2].decode()
            found = re.search(r'^reconciler_checks_total\{.*"accepted".*\} ([0-9.]+)$', text, re.MULTILINE)
            return float(found[1]) if found else 0

        until(lambda: counted() == 40, "the workers do not count together")
        assert "reconciler_http_request_seconds_bucket" in text
        children = _children(server)
        assert len(children) == 2
        os.kill(children[0], signal.SIGKILL)
        until(lambda: len(_children(server)) == 2 and children[0] not in _children(server), "no new worker")
        until(server.ready, "the new worker is not ready")
    until(lambda: not any(Path(f"/proc/{child}").exists() for child in children), "a worker stays")


def _children(server: Served) -> list[int]:
    pid = server.process.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_workers_end_when_their_parent_is_killed(local: House) -> None:
    """No orphan holds the port."""
    process = start(local, "--listen", "127.0.0.1:0", "--workers", "2")
    server = Served(process, local.root / "served")
    until(lambda: "listening" in server.err, "it does not listen")
    until(lambda: len(_children(server)) == 2, "it has no workers")
    children = _children(server)
    process.kill()
    process.wait(DEADLINE)
    until(lambda: not any(_alive(child) for child in children), "a worker stays")


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("workers", ["1", "2"])
def test_sigterm_under_load_drops_no_request_that_was_accepted(local: House, workers: str) -> None:
    """Each client gets whole answers, and then no connection; no answer is torn, and none is another."""
    token = held(local, "bridge")["secret_id"]
    torn: list[str] = []
    answers: list[int] = []
    with served(local, "--workers", workers) as server:
        until(server.ready, "it is not ready")
        stop = threading.Event()
        clients = [
            threading.Thread(target=_client, args=(server, token, stop, answers, torn)) for _ in range(6)
        ]
        for client in clients:
            client.start()
        until(lambda: len(answers) > 100, "nothing is answered")
        assert server.stop() == 0
        stop.set()
        for client in clients:
            client.join(DEADLINE)
    assert torn == []
    assert set(answers) == {200}


def test_a_worker_that_is_killed_under_load_says_nothing_wrong_and_another_takes_its_place(
    local: House,
) -> None:
    """Connections of the dead one break; every answer that comes whole is the right one, before and after."""
    token = held(local, "bridge")["secret_id"]
    torn: list[str] = []
    answers: list[int] = []
    with served(local, "--workers", "2") as server:
        until(server.ready, "it is not ready")
        stop, before = threading.Event(), _children(server)
        clients = [
            threading.Thread(target=_client, args=(server, token, stop, answers, torn)) for _ in range(6)
        ]
        for client in clients:
            client.start()
        until(lambda: len(answers) > 100, "nothing is answered")
        os.kill(before[0], signal.SIGKILL)
        until(lambda: len(set(_children(server)) - set(before)) == 1, "nobody takes its place")
        seen = len(answers)
        until(lambda: len(answers) > seen + 100, "nothing is answered any more")
        stop.set()
        for client in clients:
            client.join(DEADLINE)
        assert "a worker ended by signal 9; another takes its place" in server.err
        local.declare(*without("bridge"))
        local.apply()
        until(lambda: server.verify(token) == 401, "a deleted token is accepted")
    assert set(answers) == {200}


def _client(server: Served, token: str, stop: threading.Event, answers: list[int], torn: list[str]) -> None:
    headers = {"Authorization": f"Bearer {token}", "X-Forwarded-Method": "GET", "X-Forwarded-Uri": PLANT}
    while not stop.is_set():
        connection = server.connect()
        try:
            connection.connect()
        except OSError:
            return
        try:
            while not stop.is_set():
                connection.request("GET", "/verify", headers=headers)
                answer = connection.getresponse()
                answer.read()
                answers.append(answer.status)
                if answer.getheader("connection") == "close":
                    break
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            # Between two requests: no byte of an answer had come. A gateway sends it anew.
            continue
        except (http.client.HTTPException, OSError) as error:
            torn.append(repr(error))
        finally:
            connection.close()


def test_a_request_that_has_begun_is_answered_and_readiness_goes_at_once(local: House) -> None:
    with served(local) as server:
        until(server.ready, "it is not ready")
        body = b"grant_type=client_credentials&client_id=x&client_secret=y"
        head = (
            b"POST /oauth/introspect HTTP/1.1\r\nHost: x\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n" % len(body)
        )
        idle = server.connect()
        idle.request("GET", "/healthz")
        idle.getresponse().read()
        with socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE) as begun:
            begun.sendall(head + body[:10])
            until(lambda: _established(server), "the request has not come")
            server.signal(signal.SIGTERM)
            until(lambda: "stopping" in server.out, "it does not stop")
            idle.request("GET", "/readyz")
            answer = idle.getresponse()
            assert (answer.status, json.loads(answer.read())["why"]) == (503, "this verifier is stopping")
            assert answer.getheader("connection") == "close"
            begun.sendall(body[10:])
            assert received(begun).startswith(b"HTTP/1.1 401 ")
        assert server.process.wait(DEADLINE) == 0


def _established(server: Served) -> bool:
    """Whether another request is answered, which is after what was sent before."""
    return server.get("/healthz")[0] == 200


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_log_that_nobody_reads_holds_up_neither_answers_nor_the_end(local: House, workers: str) -> None:
    """A pipe holds 64 KiB; what is written to it then waits for as long as nobody reads."""
    reading, writing = os.pipe()
    try:
        with served(local, "--workers", workers, out=writing) as server:
            connection = server.connect()
            for _ in range(1500):
                connection.request("GET", "/healthz")
                assert connection.getresponse().read() == b'{"status":"ok"}'
            connection.close()
            assert server.stop() == 0
        os.close(writing)
        writing = -1
        with os.fdopen(reading, "rb", closefd=False) as pipe:
            kept = pipe.read()
        assert 0 < kept.count(b"\n") < 1500  # the pipe was full: what did not fit was dropped
        assert all(json.loads(line)["path"] == "/healthz" for line in kept.splitlines()[:100])
    finally:
        os.close(reading)
        if writing != -1:
            os.close(writing)


def test_a_port_that_is_taken_is_told_in_a_sentence(local: House) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start(local, "--listen", f"127.0.0.1:{port}")
        assert process.wait(DEADLINE) == 1
    said = (local.root / "served" / "err").read_text()
    assert f"error: nothing can listen on 127.0.0.1:{port}: address already in use" in said
    assert "--listen HOST:PORT" in said
    assert "Traceback" not in said


def test_a_store_that_is_not_there_yet_is_waited_for(tmp_path: Path, quick: None) -> None:
    root = tmp_path / "house"
    house = House(root, f"sqlite:///{root}/.reconciler/live.db", now=int(time.time()))
    house.declare(*documents())
    with served(house) as server:
        status, _, body = server.get("/readyz")
        assert status == 503
        assert "live store" in json.loads(body)["why"]
        assert server.verify("rcn_x") == 503
        house.apply()
        until(server.ready, "the store is not found")
        assert server.verify(held(house, "bridge")["jwt"]) == 200
    house.close()


def test_sighup_reads_the_routes_again_and_broken_specs_change_nothing(local: House) -> None:
    token = held(local, "bridge")["jwt"]
    specs = local.root / "specs" / "all.yaml"
    with served(local) as server:
        until(server.ready, "it is not ready")
        assert server.verify(token, "/v2/devices/d1") == 403
        text = specs.read_text()
        specs.write_text("broken: [")
        server.signal(signal.SIGHUP)
        until(lambda: "stay as they were" in server.out, "it does not say that the specs are broken")
        assert server.verify(token) == 200
        specs.write_text(
            text.replace("GET /v1/projects/{project}/devices/{device}", "GET /v2/devices/{device}")
        )
        server.signal(signal.SIGHUP)
        until(lambda: "were read again" in server.out, "the routes are not read")
        assert server.verify(token, "/v2/devices/d1") == 200
        assert server.verify(token) == 403
    assert "/v2/devices" in specs.read_text()
    assert CATALOG["kind"] == "Catalog"


def test_no_header_tells_what_answers(local: House) -> None:
    with served(local) as server:
        _, headers, _ = server.get("/healthz")
    assert set(headers) == {"date", "content-length", "content-type", "cache-control"}


def test_what_is_no_http_or_too_much_of_it_is_refused(local: House) -> None:
    with served(local) as server:
        assert server.raw(b"hello\r\n\r\n").startswith(b"HTTP/1.1 400 ")
        endless = b"GET /verify HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 40_000
        assert server.raw(endless).startswith(b"HTTP/1.1 431 ")
        upload = (
            b"POST /oauth/introspect HTTP/1.1\r\nHost: x\r\nContent-Type: "
            b"application/x-www-form-urlencoded\r\nContent-Length: 100000\r\n\r\n" + b"a" * 20_000
        )
        assert server.raw(upload).startswith(b"HTTP/1.1 413 ")
        smuggled = (
            b"GET /verify HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        assert server.raw(smuggled).startswith(b"HTTP/1.1 400 ")
        assert server.get("/healthz")[0] == 200
        found = [server.get(path)[0] for path in ("/verify/", "/verify/path", "/verify/x", "/verify/path/")]
        assert found == [404, 404, 404, 401]
        head = server.raw(b"HEAD /verify HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 401 ")
        assert head.endswith(b"\r\n\r\n")


def test_no_secret_is_in_any_output_of_the_server(local: House) -> None:
    """Not in the log, not on stderr, not in metrics, whatever way a token is presented."""
    fields = {name: held(local, name) for name in ("bridge", "caller", "console", "historian")}
    secrets = [
        value
        for one in fields.values()
        for name, value in one.items()
        if name in ("jwt", "secret_id", "login_token")
    ]
    told = b""
    with served(local) as server:
        until(server.ready, "it is not ready")
        for secret in secrets:
            for path in ("/verify", f"/verify/path/{secret}", f"/{secret}", f"/sso/{secret}?token={secret}"):
                for scheme in ("Bearer", "bearer", "Basic"):
                    headers = {
                        "Authorization": f"{scheme} {secret}",
                        "X-Forwarded-Uri": f"/{secret}?t={secret}",
                    }
                    told += b"".join(str(part).encode() for part in server.get(path, headers)[1:])
            server.raw(f"GET /{secret} HTTP/9.9\r\nAuthorization: Bearer {secret}\r\n\r\n".encode())
        told += server.get("/metrics")[2] + server.get("/readyz")[2]
    said = server.out + server.err + told.decode("utf-8", "replace")
    for secret in secrets:
        assert secret not in said
        assert not any(part in said for part in secret.split(".")[1:])
    assert "Traceback" not in said
