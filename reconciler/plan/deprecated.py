"""Warnings of names that the catalog deprecates and tokens still have. They stop nothing."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.plan.brakes import Warned
from reconciler.specs.gathering import Catalog
from reconciler.specs.outdated import RULE
from reconciler.specs.reader import Declared
from reconciler.specs.usage import Deprecation, deprecations

SHOWN = 50
"""Entries that have a warning of their own; the others are counted."""
NAMED = 5
"""Tokens that a warning has room for."""


def deprecated(catalog: Catalog, tokens: Iterable[Declared]) -> tuple[Warned, ...]:
    """A warning for each deprecated entry that tokens name, themselves or through a group."""
    found = deprecations(tokens, catalog)
    told = tuple(Warned(RULE, _message(one), one.instead) for one in found[:SHOWN])
    if len(found) <= SHOWN:
        return told
    more = f"and {len(found) - SHOWN} more deprecated entries of the catalog are still named"
    return (*told, Warned(RULE, more, "see them all with: reconcile catalog"))


def _message(one: Deprecation) -> str:
    count = len(one.tokens)
    names = ", ".join(one.tokens[:NAMED]) + (f" and {count - NAMED} more" if count > NAMED else "")
    verb = "tokens name it" if count > 1 else "token names it"
    return f"{one.name} of {one.section} is deprecated, and {count} {verb}: {names}"
