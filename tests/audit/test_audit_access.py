"""Who could do what: which spans fit a question, and how long each access lasted."""

from __future__ import annotations

import pytest

from reconciler.audit.access import Period, Question, Wish, granted_fields, periods, unknown
from reconciler.audit.applied import applied
from reconciler.audit.spans import Span, State
from reconciler.audit.window import Window, moment, window
from reconciler.errors import UsageError
from tests.audit.bodies import Runs, deleted, failed, given
from tests.audit.lines import DAY, START, jwt, rsa

LOGIN = """\
apiVersion: reconciler/v1
kind: LoginToken
metadata: {name: l, owner: ops}
spec: {aud: App, sap: "*", jti: "1", api: [x], ipm: [10.1.0.0/16, 192.0.2.7], shop: s, role: admin, rule: "*"}
"""


def api(value: str) -> Wish:
    """`--api`."""
    return Wish("apis", value, by_section=True)


def spans(*texts: str) -> list[Span]:
    """Spans of tokens, all issued by one run."""
    runs = Runs()
    runs.run(*(given("issue", f"t{number}", text) for number, text in enumerate(texts)))
    return list(applied(runs.recorded).spans)


def names(found: list[Period]) -> list[str]:
    return [one.name for one in found]


SOME = spans(
    rsa("a", "x", "y"), rsa("b", "*"), rsa("c", "y", projects="*", meta=", owner: ops"), jwt("d", "u1"), LOGIN
)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (Question(), "a b c d l"),
        (Question((api("x"),)), "a b l"),
        (Question((api("x"), api("y"))), "a b"),
        (Question((api("*"),)), "b"),
        (Question((api("y"), Wish("projects", "p9", by_section=True))), "c"),
        (Question((Wish("users", "u1", by_section=True),)), "d"),
        (Question((Wish("role", "admin", by_section=False),)), "l"),
        (Question((Wish("ipm", "10.1.2.3", by_section=False),)), "l"),
        (Question((Wish("ipm", "10.2.0.0/16", by_section=False),)), ""),
        (Question((Wish("ipm", "no address", by_section=False),)), ""),
        (Question((Wish("rule", "*", by_section=False),)), "l"),
        (Question(kinds=("JWTToken", "LoginToken")), "d l"),
        (Question(owners=("ops",)), "c l"),
        (Question((api("x"),), owners=("ops",)), "l"),
        (Question(names=("a", "d")), "a d"),
    ],
)
def test_a_token_fits_when_it_fits_all_that_is_asked(question: Question, expected: str) -> None:
    """Whatever a kind calls its fields, by `*` and by networks; one of several owners, kinds or names."""
    assert " ".join(names(periods(SOME, question))) == expected


def test_it_is_said_which_grant_lets_a_token() -> None:
    """The name itself, `*`, or the network that an address is in; all grants where nothing is asked."""
    found = periods(SOME, Question((api("x"),)))
    assert [dict(one.grants) for one in found] == [{"apis": ("x",)}, {"apis": ("*",)}, {"api": ("x",)}]
    (one,) = periods(SOME, Question((Wish("ipm", "10.1.2.3", by_section=False),)))
    assert dict(one.grants) == {"ipm": ("10.1.0.0/16",)}
    (one,) = periods(SOME, Question(names=("a",)))
    assert dict(one.grants) == {"apis": ("x", "y"), "projects": ("p1",)}


def history() -> list[Span]:
    """Access to x: from run 1, over an edit of the title, lost in 3, back in 4, renamed in 5, gone in 6."""
    runs = Runs()
    runs.run(given("issue", "t1", rsa("a", "x", "y")))
    runs.run(given("modify", "t1", rsa("a", "x", "y", meta=", title: T")))
    runs.run(given("modify", "t1", rsa("a", "y")))
    runs.run(given("modify", "t1", rsa("a", "x")))
    runs.run(given("rename", "t1", rsa("b", "x", meta=", previously: a"), was="a"))
    runs.run(deleted("t1", "b"))
    return list(applied(runs.recorded).spans)


def test_access_lasts_over_edits_that_leave_it_as_it_is() -> None:
    """Since when and until when are told of the access, not of the last edit; another name grants nothing."""
    found = periods(history(), Question((api("x"),)))
    assert [
        (one.name, (one.since.at - START) // DAY, one.until and (one.until.at - START) // DAY)
        for one in found
    ] == [("a", 1, 3), ("b", 4, 6)]
    assert [one.previously for one in found] == [(), ("a",)]


def test_a_token_is_found_by_any_name_that_it_had() -> None:
    assert names(periods(history(), Question((api("x"),), names=("a",)))) == ["a", "b"]


def test_a_token_that_is_off_can_do_nothing() -> None:
    """And is told where it is asked for."""
    some = spans(rsa("a", more="lifecycle: {enabled: false}\n"))
    assert periods(some, Question()) == []
    assert [one.state for one in periods(some, Question(states=tuple(State)))] == [State.DISABLED]


def test_of_every_state_each_moment_is_told_once() -> None:
    """Off, on again, past its own end, edited there, given another end, and deleted."""
    runs = Runs()
    runs.run(given("issue", "t1", rsa("a", more="lifecycle: {enabled: false}\n")))
    runs.run(given("modify", "t1", rsa("a", more="lifecycle: {expires: 3d}\n")))
    runs.run(at=START + 4 * DAY)
    runs.run(given("modify", "t1", rsa("a", meta=", title: T", more="lifecycle: {expires: 3d}\n")))
    runs.run(given("modify", "t1", rsa("a", more="lifecycle: {enabled: false, expires: 3d}\n")))
    runs.run(given("modify", "t1", rsa("a")))
    runs.run(deleted("t1", "a"))
    found = periods(applied(runs.recorded).spans, Question(states=tuple(State)))
    days = [(one.state, (one.since.at - START) / DAY, ((one.over or 0) - START) / DAY) for one in found]
    assert days == [
        (State.DISABLED, 1, 2),
        (State.ACTIVE, 2, 4),
        (State.EXPIRED, 4, 6),
        (State.ACTIVE, 6, 7),
    ]
    assert [one.ends_itself for one in found] == [False, True, False, False]


def test_access_that_came_to_its_own_end_is_over_then() -> None:
    """And an edit after that does not bring the time in between back."""
    runs = Runs()
    runs.run(given("issue", "t1", rsa("a", more="lifecycle: {expires: 1d}\n")))
    runs.run()
    runs.run(given("modify", "t1", rsa("a")))
    first, second = periods(applied(runs.recorded).spans, Question())
    assert (first.over, first.ends_itself) == (START + 2 * DAY, True)
    assert (second.since.at, second.over) == (START + 3 * DAY, None)


def test_what_a_failed_run_may_have_taken_is_told_as_not_certain() -> None:
    """It is no reason to leave it out."""
    runs = Runs()
    runs.run(given("issue", "t1", rsa("a", "x")))
    runs.run(failed("modify", "t1", "a"))
    found = periods(applied(runs.recorded).spans, Question((api("x"),)))
    assert [one.certain for one in found] == [True, False]


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (START, START, False),
        (START + DAY, START + DAY, True),
        (START + 3 * DAY - 1, START + 3 * DAY - 1, True),
        (START + 3 * DAY, START + 3 * DAY, False),
        (START, START + DAY, False),
        (START, START + DAY + 1, True),
        (START + 3 * DAY, START + 9 * DAY, False),
    ],
)
def test_a_period_covers_from_its_first_moment_to_before_its_end(
    since: int,
    until: int,
    expected: bool,  # noqa: FBT001
) -> None:
    first = periods(history(), Question((api("x"),)))[0]
    assert first.covers(since, until) is expected


def test_what_no_spec_ever_named_is_told_with_the_nearest_that_one_did() -> None:
    """`*` covers a slip of the pen as well as any name."""
    question = Question((api("xx1"), api("y"), api("*")), names=("aa",), owners=("opps", "ops"))
    some = spans(rsa("aaa", "xx2", "y"), rsa("b", "*", meta=", owner: ops"))
    assert [(one.what, one.value, one.near) for one in unknown(some, question)] == [
        ("name in apis", "xx1", "xx2"),
        ("token", "aa", "aaa"),
        ("owner", "opps", "ops"),
    ]


def test_every_field_that_grants_can_be_asked_for() -> None:
    assert {"apis", "projects", "users", "api", "role", "ipm", "initroles"} <= granted_fields()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01", Window(0, DAY)),
        ("2024-02-29", Window(1709164800, 1709251200)),
        ("1970-01-01T00:00:05Z", moment(5)),
        ("1970-01-01T02:00:05+02:00", moment(5)),
        ("1969-12-31T23:59:59Z", moment(-1)),
        ("main", None),
        ("HEAD~3", None),
        ("2024", None),
        ("20240229", None),
    ],
)
def test_a_day_is_all_of_it_and_a_time_a_moment(text: str, expected: Window | None) -> None:
    """And what is neither is a revision."""
    assert window(text) == expected


@pytest.mark.parametrize(
    "text",
    ["2023-02-29", "0000-01-01", "9999-12-31", "2024-01-01T", "2024-01-01T12:00:00", "2024-01-01T25:00Z"],
)
def test_what_looks_like_a_time_and_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as raised:
        window(text)
    assert raised.value.hint


def test_between_two_times_is_from_the_first_to_the_end_of_the_last() -> None:
    assert Window(0, DAY).and_up_to(Window(DAY, 2 * DAY)) == Window(0, 2 * DAY)
    assert moment(5).and_up_to(moment(9)) == Window(5, 10)
    with pytest.raises(UsageError, match="ends before it begins"):
        moment(9).and_up_to(moment(5))
