"""Events for spreadsheets."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.audit.events import Event
from reconciler.cli.sheet import csv_lines
from reconciler.cli.stories.interface import Shown, StoryFormat
from reconciler.cli.stories.words import person_text, what_text
from reconciler.plan.words import field_text
from reconciler.times import timestamp

HEADING = (
    "time",
    "name",
    "kind",
    "owner",
    "event",
    "told",
    "previously",
    "changes",
    "commits",
    "authors",
    "committers",
    "merge",
    "merged_by",
    "also_by",
    "standing",
    "token",
    "generation",
    "outcome",
    "error",
    "due_since",
    "due_by",
    "late_seconds",
    "run",
    "run_time",
    "actor",
    "applied_commit",
    "on_line",
    "plan",
    "overrides",
    "reason",
    "record",
    "record_commit",
)


def _lines(shown: Shown) -> Iterator[str]:
    yield from csv_lines([HEADING, *map(_row, shown.events)])


def _row(event: Event) -> tuple[str, ...]:
    token = "" if event.token is None else event.token
    made = (token, str(event.generation), event.outcome) if event.asked is None else ("", "", "")
    if event.asked is None and event.run is None:
        made = (token, "", "")
    due = event.due
    return (
        timestamp(event.at),
        event.name,
        event.kind,
        event.owner or "",
        event.what,
        what_text(event),
        event.previously or "",
        "; ".join(map(field_text, event.fields)),
        *_asked(event),
        event.standing.value if event.standing else "",
        *made,
        event.error or "",
        *(("", "", "") if due is None else (timestamp(due.since), timestamp(due.by), str(due.late))),
        *_run(event),
    )


def _asked(event: Event) -> tuple[str, ...]:
    asked = event.asked
    if asked is None:
        return ("",) * 6
    merge = asked.step if asked.commits else None
    return (
        " ".join(one.commit for one in asked.asking),
        "; ".join(dict.fromkeys(person_text(one.author) for one in asked.asking)),
        "; ".join(dict.fromkeys(person_text(one.committer) for one in asked.asking)),
        merge.commit if merge else "",
        person_text(merge.author) if merge else "",
        "; ".join(f"{name}: {who}" for name, who in asked.trailers),
    )


def _run(event: Event) -> tuple[str, ...]:
    if event.run is None:
        return ("",) * 10
    ran, body = event.run, event.run.body
    return (
        body.run,
        timestamp(ran.at),
        body.actor,
        body.commit or "",
        "" if ran.on_line is None else str(ran.on_line).lower(),
        body.plan,
        ", ".join(body.let_go),
        body.reason or "",
        ran.path,
        ran.brought.commit if ran.brought else "",
    )


FORMAT = StoryFormat("csv", _lines)
