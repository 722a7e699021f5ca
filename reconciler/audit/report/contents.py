"""The figures of a report, by name: what the page shows, and what machines are told of the same numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from reconciler.audit.report import ages, happenings
from reconciler.audit.report.charts import Bars
from reconciler.audit.report.facts import Facts, Holding, holdings
from reconciler.audit.report.grants import NOBODY, Matrix, matrices
from reconciler.audit.report.happenings import DAY, Exceptional, Tardy
from reconciler.audit.spans import State
from reconciler.times import timestamp

SCHEMA = "reconciler/audit-report/v1"
SOON = 30
"""Days within which an end is near."""
NAMES = (
    "summary",
    "findings",
    "inventory",
    "grants",
    "token-ages",
    "credential-ages",
    "ends",
    "rotations",
    "late-rotations",
    "changes",
    "exceptions",
    "policy-exceptions",
)
"""Of the figures, in the order of the page."""
OF_RECORDS = frozenset({"credential-ages", "rotations", "late-rotations", "exceptions"})
"""Those that nothing but records tell."""


@dataclass(frozen=True, slots=True)
class Count:
    """Tokens of one kind or owner, by state."""

    label: str
    total: int
    states: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Number:
    """One number that leads to a section."""

    number: int
    label: str
    section: str
    alarming: bool = False


@dataclass(frozen=True, slots=True)
class Contents:
    """All figures of one page. What only records tell is empty, or None, where there are none."""

    summary: Sequence[Number]
    held: Sequence[Holding]
    by_kind: Sequence[Count]
    by_owner: Sequence[Count]
    grants: Sequence[Matrix]
    old: Sequence[Bars]
    """Ages and ends."""
    rotations: Bars | None
    tardy: Sequence[Tardy]
    changes: Bars
    exceptions: Sequence[Exceptional]


def contents(facts: Facts) -> Contents:
    """What a page of these facts shows."""
    held = holdings(facts.spans, facts.at)
    exceptions = happenings.exceptional(facts.runs)
    holding = [one for one in facts.standing if not one.over]
    return Contents(
        summary=_summary(facts, held, [*exceptions, *holding]),
        held=held,
        by_kind=_counts(held, lambda one: one.kind),
        by_owner=_counts(held, lambda one: one.owner or NOBODY),
        grants=matrices(one for one in held if one.state is State.ACTIVE),
        old=_ages(facts, held),
        rotations=happenings.rotations(facts.log, facts.at) if facts.recorded else None,
        tardy=happenings.tardy(facts.log, facts.overdue, facts.at) if facts.recorded else [],
        changes=happenings.changes(facts.log, facts.at, recorded=facts.recorded),
        exceptions=exceptions,
    )


def _summary(facts: Facts, held: Sequence[Holding], exceptions: Sequence[object]) -> list[Number]:
    states = Counter(one.state for one in held)
    soon = sum(one.ends is not None and 0 < one.ends - facts.at <= SOON * DAY for one in held)
    overdue, faults = len(facts.overdue), len(facts.verified.faults)
    return [
        Number(states[State.ACTIVE], "active tokens", "inventory"),
        Number(states[State.DISABLED] + states[State.EXPIRED], "disabled or expired", "inventory"),
        Number(soon, f"end within {SOON} days", "ages"),
        Number(overdue, "rotations overdue", "rotations", overdue > 0),
        Number(len(exceptions), "overrides and exceptions", "exceptions"),
        Number(faults, "findings", "findings", faults > 0),
    ]


def _ages(facts: Facts, held: Sequence[Holding]) -> list[Bars]:
    found = [ages.of_tokens(held, facts.at)]
    if facts.recorded:
        found.append(ages.of_credentials(held, facts.log, facts.at))
    return [*found, ages.of_ends(held, facts.at)]


def _counts(held: Sequence[Holding], key: Callable[[Holding], str]) -> list[Count]:
    counts = Counter((key(one), one.state) for one in held)
    totals = Counter(key(one) for one in held)
    ranked = sorted(totals, key=lambda label: (-totals[label], label))
    return [Count(one, totals[one], tuple(counts[one, state] for state in State)) for one in ranked]


def to_json(facts: Facts, names: Sequence[str]) -> Mapping[str, object]:
    """The document `reconciler/audit-report/v1`: the numbers of figures, as the page shows them."""
    found = contents(facts)
    return {
        "schema": SCHEMA,
        "workspace": facts.workspace,
        "commit": facts.commit,
        "line": facts.line,
        "at": timestamp(facts.at),
        "source": "records" if facts.recorded else "specs",
        "notes": list(facts.notes),
        "figures": {
            name: figure
            for name, figure in _figures(facts, found).items()
            if name in names and (facts.recorded or name not in OF_RECORDS)
        },
    }


def _figures(facts: Facts, found: Contents) -> dict[str, object]:
    charts = [*found.old, found.changes, *([found.rotations] if found.rotations else [])]
    return {
        "summary": {one.label: one.number for one in found.summary},
        "findings": facts.verified.to_json(),
        "inventory": {
            "kinds": {one.label: _states(one) for one in found.by_kind},
            "owners": {one.label: _states(one) for one in found.by_owner},
            "tokens": [_token(one) for one in found.held],
        },
        "grants": [asdict(one) for one in found.grants],
        "late-rotations": [_tardy(one) for one in found.tardy],
        "exceptions": [asdict(one) for one in found.exceptions],
        "policy-exceptions": [asdict(one) for one in facts.standing],
        **{bars.ident: _bars(bars) for bars in charts},
    }


def _states(count: Count) -> dict[str, int]:
    return {**dict(zip(map(str, State), count.states, strict=True)), "all": count.total}


def _token(one: Holding) -> dict[str, object]:
    """As the page lists it, and what it is granted."""
    ends = None if one.ends is None else timestamp(one.ends)
    return {**asdict(one), "since": timestamp(one.since), "ends": ends}


def _tardy(one: Tardy) -> dict[str, object]:
    done = None if one.done is None else timestamp(one.done)
    return {"name": one.name, "by": timestamp(one.by), "done": done, "days": one.days}


def _bars(bars: Bars) -> dict[str, object]:
    parts = {name: dict(zip(bars.labels, values, strict=True)) for name, values in bars.parts}
    return {"title": bars.title, "told": bars.told, "parts": parts}
