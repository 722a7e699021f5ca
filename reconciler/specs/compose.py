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
    SequenceStartEvent,
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


_NOWHERE: Mark = _Nowhere()


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
        stack: list[Mapping | List] = []
        key, key_mark = "", _NOWHERE
        while True:
            event = next_event()
            kind: type = type(event)
            if kind in _ENDS:
                if kind is DocumentEndEvent:
                    return root
                self.close(container)
                container = stack.pop()
                continue
            if type(container) is Mapping:
                key = event.value if kind is ScalarEvent else self.no_text(event, next_event)
                key_mark = event.start_mark
                if key in container or event.anchor is not None or event.ctag is not None:
                    self.odd_key(event, key, container)
                event = next_event()
                kind = type(event)
            value: Value
            if kind is ScalarEvent:
                value = event.value
                value = self.plain(value, event) if value[:1] in NOT_TEXT and event.style == "" else value
            else:
                value = _NEW[kind]() if kind in _NEW else self.alias(event)
            if type(container) is List:
                container.append(value)
                container.places.append(event.start_mark)
            elif type(container) is Mapping:
                container[key] = value
                container.places[key] = (key_mark, event.start_mark)
            self.nodes += 1
            if event.anchor is not None or event.ctag is not None or self.nodes > MAX_NODES:
                self.odd(event, value)
            if kind in _NEW and isinstance(value, (Mapping, List)):
                stack.append(container)
                container = value
                if len(stack) > MAX_DEPTH:
                    self.past_limit(event.start_mark, f"{MAX_DEPTH} levels")

    def problem(self, mark: Mark, rule: str, message: str, hint: str) -> None:
        self.problems.append(Problem(place_of(mark), rule, message, hint))

    def odd_key(self, event: Event, key: str, container: Mapping) -> None:
        """A key that stands there already, or that has an anchor or a tag."""
        if not isinstance(event, ScalarEvent):
            return
        self.decorated(event, key)
        if key in container:
            first = container.places[key][0].line + 1
            self.problem(
                event.start_mark,
                "yaml.duplicate-key",
                f"the key {shown(key)} stands here a second time; the first is on line {first}",
                "keep one of the two",
            )

    def no_text(self, event: Event, next_event: NextEvent) -> str:
        """A word for a key that is a mapping, a list or an alias, which is read to its end."""
        self.broken = True
        self.problem(event.start_mark, "yaml.key", "a key must be text", "use a plain word as the key")
        depth = int(not isinstance(event, AliasEvent))
        while depth:
            inner = next_event()
            depth += (type(inner) in _NEW) - (type(inner) in _ENDS)
            self.nodes += 1
            if depth > MAX_DEPTH or self.nodes > MAX_NODES:
                self.past_limit(inner.start_mark, f"{MAX_NODES:,} values or {MAX_DEPTH} levels")
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


_NEW: dict[type, Callable[[], Mapping | List]] = {MappingStartEvent: _mapping, SequenceStartEvent: _list}
