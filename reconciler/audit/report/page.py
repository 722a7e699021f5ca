"""The page: HTML that needs nothing besides itself, in which no text of a history is anything but text."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from reconciler.audit.report import ages, charts, happenings
from reconciler.audit.report.charts import Bars
from reconciler.audit.report.commands import Commands
from reconciler.audit.report.facts import Facts, Holding, State, holdings
from reconciler.audit.report.grants import NOBODY, Matrix, matrices
from reconciler.audit.report.happenings import DAY
from reconciler.times import day, timestamp

SOON = 30
"""Days within which an end is near."""
OPEN = 2
"""Matrices that are not folded."""
UNSHOWN = "\N{REPLACEMENT CHARACTER}"
LONGEST = 2_000
"""Characters of a text of others."""
TARDY = 50
"""Rotations that are listed."""


@dataclass(frozen=True, slots=True)
class Count:
    """Tokens of one kind or owner, by state."""

    label: str
    total: int
    states: tuple[int, ...]


def page(facts: Facts) -> bytes:
    """The page in UTF-8. The same facts give the same bytes."""
    held = holdings(facts.spans, facts.at)
    style = files(__package__).joinpath("page.css").read_text("utf-8")
    template = _environment().from_string(files(__package__).joinpath("page.html.jinja").read_text("utf-8"))
    text = template.render(
        **_told(facts, held),
        style=Markup(style),  # noqa: S704 # it is a file of this package
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
    )
    return f"{text}\n".encode()


def _environment() -> Environment:
    made = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=plain,
    )
    made.filters |= {"day": day, "time": timestamp, "svg": charts.svg}
    return made


def plain(value: object) -> object:
    """A text of others as the page shows it: with what is not seen replaced, such as what turns the direction
    of writing; and not without end.
    """
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    shown = value if len(value) <= LONGEST else f"{value[:LONGEST]} …"
    return shown if shown.isprintable() else "".join(map(_shown, shown))


def _shown(letter: str) -> str:
    if letter.isprintable():
        return letter
    return " " if letter in "\t\n\r" else UNSHOWN


def _told(facts: Facts, held: Sequence[Holding]) -> Mapping[str, object]:
    late = happenings.tardy(facts.log, facts.overdue, facts.at) if facts.recorded else []
    exceptions = happenings.exceptional(facts.runs)
    grants = matrices(one for one in held if one.state is State.ACTIVE)
    return {
        "facts": facts,
        "again": Commands(facts.commit, facts.at, facts.recorded),
        "held": held,
        "states": list(State),
        "by_kind": _counts(held, lambda one: one.kind),
        "by_owner": _counts(held, lambda one: one.owner or NOBODY),
        "figures": _figures(facts, held, exceptions),
        "matrices": grants,
        "open": OPEN,
        "heat": _heat,
        "old": _ages(facts, held),
        "changes": happenings.changes(facts.log, facts.at, recorded=facts.recorded),
        "rotations": happenings.rotations(facts.log, facts.at) if facts.recorded else None,
        "tardy": late[:TARDY],
        "tardy_more": max(0, len(late) - TARDY),
        "exceptions": exceptions,
    }


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


@dataclass(frozen=True, slots=True)
class Figure:
    """One number that leads to a section."""

    number: int
    label: str
    section: str
    alarming: bool = False


def _figures(facts: Facts, held: Sequence[Holding], exceptions: Sequence[object]) -> list[Figure]:
    states = Counter(one.state for one in held)
    soon = sum(one.ends is not None and 0 < one.ends - facts.at <= SOON * DAY for one in held)
    overdue, faults = len(facts.overdue), len(facts.verified.faults)
    return [
        Figure(states[State.ACTIVE], "active tokens", "inventory"),
        Figure(states[State.DISABLED] + states[State.EXPIRED], "disabled or expired", "inventory"),
        Figure(soon, f"end within {SOON} days", "ages"),
        Figure(overdue, "rotations overdue", "rotations", overdue > 0),
        Figure(len(exceptions), "overrides and exceptions", "exceptions"),
        Figure(faults, "findings", "findings", faults > 0),
    ]


def _heat(matrix: Matrix, count: int) -> int:
    """How dark a cell is, of 4: by its share of the highest."""
    highest = max((cell for row in matrix.rows for cell in row.cells[:-1]), default=0)
    return 0 if count == 0 else 1 + min(3, 4 * (count - 1) // max(1, highest))
