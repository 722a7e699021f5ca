"""Limits on how much one plan may destroy or disturb."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from reconciler.plan.change import Action, Change
from reconciler.specs.settings import Brake, Brakes


@dataclass(frozen=True, slots=True)
class Overrides:
    """What somebody allowed for one plan on the command line. It is part of the plan."""

    max_delete: int | None = None
    max_rotate: int | None = None
    allow_empty: bool = False
    retry: bool = False
    """Try again what failed a while ago, before its time."""


@dataclass(frozen=True, slots=True)
class Block:
    """Why a plan may not be applied, and what would let it."""

    rule: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Warned:
    """What a reviewer should know, and what to do about it. It stops no apply."""

    rule: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Fleet:
    """What is live before the plan."""

    live: int
    """Tokens that are not deleted."""
    protected: Collection[str]
    """Names of those that are protected."""
    declared: int
    """Tokens that specs declare."""


def blocks(
    changes: tuple[Change, ...], fleet: Fleet, brakes: Brakes, overrides: Overrides
) -> tuple[Block, ...]:
    """Every reason against applying the changes."""
    return (
        *_protected(changes, fleet),
        *_empty(changes, fleet, overrides),
        *_brake(Action.DELETE, changes, fleet, brakes.delete, overrides.max_delete),
        *_brake(Action.ROTATE, changes, fleet, brakes.rotate, overrides.max_rotate),
    )


def allowed(brake: Brake, live: int) -> int:
    """Tokens that a brake lets through: both limits hold, and one token always passes a percentage."""
    return min(brake.count, max(1, live * brake.percent // 100))


def _protected(changes: tuple[Change, ...], fleet: Fleet) -> Iterator[Block]:
    for change in changes:
        if change.action is Action.DELETE and change.name in fleet.protected:
            yield Block(
                "protect",
                f"{change.name} is protected, and deleting it cannot be undone",
                "set lifecycle.protect to false, apply that, and then remove the spec",
            )


def _empty(changes: tuple[Change, ...], fleet: Fleet, overrides: Overrides) -> Iterator[Block]:
    if fleet.declared == 0 and fleet.live > 0 and changes and not overrides.allow_empty:
        yield Block(
            "specs-empty",
            f"the specs declare no token at all, and {fleet.live} are live",
            "if all of them are to be deleted, say so with --allow-empty",
        )


def _brake(
    action: Action, changes: tuple[Change, ...], fleet: Fleet, brake: Brake, override: int | None
) -> Iterator[Block]:
    count = sum(change.action is action for change in changes)
    most = allowed(brake, fleet.live) if override is None else override
    if count > most:
        limit = (
            f"{brake.count} tokens or {brake.percent} %" if override is None else f"--max-{action} {override}"
        )
        yield Block(
            f"brake-{action}",
            f"the plan would {action} {count} of {fleet.live} tokens, and {limit} lets {most} through",
            f"apply less at once, or allow it for this plan with --max-{action} {count}",
        )
