"""`dotenv`: upper-case keys, one a line. SOPS writes a line break in a value as `\\n`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from reconciler.artifacts.formats.interface import Format, checked, header_of, leaves
from reconciler.artifacts.interface import Header, Parcel
from reconciler.artifacts.text import dotenv, plain
from reconciler.artifacts.tree import Selection, Tree
from reconciler.secret import Secret

KIND, ID, GENERATION = "RECONCILER_KIND", "RECONCILER_ID", "RECONCILER_GENERATION"
BINDING = "RECONCILER_BINDING"
HEAD = (KIND, ID, GENERATION, BINDING)


def pack(parcel: Parcel, binding: Secret) -> Tree:
    """Every value is text, the generation too."""
    checked(parcel, *(name.lower() for name in HEAD))
    header = parcel.header
    return {
        KIND: header.kind,
        ID: header.token_id,
        GENERATION: str(header.generation),
        BINDING: binding,
        **{name.upper(): value for name, value in parcel.fields.items()},
    }


def header(tree: Tree) -> Header:
    """The three plain lines. Raises ArtifactTampered."""
    return header_of(tree.get(KIND), tree.get(ID), tree.get(GENERATION))


def fields(tree: Tree) -> Mapping[str, str | Secret]:
    """All but the header and the binding, in lower case again."""
    return {name.lower(): value for name, value in leaves(tree, *HEAD).items()}


FORMAT = Format(
    name="dotenv",
    extension="env",
    store="dotenv",
    selection=Selection("unencrypted_regex", "^RECONCILER_(KIND|ID|GENERATION)$"),
    binding_at=(BINDING,),
    pack=pack,
    header=header,
    fields=fields,
    plain=plain.dotenv_text,
    emit=dotenv.emit,
    parse=dotenv.parse,
    scan=re.compile(
        rb"RECONCILER_KIND=(?P<kind>[A-Za-z][A-Za-z0-9]*)\nRECONCILER_ID=(?P<quoted>[A-Za-z0-9_.-]+)\n"
        rb"RECONCILER_GENERATION=(?P<generation>0|[1-9][0-9]{0,14})\n(?P<id>)"
    ),
    owns=lambda tree: KIND in tree,
)
