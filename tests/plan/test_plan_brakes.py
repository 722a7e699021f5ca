"""Brakes: how much one plan may destroy or disturb, in all and to any one owner."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.plan.brakes import NAMED, Block, Fleet, Overrides, allowed, blocks, owner_of
from reconciler.plan.change import Action, Change
from reconciler.specs.settings import Brake, Brakes, DeleteBrake
from tests.plan.kit import declared, live, planned

LIMITED = ("delete", "rotate", "disable")


def change(number: int, action: str, owner: str | None = None) -> Change:
    """One change that a brake counts as the action named, to a token of an owner."""
    before = json.dumps({"metadata": {"owner": owner}}, separators=(",", ":")) if owner else "{}"
    real = Action.MODIFY if action == "disable" else Action(action)
    return Change(real, "RSAToken", f"t{number}", before=before, disables=action == "disable")


def changes(action: str, count: int, *owners: str | None) -> tuple[Change, ...]:
    """So many changes, spread over owners; over many, if none are named."""
    spread = owners or tuple(f"team-{number}" for number in range(count))
    return tuple(change(number, action, spread[number % len(spread)]) for number in range(count))


def fleet(
    size: int = 100,
    protected: tuple[str, ...] = (),
    declared: int = 1,
    owners: Mapping[str | None, int] | None = None,
) -> Fleet:
    return Fleet(size, protected, declared, owners or {})


def rules(
    made: tuple[Change, ...], before: Fleet | None = None, overrides: Overrides | None = None
) -> list[str]:
    return [one.rule for one in blocks(made, before or fleet(), Brakes(), overrides or Overrides())]


@pytest.mark.parametrize(
    ("count", "percent", "live", "most"),
    [
        (10, 20, 100, 10),  # the count is the smaller
        (10, 20, 40, 8),  # the percentage is
        (10, 20, 9, 1),  # rounded down
        (10, 66, 3, 1),  # 66 % of 3 is 1.98
        (10, 67, 3, 2),
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


@pytest.mark.parametrize("action", LIMITED)
def test_one_more_than_the_brake_is_blocked(action: str) -> None:
    """What deletes, rotates and disables has a brake each."""
    most = allowed(getattr(Brakes(), action), 100)
    assert rules(changes(action, most)) == []
    assert rules(changes(action, most + 1)) == [f"brake-{action}"]


@pytest.mark.parametrize("action", LIMITED)
@pytest.mark.parametrize("owner", ["team-erp", "工厂 A", 'say "owner":', None])
def test_one_owner_has_a_brake_of_its_own(action: str, owner: str | None) -> None:
    """Below what the run may do; the tokens that nobody owns are as one owner's."""
    before = fleet(1000, owners={owner: 60, "other": 940})
    most = allowed(getattr(Brakes().perOwner, action), 60)
    assert rules((*changes(action, most, owner), change(99, action, "other")), before) == []
    (block,) = blocks(changes(action, most + 1, owner), before, Brakes(), Overrides())
    whose = "without an owner" if owner is None else f"of {owner}"
    assert block.rule == f"brake-owner-{action}"
    assert f"would {action} {most + 1} of 60 tokens {whose}, and {most} tokens or" in block.message
    assert block.hint.endswith(f"--max-{action} {most + 1}")


@pytest.mark.parametrize(("live", "most"), [(1, 1), (2, 1), (3, 1), (4, 2), (11, 5), (100, 5)])
def test_a_small_owner_does_not_lose_half_and_more(live: int, most: int) -> None:
    """By default: half of its tokens, rounded down, and no more than five."""
    before = fleet(1000, owners={"small": live})
    assert rules(changes("delete", most, "small"), before) == []
    if most < live:
        assert rules(changes("delete", most + 1, "small"), before) == ["brake-owner-delete"]


def test_each_action_is_counted_by_itself() -> None:
    """What disables is not what rotates, and one change may be both."""
    both = Change(Action.ROTATE, "RSAToken", "t", disables=True)
    none = Brakes.model_validate({"disable": {"count": 0}, "rotate": {"count": 0}})
    assert [one.rule for one in blocks((both,), fleet(), none, Overrides())] == [
        "brake-rotate",
        "brake-disable",
    ]
    made = tuple(one for action in LIMITED for one in changes(action, 5))
    assert rules(made) == []


@pytest.mark.parametrize("action", ["issue", "modify", "reseal", "retire"])
def test_what_destroys_nothing_has_no_brake(action: str) -> None:
    """A thousand tokens may be issued at once."""
    assert rules(changes(action, 1000)) == []


def test_rotations_that_are_due_are_not_counted() -> None:
    """Else a fleet that falls due at once would stop every nightly run; what is counted says so."""
    due = tuple(Change(Action.ROTATE, "RSAToken", f"d{number}", scheduled=True) for number in range(90))
    assert rules(due) == []
    assert rules((*due, *changes("rotate", 50))) == []
    (block,) = blocks((*due, *changes("rotate", 51)), fleet(), Brakes(), Overrides())
    assert block.message == (
        "the plan would rotate 51 of 100 tokens, besides 90 that are due,"
        " and 50 tokens or 50 % lets 50 through"
    )
    assert block.hint.endswith("--max-rotate 51")
    assert rules((*due, *changes("rotate", 51)), overrides=Overrides(max_rotate=51)) == []


def test_an_override_replaces_the_brake_for_one_plan() -> None:
    """In both directions, for the run and for each owner, and zero is a limit."""
    made = changes("delete", 50, "one", "two")
    assert rules(made) == ["brake-delete", "brake-owner-delete", "brake-owner-delete"]
    assert rules(made, overrides=Overrides(max_delete=50)) == []
    assert rules(made, overrides=Overrides(max_delete=49)) == ["brake-delete"]
    assert rules(changes("delete", 1), overrides=Overrides(max_delete=0)) == ["brake-delete"]
    assert rules(changes("rotate", 60, "one"), overrides=Overrides(max_rotate=60)) == []
    assert rules(changes("disable", 60, "one"), overrides=Overrides(max_disable=60)) == []
    assert rules(changes("disable", 60, "one"), overrides=Overrides(max_delete=60, max_rotate=60)) != []


def test_a_block_says_what_would_let_the_plan_through() -> None:
    """The numbers, the owner, and one flag for all of them."""
    made = (*changes("delete", 8, "team-mes"), *changes("delete", 3))
    before = fleet(100, owners={"team-mes": 9, "team-0": 1, "team-1": 1, "team-2": 1})
    run, own = blocks(made, before, Brakes(), Overrides())
    assert run.message == "the plan would delete 11 of 100 tokens, and 10 tokens or 20 % lets 10 through"
    assert run.hint == "apply less at once, or allow it for this plan with --max-delete 11"
    assert own.message == (
        "the plan would delete 8 of 9 tokens of team-mes, and 5 tokens or 50 % an owner lets 4 through"
    )
    assert own.hint == run.hint
    (block,) = blocks(made, before, Brakes(), Overrides(max_delete=3))
    assert block.message == "the plan would delete 11 of 100 tokens, and --max-delete 3 lets 3 through"


def test_what_is_said_stays_short() -> None:
    """Those who would lose most come first, then by name; of the others, how many they are."""
    owners = [f"o{number:02}" for number in range(NAMED + 12)]
    made = (*changes("delete", 2 * len(owners), *owners), change(999, "delete", "o07"))
    before = fleet(10_000, owners=dict.fromkeys(owners, 2))
    _, *own = blocks(made, before, Brakes(), Overrides())
    assert len(own) == NAMED + 1
    assert [re.findall(r"of (o\d\d)", one.message) for one in own[:3]] == [["o07"], ["o00"], ["o01"]]
    assert own[-1].message == "and 12 more owners, of whom it would delete too many"
    assert {one.hint for one in own} == {
        f"apply less at once, or allow it for this plan with --max-delete {len(made)}"
    }


def test_the_owner_is_whose_it_was() -> None:
    """A plan that gives tokens to somebody else, and switches them off, takes them from who had them."""
    before = [
        declared(name=f"t{number}", metadata={"owner": "old", "name": f"t{number}"}) for number in range(6)
    ]
    after = [
        declared(
            name=f"t{number}",
            metadata={"owner": f"new-{number}", "name": f"t{number}"},
            lifecycle={"enabled": False},
        )
        for number in range(6)
    ]
    made = planned(after, [live(one) for one in before])
    (block,) = blocks(made, fleet(1000, owners={"old": 6}), Brakes(), Overrides())
    assert "disable 6 of 6 tokens of old" in block.message


def test_no_plan_is_longer_for_what_brakes_count() -> None:
    """It is no part of the plan document: whoever reads it sees the fields."""
    plain, counted = (
        Change(Action.ROTATE, "RSAToken", "t"),
        Change(Action.ROTATE, "RSAToken", "t", scheduled=True, disables=True),
    )
    assert plain == counted
    assert plain.to_json() == counted.to_json()


@pytest.mark.parametrize(
    ("declared", "owner"),
    [
        ('{"metadata":{"name":"a","owner":"team"}}', "team"),
        ('{"metadata":{"name":"a","labels":{"owner":"x"}}}', None),
        ('{"metadata":{"name":"a","title":"\\"owner\\":"}}', None),
        ('{"metadata":{"owner":1}}', None),
        ('{"metadata":"owner","owner":"x"}', None),
        ('["owner":', None),
        ('["owner",{"owner":1}]', None),
        ("", None),
    ],
)
def test_the_owner_of_a_live_token(declared: str, owner: str | None) -> None:
    """From its metadata and nowhere else; a row that hands edited stops no plan here."""
    assert owner_of(declared) == owner


def test_specs_that_declare_nothing_are_blocked() -> None:
    """An empty folder is more often a mistake than a wish; nothing live, or nothing to do, is neither."""
    made = changes("delete", 1)
    assert rules(made, fleet(declared=0)) == ["specs-empty"]
    assert rules(made, fleet(declared=0), Overrides(allow_empty=True)) == []
    assert rules((), fleet(3, declared=0)) == []
    assert rules((), fleet(0, declared=0)) == []


def test_allowing_empty_specs_does_not_lift_the_brake() -> None:
    """Two different promises, two different flags."""
    made = changes("delete", 30)
    assert rules(made, fleet(declared=0)) == ["specs-empty", "brake-delete"]
    assert rules(made, fleet(declared=0), Overrides(allow_empty=True)) == ["brake-delete"]


def test_a_protected_token_is_not_deleted() -> None:
    """Whatever the overrides: the flag is live, and is taken off first."""
    made = changes("delete", 2)
    overrides = Overrides(max_delete=9, allow_empty=True)
    before = fleet(100, ("t1",), 0)
    (block,) = blocks(made, before, Brakes(), overrides)
    assert (block.rule, block.message) == ("protect", "t1 is protected, and deleting it cannot be undone")
    assert blocks(changes("rotate", 2), before, Brakes(), overrides) == ()


def test_of_many_protected_tokens_the_first_are_named() -> None:
    """And the others counted."""
    made = changes("delete", NAMED + 3)
    before = fleet(100, tuple(one.name for one in made))
    found = [one.message for one in blocks(made, before, Brakes(), Overrides(max_delete=99))]
    assert len(found) == NAMED + 1
    assert found[-1] == "and 3 more that would be deleted, and are protected"


def test_what_was_given_is_told_and_nothing_else() -> None:
    """A zero was given; a flag that was not is not there."""
    assert Overrides().given() == {}
    assert Overrides(max_delete=0, allow_empty=True).given() == {"max_delete": 0, "allow_empty": True}
    assert Overrides(max_rotate=3, max_disable=4).given() == {"max_rotate": 3, "max_disable": 4}


# --- Whatever the fleet ---

owners = st.sampled_from([None, "a", "b", "c", *(f"o{number}" for number in range(NAMED + 5))])
whats = st.none() | st.sampled_from(LIMITED)
limits = st.fixed_dictionaries({"count": st.integers(0, 12) | st.just(1000), "percent": st.integers(0, 100)})
all_brakes = st.fixed_dictionaries(
    {**dict.fromkeys(LIMITED, limits), "perOwner": st.fixed_dictionaries(dict.fromkeys(LIMITED, limits))}
).map(Brakes.model_validate)
fleets = st.lists(st.tuples(owners, whats), max_size=60)
"""Each live token's owner, and what the plan does to it."""
Tokens = list[tuple[str | None, str | None]]


def given_fleet(tokens: Tokens) -> tuple[tuple[Change, ...], Fleet]:
    made = tuple(change(number, what, owner) for number, (owner, what) in enumerate(tokens) if what)
    return made, fleet(len(tokens), owners=Counter(owner for owner, _ in tokens))


def limit(brakes: Brakes, action: str) -> tuple[Brake, Brake]:
    return getattr(brakes, action), getattr(brakes.perOwner, action)


@given(fleets, all_brakes)
@settings(max_examples=300, deadline=None)
def test_never_more_than_allowed_passes(tokens: Tokens, brakes: Brakes) -> None:
    """A brake blocks if, and only if, the run or an owner would lose more than both of its limits let."""
    made, before = given_fleet(tokens)
    blocked = {one.rule for one in blocks(made, before, brakes, Overrides())}
    for action in LIMITED:
        run, own = limit(brakes, action)
        lost = Counter(owner for owner, what in tokens if what == action)
        too_many = lost.total() > min(run.count, max(1, len(tokens) * run.percent // 100))
        too_many_of_one = any(
            count > min(own.count, max(1, before.owners[owner] * own.percent // 100))
            for owner, count in lost.items()
        )
        assert (f"brake-{action}" in blocked) == too_many
        assert (f"brake-owner-{action}" in blocked) == too_many_of_one


@given(fleets, all_brakes, owners, st.sampled_from(LIMITED))
@settings(max_examples=200, deadline=None)
def test_one_token_always_passes_a_percentage(
    tokens: Tokens, brakes: Brakes, owner: str | None, action: str
) -> None:
    """And never a count of none."""
    made, before = given_fleet([*((name, None) for name, _ in tokens), (owner, action)])
    none = 0 in {one.count for one in limit(brakes, action)}
    assert (blocks(made, before, brakes, Overrides()) != ()) == none


def hinted(found: tuple[Block, ...]) -> dict[str, int]:
    """What the hints say to pass, which must be one number for each flag."""
    flags = {flag for one in found for flag in re.findall(r"--max-(\w+) (\d+)$", one.hint)}
    assert len(dict(flags)) == len(flags)
    return {name: int(number) for name, number in flags}


def overriding(numbers: Mapping[str, int]) -> Overrides:
    return Overrides(numbers.get("delete"), numbers.get("rotate"), numbers.get("disable"))


@given(fleets, all_brakes)
@settings(max_examples=300, deadline=None)
def test_what_a_hint_says_lets_the_plan_through(tokens: Tokens, brakes: Brakes) -> None:
    """Exactly: with one less, it is blocked."""
    made, before = given_fleet(tokens)
    found = blocks(made, before, brakes, Overrides())
    assert len(found) <= len(LIMITED) * (NAMED + 2)
    numbers = hinted(found)
    assert blocks(made, before, brakes, overriding(numbers)) == ()
    for action, number in numbers.items():
        again = blocks(made, before, brakes, overriding({**numbers, action: number - 1}))
        assert [one.rule for one in again] == [f"brake-{action}"]
        assert hinted(again) == {action: number}
