"""Sends one request with a credential, to the one address that its user named."""

from __future__ import annotations

import socket
import ssl
from http.client import HTTPException, HTTPResponse
from urllib.error import URLError
from urllib.request import HTTPErrorProcessor, ProxyHandler, Request, build_opener

from reconciler.errors import ExchangeFailed
from reconciler.readers.exchanging import Answer, Posting

TIMEOUT = 10
"""Seconds without a byte."""
LARGEST = 65_536
"""Bytes of an answer."""


class _AsItIs(HTTPErrorProcessor):
    """Every answer is an answer: so no redirect is followed, and the credential goes nowhere else."""

    def http_response(self, request: Request, response: HTTPResponse) -> HTTPResponse:
        return response

    https_response = http_response


def post(posting: Posting) -> Answer:
    """What is answered. Raises ExchangeFailed where nothing is."""
    endpoint = posting.endpoint
    headers = {name: value.open() for name, value in posting.headers.items()}
    request = Request(endpoint.url, posting.body.open().encode(), headers, method="POST")
    # A proxy is for other machines.
    opener = build_opener(_AsItIs, ProxyHandler({}) if endpoint.loopback else ProxyHandler())
    try:
        with opener.open(request, timeout=TIMEOUT) as response:
            return Answer(response.status, response.read(LARGEST))
    except (OSError, HTTPException, UnicodeError) as error:
        raise _unreached(endpoint.url, error) from None


def _unreached(url: str, error: Exception) -> ExchangeFailed:
    """Why nothing came, without a word of what a server sent."""
    cause = error.reason if isinstance(error, URLError) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return ExchangeFailed(
            f"the certificate of {url} is not trusted: {cause.verify_message}",
            hint="name the file with the authority's certificate in SSL_CERT_FILE",
        )
    hint = "see that the verifier runs, and that its address is right"
    if isinstance(cause, TimeoutError):
        return ExchangeFailed(f"{url} does not answer within {TIMEOUT} seconds", hint=hint)
    if isinstance(cause, (ssl.SSLError, HTTPException)):
        return ExchangeFailed(f"{url} does not speak as it should ({type(cause).__name__})", hint=hint)
    if isinstance(cause, socket.gaierror):
        return ExchangeFailed(f"{url} cannot be reached: its host is not known", hint=hint)
    said = cause.strerror if isinstance(cause, OSError) and cause.strerror else type(cause).__name__
    return ExchangeFailed(f"{url} cannot be reached: {said}", hint=hint)
