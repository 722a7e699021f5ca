"""YAML as a Go program reads it into typed fields, for configs that such a program reads too.

There the field decides what a scalar is: `aws_profile: 012` is text, `shamir_threshold: 012` is ten,
and a `null` leaves its field, or its place in a list, out. So scalars keep their text here until a
`Shape` takes them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from reconciler.artifacts.text.events import FaultyYamlError
from reconciler.artifacts.tree import MAX_DEPTH, Leaf, Node, Tree

Shape: TypeAlias = Callable[[Node, str], Node]
"""What a field takes: a node and how the field is called → the value. Raises FaultyYamlError."""


class Plain(str):
    """A scalar that stands without quotes: what it is depends on its field."""

    __slots__ = ()


_PLAIN_TAGS = tuple(f"tag:yaml.org,2002:{name}" for name in ("bool", "int", "float", "null"))
_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLEAN = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_SWITCH = {
    word: value
    for value, words in ((True, ("y", "yes", "on")), (False, ("n", "no", "off")))
    for lower in words
    for word in (lower, lower.capitalize(), lower.upper())
}
"""Words that are a boolean where one is asked for, and text elsewhere."""
_INTEGER = re.compile(
    r"(?P<sign>[-+]?)(0[xX](?P<hex>[0-9a-fA-F]+)|0[bB](?P<bin>[01]+)|0[oO]?(?P<oct>[0-7]+)|(?P<dec>0|[1-9][0-9]*))"
)
_BASES = {"hex": 16, "bin": 2, "oct": 8, "dec": 10}
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
MAX_NODES = 100_000
"""As many values as a config may hold."""
SLOW_LENGTH = 1 << 16
"""Characters that are given to the slow parser: a second's work."""
_DIGITS = 400
"""As long as a number may be: longer ones only cost time."""


def parse(data: bytes) -> Node:
    """What the first document holds, None where there is none. Raises FaultyYamlError."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise FaultyYamlError("it is not UTF-8 text") from None
    try:
        return _first(text, pure=False)
    except YAMLError as fault:
        # The fast parser takes no address in a map in braces: `{hc_vault_transit_uri: https://…}`.
        if len(text) > SLOW_LENGTH:
            raise _faulty(fault) from None
    try:
        return _first(text, pure=True)
    except YAMLError as fault:
        raise _faulty(fault) from None


def _first(text: str, *, pure: bool) -> Node:
    """Raises YAMLError for what is none, and FaultyYamlError for what a config does not hold."""
    events = YAML(typ="safe", pure=pure).parse(text)
    for event in events:
        if isinstance(event, DocumentStartEvent):
            return _Reader(events).node(next(events), MAX_DEPTH)
    return None


def _faulty(fault: YAMLError) -> FaultyYamlError:
    mark = getattr(fault, "problem_mark", None)
    return FaultyYamlError(f"it is not YAML{f' at line {mark.line + 1}' if mark else ''}")


class _Reader:
    """Takes the events of one document, gives its tree."""

    def __init__(self, events: Iterator[Event]) -> None:
        self._events = events
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._size = 0

    def node(self, event: Event, levels: int) -> Node:
        if levels == 0:
            raise FaultyYamlError(f"it nests deeper than {MAX_DEPTH} levels")
        if isinstance(event, AliasEvent):
            return self._alias(event.anchor)
        before = self._size
        self._grow(1)
        node: Node = None
        if isinstance(event, ScalarEvent):
            node = _scalar(event)
        elif isinstance(event, SequenceStartEvent):
            node = self._list(levels - 1)
        elif isinstance(event, MappingStartEvent):
            node = self._map(levels - 1)
        if isinstance(event, NodeEvent) and event.anchor is not None:
            self._anchors[event.anchor] = node, self._size - before
        return node

    def _grow(self, size: int) -> None:
        """Counts what an alias stands for: a few lines of them can stand for more than fits in memory."""
        self._size += size
        if self._size > MAX_NODES:
            raise FaultyYamlError(f"it holds more than {MAX_NODES} values, counting what its aliases repeat")

    def _alias(self, name: str | None) -> Node:
        if name not in self._anchors:
            raise FaultyYamlError("it has an alias to nothing")
        node, size = self._anchors[name]
        self._grow(size)
        return node

    def _list(self, levels: int) -> Node:
        items: list[Node] = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            items.append(self.node(event, levels))
        return items

    def _map(self, levels: int) -> Node:
        tree: Tree = {}
        merged: Tree = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            key = self.node(event, levels)
            value = self.node(next(self._events), levels)
            if not isinstance(key, str):
                raise FaultyYamlError("a key is not text")
            if isinstance(key, Plain) and key == "<<":
                _merge(value, merged)
            elif key in tree:
                raise FaultyYamlError(f"the key {str(key)!r} stands twice in one map")
            else:
                tree[str(key)] = value
        return {**merged, **tree}


def _scalar(event: ScalarEvent) -> str:
    if event.tag in _PLAIN_TAGS:
        return Plain(event.value)
    if event.tag not in (None, "tag:yaml.org,2002:str"):
        raise FaultyYamlError(f"it has the tag {event.tag}, which is not understood here")
    return str(event.value) if event.style or event.tag else Plain(event.value)


def _merge(node: Node, merged: Tree) -> None:
    """Takes over what `<<` names: of several maps, the earlier wins."""
    for one in node if isinstance(node, list) else [node]:
        if not isinstance(one, dict):
            raise FaultyYamlError("what << merges is not a map")
        for name, value in one.items():
            merged.setdefault(name, value)


def anything(node: Node, where: str) -> Node:
    """A field that takes what comes: here a scalar without quotes decides for itself."""
    if isinstance(node, Plain):
        return _resolved(node)
    if isinstance(node, list):
        return [anything(one, where) for one in node]
    if isinstance(node, dict):
        return {key: anything(value, where) for key, value in node.items()}
    return node


def _resolved(plain: Plain) -> Leaf:
    if plain in _NULL:
        return None
    if plain in _BOOLEAN:
        return _BOOLEAN[plain]
    number = _number(plain)
    return str(plain) if number is None else number


def _number(plain: Plain) -> int | float | None:
    text = plain.replace("_", "") if plain[:1] in "+-.0123456789" else ""
    if len(text) > _DIGITS:
        return None
    if found := _INTEGER.fullmatch(text):
        base = next(name for name in _BASES if found[name] is not None)
        return int(found["sign"] + found[base], _BASES[base])
    return float(text) if _FLOAT.fullmatch(text) else None


def text(node: Node, where: str) -> Node:
    """A field for text. Any scalar is some; null leaves the field out."""
    if isinstance(node, Plain) and node in _NULL:
        return None
    if isinstance(node, str):
        return str(node)
    raise FaultyYamlError(f"{where} is not text")


def integer(node: Node, where: str) -> Node:
    """A field for a whole number. A fraction is cut off."""
    value = anything(node, where)
    if value is None or isinstance(value, bool | int | float):
        if isinstance(value, float) and abs(value) < 1 << 62:
            return int(value)
        if not isinstance(value, bool | float):
            return value
    raise FaultyYamlError(f"{where} is not a whole number")


def boolean(node: Node, where: str) -> Node:
    """A field for true or false."""
    value = anything(node, where)
    if isinstance(value, str) and value in _SWITCH:
        return _SWITCH[value]
    if value is None or isinstance(value, bool):
        return value
    raise FaultyYamlError(f"{where} is not true or false")


def listed(shape: Shape) -> Shape:
    """A field for a list. Null stands for none, and is left out of a list that does not take it."""

    def read(node: Node, where: str) -> Node:
        if isinstance(node, Plain) and node in _NULL:
            return None
        if not isinstance(node, list):
            raise FaultyYamlError(f"{where} is not a list")
        items = (shape(one, f"{where}[{index}]") for index, one in enumerate(node))
        return [one for one in items if one is not None]

    return read


def fields(shapes: dict[str, Shape]) -> Shape:
    """A field for a map with known keys. Keys that are not known are kept as they come."""

    def read(node: Node, where: str) -> Node:
        if isinstance(node, Plain) and node in _NULL:
            return None
        if not isinstance(node, dict):
            raise FaultyYamlError(f"{where or 'the file'} is not a map")
        prefix = f"{where}." if where else ""
        found = {key: shapes.get(key, anything)(value, prefix + key) for key, value in node.items()}
        return {key: value for key, value in found.items() if value is not None}

    return read


def texts(node: Node, where: str) -> Node:
    """A field for a map from text to text."""
    value = fields({})(node, where)
    if value is None or not isinstance(node, dict):
        return None
    return {key: text(one, f"{where}.{key}") for key, one in node.items()}
