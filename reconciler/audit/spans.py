"""What tokens were, and when: a token's life as spans in which nothing about it changed. Pure.

Spans are made of one of two sources: of records, which tell what was live, or of the history of the specs,
which tells what was declared. Whoever asks who could do what asks spans, and need not know which.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from reconciler.kinds.interface import Grants


class State(StrEnum):
    """What a token is at a moment. Only an active one can do anything."""

    ACTIVE = "active"
    DISABLED = "disabled"
    EXPIRED = "expired"
    """It has ended by itself, or its newest credential has."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What began or ended a span."""

    at: int
    """Epoch seconds: when the run read its clock, or when the commit came to the line."""
    commit: str | None
    """That asked for it: of the specs that were applied, or the one that changed them."""
    run: str | None = None
    """That made it so; None where nothing tells of a run."""
    actor: str | None = None
    """Who ran that."""


def sooner(*times: int | None) -> int | None:
    """Which comes first, in epoch seconds; None where there is none."""
    return min((time for time in times if time is not None), default=None)


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which one token had one spec."""

    token: str
    """Tells it from others that had its name: the id of the live token, or of the commit that declared it
    first, with its name there."""
    name: str
    kind: str
    owner: str | None
    normal: str
    """Its spec in normal form, groups resolved; empty where only `grants` are known, as between what was
    taken away and what failed to be given."""
    grants: Grants
    """What it could do."""
    enabled: bool
    """Whether it could do anything at all."""
    since: Cause
    earlier: bool
    """Whether it may have begun before `since`: history is cut there."""
    until: Cause | None
    """None where it goes on."""
    ends: int | None
    """When its spec lets it end by itself, in epoch seconds, whatever comes after."""
    lasts: int | None = None
    """When its newest credential ends by itself, in epoch seconds, as far as anything tells: then it can do
    nothing until a run gives it another."""

    @property
    def stops(self) -> int | None:
        """When it ends although nobody changes it; None where it does not. One that is off has no need of a
        credential.
        """
        return sooner(self.ends, self.lasts if self.enabled else None)

    def is_at(self, at: int) -> bool:
        """Whether it goes on at a moment, ended by itself or not."""
        return self.since.at <= at and (self.until is None or self.until.at > at)

    def state_at(self, at: int) -> State:
        """What it is at a moment, before anything else becomes of it."""
        if self.stops is not None and self.stops <= at:
            return State.EXPIRED
        return State.ACTIVE if self.enabled else State.DISABLED


def lives(spans: Iterable[Span]) -> dict[str, list[Span]]:
    """Token → its spans, in the order in which they come."""
    found: dict[str, list[Span]] = {}
    for span in spans:
        found.setdefault(span.token, []).append(span)
    return found
