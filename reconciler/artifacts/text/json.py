"""SOPS files in JSON: tabs and a final newline, as the sops program writes them."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import NoReturn

from reconciler.artifacts.text.metadata import as_map, document
from reconciler.artifacts.tree import Document, Metadata, Node, Tree, bounded
from reconciler.errors import ArtifactTampered

_ESCAPED = re.compile(rb"\\u[dD][89a-fA-F]")
"""Half of a surrogate pair, or one of both halves."""


def emit(tree: Tree, metadata: Metadata) -> bytes:
    """The text of a sealed file."""
    whole: Tree = {**tree, "sops": as_map(metadata)}
    return (json.dumps(whole, indent="\t", ensure_ascii=False) + "\n").encode()


def parse(data: bytes) -> Document:
    """A sealed file, taken apart. Raises ArtifactTampered."""
    return document(parse_tree(data))


def parse_tree(data: bytes) -> Tree:
    """The map that a JSON text holds. Raises ArtifactTampered; the error carries none of the text."""
    tree = _load(data)
    if not isinstance(tree, dict):
        raise ArtifactTampered("the file is not a JSON map", hint="restore it from git")
    bounded(tree)
    _check_text(data, tree)
    return tree


def _check_text(data: bytes, tree: Tree) -> None:
    """Raises ArtifactTampered for half of a surrogate pair, which JSON can escape and UTF-8 not carry."""
    if not _ESCAPED.search(data):
        return
    with suppress(UnicodeEncodeError):
        json.dumps(tree, ensure_ascii=False).encode()
        return
    raise ArtifactTampered("the file has text that is not valid Unicode", hint="restore it from git")


def _load(data: bytes) -> Node:
    try:
        node: Node = json.loads(data, object_pairs_hook=_once, parse_constant=_refuse, parse_int=_number)
    except (ValueError, RecursionError):
        return None
    return node


def _once(pairs: list[tuple[str, Node]]) -> Tree:
    tree: Tree = {}
    for key, value in pairs:
        if key in tree:
            raise ArtifactTampered(f"the file has the same key twice: {key!r}", hint="restore it from git")
        tree[key] = value
    return tree


def _number(text: str) -> float:
    """SOPS reads every number as a float, and hashes a zero with its sign."""
    return -0.0 if text == "-0" else int(text)


def _refuse(text: str) -> NoReturn:
    raise ValueError(text)
