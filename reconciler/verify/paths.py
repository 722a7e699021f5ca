"""The path of a request, read only where every component on its way reads it alike. Pure.

A gateway, this verifier and the server behind may each decode, normalise and cut a path. Where they could
come to different segments, a call that is granted could reach what is not: such a path is refused.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from unicodedata import category, normalize
from urllib.parse import unquote_to_bytes

LONGEST = 4096
"""Bytes of a path."""
PLAIN = re.compile(r"/(?:[A-Za-z0-9._~!$&'()*+,=:@/-]|%[0-9A-Fa-f]{2})*")
"""RFC 3986 §3.3 without `;`, which some servers cut parameters off at."""
ESCAPE = re.compile(r"%(..)")
TWICE = re.compile(r"//|%25[0-9A-Fa-f]")
"""An empty segment, or what is an escape again once it is decoded."""
UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
REFUSED = UNRESERVED | frozenset(range(0x20)) | frozenset(b"\x7f/\\;?#")
"""Bytes that are never escaped in a sound path, or that cut it once they are decoded."""
CUTS = frozenset("/\\;?#%")
DOTS = frozenset((".", ".."))


class Segments(NamedTuple):
    """A path, cut."""

    texts: tuple[str, ...]
    """Decoded. Only the last can be empty: then a slash stands at the end."""
    escaped: frozenset[int]
    """Those that were written with escapes, by their number."""


def segments_of(uri: str) -> Segments | None:
    """The segments of the path in a request target; None where they can be read in two ways.

    The target is what the client sent: path and query (RFC 9112 §3.2.1). The query is not looked at.
    """
    path, _, query = uri.partition("?")
    if len(path) > LONGEST or "#" in path or "#" in query or PLAIN.fullmatch(path) is None:
        return None
    if TWICE.search(path) or any(int(one, 16) in REFUSED for one in ESCAPE.findall(path)):
        return None
    written = path[1:].split("/")
    if not DOTS.isdisjoint(written):
        return None
    if "%" not in path:
        return Segments(tuple(written), frozenset())
    texts = tuple(text for text in map(_decoded, written) if text is not None)
    if len(texts) < len(written):
        return None
    return Segments(texts, frozenset(number for number, one in enumerate(written) if "%" in one))


def _decoded(written: str) -> str | None:
    """What a segment says; None where it says nothing that all understand."""
    if "%" not in written:
        return written
    try:
        text = unquote_to_bytes(written).decode()
    except UnicodeDecodeError:
        return None
    return None if _misread(text) else text


def _misread(text: str) -> bool:
    """Whether it cuts the path where letters are folded to their plain forms, or blanks are trimmed."""
    if any(category(letter) == "Cc" for letter in text):
        return True
    plain = normalize("NFKC", text)
    return plain.strip() in ("", *DOTS) or not CUTS.isdisjoint(set(plain) - set(text))
