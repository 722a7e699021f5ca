"""The `sops` part of a file: from its map, and to it, in the key order of the sops program."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.artifacts.tree import (
    DEFAULT_SELECTION,
    RULE_NAMES,
    Document,
    Metadata,
    Node,
    Selection,
    Stanza,
    Tree,
)
from reconciler.errors import ArtifactTampered

_OTHERS = {
    "pgp": ("fp",),
    "kms": ("arn",),
    "gcp_kms": ("resource_id",),
    "azure_kv": ("vault_url", "name", "version"),
    "hc_vault": ("vault_address", "engine_path", "key_name"),
    "hckms": ("key_id",),
}
"""Recipient list → the fields that name one recipient."""


def as_map(metadata: Metadata) -> Tree:
    """The metadata of a file that we seal, as the map that stands under `sops`."""
    ages: list[Node] = [{"recipient": one.recipient, "enc": one.enc} for one in metadata.age]
    entries: Tree = {
        "age": ages,
        "lastmodified": metadata.lastmodified,
        "mac": metadata.mac,
        metadata.selection.name: metadata.selection.pattern,
        "version": metadata.version,
    }
    if metadata.mac_only_encrypted:
        entries["mac_only_encrypted"] = True
    return dict(sorted(entries.items()))


def document(tree: Tree) -> Document:
    """A parsed file, split into its tree and its metadata. Raises ArtifactTampered."""
    entries = tree.pop("sops", None)
    if not isinstance(entries, dict):
        raise ArtifactTampered("the file is not sealed: it has no sops metadata", hint="restore it from git")
    return Document(tree, from_map(entries))


def from_map(entries: Tree) -> Metadata:
    """The metadata that a map under `sops` says. Raises ArtifactTampered."""
    groups = _maps(entries.get("key_groups"))
    return Metadata(
        age=tuple(Stanza(_text(one, "recipient"), _text(one, "enc")) for one in _maps(entries.get("age"))),
        lastmodified=_text(entries, "lastmodified"),
        mac=_text(entries, "mac") if "mac" in entries else "",
        selection=_selection(entries),
        mac_only_encrypted=entries.get("mac_only_encrypted") in (True, "true"),
        version=_text(entries, "version") if "version" in entries else "",
        others=(*_names(entries), *(name for group in groups for name in _group(group))),
        grouped=bool(groups),
    )


def _selection(entries: Tree) -> Selection:
    given = [Selection(name, _text(entries, name)) for name in RULE_NAMES if name in entries]
    if len(given) > 1:
        raise ArtifactTampered("the metadata has more than one selection rule", hint="restore it from git")
    return given[0] if given else DEFAULT_SELECTION


def _group(group: Tree) -> Iterator[str]:
    yield from (_text(one, "recipient") for one in _maps(group.get("age")))
    yield from _names(group)


def _names(entries: Tree) -> Iterator[str]:
    for name, fields in _OTHERS.items():
        for one in _maps(entries.get(name)):
            yield f"{name} " + "/".join(_text(one, field) for field in fields)


def _maps(node: Node) -> list[Tree]:
    if node is None:
        return []
    if not isinstance(node, list):
        raise ArtifactTampered(
            "the sops metadata is damaged: a list was expected", hint="restore it from git"
        )
    return [one for one in node if isinstance(one, dict)]


def _text(entries: Tree, key: str) -> str:
    value = entries.get(key)
    if not isinstance(value, str):
        raise ArtifactTampered(
            f"the sops metadata is damaged: {key} is missing or not text", hint="restore it from git"
        )
    return value
