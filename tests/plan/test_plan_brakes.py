"""Brakes: how much one plan may destroy or disturb."""

from __future__ import annotations

import pytest

from reconciler.plan.brakes import Fleet, Overrides, allowed, blocks
from reconciler.plan.change import Action, Change
from reconciler.specs.settings import Brakes, DeleteBrake


def changes(action: Action, count: int) -> tuple[Change, ...]:
    return tuple(Change(action, "RSAToken", f"t{number}") for number in range(count))


def rules(
    made: tuple[Change, ...],
    live: int = 100,
    protected: tuple[str, ...] = (),
    declared: int = 1,
    overrides: Overrides | None = None,
) -> list[str]:
    fleet = Fleet(live, protected, declared)
    return [one.rule for one in blocks(made, fleet, Brakes(), overrides or Overrides())]


@pytest.mark.parametrize(
    ("count", "percent", "live", "most"),
    [
        (10, 20, 100, 10),  # the count is the smaller
        (10, 20, 40, 8),  # the percentage is
        (10, 20, 9, 1),  # rounded down
        (10, 20, 1, 1),  # one always passes a percentage
        (10, 0, 1000, 1),
        (10, 20, 0, 1),
        (0, 100, 1000, 0),  # a count of none is none
        (5, 100, 1000, 5),
    ],
)
def test_both_limits_hold(count: int, percent: int, live: int, most: int) -> None:
    """The smaller of a number of tokens and a part of the fleet."""
    assert allowed(DeleteBrake(count=count, percent=percent), live) == most


@pytest.mark.parametrize(
    ("action", "rule"), [(Action.DELETE, "brake-delete"), (Action.ROTATE, "brake-rotate")]
)
def test_one_more_than_the_brake_is_blocked(action: Action, rule: str) -> None:
    """Deletions and rotations have a brake each."""
    most = allowed(getattr(Brakes(), action.value), 100)
    assert rules(changes(action, most)) == []
    assert rules(changes(action, most + 1)) == [rule]


@pytest.mark.parametrize("action", [Action.ISSUE, Action.MODIFY, Action.RESEAL, Action.RETIRE])
def test_what_destroys_nothing_has_no_brake(action: Action) -> None:
    """A thousand tokens may be issued at once."""
    assert rules(changes(action, 1000)) == []


def test_an_override_replaces_the_brake_for_one_plan() -> None:
    """In both directions, and zero is a limit."""
    made = changes(Action.DELETE, 50)
    assert rules(made, overrides=Overrides(max_delete=50)) == []
    assert rules(made, overrides=Overrides(max_delete=49)) == ["brake-delete"]
    assert rules(changes(Action.DELETE, 1), overrides=Overrides(max_delete=0)) == ["brake-delete"]
    assert rules(changes(Action.ROTATE, 60), overrides=Overrides(max_rotate=60)) == []


def test_a_block_says_what_would_let_the_plan_through() -> None:
    """The numbers, and the flag."""
    made = changes(Action.DELETE, 11)
    (block,) = blocks(made, Fleet(100, (), 5), Brakes(), Overrides())
    assert block.message == "the plan would delete 11 of 100 tokens, and 10 tokens or 20 % lets 10 through"
    assert block.hint == "apply less at once, or allow it for this plan with --max-delete 11"
    (block,) = blocks(made, Fleet(100, (), 5), Brakes(), Overrides(max_delete=3))
    assert block.message == "the plan would delete 11 of 100 tokens, and --max-delete 3 lets 3 through"


def test_specs_that_declare_nothing_are_blocked() -> None:
    """An empty folder is more often a mistake than a wish; nothing live, or nothing to do, is neither."""
    made = changes(Action.DELETE, 1)
    assert rules(made, declared=0) == ["specs-empty"]
    assert rules(made, declared=0, overrides=Overrides(allow_empty=True)) == []
    assert rules((), live=3, declared=0) == []
    assert rules((), live=0, declared=0) == []


def test_allowing_empty_specs_does_not_lift_the_brake() -> None:
    """Two different promises, two different flags."""
    made = changes(Action.DELETE, 30)
    assert rules(made, declared=0) == ["specs-empty", "brake-delete"]
    assert rules(made, declared=0, overrides=Overrides(allow_empty=True)) == ["brake-delete"]


def test_a_protected_token_is_not_deleted() -> None:
    """Whatever the overrides: the flag is live, and is taken off first."""
    made = changes(Action.DELETE, 2)
    overrides = Overrides(max_delete=9, allow_empty=True)
    fleet = Fleet(100, ("t1",), 0)
    (block,) = blocks(made, fleet, Brakes(), overrides)
    assert (block.rule, block.message) == ("protect", "t1 is protected, and deleting it cannot be undone")
    assert blocks(changes(Action.ROTATE, 2), fleet, Brakes(), overrides) == ()
