"""SOPS files in YAML: block style, indent 4, as the sops program writes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from reconciler.artifacts.text.events import FaultyYamlError, comment_line, parse_node
from reconciler.artifacts.text.metadata import as_map, document
from reconciler.artifacts.text.scalars import scalar
from reconciler.artifacts.tree import Document, Metadata, Node, Tree
from reconciler.errors import ArtifactTampered

_INDENT = 4
_ARMORED = re.compile(r"-----BEGIN AGE ENCRYPTED FILE-----\n([!-~][ -~]*\n)*")
"""An age file, which is written as a block."""
_key = lru_cache(maxsize=1024)(scalar)
"""Keys are the same few words in every file."""


def emit(tree: Tree, metadata: Metadata) -> bytes:
    """The text of a sealed file."""
    lines = [*_map(tree, ""), "sops:\n", *_map(as_map(metadata), " " * _INDENT)]
    return "".join(lines).encode()


def parse(data: bytes) -> Document:
    """A sealed file, taken apart. Raises ArtifactTampered."""
    try:
        tree = parse_node(data)
    except FaultyYamlError as fault:
        raise ArtifactTampered(f"the file cannot be read: {fault}", hint="restore it from git") from None
    if not isinstance(tree, dict):
        raise ArtifactTampered("the file is not a YAML map", hint="restore it from git")
    return document(tree, comment_line(data))


def _map(tree: Tree, pad: str) -> Iterator[str]:
    for key, value in tree.items():
        head = f"{pad}{_key(key)}:"
        if isinstance(value, dict | list) and value:
            yield head + "\n"
            yield from _below(value, pad + " " * _INDENT)
        else:
            yield f"{head} {_leaf(value, pad)}\n"


def _below(node: Tree | list[Node], pad: str) -> Iterator[str]:
    if isinstance(node, dict):
        yield from _map(node, pad)
    else:
        yield from _list(node, pad)


def _list(items: Iterable[Node], pad: str) -> Iterator[str]:
    for item in items:
        if isinstance(item, dict | list) and item:
            first, *rest = _below(item, pad + "  ")
            yield f"{pad}- {first[len(pad) + 2 :]}"
            yield from rest
        else:
            yield f"{pad}- {_leaf(item, pad)}\n"


def _leaf(value: Node, pad: str) -> str:
    if isinstance(value, str) and _ARMORED.fullmatch(value):
        # The program indents a block by the next multiple of four.
        inner = " " * ((len(pad) // _INDENT + 1) * _INDENT)
        return "|\n" + "\n".join(inner + line for line in value.splitlines())
    return scalar(value)
