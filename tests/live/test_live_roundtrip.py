"""All sorts of values go in and come out the same, on both makes of database."""

from __future__ import annotations

from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.live.interface import Batch, Finish, LiveStore, LiveToken, Record, Run, TokenState
from reconciler.live.opening import open_store
from tests.live.values import as_stored, bodies, intents_of, runs, token_lists, write

generated = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
_numbers = count()


def fresh(url: str) -> LiveStore:
    """A workspace of its own for each example, as the store is shared by all of them."""
    return open_store(url, f"workspace {next(_numbers)}")


def unique(values: list[LiveToken], store: LiveStore) -> list[LiveToken]:
    """The same tokens with ids that no example before had."""
    from dataclasses import replace

    return [replace(each, id=f"{each.id} {id(store)} {next(_numbers)}") for each in values]


@given(values=token_lists)
@generated
def test_tokens_come_back(url: str, values: list[LiveToken]) -> None:
    """By name and in a list, in the order of their names; the deleted as tombstones."""
    store = fresh(url)
    values = unique(values, store)
    revision = write(store, Batch(tokens=values))
    stored = [as_stored(each, revision) for each in values]
    alive = [each for each in stored if each.state is not TokenState.DELETED]
    assert list(store.tokens()) == sorted(alive, key=lambda each: each.name)
    for each in stored:
        if each.state is TokenState.DELETED:
            assert store.tombstones(each.name) == (each,)
        else:
            assert store.token(each.name) == each
    store.close()


@given(run=runs, values=token_lists, data=st.data())
@generated
def test_runs_and_their_journal_come_back(
    url: str, run: Run, values: list[LiveToken], data: st.DataObject
) -> None:
    """What is journalled reads the same, and becomes exactly what was journalled."""
    store = fresh(url)
    alive = [each for each in unique(values, store) if each.state is not TokenState.DELETED]
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
    store.close()


@given(record=bodies)
@generated
def test_records_come_back(url: str, record: Record) -> None:
    """As the head, in the list, and among those that wait."""
    store = fresh(url)
    write(store, Batch(record=record))
    assert store.state().head == record
    assert list(store.records()) == [record]
    assert store.state().unpublished == (() if record.published else (record,))
    store.close()
