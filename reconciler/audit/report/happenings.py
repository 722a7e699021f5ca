"""What happened, by month: changes, and rotations on time or late; and what somebody let through."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.audit.events import Event, Ran, What
from reconciler.audit.report import months
from reconciler.audit.report.charts import Bars
from reconciler.plan.change import DONE, FAILED, UNTRIED, Action
from reconciler.times import timestamp

DAY = 86_400
BY_RUNS: Mapping[str, str] = {
    Action.ISSUE: "issued",
    Action.MODIFY: "changed",
    Action.RENAME: "changed",
    Action.RESEAL: "changed",
    Action.ROTATE: "rotated",
    Action.DELETE: "deleted",
}
"""What a run does → what it is told as. The end of an overlap is part of a rotation."""
BY_COMMITS: Mapping[str, str] = {
    What.DECLARED: "declared",
    What.FOUND: "declared",
    What.CHANGED: "changed",
    What.RENAMED: "changed",
    What.REMOVED: "removed",
}
UNDONE: Mapping[str, str] = {FAILED: "failed", UNTRIED: "not tried"}
"""Outcome of a change of a run that was not done → what it is told as."""
ON_TIME, LATE, BY_REQUEST = "on time", "late", "by request"


def changes(log: Iterable[Event], at: int, *, recorded: bool) -> Bars:
    """What runs did, or where no records tell, what commits asked for."""
    words = BY_RUNS if recorded else BY_COMMITS
    found = [
        (event.at, UNDONE.get(event.outcome, words[event.what]))
        for event in log
        if event.what in words and (event.asked is None) == recorded
    ]
    names = [*dict.fromkeys(words.values()), *(UNDONE.values() if recorded else ())]
    title = "Changes by month" if recorded else "Changes of specs by month"
    return _by_month("changes", title, found, names, at)


def rotations(log: Iterable[Event], at: int) -> Bars:
    """New credentials: in time by the spec of then, late, or asked for although none was due."""
    found = [(event.at, _timing(event)) for event in log if _is_rotation(event)]
    return _by_month("rotations", "Rotations by month", found, [ON_TIME, LATE, BY_REQUEST], at)


def _is_rotation(event: Event) -> bool:
    return event.what == Action.ROTATE and event.asked is None and event.outcome == DONE


def _timing(event: Event) -> str:
    if event.due is None or event.due.early:
        return BY_REQUEST
    return LATE if event.due.late else ON_TIME


def _by_month(
    ident: str, title: str, found: Sequence[tuple[int, str]], names: Sequence[str], at: int
) -> Bars:
    labels = months.shown([when for when, _ in found], at)
    counts = Counter((months.label(when, labels), name) for when, name in found)
    parts = [(name, [counts[label, name] for label in labels]) for name in names]
    sums = ", ".join(f"{sum(values)} {name}" for name, values in parts)
    since = "Up" if labels[0] == months.BEFORE else f"From {labels[0]}"
    return Bars(ident, title, f"{since} to {labels[-1]}: {sums}.", labels, parts)


@dataclass(frozen=True, slots=True)
class Tardy:
    """A rotation that was late, or is."""

    name: str
    by: int
    done: int | None
    """When it was rotated; None where it still is due."""
    days: int


def tardy(log: Iterable[Event], overdue: Mapping[str, int], at: int) -> list[Tardy]:
    """All that still are, the oldest first; then all that were, the newest first."""
    still = [Tardy(name, by, None, (at - by) // DAY) for name, by in overdue.items()]
    were = [
        Tardy(event.name, event.due.by, event.at, event.due.late // DAY)
        for event in log
        if _is_rotation(event) and event.due is not None and event.due.late and not event.due.early
    ]
    return [*sorted(still, key=lambda one: (one.by, one.name)), *were]


@dataclass(frozen=True, slots=True)
class Exceptional:
    """A run that was let through, held back, or did not do all of its plan."""

    time: str
    run: str
    actor: str
    outcome: str
    what: tuple[str, ...]
    """Brakes that were let go, rules that were let pass or held, or what went wrong."""
    reason: str | None
    commit: str | None
    record: str


def exceptional(runs: Iterable[Ran]) -> list[Exceptional]:
    """Newest first."""
    found = [_exceptional(one) for one in runs if one.body.is_exceptional]
    return found[::-1]


def _exceptional(one: Ran) -> Exceptional:
    body = one.body
    return Exceptional(
        time=timestamp(one.at),
        run=body.run,
        actor=body.actor,
        outcome=body.outcome,
        what=(
            *(f"overridden: {one}" for one in body.let_go),
            *(f"let pass, {held.rule}: {held.message}" for held in body.released),
            *(f"held, {held.rule}: {held.message}" for held in body.held),
            *((f"error: {body.error}",) if body.error else ()),
        ),
        reason=body.reason,
        commit=body.commit,
        record=one.path,
    )  # fmt: skip
