"""An answer for people, in a terminal or a log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.audit.access import Period
from reconciler.audit.spans import Cause
from reconciler.cli.accesses.interface import AccessFormat
from reconciler.cli.accesses.words import granted
from reconciler.cli.output import counted, in_line, table
from reconciler.readers.accessing import Answer, Source
from reconciler.times import timestamp

HEADING = ("NAME", "KIND", "OWNER", "STATE", "MAY", "SINCE", "UNTIL")
STATE = HEADING.index("STATE")
"""Told where there is more than one to tell."""
SAID = {Source.RECORDS: "live, by the records", Source.SPECS: "declared, by the specs"}


def _lines(answer: Answer) -> Iterator[str]:
    """Text from specs, records and git is made visible."""
    looked = answer.window
    when = timestamp(looked.since)
    if looked.until > looked.since:
        when = f"from {when} to {timestamp(looked.until)}"
    tokens = counted(len({one.token for one in answer.periods}), "token")
    yield f"{tokens} {SAID[answer.source]} at {answer.commit[:7]}: {when}"
    if answer.periods:
        yield ""
        rows = [HEADING, *map(_row, answer.periods)]
        if len(answer.states) == 1:
            rows = [(*row[:STATE], *row[STATE + 1 :]) for row in rows]
        yield from table(rows)


def _row(one: Period) -> tuple[str, ...]:
    most = "" if one.certain else "at most "
    before = " or before" if one.earlier else ""
    cells = (
        _with_before(one.name, one.previously),
        one.kind,
        _with_before(one.owner or "", one.owned),
        one.state.value,
        f"{most}{granted(one)}",
        f"{_cause(one.since)}{before}",
        _until(one),
    )
    return tuple(map(in_line, cells))


def _with_before(now: str, before: Sequence[str | None]) -> str:
    """A name or an owner, and what it was before, the newest first; nobody is told where there was none."""
    words = [now or "nobody"] if before else [now]
    return ", was ".join((*words, *(one or "nobody" for one in reversed(before))))


def _until(one: Period) -> str:
    if one.ends_itself and one.stops is not None:
        return f"{timestamp(one.stops)}, {'by itself' if one.stops == one.ends else 'with its credential'}"
    return "" if one.until is None else _cause(one.until)


def _cause(cause: Cause) -> str:
    """The commit that changed the specs; else the run, and the commit that it applied."""
    if not cause.run:
        return timestamp(cause.at) + (f" ({cause.commit[:7]})" if cause.commit else "")
    of = f" of {cause.commit[:7]}" if cause.commit else ""
    by = f" by {cause.actor}" if cause.actor else ""
    return f"{timestamp(cause.at)}, run {cause.run}{of}{by}"


FORMAT = AccessFormat("text", _lines)
