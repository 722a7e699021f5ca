"""YAML text to plain trees, from the parser's events.

Built without recursion and without the library's constructors: the C composer overflows its stack
on deep nesting, and constructors resolve scalars by other rules than SOPS does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Protocol

from _ruamel_yaml import CParser
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from reconciler.artifacts.text.scalars import resolve
from reconciler.artifacts.tree import MAX_BYTES, MAX_DEPTH, Node, Tree
from reconciler.errors import ArtifactTampered

_BOM = "\ufeff"
_LINE = re.compile("[^\r\n\x85\u2028\u2029]*")
"""The rest of a line, as the parser counts lines."""
_ENDS = frozenset((MappingEndEvent, SequenceEndEvent))
_AROUND = frozenset((StreamStartEvent, DocumentStartEvent, DocumentEndEvent, StreamEndEvent))


class FaultyYamlError(Exception):
    """The text is not YAML that SOPS would write. The message says why; it holds no value."""


class _Mark(Protocol):
    index: int


class _Event(Protocol):
    """What is read of the parser's events; not every event has every part."""

    start_mark: _Mark
    end_mark: _Mark
    value: str
    style: str
    anchor: str | None
    ctag: object | None


def parse_node(data: bytes) -> Node:
    """What the one YAML document holds; None where there is none.

    Raises FaultyYamlError, for anchors, aliases and tags too.
    """
    try:
        return _tree(_events(data))
    except ArtifactTampered as fault:
        raise FaultyYamlError(fault.message) from None
    except YAMLError as fault:
        mark = getattr(fault, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise FaultyYamlError(f"it is not YAML{where}") from None


def _events(data: bytes) -> Iterator[_Event]:
    """What the parser says; it raises YAMLError on the way."""
    if len(data) > MAX_BYTES:
        raise FaultyYamlError(f"it is larger than {MAX_BYTES} bytes")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise FaultyYamlError("it is not UTF-8 text") from None
    # The parser itself: the library's YAML() looks for plug-ins on the disk before each text.
    return iter(CParser(text).get_event, None)


def _tree(events: Iterator[_Event]) -> Node:
    """The tree of the one document, with an explicit stack. This is the inner loop of every opening."""
    root: list[Node] = []
    node: Tree | list[Node] = root
    above: list[Tree | list[Node]] = []
    documents, key = 0, None
    for event in events:
        kind: type = type(event)
        if kind in _ENDS:
            node = above.pop()
        elif kind in _AROUND:
            documents += kind is DocumentStartEvent
            if documents > 1:
                raise FaultyYamlError("it has more than one document")
        elif key is None and isinstance(node, dict):
            key = _key(event, node)
        else:
            child = _scalar(event) if kind is ScalarEvent else _collection(event, len(above))
            if isinstance(node, list):
                node.append(child)
            elif key is not None:
                node[key], key = child, None
            if kind is not ScalarEvent and isinstance(child, dict | list):
                above.append(node)
                node = child
    return root[0] if root else None


def _key(event: _Event, tree: Tree) -> str:
    _check_plain(event)
    if not isinstance(event, ScalarEvent):
        raise FaultyYamlError("a key is not text")
    key = str(event.value)
    if key in tree:
        raise FaultyYamlError(f"the key {key!r} stands twice in one map")
    return key


def _scalar(event: _Event) -> Node:
    _check_plain(event)
    return event.value if event.style else resolve(event.value)


def _collection(event: _Event, levels: int) -> Node:
    """The map or list that an event opens, still empty."""
    _check_plain(event)
    if levels == MAX_DEPTH:
        raise FaultyYamlError(f"it nests deeper than {MAX_DEPTH} levels")
    return {} if isinstance(event, MappingStartEvent) else []


def _check_plain(event: _Event) -> None:
    """Raises FaultyYamlError for what SOPS never writes."""
    if event.anchor is not None:
        what = "an alias" if isinstance(event, AliasEvent) else "an anchor"
        raise FaultyYamlError(f"it has {what}, which SOPS never writes")
    if event.ctag is not None:
        raise FaultyYamlError("it has a tag, which SOPS never writes")


def comment_line(data: bytes) -> int | None:
    """The line of the first comment in YAML that `parse_node` took; None where there is none.

    The parser drops comments: a `#` in a gap between two scalars is the start of one.
    """
    if b"#" not in data:
        return None
    text = data.decode().removeprefix(_BOM)
    gap = 0
    for start, end in _texts(data, text):
        if text.find("#", gap, start) >= 0:
            break
        gap = end
    found = text.find("#", gap)
    return None if found < 0 else text.count("\n", 0, found) + 1


def _texts(data: bytes, text: str) -> Iterator[tuple[int, int]]:
    """Where the scalars of a text stand: in them, `#` is text."""
    for event in _events(data):
        if isinstance(event, ScalarEvent):
            start, end = event.start_mark.index, event.end_mark.index
            if event.style in {"|", ">"}:
                # A comment can follow the sign that opens a block; the text starts on the next line.
                start = _end_of_line(text, start)
            yield start, end


def _end_of_line(text: str, start: int) -> int:
    found = _LINE.match(text, start)
    return found.end() if found else start
