"""Go's regular expressions, which `.sops.yaml` is written in: matched by RE2, whose syntax they have.

RE2 takes time in proportion to pattern and text, whatever the pattern is: a config comes with a pull
request, and must not be able to hold up whoever reviews it. It is loaded when first used: most
configs have no pattern.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from importlib import import_module
from typing import Protocol, cast

MAX_LETTERS = 1000
"""As long may a pattern be. This keeps it below Go's own limits of depth and size, too."""
MAX_MEMORY = 1 << 18
"""Bytes for one pattern. RE2 refuses those that need more, and its time is bounded by it."""
MAX_KEPT = 1024
_DIFFERS = re.compile(
    r"\\(?:(?P<escape>[BC]|[pP](?:C|\{\^?C\}))|.)"
    r"|(?P<name>\(\?P?<[^>]*[^\x00-\x7F>])"
    r"|(?P<count>\{[0-9,]*[0-9]{9})",
    re.DOTALL,
)
r"""Where a named group matches, RE2 is not Go: `\C` and letters in the name of a group are refused by
Go, RE2 finds `\B` inside of a letter beyond ASCII, each has another `\pC`, and RE2 takes a very large
count for text. What is escaped is stepped over; `\Q…\E` is not, so a little more is refused."""


class UnusableError(Exception):
    """A pattern that SOPS refuses, or that cannot be read here as SOPS reads it. Says which part."""


class Pattern(Protocol):
    """A pattern that was understood."""

    def search(self, text: str) -> object | None:
        """Something where the pattern matches a part of the text, else None."""


class _Options(Protocol):
    log_errors: bool
    max_mem: int
    never_capture: bool


class _RE2(Protocol):
    Options: type[_Options]
    error: type[Exception]

    def compile(self, pattern: str, options: _Options) -> Pattern: ...


_PREFIX = re.compile(r"\^[A-Za-z0-9_/-]+")
"""What most configs have: the start of a path, without anything that a regular expression has more."""


class _Prefix(str):
    """Such a pattern. Asking RE2 takes ten times as long, and a plan asks for each of its artifacts."""

    __slots__ = ()

    def search(self, text: str) -> object | None:
        """As RE2: raises UnicodeEncodeError for a text that is not UTF-8."""
        return text.encode().startswith(self.encode()) or None


@cache
def _re2() -> _RE2:
    return cast("_RE2", import_module("re2"))


def finds(pattern: str, text: str) -> bool:
    """Whether a pattern matches a part of a text in Go. Raises UnusableError."""
    try:
        return compiled(pattern).search(text) is not None
    except UnicodeEncodeError:
        raise UnusableError(f"{text!r} is not UTF-8") from None


@lru_cache(MAX_KEPT)
def compiled(pattern: str) -> Pattern:
    """The pattern that finds what Go's finds. Raises UnusableError."""
    if len(pattern) > MAX_LETTERS:
        raise UnusableError(f"it is longer than {MAX_LETTERS} letters")
    for found in _DIFFERS.finditer(pattern):
        if found.lastgroup:
            raise UnusableError(f"{found[0]!r} is not supported here")
    if _PREFIX.fullmatch(pattern):
        return _Prefix(pattern[1:])
    library = _re2()
    try:
        return library.compile(pattern, _options(library))
    except UnicodeEncodeError:
        raise UnusableError("it is not UTF-8") from None
    except library.error as fault:
        raise UnusableError(_reason(fault)) from None


def _options(library: _RE2) -> _Options:
    options = library.Options()
    options.log_errors = False  # to stderr, past everything that we print
    options.max_mem = MAX_MEMORY
    options.never_capture = True  # only whether it matches is asked
    return options


def _reason(fault: Exception) -> str:
    """What RE2 says, which is bytes."""
    said: object = fault.args[0] if fault.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
