"""An answer for spreadsheets."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.audit.access import Period
from reconciler.audit.spans import Cause
from reconciler.cli.accesses.interface import AccessFormat
from reconciler.cli.accesses.words import granted
from reconciler.cli.sheet import csv_lines
from reconciler.readers.accessing import Answer
from reconciler.times import timestamp

HEADING = (
    "name",
    "kind",
    "owner",
    "state",
    "token",
    "grants",
    "certain",
    "since",
    "since_commit",
    "since_run",
    "since_actor",
    "earlier",
    "until",
    "until_commit",
    "until_run",
    "until_actor",
    "expires",
    "credential_ends",
    "previously",
    "owned_before",
)


def _lines(answer: Answer) -> Iterator[str]:
    yield from csv_lines([HEADING, *map(_row, answer.periods)])


def _row(one: Period) -> tuple[str, ...]:
    return (
        one.name,
        one.kind,
        one.owner or "",
        one.state.value,
        one.token,
        granted(one),
        str(one.certain).lower(),
        *_cause(one.since),
        str(one.earlier).lower(),
        *_cause(one.until),
        _when(one.ends),
        _when(one.lasts),
        " ".join(one.previously),
        "; ".join(owner or "" for owner in one.owned),
    )


def _cause(cause: Cause | None) -> tuple[str, ...]:
    if cause is None:
        return ("", "", "", "")
    return (timestamp(cause.at), cause.commit or "", cause.run or "", cause.actor or "")


def _when(at: int | None) -> str:
    return "" if at is None else timestamp(at)


FORMAT = AccessFormat("csv", _lines)
