"""Sends one request with a credential to the token endpoint of the verifier that its user named."""

from __future__ import annotations

from reconciler.cli.sending import exchange
from reconciler.errors import ExchangeFailed
from reconciler.readers.exchanging import Answer, Posting
from reconciler.web import Request

LARGEST = 65_536
"""Bytes of an answer."""


def post(posting: Posting) -> Answer:
    """What is answered. Raises ExchangeFailed where nothing is."""
    endpoint = posting.endpoint
    request = Request("POST", endpoint.url, posting.headers, posting.body, endpoint.loopback)
    answer = exchange(request, LARGEST, _unreached)
    return Answer(answer.status, answer.body)


def _unreached(why: str) -> ExchangeFailed:
    return ExchangeFailed(why, hint="see that the verifier runs, and that its address is right")
