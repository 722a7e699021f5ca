"""Forms and Basic credentials: read strictly, each parameter once. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote_plus

from reconciler.secret import Secret
from reconciler.verify.http.message import Request

LONGEST = 16 * 1024
"""Bytes of a body."""
MOST = 32
"""Parameters of a form."""
FORM = "application/x-www-form-urlencoded"
AUTHORIZATION = b"authorization"
BASIC = "basic"
"""In lower case: this scheme is written either way (RFC 7617 §2)."""


class Misread(Exception):
    """The request is not of the form that it must have; says what is wrong. Nothing of it is repeated."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A token id and a secret id that came with it."""

    id: str
    secret: Secret


def form_of(request: Request) -> Mapping[str, str]:
    """The parameters of a posted form (RFC 6749 §3.2). Raises Misread."""
    types = [value.partition(";")[0].strip().lower() for value in request.all(b"content-type")]
    if types != [FORM]:
        raise Misread(f"the body must be {FORM}")
    if len(request.body) > LONGEST:
        raise Misread("the body is too long")
    try:
        return parameters(request.body.decode("ascii"))
    except UnicodeDecodeError:
        raise Misread("the form has bytes that no form has") from None


def parameters(text: str) -> Mapping[str, str]:
    """Parameters of a form or a query; one without a value is as if it were not there. Raises Misread."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST)
    except ValueError:
        raise Misread("the parameters cannot be read") from None
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Misread("a parameter stands twice")
    return {name: value for name, value in found.items() if value}


def authorization(request: Request) -> tuple[str, Secret] | None:
    """The scheme of the Authorization header, and what follows. Raises Misread for two of them."""
    values = request.all(AUTHORIZATION)
    if len(values) > 1:
        raise Misread("more than one Authorization header came")
    if not any(values):
        return None
    scheme, _, rest = values[0].partition(" ")
    return scheme, Secret(rest.strip(" "))


def basic(credentials: Secret) -> Pair:
    """Id and secret in Basic credentials (RFC 7617, RFC 6749 §2.3.1). Raises Misread."""
    try:
        text = base64.b64decode(credentials.open(), validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        raise Misread("the Basic credentials cannot be read") from None
    name, colon, secret = text.partition(":")
    if not colon:
        raise Misread("the Basic credentials have no colon")
    return Pair(unquote_plus(name), Secret(unquote_plus(secret)))
