"""One YAML document out of the parser's events: YAML 1.2 core types, within limits.

Tags, recursion, duplicate keys and anything that grows beyond its limits are faults. There is no
recursion here, so no input is too deep.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Never, Protocol, TypeAlias

from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
)

from reconciler.specs.faults import shown
from reconciler.specs.values import Document, List, Mapping, Mark, Place, Problem, Value, place_of

MAX_DEPTH = 32
MAX_NODES = 20_000
"""Values in one document, aliases counted as what they stand for."""
MAX_DIGITS = 18

WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
NOT_TEXT = frozenset(("", *"+-.0123456789~nNtTfF"))
"""The first characters of plain scalars that may be something else than text."""
INTEGER = re.compile(r"[-+]?[0-9]+")
BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,2})?")
NO_KEY = "?"
"""Stands for a key that is no text. A document with one is not looked at any further."""


class Event(Protocol):
    """What is read of the parser's events; not every event has every part."""

    start_mark: Mark
    value: str
    style: str
    anchor: str | None
    ctag: object | None


NextEvent: TypeAlias = Callable[[], Event]


class PastLimitError(Exception):
    """The document goes past a limit; reading stops there, before it costs more."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("past a limit")
        self.problems = problems


def compose(next_event: NextEvent, start: Place) -> Document:
    """The document whose start was just read. Raises PastLimitError, and the parser's errors."""
    composer = _Composer()
    root = composer.compose(next_event)
    value, place = (root[0], place_of(root.places[0])) if root else (None, start)
    return Document(None if composer.broken else value, place, composer.problems)


_ENDS = frozenset((MappingEndEvent, SequenceEndEvent, DocumentEndEvent))


@dataclass(frozen=True, slots=True)
class _Nowhere:
    line: int = 0
    column: int = 0


class _Composer:
    """Builds one document, with an explicit stack.

    `compose` is the inner loop of every run: what is common is written out in it, and what is rare
    is in the methods behind it.
    """

    __slots__ = ("anchors", "broken", "nodes", "open_anchors", "problems")

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.broken = False
        self.nodes = 0
        self.anchors: dict[str, tuple[Value, int]] = {}
        """Anchor → its value, and how many values that is."""
        self.open_anchors: list[tuple[Value, str, int]] = []

    def compose(self, next_event: NextEvent) -> List:
        """A list with the one value that the document is."""
        root = _list()
        container: Mapping | List = root
        key: str | None = None
        key_mark: Mark = _Nowhere()
        stack: list[tuple[Mapping | List, str | None]] = []
        while True:
            event = next_event()
            kind: type = type(event)
            value: Value
            if kind is ScalarEvent:
                if key is None and type(container) is Mapping:
                    key, key_mark = event.value, event.start_mark
                    if key in container or event.anchor is not None or event.ctag is not None:
                        self.odd_key(event, container)
                    continue
                value = event.value
                value = self.plain(value, event) if value[:1] in NOT_TEXT and event.style == "" else value
            elif kind in _ENDS:
                if kind is DocumentEndEvent:
                    return root
                self.close(container)
                container, key = stack.pop()
                continue
            else:
                value = self.alias(event) if kind is AliasEvent else self.start(event, len(stack))
            if type(container) is List:
                container.append(value)
                container.places.append(event.start_mark)
            elif type(container) is Mapping and key is not None:
                container[key] = value
                container.places[key] = (key_mark, event.start_mark)
                key = None
            else:
                key, key_mark = self.no_text(event.start_mark), event.start_mark
            self.nodes += 1
            if event.anchor is not None or event.ctag is not None or self.nodes > MAX_NODES:
                self.odd(event, value)
            if isinstance(value, (Mapping, List)) and kind is not AliasEvent:
                stack.append((container, key))
                container, key = value, None

    def problem(self, mark: Mark, rule: str, message: str, hint: str) -> None:
        self.problems.append(Problem(place_of(mark), rule, message, hint))

    def odd_key(self, event: Event, container: Mapping) -> None:
        """A key that stands there already, or that has an anchor or a tag."""
        self.decorated(event, event.value)
        if event.value in container:
            first = container.places[event.value][0].line + 1
            self.problem(
                event.start_mark,
                "yaml.duplicate-key",
                f"the key {shown(event.value)} stands here a second time; the first is on line {first}",
                "keep one of the two",
            )

    def no_text(self, mark: Mark) -> str:
        """For a key that is a mapping, a list or an alias."""
        self.broken = True
        self.problem(mark, "yaml.key", "a key must be text", "use a plain word as the key")
        return NO_KEY

    def plain(self, text: str, event: Event) -> Value:
        """A plain scalar by the core schema of YAML 1.2 (§10.3.2). Not-a-number and infinity are text."""
        if text in WORDS:
            return WORDS[text]
        number = INTEGER.fullmatch(text) or BASED.fullmatch(text) or FLOAT.fullmatch(text)
        if number is None:
            return text
        if len(text.lstrip("+-")) > MAX_DIGITS:
            self.problem(
                event.start_mark,
                "yaml.number",
                "this number has too many digits",
                "put it in quotes if it is text",
            )
            return 0
        if number.re is FLOAT:
            return float(text)
        return int(text, 0 if number.re is BASED else 10)

    def odd(self, event: Event, value: Value) -> None:
        """A value with an anchor or a tag, or one too many."""
        if self.nodes > MAX_NODES:
            self.past_limit(event.start_mark, f"{MAX_NODES:,} values")
        if not isinstance(event, AliasEvent):
            self.decorated(event, value)

    def decorated(self, event: Event, value: Value) -> None:
        """An anchor or a tag."""
        if event.ctag is not None:
            self.problem(
                event.start_mark,
                "yaml.tag",
                "specs use no tags",
                "write the value without the word that starts with !",
            )
        if event.anchor is None:
            return
        if isinstance(value, (Mapping, List)):
            self.anchors.pop(event.anchor, None)
            self.open_anchors.append((value, event.anchor, self.nodes))
        else:
            self.anchors[event.anchor] = (value, 1)

    def close(self, container: Mapping | List) -> None:
        if self.open_anchors and self.open_anchors[-1][0] is container:
            _, name, first = self.open_anchors.pop()
            self.anchors.setdefault(name, (container, self.nodes - first + 1))

    def alias(self, event: Event) -> Value:
        name = event.anchor or ""
        if name in self.anchors:
            value, size = self.anchors[name]
            self.nodes += size - 1
            return value
        inside = any(name == anchor for _, anchor, _ in self.open_anchors)
        what = "an alias that stands inside what it names" if inside else "an alias of nothing before it"
        self.problem(event.start_mark, "yaml.alias", what, "write the value out; put text with * in quotes")
        return None

    def start(self, event: Event, depth: int) -> Mapping | List:
        if depth >= MAX_DEPTH:
            self.past_limit(event.start_mark, f"{MAX_DEPTH} levels")
        return _mapping() if isinstance(event, MappingStartEvent) else _list()

    def past_limit(self, mark: Mark, what: str) -> Never:
        self.problem(
            mark, "yaml.size", f"this document has more than {what}", "split it into several documents"
        )
        raise PastLimitError(self.problems)


def _mapping() -> Mapping:
    mapping = Mapping()
    mapping.places = {}
    return mapping


def _list() -> List:
    items = List()
    items.places = []
    return items
