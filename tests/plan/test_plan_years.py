"""Time moves over years: leap days, clocks that are put forward, the last second of every window."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.kinds.fields import end_of_date, parse_duration
from reconciler.live.interface import Credential, CredentialState, LiveToken, TokenState
from reconciler.plan.transition import SPREAD, jitter
from reconciler.specs.reader import Declared
from reconciler.times import day
from tests.plan.kit import DAY, HOUR, T0, applied, declared, live, planned


def at(text: str) -> int:
    """Epoch seconds of a moment in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def valid(token: LiveToken, now: int) -> list[Credential]:
    """The credentials that a verifier accepts."""
    return [
        one
        for one in token.credentials
        if one.state is not CredentialState.RETIRED
        and one.not_before <= now
        and (one.not_after is None or now < one.not_after)
    ]


def turning(every: str, overlap: str = "7d", **parts: object) -> Declared:
    return declared(lifecycle={"rotate": {"every": every, "overlap": overlap}, **parts})


SCHEDULES = {
    "a day": turning("1d", "1h"),
    "a week": turning("7d", "1d"),
    "thirty days": turning("30d", "2d"),
    "a quarter": turning("90d"),
    "a year": turning("1y"),
    "an overlap of nearly all": turning("10d", "9d"),
    "an overlap of a second less": turning("60s", "59s"),
    "a lifetime": declared("JWTToken", spec={"lifetime": "30d"}),
    "a lifetime of two overlaps": declared("JWTToken", spec={"lifetime": "14d"}),
    "a lifetime and a schedule": declared(
        "JWTToken", spec={"lifetime": "90d"}, lifecycle={"rotate": {"every": "20d", "overlap": "10d"}}
    ),
}


def moments(wanted: Declared, start: int, years: int) -> Iterator[tuple[int, LiveToken]]:
    """Each moment at which the plan has something to do, with the token as it is after it was applied."""
    tokens, now = [live(wanted, start)], start
    while now < start + years * 365 * DAY:
        yield now, tokens[0]
        ends = [one.not_after for one in tokens[0].credentials if one.state is CredentialState.RETIRING]
        now = min(time for time in (tokens[0].due_at, *ends) if time is not None)
        assert planned([wanted], tokens, now - 1) == ()
        tokens = applied(tokens, [wanted], now)
        assert planned([wanted], tokens, now) == ()


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_token_has_a_valid_credential_in_every_second_and_never_three(name: str) -> None:
    """Whatever the schedule, over eight years with two leap days; looked at around every moment."""
    wanted, years = SCHEDULES[name], 8 if "second" not in name else 0
    seen = list(moments(wanted, at("2027-06-01T12:00:00"), years))
    for (now, token), (later, _) in pairwise(seen):
        for moment in (now, now + 1, (now + later) // 2, later - 1, later):
            assert 1 <= len(valid(token, moment)) <= 2, (name, moment)


@pytest.mark.parametrize("name", SCHEDULES)
def test_an_old_credential_gets_the_whole_overlap(name: str) -> None:
    """Neither a due date that is early nor the next rotation cuts it short."""
    wanted = SCHEDULES[name]
    overlap = wanted.spec().overlap
    for (_, before), (now, token) in pairwise(moments(wanted, T0, 3 if "second" not in name else 0)):
        if token.generation > before.generation:
            (old,) = (one for one in token.credentials if one.state is CredentialState.RETIRING)
            assert old.generation == before.generation
            assert old.not_after == now + overlap


def test_an_overlap_of_a_second_less_than_the_interval() -> None:
    """A thousand rotations in a row, a minute from one to the next."""
    wanted = SCHEDULES["an overlap of a second less"]
    tokens, now = [live(wanted)], T0
    for number in range(1000):
        due = tokens[0].due_at
        assert due in (now + 59, now + 60)
        now = due or 0
        tokens = applied(tokens, [wanted], now)
        assert tokens[0].generation == number + 2
        assert 1 <= len(valid(tokens[0], now)) <= 2


@pytest.mark.parametrize(
    ("date", "over"),
    [
        ("2028-02-29", "2028-03-01T00:00:00"),
        ("2027-02-28", "2027-03-01T00:00:00"),
        ("2027-12-31", "2028-01-01T00:00:00"),
        ("2027-03-28", "2027-03-29T00:00:00"),  # clocks are put forward in Europe
    ],
)
def test_a_token_works_until_the_last_second_of_its_last_day(date: str, over: str) -> None:
    """In UTC, on every machine."""
    wanted = declared(lifecycle={"expires": date})
    token = live(wanted, at("2026-12-01T00:00:00"))
    assert token.state_at(at(over) - 1) is TokenState.ACTIVE
    assert token.state_at(at(over)) is TokenState.EXPIRED
    assert planned([wanted], [token], at(over) + 5 * 365 * DAY) == ()


def test_a_duration_counts_seconds_and_not_days_of_a_calendar() -> None:
    """A token of one year that is issued before a leap day ends a day of the month earlier."""
    start = at("2028-02-01T08:30:00")
    token = live(declared(lifecycle={"expires": "1y"}), start)
    assert token.expires_at == at("2029-01-31T08:30:00")
    assert token.expires_at == start + parse_duration("1y")


@pytest.fixture
def zone(request: pytest.FixtureRequest) -> Iterator[str]:
    """The machine's time zone."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield request.param
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


ZONES = ["UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Shanghai", "Pacific/Kiritimati"]


@pytest.mark.parametrize("zone", ZONES, indirect=True)
def test_the_plan_is_the_same_in_every_zone_and_over_a_change_of_clocks(zone: str) -> None:
    """The same due dates, ends and words, whatever the machine calls the time."""
    assert end_of_date("2027-10-31") == at("2027-11-01T00:00:00")
    wanted = turning("1d", "1h")
    start = at("2027-10-30T23:30:00")
    tokens, dues = [live(wanted, start)], []
    for _ in range(4):
        dues.append((tokens[0].due_at or 0) - start)
        *_, change = planned([wanted], tokens, tokens[0].due_at or 0)
        assert change.reasons == (f"due since {day(tokens[0].due_at or 0)} (every 1d)",)
        tokens = applied(tokens, [wanted], tokens[0].due_at or 0)
    early = jitter("id-one", DAY, HOUR)
    assert dues == [(number + 1) * (DAY - early) for number in range(4)]


@given(
    token=st.text(st.characters(codec="ascii", categories=["Ll", "Nd"]), min_size=8, max_size=20),
    interval=st.integers(1, 100 * 365 * DAY),
    share=st.floats(0, 1),
)
@settings(max_examples=300, deadline=None)
def test_jitter_is_within_a_tenth_and_leaves_the_overlap_whole(
    token: str, interval: int, share: float
) -> None:
    """For every token, interval and overlap; and it is the same when it is asked again."""
    overlap = int(interval * share)
    early = jitter(token, interval, overlap)
    assert 0 <= early <= interval // SPREAD
    assert overlap <= interval - early
    assert early == jitter(token, interval, overlap)


def test_tokens_of_one_day_do_not_fall_due_on_one_day() -> None:
    """Ten thousand that were issued in the same second: nine days, and no day has a fifth of them."""
    dues = [90 * DAY - jitter(f"token-{number}", 90 * DAY, 7 * DAY) for number in range(10_000)]
    days = [sum(due // DAY == day for due in dues) for day in range(81, 91)]
    assert sum(days) == 10_000
    assert max(days) < 1300
    assert sum(count > 900 for count in days) == 9


def test_the_overlap_is_over_in_the_second_that_it_says() -> None:
    """Valid in the second before, and refused from that second on, be it retired yet or not."""
    wanted = turning("30d", "2d")
    now = at("2028-02-28T00:00:00")
    tokens = applied([live(wanted, now - 30 * DAY)], [wanted], now)
    end = at("2028-03-01T00:00:00")
    assert [one.generation for one in valid(tokens[0], end - 1)] == [2, 1]
    assert [one.generation for one in valid(tokens[0], end)] == [2]
    assert planned([wanted], tokens, end - 1) == ()
    (change,) = planned([wanted], tokens, end)
    assert (change.action, change.generations) == ("retire", (1,))


def _all_due(wanted: Sequence[Declared], start: int) -> list[int]:
    return [live(one, start).due_at or 0 for one in wanted]


def test_a_pipeline_that_slept_for_a_year_catches_up_in_one_run() -> None:
    """Every token is rotated once, not once for each interval that was missed."""
    wanted = [declared(name=f"t{number}", lifecycle={"rotate": {"every": "30d"}}) for number in range(20)]
    assert len(set(_all_due(wanted, T0))) == 20
    tokens = applied([live(one) for one in wanted], wanted, T0 + 365 * DAY)
    assert [token.generation for token in tokens] == [2] * 20
    assert planned(wanted, tokens, T0 + 365 * DAY) == ()
