"""What a delivery format is: how a parcel becomes a tree and text, and comes back."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from reconciler.artifacts.interface import Header, Parcel
from reconciler.artifacts.tree import Document, Metadata, Node, Selection, Tree
from reconciler.errors import ArtifactTampered, SealFailed
from reconciler.secret import Secret

_FIELD = re.compile(r"[a-z][a-z0-9_]*")
_KIND = re.compile(r"[A-Za-z][A-Za-z0-9]{0,62}")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,252}")
_DIGITS = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True, slots=True)
class Format:
    """One delivery format. Its file is its only home: `formats/` is searched for it."""

    name: str
    extension: str
    """Of the file, with no dot. `sops decrypt FILE` goes by it."""
    store: Literal["yaml", "json", "dotenv"]
    """How the sops program reads and writes such a file."""
    selection: Selection
    """Which leaves are encrypted. It is the format's own: no creation rule can make a secret plain."""
    binding_at: tuple[str, ...]
    """The path of keys to the binding."""
    pack: Callable[[Parcel, Secret], Tree]
    """The tree of a parcel and its binding. Raises SealFailed."""
    header: Callable[[Tree], Header]
    """The header of a tree, sealed or not. Raises ArtifactTampered."""
    fields: Callable[[Tree], Mapping[str, str | Secret]]
    """The fields of a decrypted tree whose shape was checked."""
    plain: Callable[[Mapping[str, str]], str]
    """The fields in the clear, as their owner works with them."""
    emit: Callable[[Tree, Metadata], bytes]
    parse: Callable[[bytes], Document]
    """Raises ArtifactTampered."""
    scan: re.Pattern[bytes]
    """Finds `kind`, `generation`, and `id` (plain) or `quoted` (an id in quotes) at the start of a file
    that nobody reformatted."""
    owns: Callable[[Tree], bool]
    """Whether a tree looks like this format's: for extensions that two formats share."""
    carries_name: bool = False
    """Whether the file has a name of its own in it: the token's, where its spec gives no other."""


TOP_OF_JSON = re.compile(
    rb'\{\n\t"reconciler": \{\n\t\t"kind": "(?P<kind>[A-Za-z][A-Za-z0-9]*)",\n'
    rb'\t\t"id": "(?P<quoted>[A-Za-z0-9_.-]+)",\n'
    rb'\t\t"generation": (?P<generation>0|[1-9][0-9]{0,14})\n\t\}(?P<id>)'
)
"""The header at the top of a file that SOPS keeps as JSON."""


def checked(parcel: Parcel, *reserved: str) -> None:
    """Raises SealFailed for a header or a field name that no format can carry."""
    header = parcel.header
    if not (_KIND.fullmatch(header.kind) and _ID.fullmatch(header.token_id) and header.generation >= 0):
        raise SealFailed(
            f"an artifact cannot be made out to {header}",
            hint="a kind is letters and digits, a token id letters, digits, . _ and -",
        )
    for name in parcel.fields:
        if not _FIELD.fullmatch(name) or name in reserved:
            raise SealFailed(
                f"the format {parcel.format} cannot carry a field named {name!r}",
                hint="name it with lower-case letters, digits and _; not " + ", ".join(reserved),
            )


def header_map(header: Header) -> Tree:
    """The header as the map that stands at the top of a file."""
    return {"kind": header.kind, "id": header.token_id, "generation": header.generation}


def header_of(kind: Node, token_id: Node, generation: Node) -> Header:
    """A header from what stands in a file. Raises ArtifactTampered."""
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        raise ArtifactTampered("the header names no kind")
    if not isinstance(token_id, str) or not _ID.fullmatch(token_id):
        raise ArtifactTampered("the header names no token id")
    return Header(kind, token_id, _generation(generation))


def _generation(value: Node) -> int:
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 and value == value // 1:
        return int(value)
    raise ArtifactTampered("the header names no generation")


def top_header(tree: Tree) -> Header:
    """The header that stands under `reconciler` at the top. Raises ArtifactTampered."""
    top = tree.get("reconciler")
    if not isinstance(top, dict):
        raise ArtifactTampered("the file has no reconciler header")
    return header_of(top.get("kind"), top.get("id"), top.get("generation"))


def pack_flat(parcel: Parcel, binding: Secret) -> Tree:
    """A tree with the header at the top, then the binding, then the fields. Raises SealFailed."""
    checked(parcel, "reconciler", "binding", "sops")
    return {"reconciler": header_map(parcel.header), "binding": binding, **parcel.fields}


def flat_fields(tree: Tree) -> Mapping[str, str | Secret]:
    """All of such a tree but the header and the binding."""
    return leaves(tree, "reconciler", "binding")


def leaves(tree: Node, *without: str) -> dict[str, str | Secret]:
    """The text leaves of a map, but for some keys."""
    items = tree.items() if isinstance(tree, dict) else ()
    return {key: value for key, value in items if key not in without and isinstance(value, str | Secret)}
