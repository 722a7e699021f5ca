"""A comparison for machines."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.cli.diffs.interface import DiffFormat, Shown
from reconciler.cli.output import json_text


def _lines(shown: Shown) -> Iterator[str]:
    yield json_text(shown.comparison.to_json(shown.range.base, shown.range.head))


FORMAT = DiffFormat("json", _lines)
