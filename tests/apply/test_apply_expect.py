"""A plan is approved by its digest: exactly that plan is applied, or none, whatever happens in between."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from reconciler.apply.approval import Approved, Begun, agreed, approval, begun, read_begun, stale
from reconciler.apply.session import apply
from reconciler.cli import context, exits
from reconciler.cli.main import cli
from reconciler.errors import PlanBlocked
from reconciler.live.interface import Batch
from reconciler.plan.approving import without_due
from reconciler.plan.brakes import Block
from reconciler.plan.change import Action
from tests.apply.breaking import BrokenFor
from tests.apply.kit import DAY, House, auth_token, check_quiet, check_settled, jwt_token, recorded
from tests.records.kit import bodies

Document = Mapping[str, Any]
OTHER = "sha256:" + "0" * 64
TURNING: Document = {"rotate": {"every": "10d", "overlap": "1d"}}


class Line:
    """The command line in this process, at the house's own time."""

    def __init__(self, house: House, capture: pytest.CaptureFixture[str]) -> None:
        self.house, self.capture = house, capture
        self.out = self.err = ""

    def __call__(self, *arguments: str) -> int:
        self.house.close()
        self.capture.readouterr()
        code = exits.run(cli, ["-C", str(self.house.root), "--store", self.house.url, *arguments])
        self.out, self.err = self.capture.readouterr()
        return code

    def plan(self, *arguments: str) -> Document:
        """The plan document."""
        assert self("plan", "--format", "json", *arguments) == 0
        found: Document = json.loads(self.out)
        return found

    def digest(self, *arguments: str) -> str:
        """What would be approved now."""
        return str(self.plan(*arguments)["digest"])


@pytest.fixture
def line(house: House, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Line:
    monkeypatch.setattr(context, "surroundings", lambda: house.workspace().around)
    return Line(house, capsys)


def _touch(house: House, name: str) -> None:
    """Somebody else's apply wrote a token, and so moved the store on."""
    store = house.store()
    lease = store.acquire("somebody", "run-x", house.now, 60)
    store.commit(lease, Batch(tokens=[replace(house.live()[name], changed_at=house.now)]))
    store.release(lease)


def test_the_plan_that_was_approved_is_applied_and_nobody_is_asked(house: House, line: Line) -> None:
    """There is no terminal here, and no --yes: a digest is an approval. A second time does nothing."""
    house.declare(jwt_token("one"))
    digest = line.digest()
    assert line("apply", "--expect", digest) == 0
    assert "issue" in line.out
    assert [body.plan for body in bodies(house.store())] == [digest]
    assert line("apply", "--expect", digest) == 0
    assert line.out == "Nothing to do: what is live is what the specs declare.\n"
    assert line("plan", "--expect", digest) == 0
    check_settled(house)


def test_another_plan_is_refused_and_the_plan_is_shown(house: House, line: Line) -> None:
    house.declare(jwt_token("one"))
    for command in ("apply", "plan"):
        assert line(command, "--expect", OTHER) == 4
        assert "issue" in line.out
        assert f"not the plan that was approved, {OTHER}" in line.err
        assert "[plan-stale, exit 4]" in line.err
    assert house.live() == {}


def test_the_stale_comment_tells_what_was_approved_and_what_it_would_be_now(house: House, line: Line) -> None:
    house.declare(jwt_token("one"))
    now = line.digest()
    assert line("plan", "--expect", OTHER, "--format", "markdown") == 4
    assert "**What was approved no longer holds.**" in line.out
    assert OTHER in line.out
    assert f"reconcile apply --expect {now}" in line.out


@pytest.mark.parametrize(
    "digest",
    ["sha256:5e1c90ab", "5e1c90ab" * 8, "sha256:" + "A" * 64, "sha256:5e1c…90ab", "", "sha256:" + "0" * 65,
     "sha256:" + "0" * 64 + "\n", "sha512:" + "0" * 64],
)  # fmt: skip
@pytest.mark.parametrize("command", ["plan", "apply"])
def test_less_than_a_digest_is_no_approval(line: Line, house: House, digest: str, command: str) -> None:
    house.declare(jwt_token("one"))
    assert line(command, "--expect", digest) == 64
    assert line.out == ""
    assert house.live() == {}


def test_a_file_and_a_digest_must_be_of_one_plan(house: House, line: Line) -> None:
    house.declare(jwt_token("one"))
    path = str(house.root / "tonight.plan")
    digest = line.digest("--out", path)
    assert line("apply", path, "--expect", OTHER) == 64
    assert "another plan" in line.err
    assert line("apply", path, "--expect", digest) == 0
    check_settled(house)


def test_a_blocked_plan_is_blocked_whoever_approved_it(house: House, line: Line) -> None:
    house.declare(jwt_token("one"))
    house.apply()
    house.declare()
    assert line("plan", "--format", "json") == 3
    digest = json.loads(line.out)["digest"]
    assert line("apply", "--expect", digest) == 3
    assert line("plan", "--expect", digest) == 3
    assert house.live().keys() == {"one"}


def test_what_was_let_go_is_part_of_what_is_approved(house: House, line: Line) -> None:
    house.declare(jwt_token("one"))
    house.apply()
    house.declare()
    digest = line.digest("--allow-empty")
    assert line("apply", "--expect", digest) == 4
    assert line("apply", "--expect", digest, "--allow-empty", "--max-delete", "5") == 4
    assert line("apply", "--expect", digest, "--allow-empty") == 0
    assert house.live() == {}


Move = Callable[[House], None]
Approval = Callable[[Line], list[str]]


def _other_token_moved(house: House) -> None:
    _touch(house, "two")


def _other_spec_was_applied(house: House) -> None:
    """Another commit: it edits another token, and issues and deletes some."""
    house.declare(jwt_token("one"), jwt_token("two", apis=("new",)), jwt_token("four"), auth_token("wild"))
    house.apply()
    house.declare(*EDITED, jwt_token("two", apis=("new",)), jwt_token("four"), auth_token("wild"))


def _other_spec_moved_on(house: House) -> None:
    """The catalog, a policy that is met, and the limit of a plan's age are not what a change is made of."""
    catalog = {"apiVersion": "reconciler/v1", "kind": "Catalog", "metadata": {"name": "c"}}
    names = {"apis": ["a", "z", "new"], "users": ["u"]}
    house.settings = {"planValidFor": "2h"}
    house.declare(*EDITED, *OTHERS, {**catalog, "spec": names})


def _others_rotated(house: House) -> None:
    """The nightly run carried out what was due, and did not touch the plan's token."""
    house.declare(jwt_token("one"), *OTHERS)
    house.now += 11 * DAY
    assert {change.action for change in house.plan().changes} == {Action.ROTATE}
    house.apply()
    house.now -= 11 * DAY
    house.declare(*EDITED, *OTHERS)


EDITED = (jwt_token("one", apis=("z",)), jwt_token("three"))
OTHERS = (jwt_token("two"), jwt_token("turning", lifecycle=TURNING), auth_token("wild"))


def by_file(line: Line) -> list[str]:
    path = str(line.house.root / "tonight.plan")
    line.digest("--out", path)
    return [path, "--yes"]


def by_digest(line: Line) -> list[str]:
    return ["--expect", line.digest()]


@pytest.mark.parametrize(
    "move", [_other_token_moved, _other_spec_was_applied, _other_spec_moved_on, _others_rotated]
)
@pytest.mark.parametrize("approve", [by_file, by_digest])
def test_what_the_plan_does_not_touch_does_not_make_it_stale(
    house: House, line: Line, move: Move, approve: Approval
) -> None:
    """Neither what others applied, nor specs and settings that no change of it is made of."""
    house.declare(jwt_token("one"), *OTHERS)
    house.apply()
    house.declare(*EDITED, *OTHERS)
    approved = approve(line)
    move(house)
    assert line("apply", *approved) == 0, line.err
    assert house.live()["one"].grants["apis"] == ("z",)
    assert "three" in house.live()
    check_settled(house)


def _touched_token_moved(house: House) -> None:
    _touch(house, "one")


def _touched_spec_moved(house: House) -> None:
    house.declare(jwt_token("one", apis=("z", "more")), jwt_token("three"), *OTHERS)


def _issued_spec_moved(house: House) -> None:
    """Nothing of it is live yet, so the change itself looks the same."""
    house.declare(EDITED[0], jwt_token("three", apis=("everything",)), *OTHERS)


def _plan_grew(house: House) -> None:
    house.declare(*EDITED, *OTHERS, jwt_token("more"))


def _plan_shrank(house: House) -> None:
    house.declare(EDITED[0], *OTHERS)


def _sealed_elsewhere(house: House) -> None:
    house.settings = {"artifacts": "sealed"}
    house.declare(*EDITED, *OTHERS)


@pytest.mark.parametrize(
    "move",
    [
        _touched_token_moved,
        _touched_spec_moved,
        _issued_spec_moved,
        _plan_grew,
        _plan_shrank,
        _sealed_elsewhere,
    ],
)
@pytest.mark.parametrize("approve", [by_file, by_digest])
def test_what_the_plan_touches_makes_it_stale(
    house: House, line: Line, move: Move, approve: Approval
) -> None:
    """Also where the changes look the same."""
    house.declare(jwt_token("one"), *OTHERS)
    house.apply()
    house.declare(*EDITED, *OTHERS)
    approved = approve(line)
    move(house)
    before = house.live()
    assert line("apply", *approved) in (3, 4), line.err
    assert house.live() == before


def test_an_approval_does_not_end_while_nothing_moves(house: House, line: Line) -> None:
    """A saved plan does, as its clock stands still; a digest is held against a plan of today."""
    house.declare(jwt_token("one"))
    approved, file = by_digest(line), by_file(line)
    house.now += 40 * DAY
    assert line("apply", *file) == 4
    assert line("apply", *approved) == 0


def test_what_fell_due_since_is_left_for_the_next_run(house: House, line: Line) -> None:
    """The approved part is applied and nothing else; then the nightly run does what is due."""
    house.declare(jwt_token("one"), jwt_token("turning", lifecycle=TURNING))
    house.apply()
    house.declare(jwt_token("one", apis=("z",)), jwt_token("turning", lifecycle=TURNING))
    digest = line.digest()
    house.now += 11 * DAY
    assert len(house.plan().changes) == 2
    assert line("plan", "--expect", digest) == 0
    assert "rotate" not in line.out
    assert line("apply", "--expect", digest) == 0, line.err
    assert house.live()["one"].grants["apis"] == ("z",)
    assert house.live()["turning"].generation == 1
    assert line("apply", "--expect", digest) == 0
    assert line("apply", "--yes") == 0
    assert house.live()["turning"].generation == 2
    check_settled(house)


def test_a_plan_with_due_rotations_goes_stale_with_them_and_says_so(house: House, line: Line) -> None:
    """What is there only by time is named; and a plan without it holds on."""
    house.declare(*(jwt_token(f"t{number}", lifecycle=TURNING) for number in range(3)))
    house.apply()
    house.now += 11 * DAY
    turning = [jwt_token(f"t{number}", lifecycle=TURNING) for number in range(3)]
    house.declare(*turning, jwt_token("one"))
    whole, timeless = line.digest(), line.digest("--no-due")
    assert whole != timeless
    assert line("plan", "--no-due") == 0
    assert "rotate" not in line.out
    assert line("plan", "--format", "markdown") == 0
    assert "Only time asks for 3 of these changes." in line.out
    assert line("plan", "--no-due", "--out", str(house.root / "p.plan")) == 0
    house.declare(*turning)
    assert line("apply", "--yes") == 0
    house.now += 11 * DAY
    house.declare(*turning, jwt_token("one"))
    assert line("apply", "--expect", whole) == 4
    assert "only time asks to retire t0, retire t1, retire t2, rotate t0" in line.err
    assert "--no-due" in line.err
    assert line("apply", "--expect", timeless) == 0
    assert "one" in house.live()


def test_a_saved_plan_without_what_is_due_is_applied_so(house: House, line: Line) -> None:
    house.declare(jwt_token("turning", lifecycle=TURNING))
    house.apply()
    house.now += 11 * DAY
    house.declare(jwt_token("turning", lifecycle=TURNING), jwt_token("one"))
    path = str(house.root / "p.plan")
    assert line("plan", "--no-due", "--out", path) == 0
    assert line("apply", path, "--yes") == 0, line.err
    assert house.live()["turning"].generation == 1
    assert line("apply", path, "--yes") == 0
    assert line.out.startswith("Nothing to do")


def test_a_token_that_is_due_and_edited_is_not_split(house: House, line: Line) -> None:
    """Only what nothing but time asks for is left out."""
    house.declare(jwt_token("turning", lifecycle=TURNING))
    house.apply()
    house.now += 11 * DAY
    house.declare(jwt_token("turning", apis=("z",), lifecycle=TURNING))
    plan = house.plan()
    assert without_due(plan) is plan


def test_the_difference_is_told_as_far_as_it_is_known(house: House) -> None:
    """A file tells what was approved; a digest does not."""
    house.declare(jwt_token("one"), jwt_token("two"))
    plan = house.plan()
    short = replace(plan, changes=plan.changes[:1])
    keys = begun(short, Approved(OTHER), None).keys
    assert "it would now issue two" in str(stale(plan, Approved(OTHER, keys)))
    whole = begun(plan, Approved(OTHER), None).keys
    assert "it would no longer issue two" in str(stale(short, Approved(OTHER, whole)))
    assert "the live store moved" in str(stale(plan, Approved(OTHER, whole)))
    assert str(stale(plan, Approved(OTHER))).endswith(OTHER)
    assert "nothing is to be done any more" in str(stale(replace(plan, changes=()), Approved(OTHER)))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"digest":1}', '{"digest":"a","terms":"b","keys":[[1]]}']
)
def test_what_a_hand_wrote_in_the_place_of_an_approval_is_none(text: str) -> None:
    assert read_begun(text) is None


def test_what_is_kept_of_an_approval_is_read_again(house: House) -> None:
    house.declare(jwt_token("one"), auth_token("two"))
    kept = begun(house.plan(), Approved(OTHER), None)
    assert read_begun(kept.to_text()) == kept


def test_the_rest_of_a_plan_may_be_less_and_never_more(house: House) -> None:
    """Another spec, another token, another action, or what is let go: it is not the rest."""
    house.declare(jwt_token("one"), jwt_token("two"))
    plan, approved = house.plan(), Approved(OTHER)
    kept = begun(plan, approved, None)
    rest = replace(plan, changes=plan.changes[1:])
    assert agreed(rest, approved, kept) is rest
    (change,) = rest.changes
    for other in (
        replace(change, spec="sha256:other"), replace(change, name="three"),
        replace(change, action=Action.DELETE), replace(change, token_id="id"),
    ):  # fmt: skip
        assert agreed(replace(rest, changes=(other,)), approved, kept) is None
    assert agreed(rest, approved, Begun(kept.digest, "sha256:terms", kept.keys)) is None
    assert agreed(rest, approved, None) is None


def test_what_is_kept_is_gone_when_all_is_done(house: House, line: Line) -> None:
    """So that nothing that happens later passes for the rest of it."""
    house.declare(jwt_token("one"))
    digest = line.digest()
    assert line("apply", "--expect", digest) == 0
    assert house.store().state().approval is None
    (house.root / str(house.live()["one"].artifact_path)).unlink()
    assert line("apply", "--expect", digest) == 4
    assert recorded(house) == [("issue", "JWTToken", "one")]


def test_a_run_that_changed_nothing_leaves_what_was_kept(house: House) -> None:
    """A key server is down: the rest of what was approved is still the rest, and nothing else is."""
    house.declare(jwt_token("one"))
    for kept in (None, begun(house.plan(), Approved(OTHER), None).to_text()):
        store = house.store()
        lease = store.acquire("somebody", "run-x", house.now, 60)
        store.commit(lease, Batch(approval=kept or ""))
        store.release(lease)
        plan = house.plan()
        session = house.session(plan, approval(plan))
        session = replace(session, ports=BrokenFor("one")(session.ports))
        with pytest.raises(Exception, match="key server of one is down"):
            apply(session)
        assert house.store().state().approval == kept


def test_a_rotation_that_failed_is_not_taken_for_done(house: House, line: Line) -> None:
    """While it waits, that is told; then the same approval goes on with it, and after that it is done."""
    house.declare(jwt_token("a", lifecycle=TURNING), jwt_token("b", lifecycle=TURNING))
    house.apply()
    house.now += 11 * DAY
    digest = line.digest()
    plan = house.plan()
    session = house.session(plan, approval(plan))
    apply(replace(session, ports=BrokenFor("b")(session.ports)))
    assert line("apply", "--expect", digest) == 6, line.out
    house.now += DAY // 2
    assert [change.name for change in house.plan().changes] == ["b"]
    assert line("apply", "--expect", digest) == 0, line.err
    assert house.live()["b"].generation == 2
    assert line("apply", "--expect", digest) == 0
    assert line.out.startswith("Nothing to do")


def test_a_plan_of_which_nothing_was_done_is_not_taken_for_done(house: House, line: Line) -> None:
    """Nor when nothing is left to do, because the specs went back."""
    house.declare(jwt_token("one"))
    house.apply()
    house.declare(jwt_token("one"), jwt_token("two"))
    plan = house.plan()
    session = house.session(plan, approval(plan))
    with pytest.raises(Exception, match="key server of two is down"):
        apply(replace(session, ports=BrokenFor("two")(session.ports)))
    house.declare(jwt_token("one"))
    assert line("apply", "--expect", plan.digest) == 4, line.out


def test_a_block_is_recorded_of_the_plan_that_was_approved(house: House) -> None:
    """Whatever is left of it by then."""
    house.declare(jwt_token("one"))
    plan = house.plan()
    blocked = replace(plan, blocked=(Block("brake-delete", "too many", ""),))
    session = replace(house.session(plan, Approved(plan.digest, None)), plan=lambda: blocked)
    with pytest.raises(PlanBlocked):
        apply(session)
    assert [(body.plan, body.outcome) for body in bodies(house.store())] == [(plan.digest, "blocked")]


def test_another_run_in_between_takes_the_approval_away(house: House, line: Line) -> None:
    house.declare(jwt_token("one"))
    line.digest()
    assert line("apply", "--yes") == 0
    assert house.store().state().approval is None
    check_quiet(house)
