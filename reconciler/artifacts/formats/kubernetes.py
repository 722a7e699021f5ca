"""`kubernetes`: a `v1/Secret` manifest with only `stringData` encrypted, as Flux and Argo CD take it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from reconciler.artifacts.formats.interface import Format, checked, header_of, leaves
from reconciler.artifacts.interface import Header, Parcel
from reconciler.artifacts.text import plain, yaml
from reconciler.artifacts.tree import Node, Selection, Tree, at
from reconciler.errors import SealFailed
from reconciler.secret import Secret

KIND, ID, GENERATION = "reconciler/kind", "reconciler/id", "reconciler/generation"
BINDING = "reconciler.binding"
TEXTS, LABELS = frozenset({"name", "namespace", "type"}), "labels"


def pack(parcel: Parcel, binding: Secret) -> Tree:
    """Options: name (else the file's), namespace, type (else Opaque), labels. Raises SealFailed."""
    checked(parcel)
    _check_options(parcel)
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": _metadata(parcel),
        "type": _text(parcel, "type") or "Opaque",
        "stringData": {BINDING: binding, **parcel.fields},
    }


def _metadata(parcel: Parcel) -> Tree:
    """The annotations follow the name and namespace, so that a scan finds them."""
    header, labels = parcel.header, parcel.options.get(LABELS, {})
    metadata: Tree = {"name": _text(parcel, "name") or PurePosixPath(parcel.path).stem}
    if namespace := _text(parcel, "namespace"):
        metadata["namespace"] = namespace
    metadata["annotations"] = {
        KIND: header.kind,
        ID: header.token_id,
        GENERATION: str(header.generation),
    }
    if isinstance(labels, Mapping) and labels:
        metadata[LABELS] = {**labels}
    return metadata


def _text(parcel: Parcel, option: str) -> str:
    value = parcel.options.get(option, "")
    return value if isinstance(value, str) else ""


def _check_options(parcel: Parcel) -> None:
    for name, value in parcel.options.items():
        if not (isinstance(value, str) if name in TEXTS else name == LABELS and _texts(value)):
            raise SealFailed(
                f"a Kubernetes Secret takes no option {name!r} of that shape",
                hint="name, namespace and type are text, and labels is a map of text",
            )


def _texts(value: object) -> bool:
    """Whether it is a map of text: a label that is a number or a boolean is refused by Kubernetes."""
    return isinstance(value, Mapping) and all(isinstance(one, str) for pair in value.items() for one in pair)


def header(tree: Tree) -> Header:
    """The three annotations. Raises ArtifactTampered."""
    notes = at(tree, ("metadata", "annotations"))
    found: Mapping[str, Node] = notes if isinstance(notes, dict) else {}
    return header_of(found.get(KIND), found.get(ID), found.get(GENERATION))


def fields(tree: Tree) -> Mapping[str, str | Secret]:
    """`stringData`, but for the binding."""
    return leaves(at(tree, ("stringData",)), BINDING)


FORMAT = Format(
    name="kubernetes",
    extension="yaml",
    store="yaml",
    selection=Selection("encrypted_regex", "^(data|stringData)$"),
    binding_at=("stringData", BINDING),
    pack=pack,
    header=header,
    fields=fields,
    plain=plain.yaml_text,
    emit=yaml.emit,
    parse=yaml.parse,
    scan=re.compile(
        rb"apiVersion: v1\nkind: Secret\nmetadata:\n    name: [^\n]+\n(?:    namespace: [^\n]+\n)?"
        rb"    annotations:\n        reconciler/kind: (?P<kind>[A-Za-z][A-Za-z0-9]*)\n"
        rb'        reconciler/id: (?:"(?P<quoted>[A-Za-z0-9_.-]+)"|(?P<id>[A-Za-z0-9_.-]+))\n'
        rb'        reconciler/generation: "(?P<generation>0|[1-9][0-9]{0,14})"\n'
    ),
    # Not by its kind: where that was tampered with, the binding says so, and says it better.
    owns=lambda tree: "apiVersion" in tree and "reconciler" not in tree,
    carries_name=True,
)
