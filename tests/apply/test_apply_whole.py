"""A whole apply, from an empty store through every action, with nothing going wrong."""

from __future__ import annotations

from tests.apply.fleet import aged_fleet, edit_fleet
from tests.apply.kit import House, check_quiet, check_settled


def test_a_plan_with_every_action_is_applied_and_leaves_nothing_to_do(house: House) -> None:
    """Issue, modify, rename, rotate, retire, delete, reseal and a change of kind, in one plan."""
    aged_fleet(house)
    edit_fleet(house)
    actions = {change.action.value for change in house.plan().changes}
    assert actions == {"issue", "modify", "rotate", "retire", "delete", "reseal", "rename"}
    house.apply()
    check_settled(house)
    check_quiet(house)
