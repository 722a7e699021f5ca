"""How old tokens are, and when they end: as charts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from reconciler.audit.events import Event
from reconciler.audit.report.charts import Bars
from reconciler.audit.report.facts import Holding
from reconciler.audit.report.months import after, month
from reconciler.plan.change import DONE, Action

DAY = 86_400
BANDS = ((30, "to 30 d"), (90, "to 90 d"), (180, "to 180 d"), (365, "to 1 y"), (730, "to 2 y"))
OLDER = "older"
AHEAD = 12
"""Months that are told one by one."""
ENDED, LATER, NEVER = "ended", "later", "no end"


def of_tokens(held: Sequence[Holding], at: int) -> Bars:
    """How long ago tokens were issued."""
    return _bars("token-ages", "Age of tokens", [at - one.since for one in held], "tokens")


def of_credentials(held: Sequence[Holding], log: Iterable[Event], at: int) -> Bars:
    """How long ago the newest credential of each was made, as records tell."""
    made: dict[str, int] = {}
    for event in log:
        if event.token and event.outcome == DONE and event.what in (Action.ISSUE, Action.ROTATE):
            made[event.token] = max(event.at, made.get(event.token, event.at))
    ages = [at - made[one.token] for one in held if one.token in made]
    return _bars("credential-ages", "Age of newest credentials", ages, "credentials")


def _bars(ident: str, title: str, ages: Sequence[int], what: str) -> Bars:
    labels = [*(label for _, label in BANDS), OLDER]
    counts = Counter(_band(age) for age in ages)
    numbers = [counts[label] for label in labels]
    old = counts[OLDER] + counts[BANDS[-1][1]]
    told = f"{len(ages)} {what}, of which {old} are older than a year."
    return Bars(ident, title, told, labels, [(what, numbers)])


def _band(age: int) -> str:
    return next((label for days, label in BANDS if age <= days * DAY), OLDER)


def of_ends(held: Sequence[Holding], at: int) -> Bars:
    """When tokens end by themselves, by month."""
    now = month(at)
    months = [now, *(after(now, number) for number in range(1, AHEAD))]
    counts = Counter(_end(one.ends, at, months) for one in held)
    labels = [ENDED, *months, LATER, NEVER]
    soon = sum(counts[one] for one in months)
    told = (
        f"Of {len(held)} tokens, {counts[ENDED]} have ended, {soon} end within {AHEAD} months,"
        f" {counts[LATER]} later, and {counts[NEVER]} have no end."
    )
    return Bars("ends", "When tokens end", told, labels, [("tokens", [counts[label] for label in labels])])


def _end(ends: int | None, at: int, months: Sequence[str]) -> str:
    if ends is None:
        return NEVER
    if ends <= at:
        return ENDED
    found = month(ends)
    return found if found in months else LATER
