"""Asking for a rotation, and giving another name: as fields of a spec. Pure."""

from __future__ import annotations

from reconciler.specs.assign import Assignment
from reconciler.specs.model import AnyTokenSpec, Asked
from reconciler.times import seconds_of, timestamp

ASKED = ("lifecycle", "rotate", "asked")


def asking(before: Asked | None, now: int, reason: str, *, leaked: bool) -> list[Assignment]:
    """What asks for a rotation now (epoch seconds), later than the one that was asked for before."""
    last = seconds_of(before.at) if before is not None else 0
    return [
        Assignment((*ASKED, "at"), "=", timestamp(max(now, last + 1))),
        Assignment((*ASKED, "reason"), "=", reason),
        Assignment((*ASKED, "leaked"), "=", leaked or None),
    ]


def renaming(spec: AnyTokenSpec, name: str) -> list[Assignment]:
    """What gives a token another name, and keeps what is called by the one that it has."""
    old = spec.metadata.name
    before = [one for one in spec.metadata.previously if one not in (name, old)]
    fields = [
        Assignment(("metadata", "name"), "=", name),
        Assignment(("metadata", "previously"), "=", [*before, old]),
    ]
    if spec.delivers_name:
        # Workloads mount the Secret by its name, and another one would need a new credential.
        fields.append(Assignment(("deliver", "kubernetes", "name"), "=", old))
    return fields
