"""Sends one request with a credential to the one address that it is for: no redirect is followed."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from urllib.error import URLError
from urllib.request import HTTPErrorProcessor, ProxyHandler, build_opener
from urllib.request import Request as Raw

from reconciler.errors import ForgeFailed, ReconcilerError
from reconciler.web import Request, Response

TIMEOUT = 10
"""Seconds without a byte."""
LARGEST = 64 * 1024 * 1024
"""Bytes of an answer: a page of a hundred long comments."""


class _AsItIs(HTTPErrorProcessor):
    """Every answer is an answer: so no redirect is followed, and the credential goes nowhere else."""

    def http_response(self, request: Raw, response: HTTPResponse) -> HTTPResponse:
        return response

    https_response = http_response


def send(request: Request) -> Response:
    """What a forge answers. Raises ForgeFailed where nothing comes."""
    return exchange(request, LARGEST, lambda why: ForgeFailed(why, hint="try again, or see that it runs"))


def exchange(request: Request, most: int, failed: Callable[[str], ReconcilerError]) -> Response:
    """What is answered, so many bytes of it. Raises what `failed` makes of the reason why nothing came."""
    headers = {name: value.open() for name, value in request.headers.items()}
    body = None if request.body is None else request.body.open().encode()
    raw = Raw(request.url, body, headers, method=request.method)
    # A proxy is for other machines.
    opener = build_opener(_AsItIs, ProxyHandler({}) if request.loopback else ProxyHandler())
    try:
        with opener.open(raw, timeout=TIMEOUT) as answer:
            found = {name.lower(): value for name, value in answer.headers.items()}
            return Response(answer.status, found, answer.read(most))
    except (OSError, HTTPException, UnicodeError, ValueError) as error:
        raise _unreached(request.url, error, failed) from None


def _unreached(url: str, error: Exception, failed: Callable[[str], ReconcilerError]) -> ReconcilerError:
    """Why nothing came, without a word of what a server sent."""
    cause = error.reason if isinstance(error, URLError) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        refused = failed(f"the certificate of {url} is not trusted: {cause.verify_message}")
        refused.hint = "name the file with the authority's certificate in SSL_CERT_FILE"
        return refused
    if isinstance(cause, TimeoutError):
        return failed(f"{url} does not answer within {TIMEOUT} seconds")
    if isinstance(cause, (ssl.SSLError, HTTPException)):
        return failed(f"{url} does not speak as it should ({type(cause).__name__})")
    if isinstance(cause, socket.gaierror):
        return failed(f"{url} cannot be reached: its host is not known")
    said = cause.strerror if isinstance(cause, OSError) and cause.strerror else type(cause).__name__
    return failed(f"{url} cannot be reached: {said}")
