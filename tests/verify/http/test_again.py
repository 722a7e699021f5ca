"""What is answered again is what would be answered anew: no change of records, routes or time is missed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from starlette.types import Scope

from reconciler.kinds.checking import Call
from reconciler.verify.book import Book
from reconciler.verify.http.again import KEPT, Again, Moment
from reconciler.verify.http.forward import Match
from reconciler.verify.http.message import Answer
from tests.verify.http.kit import PLANT, Site, documents


def scope(bearer: str = "t", **changes: object) -> Scope:
    headers = [(b"authorization", f"Bearer {bearer}".encode()), (b"x-request-id", b"7")]
    whole = {"method": "GET", "raw_path": b"/verify", "query_string": b"", "client": ("127.0.0.1", 1)}
    return {**whole, "headers": headers, **changes}


class Bench:
    """Counts how often an answer is made."""

    def __init__(self) -> None:
        self.book, self.second, self.lost = Book(), 1, False
        self.made: Iterator[int] = count(1)
        self.again = Again(self.moment, {b"authorization", b"x-forwarded-uri"})
        self.match: Match = lambda _, __: Call()

    def moment(self) -> Moment:
        return None if self.lost else (self.book, self.second)

    def ask(self, asked: Scope | None = None) -> int:
        answer = self.again.answer(
            scope() if asked is None else asked, self.match, lambda: Answer(next(self.made), (), b"")
        )
        return answer.status


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_the_same_question_is_answered_once_and_whatever_the_answer_does_not_depend_on_may_differ(
    bench: Bench,
) -> None:
    other_id = [(b"authorization", b"Bearer t"), (b"x-request-id", b"8")]
    assert [bench.ask(), bench.ask(), bench.ask(scope(headers=other_id))] == [1, 1, 1]
    assert bench.ask(scope(client=("127.0.0.1", 2))) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"bearer": "u"},
        {"method": "POST"},
        {"raw_path": b"/verify/path/x"},
        {"query_string": b"api=x"},
        {"client": ("10.0.0.1", 1)},
        {"client": None},
        {"headers": [(b"authorization", b"Bearer t"), (b"authorization", b"Bearer t")]},
        {"headers": [(b"authorization", b"Bearer t"), (b"x-forwarded-uri", b"/x")]},
        {"headers": []},
    ],
)
def test_another_question_has_an_answer_of_its_own(bench: Bench, change: dict[str, object]) -> None:
    assert bench.ask() == 1
    assert bench.ask(scope(**change)) == 2  # type: ignore[arg-type]


def test_another_moment_has_answers_of_its_own(bench: Bench) -> None:
    assert bench.ask() == 1
    bench.second = 2
    assert bench.ask() == 2
    bench.book = Book(revision=bench.book.revision)
    assert bench.ask() == 3, "equal records are not the same"
    bench.match = lambda _, __: Call(api="x")
    assert bench.ask() == 4
    bench.lost = True
    assert [bench.ask(), bench.ask()] == [5, 6], "nothing is remembered of a verifier that lost its store"
    bench.lost = False
    assert bench.ask() == 4


def test_what_is_remembered_is_bounded(bench: Bench) -> None:
    for number in range(KEPT + 5):
        bench.ask(scope(bearer=str(number)))
    assert len(bench.again._answers) == KEPT


def test_a_deleted_token_is_refused_in_the_second_in_which_it_was_accepted(own: Site) -> None:
    """The clock stands, the question is the same, and the records are not."""
    token = own.jwt("bridge")
    assert own.verify(token, uri=PLANT).status == 200
    own.apply(*(one for one in documents() if "bridge" not in str(one["metadata"])))
    assert own.verify(token, uri=PLANT).status == 401
