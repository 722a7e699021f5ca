"""Who is granted what, folded so that it can be read: owners against names, and who holds each name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reconciler.audit.report.facts import Holding
from reconciler.specs.catalog import ALL

COLUMNS, ROWS = 12, 25
"""Names and owners that have a place of their own."""
HOLDERS = 40
"""Tokens that are named."""
NAMES = 200
"""Names of which it is told who holds them."""
NOBODY = "(no owner)"


@dataclass(frozen=True, slots=True)
class Row:
    """One owner, or all others."""

    owner: str
    tokens: int
    cells: tuple[int, ...]
    """How many of them hold each name; the last one, any of those that have no column."""


@dataclass(frozen=True, slots=True)
class Held:
    """One name that is granted."""

    value: str
    holders: int
    names: tuple[str, ...]
    """Of tokens that hold it, as many as are named."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """One field by which something is granted."""

    field: str
    tokens: int
    columns: tuple[str, ...]
    rest: int
    """Names that have no column."""
    rows: tuple[Row, ...]
    values: tuple[Held, ...]
    """The most held first; `*` before all."""
    untold: int
    """Names of which it is not told who holds them."""


def matrices(held: Iterable[Holding]) -> list[Matrix]:
    """A matrix for each field, that which most tokens have first."""
    by_field: dict[str, list[Holding]] = {}
    for one in held:
        for field, names in one.grants.items():
            if names:
                by_field.setdefault(field, []).append(one)
    found = [_matrix(field, tokens) for field, tokens in by_field.items()]
    return sorted(found, key=lambda one: (-one.tokens, one.field))


def _matrix(field: str, held: Sequence[Holding]) -> Matrix:
    holders: dict[str, list[str]] = {}
    for one in held:
        for value in one.grants[field]:
            holders.setdefault(value, []).append(one.name)
    ranked = sorted(holders, key=lambda value: (value != ALL, -len(holders[value]), value))
    columns = tuple(ranked[:COLUMNS])
    return Matrix(
        field=field,
        tokens=len(held),
        columns=columns,
        rest=len(ranked) - len(columns),
        rows=tuple(_rows(field, held, columns)),
        values=tuple(
            Held(value, len(holders[value]), tuple(sorted(holders[value])[:HOLDERS]))
            for value in ranked[:NAMES]
        ),
        untold=max(0, len(ranked) - NAMES),
    )


def _rows(field: str, held: Sequence[Holding], columns: Sequence[str]) -> list[Row]:
    owners = Counter(one.owner or NOBODY for one in held)
    ranked = sorted(owners, key=lambda owner: (-owners[owner], owner))
    shown, others = ranked[:ROWS], ranked[ROWS:]
    rows = {owner: owner for owner in shown}
    rows |= dict.fromkeys(others, f"{len(others)} other owners")
    counts: dict[str, Counter[str]] = {}
    tokens: Counter[str] = Counter()
    for one in held:
        row = rows[one.owner or NOBODY]
        tokens[row] += 1
        names = set(one.grants[field])
        counter = counts.setdefault(row, Counter())
        counter.update(names.intersection(columns))
        counter[""] += bool(names.difference(columns))
    return [
        Row(row, tokens[row], tuple(counts[row][name] for name in (*columns, "")))
        for row in dict.fromkeys(rows.values())
    ]
