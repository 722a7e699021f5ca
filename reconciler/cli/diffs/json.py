"""A comparison for machines."""

from __future__ import annotations

import json

from reconciler.cli.diffs.interface import Format, Shown


def text(shown: Shown) -> str:
    """One JSON document, with a `schema`."""
    document = shown.comparison.to_json(shown.range.base, shown.range.head)
    return json.dumps(document, indent=2, ensure_ascii=False)


FORMAT = Format("json", text)
