"""Go's regular expressions (RE2), which `.sops.yaml` is written in, as Python's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": r"\x00-\x7F",
    "blank": r"\t ",
    "cntrl": r"\x00-\x1F\x7F",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
_TOKEN = re.compile(r"\\.|\[:\w+:\]|\(\?P?<\w+>|\(\?[^:)]*[:)]?|[*+?}][+]|\$|.", re.DOTALL)
_GROUP = re.compile(r"\(\?(P?<[A-Za-z_]\w*>|[imsU]*(-[ims]+)?[:)])")
_UNIT = re.compile(
    r"(?P<part>\\.|\[\^?\]?(?:\[:\w+:\]|\\.|[^\]\\])*\]|\(\?[^:)]*[:)]|.)"
    r"(?P<many>[*+?]|\{\d+(?:,\d*)?\})?\??",
    re.DOTALL,
)
"""One thing to match, and how often."""
MAX_REPEATS = 4
_NOT_GO = frozenset("123456789ZNu")
_NOT_PYTHON = frozenset("pPCQE")


class UnusableError(Exception):
    """A pattern that SOPS refuses, or that cannot be read here as SOPS reads it. Says which part."""


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """The Python pattern that finds what Go's finds. Raises UnusableError."""
    translated = "".join(_translated(found[0]) for found in _TOKEN.finditer(pattern))
    if found := re.match(r"\(\?([ims]+)\)", translated):
        translated = f"(?{found[1]}:{translated[found.end() :]})"
    _refuse_slow(pattern)
    try:
        return re.compile(translated, re.ASCII)
    except re.error as fault:
        raise UnusableError(str(fault)) from None


def _refuse_slow(pattern: str) -> None:
    """Refuses a repeated group that holds a repeat or a choice, and more repeats than can be tried out.

    Python tries every way to match, Go does not: such a pattern could take hours here.
    """
    simple, repeats = [True], 0
    for part, many in _with_repeats(pattern):
        if part.startswith("("):
            simple.append(True)
        elif part == ")" and len(simple) > 1:
            inner = simple.pop()
            if many and not inner:
                raise UnusableError("it repeats a group that holds a repeat or a choice")
            simple[-1] &= inner
        if part == "|" or many:
            simple[-1] = False
        repeats += many
    if repeats > MAX_REPEATS:
        raise UnusableError(f"it has more than {MAX_REPEATS} repeats")


def _with_repeats(pattern: str) -> Iterator[tuple[str, bool]]:
    """Every part of a pattern that is not a repeat, and whether it is repeated more than once."""
    for found in _UNIT.finditer(pattern):
        part = found["part"]
        inline = part.startswith("(?") and part.endswith(")")
        yield (
            ("" if inline else part),
            found["many"] is not None and found["many"] not in ("?", "{1}", "{0,1}"),
        )


def _translated(part: str) -> str:
    if part == "$":
        return r"\Z"  # Go's $ does not match before a final line break
    if part.startswith("[:"):
        return _class(part)
    if part.startswith("(?"):
        return _group(part)
    if part.startswith("\\"):
        return _escape(part)
    if len(part) > 1:
        raise UnusableError(f"SOPS does not know {part!r}")
    return part


def _class(token: str) -> str:
    name = token[2:-2]
    if name not in _CLASSES:
        raise UnusableError(f"there is no class {token!r}")
    return _CLASSES[name]


def _group(token: str) -> str:
    if not _GROUP.fullmatch(token):
        raise UnusableError(f"SOPS does not know {token!r}")
    if "U" in token:
        raise UnusableError(f"{token!r} is not supported here")
    return token.replace("(?<", "(?P<")


def _escape(token: str) -> str:
    letter = token[1]
    if letter in _NOT_GO:
        raise UnusableError(f"SOPS does not know {token!r}")
    if letter in _NOT_PYTHON:
        raise UnusableError(f"{token!r} is not supported here")
    return r"\Z" if letter == "z" else token
