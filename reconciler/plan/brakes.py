"""Limits on how much one plan may destroy or disturb: in all, and to any one owner.

Three things are counted. *Delete* is what it says. *Disable* is a change that takes a working token
out of service without deleting it. *Rotate* is every rotation but those that nothing but time asks
for: these were approved with the spec that set the interval, and the old credential works on through
the overlap. If they counted, a fleet that falls due at once would stop the nightly pipeline, and with
every night that it stands still more would be due, until credentials end unrenewed.

Whose a token is says its spec as it is live: a plan that moves tokens to another owner, and takes
them away as well, is held against the owner who loses them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import chain, islice

from pydantic_core import from_json

from reconciler.plan.change import Action, Change
from reconciler.specs.settings import Brake, Brakes

NAMED = 10
"""Owners, or protected tokens, that are told one by one; the others are counted."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """What somebody allowed for one plan on the command line. It is part of the plan, and of the record."""

    max_delete: int | None = None
    max_rotate: int | None = None
    max_disable: int | None = None
    allow_empty: bool = False
    retry: bool = False
    """Try again what failed a while ago, before its time."""

    def given(self) -> Mapping[str, int | bool]:
        """Those that somebody gave, by name."""
        return {
            name: value for name, value in asdict(self).items() if value is not None and value is not False
        }


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
    owners: Mapping[str | None, int]
    """How many live tokens each owner has; None for those without an owner, who are as one owner."""


@dataclass(frozen=True, slots=True)
class _Limit:
    """What is counted for one thing that a plan does, and how much of it is let through."""

    action: str
    counts: Callable[[Change], bool]
    run: Brake
    owner: Brake
    override: int | None


def blocks(
    changes: tuple[Change, ...], fleet: Fleet, brakes: Brakes, overrides: Overrides
) -> tuple[Block, ...]:
    """Every reason against applying the changes."""
    own = brakes.perOwner
    limits = (
        _Limit("delete", _deletes, brakes.delete, own.delete, overrides.max_delete),
        _Limit("rotate", _rotates, brakes.rotate, own.rotate, overrides.max_rotate),
        _Limit("disable", _disables, brakes.disable, own.disable, overrides.max_disable),
    )
    return (
        *_protected(changes, fleet),
        *_empty(changes, fleet, overrides),
        *chain.from_iterable(_braked(limit, changes, fleet) for limit in limits),
    )


def allowed(brake: Brake, live: int) -> int:
    """Tokens that a brake lets through: both limits hold, and one token always passes a percentage."""
    return min(brake.count, max(1, live * brake.percent // 100))


def owner_of(declared: str) -> str | None:
    """Whose a live token is, by the normal form that it was applied with; None where it names nobody."""
    if '"owner":' not in declared:
        return None
    try:
        tree = from_json(declared)
    except ValueError:  # a hand edited the row: drift tells of it
        return None
    metadata = tree.get("metadata") if isinstance(tree, dict) else None
    owner = metadata.get("owner") if isinstance(metadata, dict) else None
    return owner if isinstance(owner, str) else None


def _deletes(change: Change) -> bool:
    return change.action is Action.DELETE


def _rotates(change: Change) -> bool:
    return change.action is Action.ROTATE and not change.scheduled


def _disables(change: Change) -> bool:
    return change.disables


def _protected(changes: tuple[Change, ...], fleet: Fleet) -> Iterator[Block]:
    hint = "set lifecycle.protect to false, apply that, and then remove the spec"
    names = [one.name for one in changes if _deletes(one) and one.name in fleet.protected]
    for name in names[:NAMED]:
        yield Block("protect", f"{name} is protected, and deleting it cannot be undone", hint)
    if (more := len(names) - NAMED) > 0:
        yield Block("protect", f"and {more} more that would be deleted, and are protected", hint)


def _empty(changes: tuple[Change, ...], fleet: Fleet, overrides: Overrides) -> Iterator[Block]:
    if fleet.declared == 0 and fleet.live > 0 and changes and not overrides.allow_empty:
        yield Block(
            "specs-empty",
            f"the specs declare no token at all, and {fleet.live} are live",
            "if all of them are to be deleted, say so with --allow-empty",
        )


def _braked(limit: _Limit, changes: Iterable[Change], fleet: Fleet) -> Iterator[Block]:
    """The blocks of one limit. The one number in their hints lets the plan past all of them."""
    counted = [change for change in changes if limit.counts(change)]
    count = len(counted)
    hint = f"apply less at once, or allow it for this plan with --max-{limit.action} {count}"
    most = allowed(limit.run, fleet.live) if limit.override is None else limit.override
    if count > most:
        why = _both(limit.run) if limit.override is None else f"--max-{limit.action} {limit.override}"
        yield Block(
            f"brake-{limit.action}",
            f"the plan would {limit.action} {count} of {fleet.live} tokens{_besides(limit, changes)},"
            f" and {why} lets {most} through",
            hint,
        )
    if limit.override is None:  # an override is for each owner too, and nobody has more than all
        yield from _braked_owners(limit, Counter(owner_of(one.before) for one in counted), fleet, hint)


def _braked_owners(
    limit: _Limit, counts: Mapping[str | None, int], fleet: Fleet, hint: str
) -> Iterator[Block]:
    """Those who would lose more than their brake lets through, who loses most first."""
    rule = f"brake-owner-{limit.action}"
    over = [
        (count, owner)
        for owner, count in counts.items()
        if count > allowed(limit.owner, fleet.owners.get(owner, 0))
    ]
    over.sort(key=lambda one: (-one[0], one[1] or ""))
    for count, owner in islice(over, NAMED):
        live = fleet.owners.get(owner, 0)
        whose = "without an owner" if owner is None else f"of {owner}"
        most = allowed(limit.owner, live)
        yield Block(
            rule,
            f"the plan would {limit.action} {count} of {live} tokens {whose},"
            f" and {_both(limit.owner)} an owner lets {most} through",
            hint,
        )
    if (more := len(over) - NAMED) > 0:
        owners = "owners" if more > 1 else "owner"
        yield Block(rule, f"and {more} more {owners}, of whom it would {limit.action} too many", hint)


def _both(brake: Brake) -> str:
    return f"{brake.count} tokens or {brake.percent} %"


def _besides(limit: _Limit, changes: Iterable[Change]) -> str:
    """The rotations that stand in the plan and are not counted, so that the numbers add up."""
    counts = limit.counts is _rotates
    due = sum(counts and one.action is Action.ROTATE and one.scheduled for one in changes)
    return f", besides {due} that are due" if due else ""
