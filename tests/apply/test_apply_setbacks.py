"""A credential that cannot be made stops no other, and is tried again with growing pauses."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise

import pytest

from reconciler.apply.interface import Result
from reconciler.errors import SealFailed
from reconciler.live.interface import CredentialState, Setback
from reconciler.plan.brakes import Overrides
from reconciler.plan.change import Action
from reconciler.plan.transition import FIRST_PAUSE, LONGEST_PAUSE
from reconciler.records.holding import live_digest
from tests.apply.breaking import BrokenFor
from tests.apply.kit import DAY, House, auth_token, check_quiet, check_settled, jwt_token
from tests.records.kit import bodies

TURNING = {"rotate": {"every": "30d", "overlap": "2d"}}
RETRY = Overrides(retry=True)


def outcomes(result: Result) -> dict[str, str]:
    return {done.name: done.outcome for done in result.done}


def a_month_later(house: House, *names: str) -> None:
    """Tokens that are all due."""
    house.declare(*(jwt_token(name, lifecycle=TURNING) for name in names))
    house.apply()
    house.now += 30 * DAY


def test_one_that_fails_stops_no_other(house: House) -> None:
    """The others are rotated and live, and the record says what failed, and why."""
    a_month_later(house, "a", "b", "c")
    result = house.apply(BrokenFor("b"))
    assert outcomes(result) == {"a": "done", "b": "failed", "c": "done"}
    assert [one.why for one in result.of("failed")] == ["the key server of b is down"]
    live = house.live()
    assert [live[name].generation for name in "abc"] == [2, 1, 2]
    last = bodies(house.store())[-1]
    assert [(one.name, one.outcome, one.error) for one in last.changes] == [
        ("a", "done", None), ("b", "failed", "seal-failed"), ("c", "done", None),
    ]  # fmt: skip
    assert "key server" not in repr(last)
    check_settled(house)


def test_the_old_credential_goes_on_working(house: House) -> None:
    """A rotation that fails leaves the token as it was, whole."""
    a_month_later(house, "a", "b")
    before = house.live()["b"]
    house.apply(BrokenFor("b"))
    after = house.live()["b"]
    assert after.credentials == before.credentials
    assert after.credentials[0].state is CredentialState.ACTIVE
    assert (after.grants, after.spec_digest, after.artifact_digest) == (
        before.grants, before.spec_digest, before.artifact_digest,
    )  # fmt: skip


def test_where_all_that_there_is_fails_the_error_is_told_and_the_pause_kept(house: House) -> None:
    """No artifact, no open run; and the record says what failed, and what is live since."""
    a_month_later(house, "a")
    with pytest.raises(SealFailed, match="the key server of a is down"):
        house.apply(BrokenFor("a"))
    assert house.live()["a"].setback == Setback(1, house.now + FIRST_PAUSE, house.live()["a"].spec_digest)
    last = bodies(house.store())[-1]
    assert (last.outcome, last.error, last.changes[0].outcome) == ("failed", "seal-failed", "failed")
    assert last.live == {house.live()["a"].id: live_digest(house.live()["a"])}
    check_settled(house)


def test_the_pauses_grow_and_each_run_tries_once(house: House) -> None:
    """A pipeline that runs every minute for three days tries some ten times, not four thousand."""
    a_month_later(house, "a", "b")
    house.apply()
    house.now += 30 * DAY
    broken = BrokenFor("b")
    start, tries = house.now, list[int]()
    while house.now < start + 3 * DAY:
        if any(change.action is Action.ROTATE for change in house.plan().changes):
            asked = len(broken.asked)
            with suppress(SealFailed):
                house.apply(broken)
            assert broken.asked[asked:].count("b") == 1
            tries.append(house.now - start)
        house.now += 60
    pauses = [later - earlier for earlier, later in pairwise(tries)]
    assert pauses == [min(FIRST_PAUSE << number, LONGEST_PAUSE) for number in range(len(pauses))]
    assert len(tries) == 10


def test_a_rotation_that_waits_is_told(house: House) -> None:
    """The plan is empty, and says so; when the time has come, it is in the plan again."""
    a_month_later(house, "a")
    with pytest.raises(SealFailed):
        house.apply(BrokenFor("a"))
    plan = house.plan()
    assert plan.changes == ()
    (warned,) = plan.warnings
    assert warned.rule == "rotation-waits"
    assert warned.message.startswith(
        "1 rotation failed and will be tried again: a (from 2027-02-14T08:10:00Z)"
    )
    assert "--retry" in warned.hint
    assert [one.name for one in house.plan(RETRY).changes] == ["a"]
    house.now += FIRST_PAUSE
    assert [one.name for one in house.plan().changes] == ["a"]
    house.apply()
    assert house.live()["a"].setback is None
    check_quiet(house)


def test_another_spec_is_tried_at_once(house: House) -> None:
    """Whoever edits it need not wait for the pause of what was there before."""
    a_month_later(house, "a")
    with pytest.raises(SealFailed):
        house.apply(BrokenFor("a"))
    house.declare(jwt_token("a", lifecycle=TURNING, metadata={"name": "a", "title": "mended"}))
    assert [one.action for one in house.plan().changes] == [Action.ROTATE]
    house.apply()
    check_settled(house)
    check_quiet(house)


def test_an_edit_that_needs_a_credential_waits_whole_and_takes_away_at_once(house: House) -> None:
    """What the edit takes away is gone before the credential is tried; what it gives comes with it."""
    house.declare(jwt_token("a", apis=("x", "y")), auth_token("other"))
    house.apply()
    house.declare(jwt_token("a", apis=("x", "z"), algorithm="ES256"), auth_token("other", "HS512"))
    house.apply(BrokenFor("a"))
    assert house.live()["a"].grants["apis"] == ("x",)
    assert house.plan().changes == ()
    house.now += FIRST_PAUSE
    house.apply()
    assert house.live()["a"].grants["apis"] == ("x", "z")
    assert house.live()["a"].credentials[0].algorithm == "ES256"
    check_settled(house)
    check_quiet(house)


def test_an_issue_that_fails_stops_no_other_and_is_tried_by_the_next_run(house: House) -> None:
    """There is no token yet to keep a pause for."""
    house.declare(jwt_token("a"), jwt_token("b"))
    assert outcomes(house.apply(BrokenFor("a"))) == {"a": "failed", "b": "done"}
    assert list(house.live()) == ["b"]
    house.apply()
    check_settled(house)
    check_quiet(house)


def test_what_all_need_is_down(house: House) -> None:
    """After five in a row nothing more is tried: each may take a minute to fail."""
    names = [f"t{number:02}" for number in range(20)]
    a_month_later(house, *names)
    house.declare(*(jwt_token(name, lifecycle=TURNING) for name in names[1:]))
    broken = BrokenFor(*names)
    result = house.apply(broken)
    assert list(outcomes(result).values())[:6] == ["done", *["failed"] * 5]
    assert outcomes(result)["t19"] == "untried"
    untried = result.of("untried")
    assert [one.error for one in untried] == ["not-tried"] * len(untried)
    assert len(broken.asked) <= 5 + 4 * 2 + 2
    failed = {one.name for one in result.of("failed")}
    assert 5 <= len(failed) <= 5 + 4 * 2 + 2  # those that were under way when the fifth had failed
    house.apply()
    assert {name for name, token in house.live().items() if token.generation == 1} == failed
    house.apply(overrides=RETRY)
    check_settled(house)


def test_the_rest_of_an_approved_plan_may_be_applied_by_the_same_approval(house: House) -> None:
    """A saved plan of which one change failed goes on with that change, and with nothing else."""
    house.declare(jwt_token("a"), jwt_token("b"))
    plan = house.plan()
    result = house.apply(BrokenFor("a"))
    assert outcomes(result) == {"a": "failed", "b": "done"}
    assert house.go_on(plan).run is not None
    check_settled(house)


def test_a_leak_that_is_taken_back_after_a_failure_leaves_a_token_that_works(house: House) -> None:
    """The old credential ended, the new one could not be made, and the edit is reverted: it gets one."""
    house.declare(jwt_token("a"), jwt_token("b"))
    house.apply()
    leaked = {"rotate": {"asked": {"at": "2027-01-01", "reason": "seen", "leaked": True}}}
    house.declare(jwt_token("a", lifecycle=leaked), jwt_token("b", apis=("x",)))
    result = house.apply(BrokenFor("a"))
    assert [(one.action, one.name, one.outcome) for one in result.done] == [
        ("retire", "a", "done"), ("rotate", "a", "failed"), ("modify", "b", "done"),
    ]  # fmt: skip
    assert house.live()["a"].credentials == ()
    house.declare(jwt_token("a"), jwt_token("b", apis=("x",)))
    house.apply()
    token = house.live()["a"]
    assert [(one.generation, one.state) for one in token.credentials] == [(2, CredentialState.ACTIVE)]
    check_settled(house)
    check_quiet(house)


def test_one_creation_rule_that_is_down_starves_no_other(house: House) -> None:
    """Ten tokens of one team cannot be sealed; the next team's are issued in the same run."""
    mine = (house.root / ".sops.yaml").read_text().split("age: ")[1].strip()
    rules = f"creation_rules:\n  - path_regex: /a[0-9]+\\.\n    age: {mine}\n  - age: {mine}\n"
    (house.root / ".sops.yaml").write_text(rules)
    down = [f"a{number}" for number in range(10)]
    house.declare(*(jwt_token(name) for name in (*down, "z1", "z2")))
    house.apply(BrokenFor(*down))
    assert list(house.live()) == ["z1", "z2"]


def test_what_a_program_says_is_in_no_record(house: House) -> None:
    """Records are in git for good; a program may print what is no business of theirs."""
    a_month_later(house, "a", "b")
    house.apply(BrokenFor("a"))
    assert "key server" not in repr(bodies(house.store()))
    assert b"key server" not in b"".join(house.files().values())
