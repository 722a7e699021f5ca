"""Sections of a catalog, made by hand."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.specs.catalog import Entry
from reconciler.specs.gathering import Section
from reconciler.specs.groups import held_by


def section_of(entries: Sequence[Entry]) -> Section:
    """A section out of entries that are right."""
    held, _ = held_by({entry.name: entry.members for entry in entries if entry.members})
    return Section({entry.name: entry for entry in sorted(entries, key=lambda entry: entry.name)}, held)
