"""Patterns over bytes that take time in proportion to the text, whatever stands in it (RE2)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Protocol, cast


class Match(Protocol):
    """Where a pattern was found."""

    def start(self) -> int:
        """Offset of its first byte."""

    def group(self) -> bytes:
        """What was found."""


class Pattern(Protocol):
    """A pattern."""

    def search(self, text: bytes) -> Match | None:
        """The first place where it is found."""

    def finditer(self, text: bytes) -> Iterator[Match]:
        """All of them."""


class _RE2(Protocol):
    def compile(self, pattern: bytes) -> Pattern: ...


@cache
def compiled(pattern: bytes) -> Pattern:
    """The pattern, made once."""
    return cast("_RE2", import_module("re2")).compile(pattern)
