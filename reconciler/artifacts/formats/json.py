"""`json`: the header at the top, then the binding, then the fields."""

from __future__ import annotations

from reconciler.artifacts.formats.interface import TOP_OF_JSON, Format, flat_fields, pack_flat, top_header
from reconciler.artifacts.text import json, plain
from reconciler.artifacts.tree import Selection

FORMAT = Format(
    name="json",
    extension="json",
    store="json",
    selection=Selection("unencrypted_regex", "^reconciler$"),
    binding_at=("binding",),
    pack=pack_flat,
    header=top_header,
    fields=flat_fields,
    plain=plain.json_text,
    emit=json.emit,
    parse=json.parse,
    scan=TOP_OF_JSON,
    owns=lambda tree: "reconciler" in tree and "data" not in tree,
)
