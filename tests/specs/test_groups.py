"""What groups hold: nested, in circles, and so large that adding them up must be given up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.specs.groups import MAX_HELD, MAX_STEPS, held_by

GROUPS = [f"@{letter}" for letter in "abcde"]
forests = st.dictionaries(
    st.sampled_from(GROUPS), st.lists(st.sampled_from([*GROUPS, "x", "y", "z"]), min_size=1, unique=True)
)


def reached(members: dict[str, list[str]], group: str) -> set[str]:
    """All that can be reached from a group, told the slow way."""
    found: set[str] = set()
    waiting = [group]
    while waiting:
        new = set(members.get(waiting.pop(), ())) - found
        found |= new
        waiting += new
    return found


@given(members=forests)
def test_a_group_holds_all_that_can_be_reached_from_it_unless_there_is_a_circle(
    members: dict[str, list[str]],
) -> None:
    held, troubles = held_by(members)
    circular = any(group in reached(members, group) for group in members)
    assert bool(troubles) == circular
    assert {trouble.rule for trouble in troubles} <= {"catalog.cycle"}
    assert held.keys() == members.keys()
    if not circular:
        assert held == {group: reached(members, group) for group in members}


@given(members=forests)
def test_every_circle_is_told_at_a_member_that_closes_it(members: dict[str, list[str]]) -> None:
    """Without those members, there is no circle left: who mends what is told is done."""
    _, troubles = held_by(members)
    for trouble in troubles:
        members[trouble.group].remove(trouble.member)
    assert held_by(members)[1] == []


def test_a_circle_is_told_by_its_way_and_a_long_one_by_its_start() -> None:
    _, (trouble,) = held_by({"@a": ["@b"], "@b": ["x", "@c"], "@c": ["@b"]})
    assert (trouble.group, trouble.member) == ("@c", "@b")
    assert trouble.message == "@b holds itself: @b → @c → @b"
    _, (own,) = held_by({"@a": ["@a", "x"]})
    assert own.message == "@a holds itself: @a → @a"
    ring = {f"@{number}": [f"@{(number + 1) % 1000}"] for number in range(1000)}
    _, (long,) = held_by(ring)
    assert long.message == "@0 holds itself: @0 → @1 → @2 → @3 → @4 → @5 → … → @0"


def test_a_long_chain_of_groups_needs_no_stack() -> None:
    chain = {f"@{number}": [f"@{number + 1}"] for number in range(1, 1400)}
    held, troubles = held_by({**chain, "@1400": ["x"]})
    assert (troubles, len(held["@1"])) == ([], 1400)


def test_groups_that_double_are_no_bomb() -> None:
    """Forty levels of two members each: 2 to the 40 ways, and 80 names."""
    members: dict[str, list[str]] = {}
    for level in range(40):
        below = [f"@l{level + 1}", f"@r{level + 1}"] if level < 39 else ["x", "y"]
        members |= {f"@l{level}": below, f"@r{level}": below}
    held, troubles = held_by(members)
    assert troubles == []
    assert len(held["@l0"]) == 80


def test_a_group_that_holds_too_much_is_told_and_the_groups_above_it_are_not() -> None:
    names = [f"n{number}" for number in range(MAX_HELD + 1)]
    held, (trouble,) = held_by({"@top": ["@large", "x"], "@large": names, "@right": names[:-1]})
    assert (trouble.group, trouble.rule) == ("@large", "catalog.size")
    assert trouble.message == "@large holds more than 10,000 names"
    assert held["@large"] == frozenset()
    assert held["@top"] == {"@large", "x"}
    assert len(held["@right"]) == MAX_HELD


def test_what_all_groups_hold_together_is_bounded_and_told_once() -> None:
    """A thousand groups of the same nine thousand names: adding them up is not begun a second time."""
    members: dict[str, list[str]] = {"@all": [f"n{number}" for number in range(9000)]}
    members |= {f"@{number}": ["@all"] for number in range(1000)}
    held, (trouble,) = held_by(members)
    assert trouble.rule == "catalog.size"
    assert "hold more than 1,000,000 names together" in trouble.message
    assert sum(map(len, held.values())) <= MAX_STEPS
