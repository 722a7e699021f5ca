"""What was live: spans of every token, as records say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.audit.applied import Lived, applied
from reconciler.audit.recorded import in_order, odd_times
from reconciler.errors import RecordUnreadable
from reconciler.records.chain import RecordFile
from tests.audit.bodies import Runs, deleted, failed, given
from tests.audit.lines import DAY, START, jwt, rsa


def lives(lived: Lived) -> list[tuple[str, str, int, int | None, bool]]:
    """Name, APIs, and the numbers of the runs that began and ended each span; whether its spec is known."""
    return [
        (
            span.name,
            " ".join(span.grants["apis"]),
            int(span.since.run or "0", 16),
            None if span.until is None else int(span.until.run or "0", 16),
            bool(span.normal),
        )
        for span in lived.spans
    ]


def test_a_token_is_live_from_run_to_run() -> None:
    """Issued, modified, rotated with the same spec, renamed, deleted: its id is its identity."""
    runs = Runs()
    runs.run(given("issue", "t1", rsa("a", "x")))
    runs.run(given("modify", "t1", rsa("a", "x", "y")))
    runs.run(given("rotate", "t1", rsa("a", "x", "y"), known=True))
    runs.run(given("rename", "t1", rsa("b", "x", "y", meta=", previously: a"), was="a"))
    runs.run(deleted("t1", "b"))
    runs.run(given("issue", "t2", rsa("a", "x")))
    lived = applied(runs.recorded)
    assert lives(lived) == [
        ("a", "x", 1, 2, True),
        ("a", "x y", 2, 4, True),
        ("b", "x y", 4, 5, True),
        ("a", "x", 6, None, True),
    ]
    assert [span.token for span in lived.spans] == ["t1", "t1", "t1", "t2"]
    first = lived.spans[0].since
    assert (first.at, first.commit, first.actor) == (START + DAY, "c" * 40, "ci")


def test_off_is_a_span_in_which_it_can_do_nothing() -> None:
    runs = Runs()
    runs.run(given("issue", "t1", rsa("a")))
    runs.run(given("modify", "t1", rsa("a", more="lifecycle: {enabled: false}\n")))
    assert [span.enabled for span in applied(runs.recorded).spans] == [True, False]


def test_an_end_counts_from_the_run_that_issued_it() -> None:
    """Not from the one that gave it the spec with the end."""
    runs = Runs()
    runs.run(given("issue", "t1", rsa("a")))
    runs.run(given("modify", "t1", rsa("a", more="lifecycle: {expires: 10d}\n")))
    assert [span.ends for span in applied(runs.recorded).spans] == [None, START + 11 * DAY]


def test_a_change_that_failed_may_have_taken_access_away() -> None:
    """Since then it could do what it could at the most, until a run gives it a spec again."""
    runs = Runs()
    runs.run(given("issue", "t1", rsa("a", "x", "y")))
    runs.run(failed("rotate", "t1", "a"))
    runs.run(given("rotate", "t1", rsa("a", "x", "y"), known=True))
    assert lives(applied(runs.recorded)) == [
        ("a", "x y", 1, 2, True),
        ("a", "x y", 2, 3, False),
        ("a", "x y", 3, None, True),
    ]


def test_a_change_that_failed_before_it_touched_anything_changes_nothing() -> None:
    """The record vouches for the same as before, or does not name the token at all."""
    runs = Runs()
    first = runs.run(given("issue", "t1", rsa("a")))
    runs.run(failed("modify", "t1", "a"), live=dict(first.live))
    runs.run(failed("modify", "t1", "a"), live={})
    assert lives(applied(runs.recorded)) == [("a", "a.read", 1, None, True)]


def test_a_run_that_was_blocked_begins_and_ends_nothing() -> None:
    """The only one, and the newest."""
    runs = Runs()
    runs.blocked(commit="c" * 40, at=START)
    assert applied(runs.recorded) == Lived((), ())
    runs.run(given("issue", "t1", rsa("a")))
    runs.blocked(commit="c" * 40, at=START + 9 * DAY)
    assert lives(applied(runs.recorded)) == [("a", "a.read", 2, None, True)]


def test_what_a_failed_issue_touched_was_never_live() -> None:
    runs = Runs()
    runs.run(failed("issue", "t1", "a"))
    assert applied(runs.recorded).spans == ()


def test_done_and_failed_in_one_run_is_not_certain() -> None:
    """One change of a token was done, the other was not: what it could do is told by none."""
    runs = Runs()
    runs.run(given("issue", "t1", rsa("a")))
    runs.run(given("retire", "t1", rsa("a"), known=True), failed("modify", "t1", "a"))
    assert lives(applied(runs.recorded))[-1] == ("a", "a.read", 2, None, False)


def test_a_run_whose_clock_was_behind_is_not_before_the_one_it_follows() -> None:
    runs = Runs()
    runs.run(given("issue", "t1", rsa("a")), at=START)
    runs.run(given("modify", "t1", rsa("a", "x")), at=START - DAY)
    assert [span.since.at for span in applied(runs.recorded).spans] == [START, START]


def test_one_run_whose_clock_was_ahead_hides_no_run_that_follows_it() -> None:
    """It counts as made with the next that can be, else now: in what began, what was issued and what ends."""
    runs, far, now = Runs(), START + 9_999 * DAY, START + 50 * DAY
    ending = rsa("b", more="lifecycle: {expires: 10d}\n")
    runs.run(given("issue", "t1", rsa("a")), at=START)
    runs.run(given("issue", "t2", ending), at=far)
    runs.run(given("modify", "t1", rsa("a", "x")), at=START + DAY)
    runs.run(given("modify", "t1", rsa("a", "y")), at=far)
    records = in_order(runs.files, now=now)
    told = [(span.name, span.since.at, span.ends) for span in applied(records).spans]
    assert told == [
        ("a", START, None),
        ("a", START + DAY, None),
        ("b", START + DAY, START + 11 * DAY),
        ("a", now, None),
    ]
    assert list(odd_times(records)) == [
        "2 records say that they are of later than now (2, 4): taken as made with what came next, or now"
    ]


def test_a_spec_that_no_record_tells_is_said_to_be_untold() -> None:
    """Such as one of a kind that this version does not know; it is in no span, and no silence either."""
    runs = Runs()
    runs.run(given("issue", "t1", rsa("a"), known=True))
    odd = given("issue", "t2", jwt("b"))
    runs.run(odd.model_copy(update={"declared": {"kind": "OldToken", "spec": {}}}))
    lived = applied(runs.recorded)
    assert (lived.spans, lived.untold) == ((), ("a", "b"))


@pytest.mark.parametrize("declared", [{}, {"kind": 5}, {"kind": "RSAToken", "metadata": None}, {"kind": []}])
def test_nothing_that_a_record_declares_breaks_the_reading(declared: dict[str, object]) -> None:
    runs = Runs()
    runs.run(given("issue", "t1", rsa("a")).model_copy(update={"declared": declared}))
    assert applied(runs.recorded).untold == ("a",)


def history() -> list[RecordFile]:
    """Three records that follow one another."""
    runs = Runs()
    runs.run(given("issue", "t1", rsa("a")))
    runs.run(given("modify", "t1", rsa("a", "x")))
    runs.run(deleted("t1", "a"))
    return runs.files


def test_records_are_read_in_their_order_whatever_order_they_come_in() -> None:
    assert [one.body.sequence for one in in_order(reversed(history()))] == [1, 2, 3]


@pytest.mark.parametrize("gone", [0, 1])
def test_a_record_that_is_missing_is_named(gone: int) -> None:
    """An answer without it would be wrong."""
    files = history()
    del files[gone]
    with pytest.raises(RecordUnreadable, match=r"(the record before it|record 2) is not there") as raised:
        in_order(files)
    assert "audit verify" in raised.value.hint


def test_a_record_that_another_stands_in_for_is_found() -> None:
    """One with the right number and name, made after the fact."""
    files = history()
    other = Runs()
    other.run(given("issue", "t1", rsa("a", "evil")))
    with pytest.raises(RecordUnreadable, match=r"00000001-.*record 2 follows another"):
        in_order([replace(files[0], data=other.files[0].data), *files[1:]])


@pytest.mark.parametrize(
    ("number", "edit"),
    [
        (0, {"data": b"{}"}),
        (1, {"data": b"\xff"}),
        (0, {"path": "artifacts/records/00000001-abcd.json"}),
        (2, {"path": "artifacts/records/notes.json"}),
    ],
)
def test_what_is_no_record_or_named_for_another_is_found(number: int, edit: dict[str, object]) -> None:
    files = history()
    files[number] = replace(files[number], **edit)  # type: ignore[arg-type]
    with pytest.raises(RecordUnreadable, match="do not fit together"):
        in_order(files)
