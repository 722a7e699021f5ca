"""What somebody overrode stands in the record of the run, however that run ended."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

import pytest

from reconciler.apply.approval import approval_of_saved
from reconciler.apply.session import apply
from reconciler.errors import PlanBlocked, ReconcilerError
from reconciler.plan.brakes import Overrides
from reconciler.plan.document import read_plan
from tests.apply.breaking import Fuse, How
from tests.apply.kit import House, check_quiet, check_settled, jwt_token, rsa_token
from tests.apply.test_apply_crash import LATER, Copies, run_broken
from tests.records.kit import documents

DEFAULTS: dict[str, object] = {"brakes": {}}
TWO = Overrides(max_delete=2)


def records(house: House) -> Sequence[dict[str, object]]:
    return documents(house.store())


def actions(record: dict[str, object]) -> set[object]:
    changes = record["changes"]
    assert isinstance(changes, list)
    return {change["action"] for change in changes}


@pytest.fixture
def three(house: House) -> House:
    """Three live tokens under the brakes that everybody has; two of them are to go, and one is to come."""
    house.settings = DEFAULTS
    house.declare(jwt_token("one"), jwt_token("two"), jwt_token("three"))
    house.apply()
    house.declare(jwt_token("three"), rsa_token("four"))
    return house


def test_a_fleet_of_three_does_not_lose_two(three: House) -> None:
    """Unless somebody says so; then the record says it too, and no other record does."""
    with pytest.raises(PlanBlocked, match="delete 2 of 3 tokens"):
        three.apply()
    three.apply(overrides=TWO)
    three.declare(jwt_token("three"), rsa_token("four", apis=("z",)))
    three.apply()
    told = [record for record in records(three) if record["outcome"] != "blocked"]
    assert [record.get("overrides") for record in told] == [None, {"max_delete": 2}, None]
    check_settled(three)
    check_quiet(three)


def test_a_saved_plan_brings_its_own_overrides(three: House) -> None:
    """They are what was approved with it."""
    saved = read_plan(three.plan(TWO).to_bytes())
    plan = three.plan(saved.overridden())
    apply(three.session(plan, approval_of_saved(saved)))
    assert records(three)[-1]["overrides"] == {"max_delete": 2}


@pytest.mark.parametrize("how", [How.BEFORE, How.AFTER, How.DEATH])
def test_a_run_that_was_interrupted_is_recorded_with_its_overrides(
    three: House, tmp_path_factory: pytest.TempPathFactory, how: How
) -> None:
    """By the next run, which overrides nothing, wherever the first one broke."""
    three.close()
    house = House(tmp_path_factory.mktemp("copied") / "house", three.url, settings=DEFAULTS)
    house.url = f"sqlite:///{house.root}/.reconciler/live.db"
    copies = Copies(three, house)
    settled_by_another = 0
    for at in count(1):
        copies.fresh()
        fuse = Fuse(at, how)
        try:
            run_broken(house, fuse, TWO)
        except (ReconcilerError, RuntimeError, OSError):
            assert fuse.blown is not None
        if fuse.blown is None:
            break
        house.now += LATER
        taken = "one" not in house.live()
        settled_by_another += taken
        house.apply(overrides=Overrides() if taken else TWO)
        check_settled(house)
        told = [(record.get("overrides"), "delete" in actions(record)) for record in records(house)]
        assert [given for given, deletes in told if deletes] == [{"max_delete": 2}]
        assert not taken or [given for given, deletes in told if not deletes and given] == []
    house.close()
    assert settled_by_another > 10
