"""Rotations that are asked for: at which time, and what taking it back leaves."""

from __future__ import annotations

from dataclasses import replace

from reconciler.live.interface import Setback
from reconciler.plan.asking import AHEAD, ahead, behind
from reconciler.plan.transition import LONGEST_PAUSE, Circumstances, retired
from reconciler.specs.reader import Declared
from reconciler.times import timestamp
from tests.plan.kit import DAY, T0, declared, live, planned


def asking(at: str, *, leaked: bool = False) -> Declared:
    return declared(lifecycle={"rotate": {"asked": {"at": at, "reason": "lost", "leaked": leaked}}})


def test_a_time_that_is_yet_to_come_blocks() -> None:
    """Else every later ask would be earlier than it, and would ask for nothing. A day of grace for clocks."""
    token = live(declared())
    for seconds, rules in ((0, []), (AHEAD, []), (AHEAD + 1, ["rotation-ahead"])):
        changes = planned([asking(timestamp(T0 + seconds))], [token])
        assert [one.rule for one in ahead(changes, T0)] == rules


def test_a_time_before_the_last_is_told() -> None:
    """Nothing is rotated for it, so nobody should think so."""
    token = live(asking("2027-01-10"))
    changes = planned([asking("2027-01-09")], [token])
    assert [change.action for change in changes] == ["modify"]
    assert [one.rule for one in behind(changes)] == ["rotation-not-asked"]
    assert list(behind(planned([asking("2027-01-11")], [token]))) == []
    assert list(behind(planned([declared()], [token]))) == []


def test_a_token_whose_credential_ended_gets_a_new_one_whatever_the_spec_says_now() -> None:
    """A leak that was taken back after the old credential had ended leaves no token that nothing opens."""
    token = retired(live(declared()), (1,), Circumstances(T0, None))
    token = replace(token, credentials=(), last_generation=1)
    (change,) = planned([declared()], [token])
    assert (change.action, change.reasons) == ("rotate", ("none of its credentials works any more",))
    off = declared(lifecycle={"enabled": False})
    assert [one.action for one in planned([off], [token])] == ["modify"]
    assert token.due_at is None


def test_a_pause_holds_back_nothing_that_needs_no_credential() -> None:
    """A due rotation waits; protection, an end and grants do not wait with it."""
    turning = {"rotate": {"every": "30d", "overlap": "2d"}}
    token, now = live(declared(lifecycle=turning)), T0 + 31 * DAY
    wanted = declared(lifecycle={**turning, "protect": True})
    resting = replace(token, setback=Setback(1, now + 600, wanted.digest))
    assert [one.action for one in planned([wanted], [resting], now)] == ["modify"]
    carried = declared(lifecycle=turning, spec={"algorithm": "PS256"})
    resting = replace(token, setback=Setback(1, now + 600, carried.digest))
    assert planned([carried], [resting], now) == ()


def test_a_clock_that_was_ahead_once_stops_no_rotation_for_good() -> None:
    """A pause is never longer than the longest."""
    wanted = declared(lifecycle={"rotate": {"every": "30d", "overlap": "2d"}})
    now = T0 + 31 * DAY
    for pause, actions in (
        (LONGEST_PAUSE, []),
        (LONGEST_PAUSE + 1, ["rotate"]),
        (20 * 365 * DAY, ["rotate"]),
    ):
        token = replace(live(wanted), setback=Setback(1, now + pause, wanted.digest))
        assert [one.action for one in planned([wanted], [token], now)] == actions
