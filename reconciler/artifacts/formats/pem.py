"""`pem`: what SOPS calls a binary file. `sops decrypt` prints the private key and nothing else.

The header, the binding and the other fields stand beside the key, where SOPS keeps and ignores them.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.artifacts.formats.interface import (
    TOP_OF_JSON,
    Format,
    checked,
    header_map,
    leaves,
    top_header,
)
from reconciler.artifacts.interface import Header, Parcel
from reconciler.artifacts.text import json
from reconciler.artifacts.tree import Node, Selection, Tree, at
from reconciler.errors import ArtifactTampered, SealFailed
from reconciler.secret import Secret

KEY = "private_key"


def pack(parcel: Parcel, binding: Secret) -> Tree:
    """The private key is `data`. Raises SealFailed for a token that has none."""
    checked(parcel)
    if KEY not in parcel.fields:
        raise SealFailed(
            f"{parcel.path} cannot be a PEM file: a {parcel.header.kind} has no private key to deliver",
            hint="set deliver.format to yaml, json, dotenv or kubernetes",
        )
    others: dict[str, Node] = {name: value for name, value in parcel.fields.items() if name != KEY}
    return {
        "reconciler": header_map(parcel.header),
        "binding": binding,
        "fields": others,
        "data": parcel.fields[KEY],
    }


def header(tree: Tree) -> Header:
    """The header at the top. Raises ArtifactTampered."""
    if tree.keys() == {"data"}:
        raise ArtifactTampered(
            "only the private key is left in it, which is all that sops edit keeps of a .pem",
            hint="restore the file from git; to edit it, run sops edit --input-type json --output-type json",
        )
    return top_header(tree)


def fields(tree: Tree) -> Mapping[str, str | Secret]:
    """The other fields, and the private key last."""
    data = tree["data"]
    return {**leaves(at(tree, ("fields",))), KEY: data if isinstance(data, Secret) else Secret("")}


FORMAT = Format(
    name="pem",
    extension="pem",
    store="json",
    selection=Selection("unencrypted_regex", "^reconciler$"),
    binding_at=("binding",),
    pack=pack,
    header=header,
    fields=fields,
    plain=lambda fields: fields[KEY],
    emit=json.emit,
    parse=json.parse,
    scan=TOP_OF_JSON,
    owns=lambda tree: "data" in tree,
)
