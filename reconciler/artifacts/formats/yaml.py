"""`yaml`: the header at the top, then the binding, then the fields."""

from __future__ import annotations

import re

from reconciler.artifacts.formats.interface import Format, flat_fields, pack_flat, top_header
from reconciler.artifacts.text import plain, yaml
from reconciler.artifacts.tree import Selection

FORMAT = Format(
    name="yaml",
    extension="yaml",
    store="yaml",
    selection=Selection("unencrypted_regex", "^reconciler$"),
    binding_at=("binding",),
    pack=pack_flat,
    header=top_header,
    fields=flat_fields,
    plain=plain.yaml_text,
    emit=yaml.emit,
    parse=yaml.parse,
    scan=re.compile(
        rb"reconciler:\n    kind: (?P<kind>[A-Za-z][A-Za-z0-9]*)\n"
        rb'    id: (?:"(?P<quoted>[A-Za-z0-9_.-]+)"|(?P<id>[A-Za-z0-9_.-]+))\n'
        rb"    generation: (?P<generation>0|[1-9][0-9]{0,14})\n"
    ),
    owns=lambda tree: "reconciler" in tree,
)
