"""What a report is made of, as values: the same facts give the same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.audit.events import Event, Ran
from reconciler.audit.report.standing import Standing
from reconciler.audit.spans import Span, State, lives
from reconciler.audit.verifying.verified import Verified
from reconciler.kinds.interface import Grants


@dataclass(frozen=True, slots=True)
class Facts:
    """All that was read for one page."""

    workspace: str
    commit: str
    """The last by that moment: of what specs declared then, and what audit verify found."""
    line: str
    """The commit whose records tell of the runs up to that moment."""
    at: int
    """The moment that it tells of, in epoch seconds."""
    recorded: bool
    """Whether records tell what was live; else it is told what specs declared."""
    spans: Sequence[Span]
    log: Sequence[Event]
    """All that happened up to then, newest first."""
    overdue: Mapping[str, int]
    """Name of each token whose rotation is late → since when."""
    runs: Sequence[Ran]
    """Oldest first."""
    verified: Verified
    notes: Sequence[str]
    """What a reader should know."""
    standing: Sequence[Standing] = ()
    """The exceptions that policies make."""


@dataclass(frozen=True, slots=True)
class Holding:
    """One token that there is at that moment."""

    token: str
    name: str
    kind: str
    owner: str
    """Empty where nobody is named."""
    state: State
    since: int
    """When it was issued, or declared."""
    earlier: bool
    """Whether that may have been before."""
    ends: int | None
    """When it ends by itself; of one that is expired, when it came to that."""
    grants: Grants


def holdings(spans: Iterable[Span], at: int) -> list[Holding]:
    """What there is at a moment, by name."""
    found = []
    for token, life in lives(spans).items():
        first, last = life[0], next((one for one in life if one.is_at(at)), None)
        if last is None:
            continue
        state = last.state_at(at)
        found.append(
            Holding(
                token=token,
                name=last.name,
                kind=last.kind,
                owner=last.owner or "",
                state=state,
                since=first.since.at,
                earlier=first.earlier,
                ends=last.stops if state is State.EXPIRED else last.ends,
                grants=last.grants,
            )
        )
    return sorted(found, key=lambda one: (one.name, one.token))
