"""Calls an API that speaks JSON: what a status means is the same on every forge. No answer is repeated."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeAlias

from reconciler.canonical import Json
from reconciler.errors import ForgeFailed
from reconciler.forges.interface import Send, TryAgain
from reconciler.secret import Secret
from reconciler.web import Address, Request, Response

SECONDS = re.compile(r"[0-9]{1,6}")
Object: TypeAlias = "Mapping[str, Json]"


@dataclass(frozen=True, slots=True)
class Api:
    """The API of a forge, with a token for it."""

    title: str
    """Of the forge."""
    address: Address
    headers: Mapping[str, Secret]
    denied: str
    """What to do where the token may not do what it is asked to."""
    send: Send

    def call(self, method: str, path: str, body: Json = None) -> tuple[Json, Mapping[str, str]]:
        """What is answered, and its headers. Raises ForgeFailed, and TryAgain where that may help."""
        response = self.ask(method, path, body)
        if HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
            return self._json(response.body), response.headers
        raise self.failed(response.status)

    def edited(self, method: str, path: str, body: Json) -> Json | None:
        """What is answered to an edit; None where there is nothing there any more."""
        response = self.ask(method, path, body)
        if response.status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
            return None
        if response.status != HTTPStatus.OK:
            raise self.failed(response.status)
        return self._json(response.body)

    def ask(self, method: str, path: str, body: Json = None) -> Response:
        """Any answer but one that asks to come again later. Raises ForgeFailed and TryAgain."""
        data = None if body is None else Secret(json.dumps(body))
        kind = {} if data is None else {"Content-Type": Secret("application/json")}
        url = self.address.url + path
        response = self.send(Request(method, url, {**self.headers, **kind}, data, self.address.loopback))
        if _is_busy(response):
            raise TryAgain(response.status, _after(response))
        return response

    def _json(self, body: bytes) -> Json:
        try:
            found: Json = json.loads(body)
        except (ValueError, RecursionError):
            raise self.strange() from None
        return found

    def strange(self) -> ForgeFailed:
        """The error for an answer that is not what the API says."""
        return ForgeFailed(
            f"{self.address.url} answers with something else than {self.title} does",
            hint="see that the pipeline names the forge's own API",
        )

    def failed(self, status: int) -> ForgeFailed:
        """The error for an answer with this status."""
        where = f"({status} from {self.address.url})"
        if status == HTTPStatus.UNAUTHORIZED:
            return ForgeFailed(
                f"{self.title} does not take the token {where}",
                hint="it may have ended: give the job a new one",
            )
        if status == HTTPStatus.FORBIDDEN:
            return ForgeFailed(f"the token may not comment here {where}", hint=self.denied)
        if status == HTTPStatus.NOT_FOUND:
            return ForgeFailed(
                f"{self.title} knows no such pull request, or this token may not see it {where}",
                hint=self.denied,
            )
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            return ForgeFailed(
                f"{self.title} sends on to another address, and no token follows {where}",
                hint="was the project moved? run the pipeline where it is now",
            )
        return ForgeFailed(
            f"{self.title} refuses the comment {where}", hint="see that the pull request is open to comments"
        )


def _is_busy(response: Response) -> bool:
    """Whether it may answer later: broken for now, or asked too often."""
    if response.status == HTTPStatus.TOO_MANY_REQUESTS or response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return True
    limited = "retry-after" in response.headers or response.headers.get("x-ratelimit-remaining") == "0"
    return response.status == HTTPStatus.FORBIDDEN and limited


def _after(response: Response) -> float | None:
    said = response.headers.get("retry-after", "").strip()
    return float(said) if SECONDS.fullmatch(said) else None


def text_of(found: Json, name: str) -> str:
    """A text in an object; empty where there is none."""
    value = found.get(name) if isinstance(found, Mapping) else None
    return value if isinstance(value, str) else ""


def number_of(found: Json, name: str) -> int | None:
    """A whole number in an object."""
    value = found.get(name) if isinstance(found, Mapping) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def part_of(found: Json, name: str) -> Json:
    """What stands by a name in an object; None where nothing does."""
    return found.get(name) if isinstance(found, Mapping) else None
