"""YAML text to plain values that remember where they stood.

YAML 1.2 core types, from the events of ruamel.yaml's C parser. Tags, recursion, duplicate keys and
anything that grows beyond its limits are faults. There is no recursion here, so no input is too deep.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from _ruamel_yaml import CParser
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceStartEvent,
)

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
UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Value: TypeAlias = "bool | int | float | str | Mapping | List | None"
Path: TypeAlias = tuple[str | int, ...]


class Mark(Protocol):
    """A place in the text, counted from 0."""

    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...


class Mapping(dict[str, Value]):
    """A mapping; `places` has the marks of each key and of its value."""

    __slots__ = ("places",)

    def __init__(self) -> None:
        self.places: dict[str, tuple[Mark, Mark]] = {}

    def put(self, key: str, value: Value, key_mark: Mark, mark: Mark) -> None:
        self[key] = value
        self.places[key] = (key_mark, mark)


class List(list[Value]):
    """A list; `places` has the mark of each item."""

    __slots__ = ("places",)

    def __init__(self) -> None:
        self.places: list[Mark] = []

    def put(self, _: str, value: Value, __: Mark, mark: Mark) -> None:
        self.append(value)
        self.places.append(mark)


class _Event(Protocol):
    """What is read of an event; not every event has every part."""

    start_mark: Mark
    value: str
    style: str
    anchor: str | None
    ctag: object | None


@dataclass(frozen=True, slots=True)
class _Nowhere:
    line: int = 0
    column: int = 0


_NOWHERE: Mark = _Nowhere()


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column, counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with the text itself."""

    place: Place
    rule: str
    message: str
    hint: str


@dataclass(slots=True)
class Document:
    """One document of a file."""

    value: Value
    start: Place
    end_line: int = 0
    """The last line of it, counted from 1."""
    problems: list[Problem] = field(default_factory=list)

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Where the value at a path stands, or its key; the nearest parent where there is none."""
        node: Value = self.value
        found = self.start
        for step in path:
            mark, node = _step(node, step, key=key and step == path[-1])
            if mark is None:
                break
            found = Place(mark.line + 1, mark.column + 1)
        return found

    def at(self, path: Path) -> Value:
        """The value at a path, or None."""
        node: Value = self.value
        for step in path:
            _, node = _step(node, step, key=False)
        return node


def _step(node: Value, step: str | int, *, key: bool) -> tuple[Mark | None, Value]:
    if isinstance(node, Mapping) and isinstance(step, str) and step in node:
        marks = node.places[step]
        return (marks[0] if key else marks[1]), node[step]
    if isinstance(node, List) and isinstance(step, int) and step < len(node):
        return node.places[step], node[step]
    return None, None


class _PastLimitError(Exception):
    """The document goes past a limit; reading stops there, before it costs more."""


def read(text: str) -> tuple[list[Document], list[Problem]]:
    """Every document of a file, and what is wrong with the text.

    After a syntax error, or a document that is too large, the documents before it are still returned.
    """
    documents: list[Document] = []
    parser = CParser(text)
    composer = _Composer(Place(1, 1))
    try:
        while (event := parser.get_event()) is not None:
            if type(event) is DocumentStartEvent:
                composer = _Composer(_place(event.start_mark))
                composer.compose(parser.get_event)
                documents.append(composer.document)
    except _PastLimitError:
        return documents, composer.document.problems
    except MarkedYAMLError as error:
        return documents, [_syntax(error)]
    except YAMLError:
        return documents, [_unprintable(text)]
    return documents, []


_ITEM = "an item"
"""Stands where a key would stand while a list is being filled."""

_STARTS: dict[type, tuple[type[Mapping | List], str | None]] = {
    MappingStartEvent: (Mapping, None),
    SequenceStartEvent: (List, _ITEM),
}


class _Composer:
    """Builds one document out of events, with an explicit stack.

    `compose` is the inner loop of every run: what is common is written out in it, and what is rare
    is in the methods behind it.
    """

    def __init__(self, start: Place) -> None:
        self.document = Document(None, start)
        self.anchors: dict[str, tuple[Value, int]] = {}
        self.open_anchors: list[tuple[int, str, int]] = []
        self.nodes = 0

    def compose(self, get_event: Callable[[], _Event]) -> None:
        root: Mapping | List = List()
        container, key, key_mark = root, _ITEM, _NOWHERE
        stack: list[tuple[Mapping | List, str | None]] = []
        while (kind := type(event := get_event())) is not DocumentEndEvent:
            value: Value
            if kind is ScalarEvent:
                value = event.value
                if key is None:
                    key, key_mark = event.value, event.start_mark
                    if key in container or event.ctag is not None:
                        self.odd_key(event, container)
                    continue
                if event.style == "" and event.value[:1] in NOT_TEXT:
                    value = self.plain(event.value, event.start_mark)
            elif kind in _STARTS:
                value = _STARTS[kind][0]()
            elif kind is AliasEvent:
                value = self.alias(event)
            else:
                self.close(container, len(stack))
                container, key = stack.pop()
                continue
            if key is None:
                self.problem(
                    event.start_mark, "yaml.key", "a key must be text", "use a plain word as the key"
                )
            else:
                container.put(key, value, key_mark, event.start_mark)
            self.nodes += 1
            key = None if type(container) is Mapping else _ITEM
            if event.anchor is not None or getattr(event, "ctag", None) is not None:
                self.decorated(event, value, len(stack))
            if kind in _STARTS:
                stack.append((container, key))
                container, key = value, _STARTS[kind][1]
                self.limit(event.start_mark, len(stack))
        self.end(root, event.start_mark)

    def end(self, root: Mapping | List, mark: Mark) -> None:
        self.limit(mark, 0)
        self.document.end_line = mark.line + 1
        if isinstance(root, List) and root:
            self.document.value, self.document.start = root[0], _place(root.places[0])

    def problem(self, mark: Mark, rule: str, message: str, hint: str) -> None:
        self.document.problems.append(Problem(_place(mark), rule, message, hint))

    def odd_key(self, event: _Event, container: Mapping | List) -> None:
        if event.ctag is not None:
            self.tag(event)
        if isinstance(container, Mapping) and event.value in container:
            self.problem(
                event.start_mark,
                "yaml.duplicate-key",
                f'the key "{event.value[:60]}" stands here a second time; the first is on line'
                f" {container.places[event.value][0].line + 1}",
                "keep one of the two",
            )

    def plain(self, text: str, mark: Mark) -> Value:
        """A plain scalar by the core schema of YAML 1.2 (§10.3.2). Not-a-number and infinity are text."""
        if text in WORDS:
            return WORDS[text]
        number = INTEGER.fullmatch(text) or BASED.fullmatch(text) or FLOAT.fullmatch(text)
        if number is None:
            return text
        if len(text) > MAX_DIGITS:
            self.problem(
                mark, "yaml.number", "this number has too many digits", "put it in quotes if it is text"
            )
            return 0
        if number.re is FLOAT:
            return float(text)
        return int(text, 0 if number.re is BASED else 10)

    def tag(self, event: _Event) -> None:
        self.problem(
            event.start_mark,
            "yaml.tag",
            "specs use no tags",
            "write the value without the word that starts with !",
        )

    def decorated(self, event: _Event, value: Value, depth: int) -> None:
        """A value with an anchor or a tag, or an alias."""
        if type(event) is AliasEvent:
            return
        if event.ctag is not None:
            self.tag(event)
        if event.anchor is None:
            return
        if isinstance(value, (Mapping, List)):
            self.anchors.pop(event.anchor, None)
            self.open_anchors.append((depth + 1, event.anchor, self.nodes))
        else:
            self.anchors[event.anchor] = (value, 1)

    def close(self, container: Mapping | List, depth: int) -> None:
        if self.open_anchors and self.open_anchors[-1][0] == depth:
            _, name, first = self.open_anchors.pop()
            self.anchors[name] = (container, self.nodes - first + 1)

    def alias(self, event: _Event) -> Value:
        name, mark = event.anchor, event.start_mark
        if name in self.anchors:
            value, size = self.anchors[name]
            self.nodes += size
            self.limit(mark, 0)
            return value
        inside = any(name == anchor for _, anchor, _ in self.open_anchors)
        what = "stands inside itself" if inside else "was not set before"
        self.problem(mark, "yaml.alias", f"*{name[:60]} {what}", "write the value out")
        return None

    def limit(self, mark: Mark, depth: int) -> None:
        """Raises _PastLimitError, with the problem noted, when the document is too deep or too large."""
        if depth <= MAX_DEPTH and self.nodes <= MAX_NODES:
            return
        what = f"more than {MAX_NODES:,} values" if depth <= MAX_DEPTH else f"more than {MAX_DEPTH} levels"
        self.problem(mark, "yaml.size", f"this document has {what}", "split it into several documents")
        raise _PastLimitError


def _place(mark: Mark) -> Place:
    return Place(mark.line + 1, mark.column + 1)


def _syntax(error: MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    place = Place(mark.line + 1, mark.column + 1) if mark is not None else Place(1, 1)
    words: Sequence[str] = [part for part in (error.problem, error.context) if part]
    return Problem(
        place,
        "yaml.syntax",
        ", ".join(words) or "this is not YAML",
        "mind the indentation, colons and quotes",
    )


def _unprintable(text: str) -> Problem:
    found = UNPRINTABLE.search(text)
    start = found.start() if found else 0
    line = text.count("\n", 0, start) + 1
    column = start - (text.rfind("\n", 0, start) + 1) + 1
    return Problem(
        Place(line, column),
        "yaml.character",
        "a control character stands here",
        "save the file as plain UTF-8 text",
    )
