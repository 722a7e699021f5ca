"""Stand-ins for GitHub and GitLab on this machine: they speak the REST protocols as these are documented.

They are no forges: what a forge does besides, such as its own limits on how fast one may write, is asked of
them by a test.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "ghs_canaryCanaryCanaryCanaryCanary00"
PAGE = 3
"""Comments on a page, whatever is asked for: so that there are many pages."""
LONGEST = {"github": 65_536, "gitlab": 1_000_000}


@dataclass
class Written:
    """One comment that somebody wrote."""

    id: int
    author: str
    body: str
    system: bool = False


@dataclass
class Call:
    """One request that came."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


@dataclass
class Answer:
    """What is answered instead of what was asked for."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b'{"message": "evil: ::error::"}'
    happened: bool = False
    """Whether what was asked for was done all the same."""


@dataclass
class StandIn:
    """A forge with one pull request."""

    forge: str
    login: str = "github-actions[bot]"
    tells_user: bool = True
    """Whether `GET /user` is answered: to the token of a workflow it is not."""
    tells_viewer: bool = True
    url: str = ""
    comments: list[Written] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    faults: dict[str, list[Answer]] = field(default_factory=dict)
    """Method → what the next such requests are answered."""
    link: str | None = None
    """What a Link header says, if not what it should."""

    def write(self, author: str, body: str) -> Written:
        """Somebody writes a comment."""
        self.comments.append(Written(100 + len(self.comments), author, body))
        return self.comments[-1]

    def bodies(self) -> list[str]:
        """The texts of all comments."""
        return [one.body for one in self.comments]

    def wrote(self) -> list[str]:
        """The methods of the requests that change something."""
        return [
            call.method
            for call in self.calls
            if call.method in ("POST", "PATCH", "PUT") and "graphql" not in call.path
        ]


Reply = tuple[int, Any, Mapping[str, str]]
NOT_FOUND: Reply = (404, {"message": "Not Found"}, {})


def _github(it: StandIn, call: Call) -> Reply:
    listed, single = "/api/v3/repos/acme/specs/issues/7/comments", "/api/v3/repos/acme/specs/issues/comments/"
    if call.headers.get("authorization") != f"Bearer {TOKEN}":
        return 401, {"message": "Bad credentials"}, {}
    if (call.method, call.path) == ("GET", "/api/v3/user"):
        return (
            (200, {"login": it.login}, {}) if it.tells_user else (403, {"message": "not by integration"}, {})
        )
    if (call.method, call.path) == ("POST", "/api/graphql"):
        return 200, {"data": {"viewer": {"login": it.login}} if it.tells_viewer else None}, {}
    if (call.method, call.path) == ("GET", listed):
        return _github_page(it, call, listed)
    return _written(it, call, (("POST", listed), ("PATCH", single)), lambda one: _github_comment(it, one))


def _github_page(it: StandIn, call: Call, listed: str) -> Reply:
    number = int(call.query.get("page", "1"))
    found = it.comments[(number - 1) * PAGE : number * PAGE]
    more = number * PAGE < len(it.comments)
    following = f"{it.url.removesuffix('/api/v3')}{listed}?per_page=100&page={number + 1}"
    link = f'<{it.url}/x?page=1>; rel="prev", <{following}>; rel="next"' if more else '<x>; rel="first"'
    return 200, [_github_comment(it, one) for one in found], {"Link": it.link or link}


def _github_comment(it: StandIn, one: Written) -> Mapping[str, object]:
    where = f"https://github.example/acme/specs/pull/7#issuecomment-{one.id}"
    return {"id": one.id, "user": {"login": one.author}, "body": one.body, "html_url": where}


def _gitlab(it: StandIn, call: Call) -> Reply:
    notes = "/api/v4/projects/17/merge_requests/7/notes"
    if call.headers.get("private-token") != TOKEN:
        return 401, {"message": "401 Unauthorized"}, {}
    if (call.method, call.path) == ("GET", "/api/v4/user"):
        return 200, {"id": _number(it.login), "username": it.login}, {}
    if (call.method, call.path) == ("GET", notes):
        number = int(call.query.get("page", "1"))
        more = number * PAGE < len(it.comments)
        found = [_gitlab_note(it, one) for one in it.comments[(number - 1) * PAGE : number * PAGE]]
        return 200, found, {"X-Next-Page": str(number + 1) if more else ""}
    return _written(it, call, (("POST", notes), ("PUT", notes + "/")), lambda one: _gitlab_note(it, one))


def _number(author: str) -> int:
    return sum(author.encode())


def _gitlab_note(it: StandIn, one: Written) -> Mapping[str, object]:
    return {"id": one.id, "author": {"id": _number(one.author)}, "body": one.body, "system": one.system}


def _written(
    it: StandIn,
    call: Call,
    places: tuple[tuple[str, str], tuple[str, str]],
    shown: Callable[[Written], Mapping[str, object]],
) -> Reply:
    """Adds or edits a comment."""
    if call.body is not None and len(call.body["body"]) > LONGEST[it.forge]:
        return 422, {"message": "Validation Failed"}, {}
    if (call.method, call.path) == places[0]:
        return 201, shown(it.write(it.login, call.body["body"])), {}
    if call.method == places[1][0] and call.path.startswith(places[1][1]):
        for one in it.comments:
            if str(one.id) == call.path.removeprefix(places[1][1]):
                one.body = call.body["body"]
                return 200, shown(one), {}
    return NOT_FOUND


@contextmanager
def standing_in(forge: str) -> Iterator[StandIn]:
    """The stand-in on a free port of the loopback."""
    it = StandIn(forge)
    asked_for = {"github": _github, "gitlab": _gitlab}[forge]

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            data = self.rfile.read(length)
            headers = {name.lower(): value for name, value in self.headers.items()}
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            body = json.loads(data) if data else None
            call = Call(self.command, parts.path, query, headers, body)
            it.calls.append(call)
            asked = it.faults.get(self.command)
            if asked and "graphql" not in parts.path and not parts.path.endswith("/user"):
                fault = asked.pop(0)
                if fault.happened:
                    asked_for(it, call)
                self._send(fault.status, fault.body, fault.headers)
            else:
                status, found, more = asked_for(it, call)
                self._send(status, json.dumps(found).encode(), more)

        def __getattr__(self, name: str) -> Callable[[], None]:
            if name.startswith("do_"):
                return self.answer
            raise AttributeError(name)

        def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name where it comes from
            """Nothing on stderr, which is what the tests look at."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    it.url = f"http://127.0.0.1:{server.server_port}{'/api/v3' if forge == 'github' else '/api/v4'}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield it
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
