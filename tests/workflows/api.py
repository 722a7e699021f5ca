"""A stand-in for the part of a forge's API that comments on pull requests go through."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

LISTED = "/repos/acme/tokens/issues/7/comments"
ONE = re.compile(r"/repos/acme/tokens/issues/comments/([0-9]+)")


@dataclass
class Comments:
    """The comments of pull request 7, and who asked for what."""

    bodies: dict[int, str] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    url: str = ""


@contextmanager
def comments() -> Iterator[Comments]:
    """A server for as long as the block takes."""
    found = Comments()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._note()
            if self.path == "/user":  # a workflow's own token may not ask
                self._answer(403, {"message": "Resource not accessible by integration"})
                return
            page = int(parse_qs(urlsplit(self.path).query).get("page", ["1"])[0])
            known = [self._shown(number) for number in found.bodies] if page == 1 else []
            self._answer(200, known)

        def do_POST(self) -> None:
            self._note()
            if self.path == "/graphql":
                self.rfile.read(int(self.headers["Content-Length"]))
                self._answer(200, {"data": {"viewer": {"login": "github-actions[bot]"}}})
                return
            assert self.path == LISTED
            number = len(found.bodies) + 1
            found.bodies[number] = self._body()
            self._answer(201, self._shown(number))

        def do_PATCH(self) -> None:
            self._note()
            match = ONE.fullmatch(self.path)
            assert match
            found.bodies[int(match[1])] = self._body()
            self._answer(200, self._shown(int(match[1])))

        def _note(self) -> None:
            found.asked.append((self.command, urlsplit(self.path).path))
            found.tokens.add(self.headers.get("Authorization", "").rpartition(" ")[2])

        def _body(self) -> str:
            body: str = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"]
            return body

        def _shown(self, number: int) -> dict[str, object]:
            user = {"login": "github-actions[bot]", "type": "Bot"}
            url = f"https://github.example/acme/tokens/pull/7#issuecomment-{number}"
            return {"id": number, "body": found.bodies[number], "user": user, "html_url": url}

        def _answer(self, status: int, document: object) -> None:
            data = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
