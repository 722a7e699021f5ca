"""The lines of a spec file as a fault may show them: none that may hold a secret."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from functools import cached_property

from reconciler.specs.faults import HIDDEN_WORDS, Fault, looks_secret
from reconciler.specs.text import LINE_END
from reconciler.specs.values import Place

MAX_LINE = 200
"""Longer lines are not repeated in a fault."""
WIDE = re.compile("[\U00010000-\U0010ffff]")
"""UTF-16 counts these as two."""
SPAN = re.compile(r""""[^"]*"|'[^']*'|[^\s,\[\]{}#:]+(?::[^\s,\[\]{}#:]+)*""")
KEY = re.compile(r"""\s*(- +)*["']?[\w.-]+["']?\s*:(\s|$)""")
CLEAR_WORDS = ("PRIVATE KEY", "AGE-SECRET-KEY-", "rcn_")
"""One of these stands in every text that the next pattern finds."""
IN_THE_CLEAR = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|AGE-SECRET-KEY-(PQ-)?1[0-9A-Z]{20}|\brcn_[0-9A-Za-z]{49}\b"
)


def in_the_clear(text: str) -> list[int]:
    """The offsets of the private keys and secret ids that stand in a text."""
    if not any(word in text for word in CLEAR_WORDS):
        return []
    return [found.start() for found in IN_THE_CLEAR.finditer(text)]


class Source:
    """A file's name and text, and the faults in it."""

    def __init__(self, file: str, text: str) -> None:
        self.file, self.text = file, text

    def place(self, offset: int) -> Place:
        """The place of the letter at an offset of the text."""
        line = bisect_right(self.starts, offset)
        return Place(line, offset - self.starts[line - 1] + 1)

    def fault(self, place: Place, rule: str, message: str, hint: str, *, sensitive: bool = False) -> Fault:
        """A fault at a place, with its line unless that may hold a secret."""
        place = self.inside(place)
        line = "" if sensitive else self.line(place.line)
        return Fault(
            self.file,
            place.line,
            place.column,
            rule,
            message,
            hint,
            line,
            len(_span(line, place.column)) or 1,
            self._wide_before(place),
        )

    def _wide_before(self, place: Place) -> int:
        """Characters of its line before a place that UTF-16 counts as two."""
        start = self.starts[place.line - 1] if self.wide else 0
        return bisect_left(self.wide, start + place.column - 1) - bisect_left(self.wide, start)

    def inside(self, place: Place) -> Place:
        """The place, or the end of the text: the parser's own end is a line further."""
        if place.line <= len(self.lines):
            return place
        return Place(len(self.lines), len(self.lines[-1]) + 1)

    def written(self, place: Place) -> str:
        """What stands at a place, up to its end; nothing where it may be a secret."""
        return _span(self.line(place.line), place.column)

    def line(self, number: int) -> str:
        """A line, counted from 1; nothing where it may hold a secret."""
        line = self.lines[number - 1]
        hidden = len(line) > MAX_LINE or number in self.secret_lines or looks_secret(line)
        return "" if hidden else line

    @cached_property
    def wide(self) -> list[int]:
        """The offsets of characters that UTF-16 counts as two."""
        return [found.start() for found in WIDE.finditer(self.text)] if not self.text.isascii() else []

    @cached_property
    def starts(self) -> list[int]:
        """The offsets at which lines start."""
        return [0, *(end.end() for end in LINE_END.finditer(self.text))]

    @cached_property
    def lines(self) -> list[str]:
        """As the parser counts them."""
        return LINE_END.split(self.text)

    @cached_property
    def secret_lines(self) -> frozenset[int]:
        """Lines that belong to a word like password: its own, and the value below it."""
        if in_the_clear(self.text):
            return frozenset(range(1, len(self.lines) + 1))
        if not HIDDEN_WORDS.search(self.text):
            return frozenset()
        return frozenset(_secret_lines(self.lines))


def _span(line: str, column: int) -> str:
    found = SPAN.match(line, column - 1)
    return found[0] if found else ""


def _secret_lines(lines: list[str]) -> list[int]:
    found: list[int] = []
    depth: int | None = None
    for number, line in enumerate(lines, 1):
        indent = len(line) - len(line.lstrip())
        if HIDDEN_WORDS.search(line):
            depth = indent if depth is None else min(depth, indent)
        elif depth is not None and line.strip() and indent <= depth and KEY.match(line):
            depth = None
        if depth is not None:
            found.append(number)
    return found
