"""The same question in the same moment has the same answer, and is answered once.

An answer to `/verify` follows from the request, the live records, the routes, and the second. While records
and second are the same objects as before, what was answered is what would be answered: nothing is held back
from a request that comes after a change. What is remembered ends with the moment, a second at the most.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeAlias

from starlette.types import Scope

from reconciler.verify.book import Book
from reconciler.verify.http.forward import Match
from reconciler.verify.http.message import Answer

KEPT = 4096
"""Answers of one moment."""

Key: TypeAlias = tuple[object, ...]
Moment: TypeAlias = "tuple[Book, int] | None"
"""The live records and the second; None while nothing is accepted."""


class Again:
    """Answers of this moment, by what was asked."""

    def __init__(self, moment: Callable[[], Moment], read: Collection[bytes]) -> None:
        self._moment = moment
        self._read = read
        """The headers that an answer depends on."""
        self._book: Book | None = None
        self._second = 0
        self._match: Match | None = None
        self._answers: dict[Key, Answer] = {}

    def answer(self, scope: Scope, match: Match, make: Callable[[], Answer]) -> Answer:
        """What was answered to the same question in this moment, else what `make` answers."""
        now = self._moment()
        if now is None:
            return make()
        book, second = now
        if book is not self._book or second != self._second or match is not self._match:
            self._book, self._second, self._match, self._answers = book, second, match, {}
        question = self._question(scope)
        found = self._answers.get(question)
        if found is None:
            found = make()
            if len(self._answers) < KEPT:
                self._answers[question] = found
        return found

    def _question(self, scope: Scope) -> Key:
        client, read = scope["client"], self._read
        said = [header for header in scope["headers"] if header[0] in read]
        return (scope["method"], scope["raw_path"], scope["query_string"], client and client[0], *said)
