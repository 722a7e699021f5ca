"""What a format is, what it is given, and the words that several formats use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from reconciler.plan.brakes import Overrides
from reconciler.plan.change import Change
from reconciler.plan.document import Plan

NOTHING = "Nothing to do: what is live is what the specs declare."
WAITING = "Nothing to do now: the rest waits for its next try."
FINAL = "this cannot be undone"
BY_BASE = ("base-loosens", "base-tightens", "base-changes", "base-differs")
"""Rules of the warnings that tell of a rule which the branch changes."""
OTHERWISE = "It was held against the rules of its base: once what it changes in them is merged, plan again."


@dataclass(frozen=True, slots=True)
class Shown:
    """A plan, and what is told beside it."""

    plan: Plan
    specs: int
    """How many there are."""
    store: str
    """The live store, as messages show it."""
    owner: Callable[[Change], str | None]
    """Whose token a change is about."""
    saved: str | None = None
    """The file that the plan was saved to."""
    approved: str | None = None
    """The digest of the plan that was approved, where that is another."""
    place: str = ""
    """Which workspace it is of, where its name does not tell: `Workspace.place_of`."""
    options: tuple[str, ...] = ()
    """What `plan` was told that makes it this plan, as it was written."""


@dataclass(frozen=True, slots=True)
class PlanFormat:
    """A way to print a plan."""

    name: str
    lines: Callable[[Shown], Iterable[str]]
    """Pure: the same plan gives the same lines, but for the colours of a terminal."""


def judged_otherwise(plan: Plan) -> bool:
    """Whether it was held against rules that the branch changes: after the merge, it is another plan."""
    return any(one.rule in BY_BASE for one in plan.warnings)


def lifted(overrides: Overrides) -> Iterator[str]:
    """The brakes that somebody let go for this plan."""
    if overrides.max_delete is not None:
        yield f"the brake on deletions, by --max-delete {overrides.max_delete}"
    if overrides.max_rotate is not None:
        yield f"the brake on rotations, by --max-rotate {overrides.max_rotate}"
    if overrides.max_disable is not None:
        yield f"the brake on disabling, by --max-disable {overrides.max_disable}"
    if overrides.allow_empty:
        yield "the check for empty specs, by --allow-empty"
    if overrides.retry:
        yield "the pause after a rotation that failed, by --retry"


def flags(overrides: Overrides) -> Iterator[str]:
    """The options by which the same is let go again."""
    for name, value in overrides.given().items():
        option = f"--{name.replace('_', '-')}"
        yield option if value is True else f"{option} {value}"
