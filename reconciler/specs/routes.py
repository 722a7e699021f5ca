"""Routes of the catalog: which method and path of a request is which API. Pure.

`GET /v1/projects/{project}/devices/{device}`, `* /v1/ping`, `POST /v1/files/{rest...}`. Of the routes that
match a request, the most specific counts: segment by segment, a literal goes before a capture, and a
capture before `{rest...}`; after that, the method itself before GET for HEAD, and that before `*`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple, TypeAlias

FILLED = ("project", "user", "device", "shop", "app")
"""Captures that say what a call is about; a capture of any other name only matches."""
ANY = "*"
"""Every method."""
LONGEST = 500
METHOD = re.compile(r"\*|[A-Z][A-Z0-9_-]{0,31}")
LITERAL = re.compile(r"[A-Za-z0-9._~!$&'()+,=:@-]+")
"""Unreserved characters and some of the sub-delimiters (RFC 3986 §3.3), none of which is ever escaped."""
CAPTURE = re.compile(r"\{([a-z][a-z0-9_]{0,31})(\.\.\.)?\}")


class Sort(IntEnum):
    """What a segment of a route matches; what is more specific is smaller."""

    LITERAL = 0
    CAPTURE = 1
    """One whole segment."""
    REST = 2
    """One or more segments, and a slash at the end, if there is one."""


class Segment(NamedTuple):
    """What stands between two slashes of a route."""

    sort: Sort
    text: str
    """The literal, empty behind a slash at the end; or the name of the capture."""


Shape: TypeAlias = tuple[str, tuple[Segment, ...]]


@dataclass(frozen=True, slots=True)
class Route:
    """One route."""

    method: str
    """In capitals, or `*`. GET stands for HEAD too."""
    segments: tuple[Segment, ...]

    @property
    def shape(self) -> Shape:
        """All of it but the names of its captures.

        Two routes that match one request are equally specific only if they have the same shape: where
        both have a literal, the request has it too, and where both end in a rest, both end.
        """
        nameless = (one if one.sort is Sort.LITERAL else Segment(one.sort, "") for one in self.segments)
        return self.method, tuple(nameless)


@lru_cache(maxsize=8192)
def parse(text: str) -> Route:
    """A route from its text. Raises ValueError, which says what to write instead."""
    method, blank, path = text.partition(" ")
    if not blank or not path.startswith("/"):
        raise ValueError("write METHOD /path with one blank between, such as GET /v1/devices/{device}")
    if METHOD.fullmatch(method) is None:
        raise ValueError("a method is in capitals, such as GET, or * for every one")
    *inner, last = path.removeprefix("/").split("/")
    segments = [_segment(one) for one in inner]
    segments.append(_segment(last) if last else Segment(Sort.LITERAL, ""))
    if any(one.sort is Sort.REST for one in segments[:-1]):
        raise ValueError("{name...} takes all that follows, so it stands at the end")
    names = [one.text for one in segments if one.sort is not Sort.LITERAL]
    if len(set(names)) < len(names):
        raise ValueError("a name in braces stands in a route once")
    return Route(method, tuple(segments))


def _segment(text: str) -> Segment:
    captured = CAPTURE.fullmatch(text)
    if captured is None:
        return Segment(Sort.LITERAL, _literal(text))
    name, rest = captured.groups()
    if rest and name in FILLED:
        raise ValueError(f"{name} is one segment: write {{{name}}}, or give what follows another name")
    return Segment(Sort.REST if rest else Sort.CAPTURE, name)


def _literal(text: str) -> str:
    if not text:
        raise ValueError("a path has no // in it")
    if text in (".", ".."):
        raise ValueError("a path has no . or .. for a segment")
    if "{" in text or "}" in text:
        raise ValueError("{name} is a whole segment, its name of a-z, 0-9 and _; {name...} is the last one")
    if LITERAL.fullmatch(text) is None:
        raise ValueError("a path is of letters, digits and - . _ ~ ! $ & ' ( ) + , = : @, with no escapes")
    return text
