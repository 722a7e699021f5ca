"""SOPS files in JSON: tabs and a final newline, as the sops program writes them."""

from __future__ import annotations

import json
from typing import NoReturn

from reconciler.artifacts.text.metadata import as_map, document
from reconciler.artifacts.tree import Document, Metadata, Node, Tree, bounded
from reconciler.errors import ArtifactTampered


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
    return tree


def _load(data: bytes) -> Node:
    try:
        node: Node = json.loads(data, object_pairs_hook=_once, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return node


def _once(pairs: list[tuple[str, Node]]) -> Tree:
    tree = dict(pairs)
    if len(tree) != len(pairs):
        raise ArtifactTampered("the file has the same key twice", hint="restore it from git")
    return tree


def _refuse(text: str) -> NoReturn:
    raise ValueError(text)
