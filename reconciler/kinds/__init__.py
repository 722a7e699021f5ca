"""The kinds of token: one file each, found by their `KIND`.

A new kind is one new file here. Nothing else names the kinds.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from reconciler.kinds.interface import AnyKind, Kind


@cache
def all_kinds() -> dict[str, AnyKind]:
    """Every kind by its name, in alphabetical order."""
    found = [
        kind
        for module in iter_modules(__path__)
        if isinstance(kind := getattr(import_module(f"{__name__}.{module.name}"), "KIND", None), Kind)
    ]
    return {kind.name: kind for kind in sorted(found, key=lambda kind: kind.name)}
