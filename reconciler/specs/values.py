"""Plain values that remember where they stood in the text.

A value is what `json` would give: bool, int, float, str, dict, list or None. Every dict and list
also holds the marks of its parts, so that a fault that is found later has a place.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeAlias

Value: TypeAlias = "bool | int | float | str | Mapping | List | None"
Path: TypeAlias = tuple[str | int, ...]


class Mark(Protocol):
    """A place in the text, counted from 0."""

    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...


class Mapping(dict[str, Value]):
    """A mapping, and the marks of each key and of its value."""

    __slots__ = ("places",)
    places: dict[str, tuple[Mark, Mark]]


class List(list[Value]):
    """A list, and the mark of each item."""

    __slots__ = ("places",)
    places: list[Mark]


class Place(NamedTuple):
    """Line and column, counted from 1."""

    line: int
    column: int


class Problem(NamedTuple):
    """Something wrong with the text itself."""

    place: Place
    rule: str
    message: str
    hint: str


@dataclass(slots=True)
class Document:
    """One document of a file."""

    value: Value
    """None for a document that is empty, or that has problems which leave it without a meaning."""
    start: Place
    problems: list[Problem] = field(default_factory=list)

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Where the value at a path stands, or its key; the nearest parent where there is none."""
        node: Value = self.value
        found = self.start
        for depth, step in enumerate(path, 1):
            mark, node = _step(node, step, key=key and depth == len(path))
            if mark is None:
                break
            found = place_of(mark)
        return found

    def at(self, path: Path) -> Value:
        """The value at a path, or None."""
        node: Value = self.value
        for step in path:
            _, node = _step(node, step, key=False)
        return node


def _step(node: Value, step: str | int, *, key: bool) -> tuple[Mark | None, Value]:
    if isinstance(node, Mapping) and isinstance(step, str) and step in node:
        key_mark, mark = node.places[step]
        return (key_mark if key else mark), node[step]
    if isinstance(node, List) and isinstance(step, int) and step < len(node):
        return node.places[step], node[step]
    return None, None


def place_of(mark: Mark) -> Place:
    """A mark, counted from 1."""
    return Place(mark.line + 1, mark.column + 1)
