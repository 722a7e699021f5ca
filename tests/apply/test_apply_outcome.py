"""What an apply says of how far it came, and what it leaves when somebody else took over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn

import pytest

from reconciler.apply.approval import approval
from reconciler.apply.interface import Ports
from reconciler.apply.leaving import leaving
from reconciler.apply.observe import Observer
from reconciler.apply.session import apply
from reconciler.errors import LeaseLost, PartlyApplied, PlanStale, StoreUnreadable
from reconciler.live.interface import Batch, Lease, LiveStore, Workspace
from reconciler.plan.change import Done
from reconciler.plan.document import Plan
from reconciler.plan.observed import ArtifactState
from tests.apply.breaking import BreakingPublisher, BreakingStore, Fuse, How
from tests.apply.kit import House, check_quiet, check_settled, jwt_token
from tests.records.kit import RUN, record


class Silent(BreakingStore):
    """A store that is gone after its n-th commit, which it carried out all the same."""

    def __init__(self, store: LiveStore, commits: int) -> None:
        super().__init__(store, Fuse(0, How.BEFORE))
        self.left = commits

    def commit(self, lease: Lease, batch: Batch) -> int:
        self.left -= 1
        done = super().commit(lease, batch)
        if self.left == 0:
            raise StoreUnreadable("the connection is gone")
        return done

    def state(self) -> Workspace:
        if self.left <= 0:
            raise StoreUnreadable("the connection is gone")
        return super().state()

    def release(self, lease: Lease) -> None:
        super().release(lease)
        raise StoreUnreadable("the connection is gone")


def silent_after(commits: int) -> Callable[[Ports], Ports]:
    return lambda ports: replace(ports, store=Silent(ports.store, commits))


def interrupted(house: House) -> None:
    """An issue that was published and is not live, as a run that died left it."""
    house.declare(jwt_token("one"))
    with pytest.raises(PartlyApplied):
        house.apply(lambda ports: replace(ports, store=_NoFinish(ports.store)))


class _NoFinish(BreakingStore):
    def __init__(self, store: LiveStore) -> None:
        super().__init__(store, Fuse(0, How.BEFORE))

    def commit(self, lease: Lease, batch: Batch) -> int:
        if batch.finish is not None:
            raise StoreUnreadable("the connection is gone")
        return super().commit(lease, batch)


def test_a_store_that_does_not_answer_may_have_taken_away(house: House) -> None:
    """The commit broke off, and nobody can say whether it happened: that is "in part"."""
    house.declare(jwt_token("one"), jwt_token("two"))
    house.apply()
    house.declare(jwt_token("one"))
    with pytest.raises(PartlyApplied, match="in part: the connection is gone"):
        house.apply(silent_after(1))
    house.apply()
    check_settled(house)
    check_quiet(house)


def test_when_nothing_was_to_be_taken_away_the_error_is_itself(house: House) -> None:
    """Nothing had changed."""
    house.declare(jwt_token("one"))
    with pytest.raises(StoreUnreadable):
        house.apply(silent_after(1))


def failing(house: House, error: BaseException, wrap: Callable[[Ports], Ports]) -> None:
    """An apply that stops at planning."""

    def plan() -> NoReturn:
        raise error

    made = house.plan()
    session = house.session(made, approval(made))
    stopped: Callable[[], Plan] = plan
    apply(replace(session, plan=stopped, ports=wrap(session.ports)))


@pytest.mark.parametrize("error", [StoreUnreadable("gone"), KeyboardInterrupt()], ids=["fault", "ctrl-c"])
def test_what_stops_an_apply_after_it_settled_another_is_partly(house: House, error: BaseException) -> None:
    """Something became live: it says so, and what to do."""
    interrupted(house)
    with pytest.raises(
        PartlyApplied, match="that was interrupted is settled, and this one stopped"
    ) as raised:
        failing(house, error, lambda ports: ports)
    assert "run apply again" in raised.value.hint
    assert house.live().keys() == {"one"}


@pytest.mark.parametrize("error", [StoreUnreadable("gone"), KeyboardInterrupt()], ids=["fault", "ctrl-c"])
def test_what_stops_an_apply_before_anything_is_itself(house: House, error: BaseException) -> None:
    """No run was interrupted."""
    house.declare(jwt_token("one"))
    with pytest.raises(type(error)):
        failing(house, error, lambda ports: ports)


def test_a_store_that_does_not_answer_may_have_settled(house: House) -> None:
    """As with a commit of one's own."""
    interrupted(house)
    with pytest.raises(PartlyApplied, match="is settled"):
        failing(house, StoreUnreadable("gone"), silent_after(1))


class TakenOver(BreakingPublisher):
    """While an artifact is staged, the lease ends and somebody else settles the run."""

    def __init__(self, ports: Ports, house: House) -> None:
        super().__init__(ports, Fuse(0, How.BEFORE))
        self.house = house

    def stage(self, run: str, path: str, data: bytes) -> None:
        super().stage(run, path, data)
        if self.house.store().state().run is not None:
            self.house.now += 3600
            self.house.apply()


@pytest.mark.parametrize("takes", [False, True], ids=["gave nothing", "took away"])
def test_who_lost_the_lease_writes_and_publishes_no_more(house: House, *, takes: bool) -> None:
    """It stops at the next commit; the other's tokens and artifacts stand."""
    house.declare(jwt_token("old"))
    if takes:
        house.apply()
    house.declare(jwt_token("new"))
    expected = PartlyApplied if takes else LeaseLost
    with pytest.raises(expected, match="the lease of"):
        house.apply(lambda ports: replace(ports, publisher=TakenOver(ports, house)))
    check_settled(house)
    check_quiet(house)


class Vanishing(BreakingPublisher):
    """The artifact is gone when it is looked at again."""

    def __init__(self, ports: Ports) -> None:
        super().__init__(ports, Fuse(0, How.BEFORE))

    def take(self, _: str) -> bytes | None:
        return None


def test_an_artifact_that_goes_between_plan_and_apply_makes_the_plan_stale(house: House) -> None:
    """What was encrypted anew is not there: no token changes, and no run is left open."""
    house.declare(jwt_token("one"))
    house.apply()
    house.reseal("one")
    before = house.live()
    with pytest.raises(PlanStale, match=r"one\.yaml is gone since"):
        house.apply(lambda ports: replace(ports, publisher=Vanishing(ports)))
    assert house.live() == before
    assert house.store().state().run is None


def test_a_token_without_an_artifact_has_none_to_miss(house: House) -> None:
    """Its path is empty in the store."""
    house.declare(jwt_token("one"))
    house.apply()
    token = replace(house.live()["one"], artifact_path=None)
    assert Observer(house.root, house.workspace().specs.place).look(token).state is ArtifactState.SAME


def test_what_is_to_leave_the_tree(house: House) -> None:
    """What this run gave up and what older records did, unless a live token or this run has it again."""
    house.declare(jwt_token("back"))
    house.apply()
    live = house.live()
    older = record(
        RUN,
        [
            Done(0, "delete", "JWTToken", "back", "id-1", 1, removed="artifacts/JWTToken/back.yaml"),
            Done(1, "delete", "JWTToken", "gone", "id-2", 1, removed="artifacts/JWTToken/gone.yaml"),
            Done(2, "modify", "JWTToken", "else", "id-3", 1),
        ],
        None,
    )
    done = [Done(0, "delete", "JWTToken", "x", "id-4", 1, removed="x"), Done(1, "modify", "K", "y", "y", 1)]
    assert leaving(done, [older], {"z"}, live.get) == ("x", "artifacts/JWTToken/gone.yaml")
    assert leaving(done, [older], {"x", "artifacts/JWTToken/gone.yaml"}, live.get) == ()
