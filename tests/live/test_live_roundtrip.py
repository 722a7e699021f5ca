"""All sorts of values go in and come out the same, on both makes of database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.live.interface import Batch, Finish, LiveStore, LiveToken, Record, Run, TokenState
from reconciler.live.opening import open_store
from tests.live.values import as_stored, bodies, intents_of, runs, token_lists, write

generated = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
_numbers = count()


@contextmanager
def fresh(url: str) -> Iterator[LiveStore]:
    """A workspace of its own for each example, as the store is shared by all of them."""
    store = open_store(url, f"workspace {next(_numbers)}")
    try:
        yield store
    finally:
        store.close()


def unique(values: list[LiveToken]) -> list[LiveToken]:
    """The same tokens with ids that no example before had."""
    return [replace(each, id=f"{each.id} {next(_numbers)}") for each in values]


@given(values=token_lists)
@generated
def test_tokens_come_back(url: str, values: list[LiveToken]) -> None:
    """By name and in a list, in the order of their names; the deleted as tombstones."""
    with fresh(url) as store:
        values = unique(values)
        revision = write(store, Batch(tokens=values))
        stored = [as_stored(each, revision) for each in values]
        alive = [each for each in stored if each.state is not TokenState.DELETED]
        assert list(store.tokens()) == sorted(alive, key=lambda each: each.name)
        dead = [each for each in stored if each.state is TokenState.DELETED]
        assert list(store.graveyard()) == sorted(dead, key=lambda each: each.name)
        for each in stored:
            assert store.token_by_id(each.id) == each
            if each.state is TokenState.DELETED:
                assert store.tombstones(each.name) == (each,)
            else:
                assert store.token(each.name) == each


@given(run=runs, values=token_lists, data=st.data())
@generated
def test_runs_and_their_journal_come_back(
    url: str, run: Run, values: list[LiveToken], data: st.DataObject
) -> None:
    """What is journalled reads the same, and becomes exactly what was journalled."""
    with fresh(url) as store:
        alive = [each for each in unique(values) if each.state is not TokenState.DELETED]
        entries = data.draw(intents_of(run.id, [*alive, None]))
        write(store, Batch(begin=run, journal=entries))
        assert store.state().run == run
        read = list(store.intents())
        assert [each.after and as_stored(each.after, 0) for each in read] == [
            each.after and as_stored(each.after, 0) for each in entries
        ]
        revision = write(store, Batch(finish=Finish(run.id)))
        stored = [as_stored(each, revision) for each in alive]
        assert list(store.tokens()) == sorted(stored, key=lambda each: each.name)
        assert list(store.intents()) == []


@given(record=bodies)
@generated
def test_records_come_back(url: str, record: Record) -> None:
    """As the head, in the list, and among those that wait."""
    with fresh(url) as store:
        write(store, Batch(record=record))
        assert store.state().head == record
        assert list(store.records()) == [record]
        assert store.state().unpublished == (() if record.published else (record,))
