"""A short-lived token for a credential: what the token endpoint is sent, and what it answers. Pure."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote_plus, urlencode

from reconciler.errors import ExchangeFailed, UsageError
from reconciler.kinds.bearing import JWT_ASSERTION, TOKEN_ENDPOINT, Client
from reconciler.secret import Secret
from reconciler.web import address_of

TOKEN = re.compile(r"[!-~]{1,8192}")
ERRORS = frozenset(
    (
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
        "temporarily_unavailable",
    )
)
"""What an error may be called (RFC 6749 §5.2). Nothing else of an answer is repeated."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where credentials are exchanged."""

    url: str
    loopback: bool
    """Whether it is on this machine."""


@dataclass(frozen=True, slots=True)
class Posting:
    """One request."""

    endpoint: Endpoint
    headers: Mapping[str, Secret]
    body: Secret


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes


def endpoint_of(url: str) -> Endpoint:
    """The token endpoint of a verifier. Raises UsageError where no credential may go."""
    address = address_of(url)
    if address is None:
        raise UsageError(
            "the address of the verifier is not of the form https://HOST[:PORT][/PATH]",
            hint="name it with --exchange or RECONCILER_VERIFIER, without user, query and blanks",
        )
    if not address.private:
        raise UsageError(
            "over http, the network would see the credential",
            hint="name the verifier by https://; http is for this machine, as in http://127.0.0.1:8080",
        )
    return Endpoint(address.url + TOKEN_ENDPOINT, address.loopback)


def posting(endpoint: Endpoint, client: Client) -> Posting:
    """The request of a client for a token of its own (RFC 6749 §4.4.2, RFC 7523 §2.2)."""
    form = {"grant_type": Secret("client_credentials")}
    headers = {
        "Content-Type": Secret("application/x-www-form-urlencoded"),
        "Accept": Secret("application/json"),
    }
    if client.basic is not None:
        pair = ":".join(quote_plus(one.open()) for one in client.basic)
        headers["Authorization"] = Secret("Basic " + base64.b64encode(pair.encode()).decode())
    if client.assertion is not None:
        form |= {"client_assertion_type": Secret(JWT_ASSERTION), "client_assertion": client.assertion}
    body = urlencode({name: value.open() for name, value in form.items()})
    return Posting(endpoint, headers, Secret(body))


def token_of(endpoint: Endpoint, answer: Answer) -> Secret:
    """The token in an answer (RFC 6749 §5.1). Raises ExchangeFailed."""
    found = _object(answer.body)
    if answer.status != HTTPStatus.OK:
        raise _refused(endpoint, answer.status, found)
    if found is None:
        raise ExchangeFailed(
            f"{endpoint.url} answers with something that is not JSON",
            hint="see that --exchange, or RECONCILER_VERIFIER, names a verifier",
        )
    token, typ = found.get("access_token"), found.get("token_type")
    if not isinstance(token, str) or TOKEN.fullmatch(token) is None:
        raise ExchangeFailed(f"{endpoint.url} gave no token", hint="see that it is a verifier")
    if not isinstance(typ, str) or typ.casefold() != "bearer":
        raise ExchangeFailed(
            f"{endpoint.url} gave a token that is no bearer token", hint="see that it is a verifier"
        )
    return Secret(token)


def _object(body: bytes) -> Mapping[str, object] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _refused(endpoint: Endpoint, status: int, found: Mapping[str, object] | None) -> ExchangeFailed:
    error = (found or {}).get("error")
    said = f"{status}, {error}" if isinstance(error, str) and error in ERRORS else str(status)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return ExchangeFailed(
            f"{endpoint.url} sends on to another address ({said}), and no credential follows",
            hint="name that address, if you know it to be the verifier's",
        )
    if status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED):
        return ExchangeFailed(
            f"{endpoint.url} does not take this credential ({said})",
            hint="see that it is this workspace's verifier, and whether a newer artifact is published; a"
            " verifier whose issuer is another address takes --audience ISSUER/oauth/token",
        )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ExchangeFailed(f"{endpoint.url} cannot answer now ({said})", hint="try again in a while")
    return ExchangeFailed(
        f"{endpoint.url} gives no token ({said})",
        hint="see that --exchange, or RECONCILER_VERIFIER, names a verifier",
    )
