"""Exactly the plan that was approved is applied, or none."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.apply.approval import Approved, approval, begun
from reconciler.apply.interface import Ports, Publication, Published
from reconciler.apply.lease import Waiting, holder
from reconciler.apply.session import apply, checked, settle
from reconciler.cli import context, exits
from reconciler.cli.main import cli
from reconciler.errors import PartlyApplied, PlanBlocked, PlanStale, PublishFailed
from reconciler.live.interface import Batch, Run
from reconciler.plan.brakes import Block, Overrides
from reconciler.records.body import Settled
from reconciler.times import timestamp
from tests.apply.breaking import BreakingPublisher, Fuse, How
from tests.apply.kit import House, Silent, auth_token, check_quiet, check_settled, jwt_token, recorded
from tests.records.kit import bodies

Command = Callable[..., int]


@pytest.fixture
def command(house: House, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command line in this process, at the house's own time."""

    def run(*arguments: str) -> int:
        house.close()
        monkeypatch.setattr(context, "surroundings", lambda: house.workspace().around)
        return exits.run(cli, ["-C", str(house.root), "--store", house.url, *arguments])

    return run


def saved(house: House, command: Command) -> str:
    """A plan file."""
    path = str(house.root / "tonight.plan")
    assert command("plan", "--out", path) == 0
    return path


def test_a_saved_plan_is_applied_once_and_then_there_is_nothing_to_do(
    house: House, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also the very first one, which was made before there was a store."""
    for edit in ((jwt_token("one"),), (jwt_token("one"), jwt_token("two"))):
        house.declare(*edit)
        path = saved(house, command)
        assert command("apply", path, "--yes") == 0
        capsys.readouterr()
        assert command("apply", path, "--yes") == 0
        assert "Nothing to do" in capsys.readouterr().out
    check_settled(house)


Move = Callable[[House], None]


def _edit_a_spec(house: House) -> None:
    house.declare(jwt_token("one"), jwt_token("two", apis=("b",)))


def _edit_the_brakes(house: House) -> None:
    house.settings = {"brakes": {"delete": {"count": 1, "percent": 1}}}
    house.declare(jwt_token("one"), jwt_token("two"))


def _let_time_pass(house: House) -> None:
    house.now += 3600


def _touch(house: House) -> None:
    _write(house, "one")


def _write(house: House, name: str) -> None:
    """Somebody else's apply wrote a token."""
    store = house.store()
    lease = store.acquire("somebody", "run-x", house.now, 60)
    store.commit(lease, Batch(tokens=[replace(house.live()[name], changed_at=house.now)]))
    store.release(lease)


@pytest.mark.parametrize(
    ("move", "said"),
    [
        (_edit_a_spec, "the spec of one changed since this plan was made"),
        (_edit_the_brakes, "changed since this plan was made"),
        (_let_time_pass, "this plan was good until"),
        (_touch, "the live store moved since this plan was made"),
    ],
)
def test_a_saved_plan_is_stale_when_what_it_touches_moved(
    house: House, command: Command, capsys: pytest.CaptureFixture[str], move: Move, said: str
) -> None:
    """Exit code 4, what moved, and nothing was done."""
    house.declare(jwt_token("one"), jwt_token("two"))
    house.apply()
    house.declare(jwt_token("one", apis=("z",)), jwt_token("two"))
    path = saved(house, command)
    move(house)
    before = house.live()
    assert command("apply", path, "--yes") == 4
    assert said in capsys.readouterr().err
    assert house.live() == before


def test_a_saved_plan_is_stale_for_another_version(
    house: House, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another version may mean another thing by the same change."""
    house.declare(jwt_token("one"))
    path = saved(house, command)
    monkeypatch.setattr("reconciler.workspace.__version__", "99")
    assert command("apply", path, "--yes") == 4


def test_a_saved_plan_fits_when_another_token_moved(house: House, command: Command) -> None:
    """It is bound to what it touches, and to nothing else."""
    house.declare(jwt_token("one"), jwt_token("two"))
    house.apply()
    house.declare(jwt_token("one", apis=("z",)), jwt_token("two"))
    path = saved(house, command)
    _write(house, "two")
    assert command("apply", path, "--yes") == 0
    assert house.live()["one"].grants["apis"] == ("z",)


def test_a_saved_plan_of_another_place_is_refused(house: House, command: Command, tmp_path: Path) -> None:
    """Another workspace's, or another store's."""
    house.declare(jwt_token("one"))
    house.apply()
    house.declare(jwt_token("one"), jwt_token("two"))
    path = saved(house, command)
    own = house.url
    house.close()
    house.url = f"sqlite:///{tmp_path}/other.db"
    (house.root / "artifacts/records").rename(tmp_path / "records")
    house.apply()
    assert command("apply", path, "--yes") == 1
    house.url, house.name = own, "beta"
    house.declare(jwt_token("one"), jwt_token("two"))
    assert command("apply", path, "--yes") == 1


def test_what_is_left_of_an_approved_plan_is_applied_from_the_same_file(
    house: House, command: Command
) -> None:
    """A run of it died; the file is approved still, for what remains."""
    house.declare(jwt_token("one"), auth_token("old"))
    house.apply()
    house.declare(jwt_token("one", apis=("b",)), jwt_token("two"), jwt_token("three"))
    path = saved(house, command)
    plan = house.plan()
    session = house.session(plan, approval(plan))
    fuse = Fuse(2, How.BEFORE)
    publisher = session.ports.publisher
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.replace", fuse.through("replace", lambda: OSError(28, "full"), os.replace))
        with pytest.raises(Exception, match="in part"):
            apply(session)
    assert publisher.published("artifacts/JWTToken/three.yaml") is not None
    assert command("apply", path, "--yes") == 0
    check_settled(house)
    assert sorted(recorded(house)[2:]) == [
        ("delete", "TokenAuth", "old"), ("issue", "JWTToken", "three"),
        ("issue", "JWTToken", "two"), ("modify", "JWTToken", "one"),
    ]  # fmt: skip


def test_more_than_was_approved_is_never_applied(house: House) -> None:
    """Not even after an interrupted run."""
    house.declare(jwt_token("one"))
    plan = house.plan()
    other = Approved("sha256:other", approval(plan).keys)
    kept = begun(plan, other, None)
    with pytest.raises(PlanStale):
        checked(plan, other, replace(kept, keys=frozenset()))
    with pytest.raises(PlanStale):
        checked(plan, other, replace(kept, terms="sha256:terms"))
    with pytest.raises(PlanStale):
        checked(plan, other, replace(kept, digest="sha256:third"))
    with pytest.raises(PlanStale):
        checked(plan, other, None)
    assert checked(plan, other, kept) is plan
    assert checked(plan, None, None) is plan


def test_a_blocked_plan_is_not_applied(house: House) -> None:
    """Whoever approved it."""
    house.declare(jwt_token("one"))
    plan = replace(house.plan(), blocked=(Block("protect", "no", "do not"),))
    with pytest.raises(PlanBlocked, match="the plan is blocked: no"):
        checked(plan, approval(plan), None)


def test_a_reverted_edit_that_a_dead_run_had_begun_is_reverted_live(house: House) -> None:
    """Whatever is planned under the lease will do, where nobody was asked: no second call is needed."""
    house.declare(jwt_token("one", apis=("a", "b")))
    house.apply()
    house.declare(jwt_token("one", apis=("a",)), jwt_token("two"))
    with pytest.raises(Exception, match="broken"):
        house.apply(Fuse(1, How.BEFORE).only_stage)
    house.declare(jwt_token("one", apis=("a", "b")))
    plan = house.plan()
    result = apply(house.session(plan, None))
    assert result.resumed is not None
    check_settled(house)
    check_quiet(house)
    assert house.live()["one"].grants["apis"] == ("a", "b")


def test_an_edit_that_narrowed_and_was_reverted_is_given_back(house: House) -> None:
    """A rotation narrowed at once, died before it minted, and nobody wants it any more."""
    house.declare(jwt_token("one", apis=("a", "b")))
    house.apply()
    house.declare(jwt_token("one", algorithm="ES256"))
    with pytest.raises(Exception, match="in part: broken"):
        house.apply(Fuse(1, How.BEFORE).only_stage)
    assert house.live()["one"].grants["apis"] == ("a",)
    house.declare(jwt_token("one", apis=("a", "b")))
    house.apply()
    assert house.live()["one"].grants["apis"] == ("a", "b")
    check_settled(house)
    check_quiet(house)


def published_only(ports: Ports) -> Ports:
    """Ports by which a run publishes, and never learns that it did."""
    return replace(ports, publisher=_Unanswered(ports, Fuse(0, How.AFTER)))


class _Unanswered(BreakingPublisher):
    def publish(self, publication: Publication) -> Published | None:
        super().publish(publication)
        raise PublishFailed("the answer was lost")


def test_what_is_settled_on_the_way_makes_no_plan_stale(house: House, command: Command) -> None:
    """A plan that is only shown settles nothing: what an interrupted run had published stands in it."""
    house.declare(jwt_token("one"))
    house.apply()
    house.declare(jwt_token("one"), jwt_token("two"))
    with pytest.raises(PartlyApplied):
        house.apply(published_only)
    house.declare(jwt_token("one"), jwt_token("two"), jwt_token("three"))
    path = saved(house, command)
    assert [change.name for change in house.plan().changes] == ["three", "two"]
    assert command("apply", path, "--yes") == 0
    assert house.live().keys() == {"one", "two", "three"}
    assert house.store().state().approval is None
    check_settled(house)
    check_quiet(house)


def test_what_is_settled_excuses_nothing_else(house: House) -> None:
    """Not another change, nor a block, nor the lack of a change that was not settled."""
    house.declare(jwt_token("one"), jwt_token("two"), jwt_token("three"))
    plan = house.plan()
    both = approval(plan)
    rest = replace(plan, changes=tuple(one for one in plan.changes if one.name != "two"))
    settled = frozenset({("issue", "JWTToken", "two")})
    assert checked(rest, both, None, settled) is rest
    with pytest.raises(PlanStale):
        checked(rest, both, None)
    with pytest.raises(PlanStale):
        checked(rest, both, None, frozenset({("issue", "JWTToken", "one")}))
    other = replace(rest, changes=(*rest.changes[:-1], replace(rest.changes[-1], name="four")))
    with pytest.raises(PlanStale):
        checked(other, both, None, settled)
    with pytest.raises(PlanStale):
        checked(rest, Approved(plan.digest), None, settled)
    with pytest.raises(PlanBlocked):
        checked(replace(rest, blocked=(Block("x", "no", ""),)), both, None, settled)


def test_settling_applies_nothing(house: House) -> None:
    """It ends the run that was interrupted, and leaves the rest to a plan that somebody sees."""
    house.declare(jwt_token("one"))
    house.apply()
    house.declare(jwt_token("two"), jwt_token("three"))
    with pytest.raises(Exception, match="broken"):
        house.apply(Fuse(2, How.BEFORE).only_stage)
    interrupted = house.store().state().run
    assert interrupted is not None
    ports = house.workspace().ports(house.store(), Silent())
    waiting = Waiting(lambda: house.now, 0, lambda _: None, holder())
    by = Run("run-s", "", house.now + 60, "zoe", None)
    assert settle(ports, by, waiting) == interrupted.id
    assert settle(ports, replace(by, id="run-t"), waiting) is None
    (*_, told) = bodies(house.store())
    assert (told.outcome, told.actor, told.at) == ("interrupted", "tester", house.now)
    assert told.settled == Settled(time=timestamp(house.now + 60), actor="zoe")
    assert house.live() == {}
    assert [change.name for change in house.plan().changes] == ["three", "two"]


def test_protection_outlives_the_spec_that_asked_for_it(house: House) -> None:
    """The spec is dropped, or becomes another kind: the token is protected still."""
    house.declare(jwt_token("one", lifecycle={"protect": True}))
    house.apply()
    for edit in ((), (auth_token("one"),)):
        house.declare(*edit)
        assert "protect" in [block.rule for block in house.plan().blocked]
        with pytest.raises(PlanBlocked, match="protected"):
            house.apply(overrides=Overrides(allow_empty=True))
    house.declare(jwt_token("one"))
    house.apply()
    house.declare()
    house.apply(overrides=Overrides(allow_empty=True))
    assert house.live() == {}
