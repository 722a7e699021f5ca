"""Canonical JSON (RFC 8785) and the digests made over it: one form for one meaning."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, cast

import rfc8785

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"


NUMBER = re.compile(r"(?:^|[\[:,])-?[0-9]+[.eE]|[0-9]{16}")
"""Where a text of JSON may hold a number that Python writes otherwise than RFC 8785, or that is too large."""


def canonical(value: Json) -> bytes:
    """The RFC 8785 bytes of a JSON value: the same value gives the same bytes everywhere.

    Raises ValueError for a number that not every reader of JSON can hold (RFC 7493 §2.2).
    """
    return _plain(value) or rfc8785.dumps(cast("Any", value))


def _plain(value: Json) -> bytes | None:
    """The same in a tenth of the time, for what is all in ASCII and has no other numbers than small integers:
    that is written by `json` as RFC 8785 asks. None for any other value.
    """
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError):
        return None
    return text.encode() if text.isascii() and not NUMBER.search(text) else None


def digest(data: bytes) -> str:
    """`sha256:` and the lower-case hex digest of the bytes."""
    return "sha256:" + hashlib.sha256(data).hexdigest()
