"""The `sops` part of a file: from its map, and to it, in the key order of the sops program."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from reconciler.artifacts.names import TYPES, named
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
from reconciler.errors import ArtifactTampered, SealFailed

_COUNT = re.compile(r"(?P<whole>[0-9]{1,3})(\.0)?")
"""JSON has no whole numbers of its own."""


def as_map(metadata: Metadata) -> Tree:
    """The metadata of a file that we seal, as the map that stands under `sops`.

    Raises SealFailed for recipients that are not age in one group: what the data key is for them was
    not kept, and a file without them would shut them out.
    """
    if metadata.others or metadata.split:
        raise SealFailed(
            f"a file for {', '.join((*metadata.others, *itertools.chain(*metadata.split)))} cannot be "
            "written without the sops program",
            hint="install the sops program, or use age recipients alone, in one group",
        )
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


def document(tree: Tree, comment: int | None = None) -> Document:
    """A parsed file, split into its tree and its metadata. Raises ArtifactTampered."""
    entries = tree.pop("sops", None)
    if not isinstance(entries, dict):
        raise ArtifactTampered("the file is not sealed: it has no sops metadata", hint="restore it from git")
    return Document(tree, from_map(entries), comment)


def from_map(entries: Tree) -> Metadata:
    """The metadata that a map under `sops` says. Raises ArtifactTampered."""
    groups = tuple(_group(group) for group in _maps(entries.get("key_groups")))
    return Metadata(
        age=tuple(Stanza(_text(one, "recipient"), _text(one, "enc")) for one in _maps(entries.get("age"))),
        lastmodified=_text(entries, "lastmodified"),
        mac=_text(entries, "mac") if "mac" in entries else "",
        selection=_selection(entries),
        mac_only_encrypted=entries.get("mac_only_encrypted") in (True, "true"),
        version=_text(entries, "version") if "version" in entries else "",
        others=tuple(_others(entries)),
        split=groups,
        # SOPS takes a threshold that is not there for one that asks for every group.
        threshold=(_threshold(entries.get("shamir_threshold")) or len(groups)) if groups else 0,
    )


def _threshold(node: Node) -> int:
    """A number, which is text in dotenv files, and 0 where there is none."""
    found = _COUNT.fullmatch("0" if node is None else str(node))
    if found is None:
        raise ArtifactTampered(
            "the sops metadata is damaged: shamir_threshold is not a number", hint="restore it from git"
        )
    return int(found["whole"])


def _selection(entries: Tree) -> Selection:
    given = [Selection(name, _text(entries, name)) for name in RULE_NAMES if name in entries]
    if len(given) > 1:
        raise ArtifactTampered("the metadata has more than one selection rule", hint="restore it from git")
    return given[0] if given else DEFAULT_SELECTION


def _group(group: Tree) -> tuple[str, ...]:
    return (*(_text(one, "recipient") for one in _maps(group.get("age"))), *_others(group))


def _others(entries: Tree) -> Iterator[str]:
    for kind, fields in TYPES.items():
        for one in _maps(entries.get(kind)):
            yield named(kind, *(_text(one, field) for field in fields))


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
