"""`json`: the header at the top, then the binding, then the fields."""

from __future__ import annotations

import re

from reconciler.artifacts.formats.interface import Format, flat_fields, pack_flat, top_header
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
    scan=re.compile(
        rb'\{\n\t"reconciler": \{\n\t\t"kind": "(?P<kind>[A-Za-z][A-Za-z0-9]*)",\n'
        rb'\t\t"id": "(?P<quoted>[A-Za-z0-9_.-]+)",\n'
        rb'\t\t"generation": (?P<generation>0|[1-9][0-9]{0,14})\n\t\}(?P<id>)'
    ),
    owns=lambda tree: "reconciler" in tree and "data" not in tree,
)
