"""What a format of `reconcile audit access` is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from reconciler.audit.access import Unknown
from reconciler.readers.accessing import Answer


@dataclass(frozen=True, slots=True)
class AccessFormat:
    """One way to print an answer. A file beside this one makes it, and calls it `FORMAT`."""

    name: str
    lines: Callable[[Answer], Iterable[str]]
    """Pure: the same answer gives the same lines, but for the colours of a terminal."""


def unknown_text(one: Unknown) -> str:
    """That nothing was ever called so, or that it is asked for by what it holds."""
    if one.group:
        return f"{one.value} is a group, told by what it holds: ask for a name that it held"
    guess = f"; did you mean {one.near}?" if one.near else ""
    return f"no spec ever had the {one.what} {one.value}{guess}"
