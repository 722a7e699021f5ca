"""Protection: deleting takes two applies, and the flag is kept live whatever becomes of the spec."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from reconciler.errors import PlanBlocked
from reconciler.live.interface import TokenState
from reconciler.plan.brakes import Overrides
from tests.apply.breaking import Fuse, How
from tests.apply.kit import House, auth_token, check_quiet, jwt_token

ALL = Overrides(max_delete=99, max_rotate=99, max_disable=99, allow_empty=True)
"""Every override there is: none is for a protected token."""
Spec = Mapping[str, object]
KEPT = jwt_token("kept")
"""Another token, so that the specs are never empty."""


def one(*, protect: bool) -> Spec:
    return jwt_token("one", lifecycle={"protect": protect})


@pytest.fixture
def guarded(house: House) -> House:
    """A protected token that is live, and another."""
    house.declare(KEPT, one(protect=True))
    house.apply()
    return house


def refuse(house: House) -> None:
    """The plan would delete the token, and may not be applied."""
    assert "protect" in [block.rule for block in house.plan(ALL).blocked]
    with pytest.raises(PlanBlocked, match="one is protected"):
        house.apply(overrides=ALL)
    assert house.live()["one"].protect
    assert house.live()["one"].state is TokenState.ACTIVE


def test_unprotecting_that_was_applied_and_then_removing_deletes(guarded: House) -> None:
    """The order that there is: two changes, and both of them are seen in git."""
    guarded.declare(KEPT, one(protect=False))
    assert [change.action.value for change in guarded.plan().changes] == ["modify"]
    guarded.apply()
    guarded.declare(KEPT)
    guarded.apply()
    assert list(guarded.live()) == ["kept"]


@pytest.mark.parametrize(
    "edit",
    [
        (KEPT,),  # the spec is dropped
        (),  # with all others
        (KEPT, auth_token("one")),  # it becomes another kind
        (KEPT, auth_token("one", lifecycle={"protect": True})),
        (KEPT, auth_token("one", lifecycle={"protect": False})),  # that is not protected
        (KEPT, jwt_token("another", lifecycle={"protect": True})),  # it goes by another name
    ],
    ids=str,
)
def test_removing_first_is_refused(guarded: House, edit: tuple[Spec, ...]) -> None:
    """However the spec goes, and whatever else is allowed; and again the next time."""
    guarded.declare(*edit)
    refuse(guarded)
    refuse(guarded)
    assert sorted(guarded.live()) == ["kept", "one"]


def test_unprotecting_and_removing_without_an_apply_between_is_refused(guarded: House) -> None:
    """Two commits that are merged together are one change: what is live is protected still."""
    guarded.declare(KEPT, one(protect=False))
    guarded.plan()
    guarded.declare(KEPT)
    refuse(guarded)
    guarded.declare(KEPT, one(protect=False))
    guarded.apply()
    guarded.declare(KEPT)
    guarded.apply()
    assert list(guarded.live()) == ["kept"]


def test_a_token_that_was_removed_too_soon_goes_on_when_its_spec_is_back(guarded: House) -> None:
    """The same token, and nothing to do."""
    before = guarded.live()["one"]
    guarded.declare(KEPT)
    refuse(guarded)
    guarded.declare(KEPT, one(protect=True))
    check_quiet(guarded)
    assert guarded.live()["one"] == before


def test_protection_that_comes_back_protects_again(guarded: House) -> None:
    """Before the removal, it is as if it had never been off."""
    for protect in (False, True):
        guarded.declare(KEPT, one(protect=protect))
        guarded.apply()
    guarded.declare(KEPT)
    refuse(guarded)
    assert sorted(guarded.live()) == ["kept", "one"]


def test_protection_stops_no_other_change(guarded: House) -> None:
    """It may be edited, rotated and switched off; these are not final."""
    guarded.declare(KEPT, jwt_token("one", algorithm="ES256", lifecycle={"protect": True, "enabled": False}))
    guarded.apply(overrides=ALL)
    assert guarded.live()["one"].state is TokenState.DISABLED
    guarded.declare(KEPT)
    assert "protect" in [block.rule for block in guarded.plan(ALL).blocked]


def test_a_run_that_died_before_it_unprotected_leaves_it_protected(guarded: House) -> None:
    """The flag goes when the change is live, and not when it was planned."""
    guarded.declare(KEPT, jwt_token("one", algorithm="ES256", apis=("b",)))
    with pytest.raises(Exception, match="broken"):
        guarded.apply(Fuse(1, How.BEFORE).only_stage)
    assert guarded.live()["one"].protect
    guarded.declare(KEPT)
    refuse(guarded)


def test_a_new_token_of_the_name_is_not_protected_by_the_old_one(guarded: House) -> None:
    """The flag was of that token, and its tombstone does not keep it."""
    guarded.declare(KEPT, one(protect=False))
    guarded.apply()
    guarded.declare(KEPT)
    guarded.apply()
    guarded.declare(KEPT, jwt_token("one"))
    guarded.apply()
    guarded.declare(KEPT)
    guarded.apply()
    first, second = guarded.store().tombstones("one")
    assert first.id != second.id
    assert not first.protect
    assert not second.protect
