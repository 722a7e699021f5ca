"""YAML text to plain trees, from the parser's events.

Built without recursion and without the library's constructors: the C composer overflows its stack
on deep nesting, and constructors resolve scalars by other rules than SOPS does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    ScalarEvent,
    SequenceStartEvent,
)

from reconciler.artifacts.text.scalars import resolve
from reconciler.artifacts.tree import MAX_DEPTH, Node, Tree
from reconciler.errors import ArtifactTampered

MAX_BYTES = 5 * 1024 * 1024
"""As large as a file may be: more than any SOPS consumer takes."""
_BOM = "\ufeff"
_LINE = re.compile("[^\r\n\x85\u2028\u2029]*")
"""The rest of a line, as the parser counts lines."""


class FaultyYamlError(Exception):
    """The text is not YAML that SOPS would write. The message says why; it holds no value."""


class _Frame:
    """A map or list that is still open."""

    __slots__ = ("anchor", "items", "key", "merged", "tree")

    def __init__(self, anchor: str | None, *, is_map: bool) -> None:
        self.anchor = anchor
        self.tree: Tree | None = {} if is_map else None
        self.items: list[Node] = []
        self.key: str | None = None
        self.merged: Tree = {}

    def close(self) -> Node:
        if self.tree is None:
            return self.items
        for key, value in self.merged.items():
            self.tree.setdefault(key, value)
        return self.tree


class _Builder:
    """Takes events, gives the tree of the first document."""

    def __init__(self, *, aliases: bool) -> None:
        self.aliases = aliases
        self.anchors: dict[str, Node] = {}
        self.open: list[_Frame] = []
        self.root: Node = None
        self.documents = 0

    def take(self, event: Event) -> None:
        if isinstance(event, MappingStartEvent | SequenceStartEvent):
            self.start(event)
        elif isinstance(event, CollectionEndEvent):
            frame = self.open.pop()
            self.add(frame.close(), frame.anchor)
        elif isinstance(event, ScalarEvent):
            self.add(self.scalar(event), event.anchor)
        elif isinstance(event, AliasEvent):
            self.add(self.alias(event), None)
        elif isinstance(event, DocumentStartEvent):
            self.documents += 1

    def start(self, event: MappingStartEvent | SequenceStartEvent) -> None:
        if len(self.open) == MAX_DEPTH:
            raise FaultyYamlError(f"it nests deeper than {MAX_DEPTH} levels")
        self.plainly(event)
        self.open.append(_Frame(event.anchor, is_map=isinstance(event, MappingStartEvent)))

    def plainly(self, event: MappingStartEvent | SequenceStartEvent | ScalarEvent) -> None:
        if self.aliases:
            return
        if event.anchor is not None:
            raise FaultyYamlError("it has an anchor, which SOPS never writes")
        if event.tag is not None:
            raise FaultyYamlError("it has a tag, which SOPS never writes")

    def scalar(self, event: ScalarEvent) -> Node:
        self.plainly(event)
        if event.tag is not None and event.tag != "tag:yaml.org,2002:str":
            raise FaultyYamlError("it has a tag, which SOPS never writes")
        in_map = bool(self.open) and self.open[-1].tree is not None and self.open[-1].key is None
        if in_map or event.style or event.tag:
            return str(event.value)
        return resolve(event.value)

    def alias(self, event: AliasEvent) -> Node:
        name = event.anchor
        if not self.aliases or name not in self.anchors:
            raise FaultyYamlError("it has an alias to nothing" if self.aliases else "it has an alias")
        return self.anchors[name]

    def add(self, node: Node, anchor: str | None) -> None:
        if anchor is not None:
            self.anchors[anchor] = node
        if not self.open:
            self.root = node if self.documents == 1 else self.root
        elif (tree := self.open[-1].tree) is None:
            self.open[-1].items.append(node)
        elif (key := self.open[-1].key) is None:
            self.open[-1].key = self.key(node, tree)
        else:
            self.open[-1].key = None
            if key == "<<" and self.aliases:
                self.merge(node, self.open[-1].merged)
            else:
                tree[key] = node

    def merge(self, node: Node, merged: Tree) -> None:
        for one in node if isinstance(node, list) else [node]:
            for name, value in one.items() if isinstance(one, dict) else ():
                merged.setdefault(name, value)

    def key(self, node: Node, tree: Tree) -> str:
        if not isinstance(node, str):
            raise FaultyYamlError("a key is not text")
        if node in tree:
            raise FaultyYamlError(f"the key {node!r} stands twice in one map")
        return node


def parse_node(data: bytes, *, aliases: bool = False) -> Node:
    """What the first YAML document holds; anchors, aliases and `<<` only where `aliases` says so.

    Raises FaultyYamlError.
    """
    builder = _Builder(aliases=aliases)
    try:
        for event in _events(data):
            builder.take(event)
    except ArtifactTampered as fault:
        raise FaultyYamlError(fault.message) from None
    if builder.documents > 1 and not aliases:
        raise FaultyYamlError("it has more than one document")
    return builder.root


def _events(data: bytes) -> Iterator[Event]:
    if len(data) > MAX_BYTES:
        raise FaultyYamlError(f"it is larger than {MAX_BYTES} bytes")
    try:
        yield from YAML(typ="safe").parse(data.decode())
    except UnicodeDecodeError:
        raise FaultyYamlError("it is not UTF-8 text") from None
    except YAMLError as fault:
        mark = getattr(fault, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise FaultyYamlError(f"it is not YAML{where}") from None


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
