"""SOPS files in dotenv: flat, every value is text, metadata in flattened `sops_` keys."""

from __future__ import annotations

from reconciler.artifacts.text.metadata import as_map, document
from reconciler.artifacts.tree import Document, Metadata, Node, Tree
from reconciler.errors import ArtifactTampered

_PREFIX = "sops_"


def emit(tree: Tree, metadata: Metadata) -> bytes:
    """The text of a sealed file."""
    flat = _flatten(as_map(metadata), _PREFIX)
    lines = [f"{key}={_escape(value)}\n" for key, value in (*tree.items(), *sorted(flat.items()))]
    return "".join(lines).encode()


def _escape(value: Node) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text.replace("\n", "\\n")


def _flatten(node: Node, prefix: str) -> dict[str, Node]:
    flat: dict[str, Node] = {}
    if isinstance(node, dict):
        joint = "" if prefix == _PREFIX else "__map_"
        for key, value in node.items():
            flat |= _flatten(value, f"{prefix}{joint}{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            flat |= _flatten(value, f"{prefix}__list_{index}")
    else:
        flat[prefix] = node
    return flat


def parse(data: bytes) -> Document:
    """A sealed file, taken apart. Raises ArtifactTampered."""
    values: Tree = {}
    flat: dict[str, str] = {}
    lines = _lines(data)
    for key, value in _pairs(lines):
        place = flat if key.startswith(_PREFIX) else values
        if key in place:
            raise ArtifactTampered(f"the key {key} stands in the file twice", hint="restore it from git")
        place[key] = value
    if flat:
        values["sops"] = _unflatten(flat)
    comment = next((number for number, line in enumerate(lines, 1) if line.startswith("#")), None)
    return document(values, comment)


def _lines(data: bytes) -> list[str]:
    try:
        return data.decode().split("\n")
    except UnicodeDecodeError:
        raise ArtifactTampered("the file is not UTF-8 text", hint="restore it from git") from None


def _pairs(lines: list[str]) -> list[tuple[str, str]]:
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    if not all(equals for _, equals, _ in pairs):
        raise ArtifactTampered("a line of the file is not KEY=value", hint="restore it from git")
    return [(key, value.replace("\\n", "\n")) for key, _, value in pairs]


def _unflatten(flat: dict[str, str]) -> Tree:
    """`age__list_0__map_enc` back to `age: [{enc: …}]`. Gaps in a list close up."""
    root: Tree = {}
    for key, value in flat.items():
        node = root
        *path, last = key.removeprefix(_PREFIX).replace("__map_", "__").split("__")
        for step in path:
            child = node.setdefault(step, {})
            if not isinstance(child, dict):
                raise ArtifactTampered("the sops metadata is damaged", hint="restore it from git")
            node = child
        node[last] = value
    return {key: _listed(node) for key, node in root.items()}


def _listed(node: Node) -> Node:
    if not isinstance(node, dict):
        return node
    if not all(key.startswith("list_") for key in node):
        return {key: _listed(value) for key, value in node.items()}
    ordered = sorted(node.items(), key=lambda item: (len(item[0]), item[0]))
    return [_listed(value) for _, value in ordered]
