"""Runs, their journal, and the records they leave."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.errors import StoreError, StoreUnreadable
from reconciler.live.interface import Batch, Finish, LiveStore
from reconciler.live.opening import open_store
from tests.live.hands import edit
from tests.live.values import (
    as_stored,
    deleted,
    everything,
    intent,
    names,
    put,
    record,
    run,
    token,
    write,
)


def test_a_run_is_open_until_it_is_finished(store: LiveStore) -> None:
    """`state().run` tells of it, with all it said when it began."""
    write(store, Batch(begin=run()))
    assert store.state().run == run()
    write(store, Batch(finish=Finish("run-1")))
    assert store.state().run is None


def test_one_run_at_a_time(store: LiveStore) -> None:
    """A second one may not begin before the first was finished."""
    write(store, Batch(begin=run()))
    with pytest.raises(StoreError, match="run run-1 has not ended"):
        write(store, Batch(begin=run("run-2")))
    write(store, Batch(finish=Finish("run-1")), Batch(begin=run("run-2")))
    assert store.state().run == run("run-2")


def test_a_run_begins_once(store: LiveStore) -> None:
    """The id of a run that ended is refused."""
    write(store, Batch(begin=run(), finish=Finish("run-1")))
    with pytest.raises(StoreError, match="refused"):
        write(store, Batch(begin=run()))


def test_only_an_open_run_has_a_journal_and_an_end(store: LiveStore) -> None:
    """What nobody would ever resume is refused."""
    for batch in (Batch(journal=[intent(0, token("a"))]), Batch(finish=Finish("run-1"))):
        with pytest.raises(StoreError, match="run run-1 is not open"):
            write(store, batch)
    assert list(store.intents()) == []


def test_the_journal_comes_back_in_order(store: LiveStore) -> None:
    """As it was written, over several batches, with `after` and without."""
    entries = [intent(number, token(f"t{number}") if number % 2 else None) for number in range(7)]
    write(store, Batch(begin=run(), journal=entries[:4]), Batch(journal=entries[4:]))
    assert list(store.intents()) == entries


def test_a_journal_entry_twice(store: LiveStore) -> None:
    """(run, number) names one entry: the later one takes its place."""
    write(store, Batch(begin=run(), journal=[intent(0, None), intent(1, None)]))
    write(store, Batch(journal=[intent(0, token("a"))]))
    assert list(store.intents()) == [intent(0, token("a")), intent(1, None)]


def test_an_entry_that_names_another_token(store: LiveStore) -> None:
    """Its token and the one it holds are the same one."""
    odd = replace(intent(0, token("a")), token_id="other")
    with pytest.raises(StoreError, match="names one token and holds another"):
        write(store, Batch(begin=run(), journal=[odd]))


def test_finishing_makes_intents_live(store: LiveStore) -> None:
    """Those with `after` become tokens; the dropped do not; the journal is empty; the run ended."""
    entries = [intent(0, token("a")), intent(1, token("b")), intent(2, None)]
    write(store, Batch(begin=run(), journal=entries))
    assert names(store) == []
    revision = write(store, Batch(finish=Finish("run-1", frozenset({1})), record=record(1)))
    assert list(store.tokens()) == [as_stored(token("a"), revision)]
    assert list(store.intents()) == []
    assert store.state().run is None
    assert store.state().head == record(1)


def test_a_whole_run_in_one_batch(store: LiveStore) -> None:
    """Begin, tokens, journal, finish and record, in this order: finish wins over tokens."""
    early = replace(token("a"), declared="early")
    write(
        store,
        Batch(
            begin=run(),
            tokens=[early],
            journal=[intent(0, token("a"))],
            finish=Finish("run-1"),
            record=record(1),
            published=[1],
        ),
    )
    found = store.token("a")
    assert found is not None
    assert found.declared == token("a").declared
    assert store.state().unpublished == ()


def test_a_long_journal_with_names_that_change_hands(store: LiveStore) -> None:
    """More intents than are read at once, each taking the name of the next one's token."""
    ring = [f"t{number:04}" for number in range(1000)]
    put(store, *(token(name, f"id-{number}", credentials=()) for number, name in enumerate(ring)))
    turned = ring[1:] + ring[:1]
    entries = [intent(number, token(name, f"id-{number}")) for number, name in enumerate(turned)]
    write(store, Batch(begin=run(), journal=entries), Batch(finish=Finish("run-1")))
    assert [each.id for each in store.tokens()] == ["id-999", *(f"id-{n}" for n in range(999))]


def test_finishing_cannot_wake_the_deleted(store: LiveStore) -> None:
    """A token that was deleted after it was journalled stays so; the batch is refused."""
    put(store, token("a"))
    write(store, Batch(begin=run(), journal=[intent(0, token("a"))], tokens=[deleted("a")]))
    before = everything(store)
    with pytest.raises(StoreError, match="was deleted"):
        write(store, Batch(finish=Finish("run-1")))
    assert everything(store) == before
    write(store, Batch(finish=Finish("run-1", frozenset({0}))))
    assert store.tombstones("a")[0].name == "a"


def test_records_are_a_chain(store: LiveStore) -> None:
    """Each follows the head; the newest is the head; all come back in order."""
    for number in (1, 2, 3):
        write(store, Batch(record=record(number)))
    assert list(store.records()) == [record(1), record(2), record(3)]
    assert store.state().head == record(3)


def test_records_are_found_by_the_plan_of_their_runs(store: LiveStore, url: str) -> None:
    """Once they are written, in order; and not in another workspace of the store."""
    write(store, Batch(begin=run()))
    assert store.records_of("sha256:plan") == ()
    write(store, Batch(finish=Finish("run-1"), record=record(1)))
    write(store, Batch(record=record(2)))
    write(store, Batch(begin=run("run-3")))
    write(store, Batch(finish=Finish("run-3"), record=record(3)))
    assert store.records_of("sha256:plan") == (record(1), record(3))
    assert store.records_of("sha256:pla") == ()
    other = open_store(url, "other", create=True)
    write(other, Batch(begin=replace(run(), plan_digest="sha256:other")))
    write(other, Batch(finish=Finish("run-1"), record=record(1)))
    assert (other.records_of("sha256:other"), other.records_of("sha256:plan")) == ((record(1),), ())
    assert store.records_of("sha256:other") == ()
    other.close()


@pytest.mark.parametrize("sequence", [0, 1, 3, 9])
def test_a_gap_in_the_records(store: LiveStore, sequence: int) -> None:
    """A record that does not follow the head is refused, with its batch."""
    write(store, Batch(record=record(1)))
    with pytest.raises(StoreError, match="does not follow record 1"):
        write(store, Batch(record=record(sequence), tokens=[token("a")]))
    assert names(store) == []


def test_unpublished_records_wait(store: LiveStore) -> None:
    """They are told in order until a batch says that they went out."""
    for number in (1, 2, 3):
        write(store, Batch(record=record(number, published=number == 2)))
    assert store.state().unpublished == (record(1), record(3))
    write(store, Batch(published=[1, 3, 3]))
    assert store.state().unpublished == ()
    assert [each.published for each in store.records()] == [True, True, True]


def test_publishing_a_record_that_is_not_there(store: LiveStore) -> None:
    """It is an error: the store is not the one that was published from."""
    with pytest.raises(StoreError, match="not in the store"):
        write(store, Batch(record=record(1), published=[1, 2]))
    assert store.state().head is None


def test_an_intent_that_does_not_parse_stops_the_run(store: LiveStore, url: str) -> None:
    """Finishing reads the journal with the same distrust as everything else."""
    write(store, Batch(begin=run(), journal=[intent(0, token("a"))]))
    edit(url, "UPDATE intent SET after = '{}'")
    with pytest.raises(StoreUnreadable, match="journal entry for a"):
        write(store, Batch(finish=Finish("run-1")))
    assert names(store) == []


def test_what_was_applied_last_is_told_by_runs_that_ended(store: LiveStore, url: str) -> None:
    """Neither by one that is open, nor by a record alone, nor by a run that knew no commit, nor elsewhere."""
    assert store.state().applied is None
    for number, commit in enumerate(("aaa", "bbb", None), 1):
        before = store.state().applied
        begun = replace(run(f"run-{number}"), commit=commit)
        write(store, Batch(begin=begun))
        assert store.state().applied == before
        write(store, Batch(finish=Finish(begun.id), record=record(number)))
        assert store.state().applied == (commit or before)
    write(store, Batch(record=record(4)))
    assert store.state().applied == "bbb"
    other = open_store(url, "other", create=True)
    assert other.state().applied is None
    other.close()
