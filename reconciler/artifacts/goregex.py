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
_COUNT = r"(?:0|[1-9][0-9]*)"
_BRACES = re.compile(rf"\{{{_COUNT}(?:,{_COUNT}?)?\}}")
_UNIT = re.compile(
    r"(?P<part>\\.|\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]|\(\?P?<\w+>|\(\?[^:)]*[:)]|.)"
    rf"(?P<many>[*+?]|{_BRACES.pattern})?(?P<lazy>\??)",
    re.DOTALL,
)
"""One thing to match, and how often."""
_ITEM = re.compile(r"\[:\^?\w+:\]|\\.|.", re.DOTALL)
"""One thing inside brackets."""
_GROUP = re.compile(r"\(\?(P?<[A-Za-z_]\w*>|[imsU]*(-[ims]+)?[:)])", re.ASCII)
_NO_CASE = re.compile(r"\(\?[msU]*i")
MAX_REPEATS = 4
MAX_COUNT = 1000
"""As often may a pattern say that something is repeated."""
_ONCE = ("", "?", "{1}", "{0,1}")
_NOT_GO = frozenset("123456789ZNuU")
_NOT_PYTHON = frozenset("pPCQE")


class UnusableError(Exception):
    """A pattern that SOPS refuses, or that cannot be read here as SOPS reads it. Says which part."""


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """The Python pattern that finds what Go's finds. Raises UnusableError."""
    units = list(_UNIT.finditer(pattern))
    translated = "".join(_unit(unit) for unit in units)
    if found := re.match(r"\(\?([ims]+)\)", translated):
        translated = f"(?{found[1]}:{translated[found.end() :]})"
    if _NO_CASE.search(pattern) and not pattern.isascii():
        raise UnusableError("letters beyond ASCII without regard to case are not supported here")
    _refuse_slow(units)
    try:
        return re.compile(translated, re.ASCII)
    except re.error as fault:
        raise UnusableError(str(fault)) from None


def _unit(unit: re.Match[str]) -> str:
    part, many = unit["part"], unit["many"] or ""
    if part in ("*", "+", "?") or (part == "{" and _BRACES.match(unit.string, unit.start())):
        raise UnusableError(f"{unit[0]!r} repeats nothing that can be repeated")
    if any(
        len(count) > len(str(MAX_COUNT)) or int(count) > MAX_COUNT for count in re.findall("[0-9]+", many)
    ):
        raise UnusableError(f"{many!r} repeats more than {MAX_COUNT} times")
    return _translated(part) + many + unit["lazy"]


def _refuse_slow(units: list[re.Match[str]]) -> None:
    """Refuses a repeated group that holds a repeat or a choice, and more repeats than can be tried out.

    Python tries every way to match, Go does not: such a pattern could take hours here.
    """
    simple, repeats = [True], 0
    for part, many in _with_repeats(units):
        repeated = many not in _ONCE
        if part.startswith("("):
            simple.append(True)
        elif part == ")" and len(simple) > 1:
            inner = simple.pop()
            if repeated and not inner:
                raise UnusableError("it repeats a group that holds a repeat or a choice")
            simple[-1] &= inner
        if part == "|" or many:
            simple[-1] = False
        repeats += repeated
    if repeats > MAX_REPEATS:
        raise UnusableError(f"it has more than {MAX_REPEATS} repeats")


def _with_repeats(units: list[re.Match[str]]) -> Iterator[tuple[str, str]]:
    """Every part of a pattern that is not a repeat, and how often it is repeated."""
    for found in units:
        part = found["part"]
        inline = part.startswith("(?") and part.endswith(")")
        yield "" if inline else part, found["many"] or ""


def _translated(part: str) -> str:
    if part == "$":
        return r"\Z"  # Go's $ does not match before a final line break
    if part == "{":
        return r"\{"  # to Python {,5} is a repeat, to Go it is text
    if part.startswith("[") and len(part) > 1:
        return _brackets(part)
    if part.startswith("(?"):
        return _group(part)
    return _escape(part) if part.startswith("\\") else part


def _brackets(part: str) -> str:
    """A set of characters. Python reserves some of what is plain text to Go."""
    if "--" in part:
        raise UnusableError(f"{part!r} is not supported here")
    opening = "[^" if part.startswith("[^") else "["
    return (
        opening
        + "".join(_item(found[0]) for found in _ITEM.finditer(part, len(opening), len(part) - 1))
        + "]"
    )


def _item(item: str) -> str:
    if item.startswith("[:"):
        return _class(item)
    if item == r"\b":
        raise UnusableError(f"SOPS does not know {item!r} in brackets")
    if item.startswith("\\"):
        return _escape(item)
    return "\\" + item if item in "[]&~|" else item


def _class(item: str) -> str:
    name = item[2:-2]
    if name.startswith("^") and name[1:] in _CLASSES:
        raise UnusableError(f"{item!r} is not supported here")
    if name not in _CLASSES:
        raise UnusableError(f"there is no class {item!r}")
    return _CLASSES[name]


def _group(part: str) -> str:
    if not _GROUP.fullmatch(part):
        raise UnusableError(f"SOPS does not know {part!r}")
    if "U" in part and "<" not in part:
        raise UnusableError(f"{part!r} is not supported here")
    return part.replace("(?<", "(?P<")


def _escape(part: str) -> str:
    letter = part[1:]
    if not letter or letter in _NOT_GO or not letter.isascii():
        raise UnusableError(f"SOPS does not know {part!r}")
    if letter in _NOT_PYTHON:
        raise UnusableError(f"{part!r} is not supported here")
    return r"\Z" if letter == "z" else part
