"""Canonical JSON (RFC 8785) and the digests made over it: one form for one meaning."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, cast

import rfc8785

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"


def canonical(value: Json) -> bytes:
    """The RFC 8785 bytes of a JSON value: the same value gives the same bytes everywhere."""
    return rfc8785.dumps(cast("Any", value))


def digest(data: bytes) -> str:
    """`sha256:` and the lower-case hex digest of the bytes."""
    return "sha256:" + hashlib.sha256(data).hexdigest()
