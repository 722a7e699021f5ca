"""Damage: what was read is right and whole, or it is an error."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.errors import ReconcilerError, StoreError, StoreLocked, StoreUnreadable
from reconciler.live import engine, faults
from reconciler.live.interface import Batch, LiveStore
from reconciler.live.opening import open_store
from tests.live.hands import edit, look
from tests.live.values import Opener, deleted, everything, intent, put, record, run, token, write
from tests.servers import Postgres

EDITS = {
    "bad JSON": "UPDATE token SET grants = '{' WHERE name = 'b'",
    "no object": "UPDATE token SET grants = '[]' WHERE name = 'b'",
    "no list": """UPDATE token SET grants = '{"apis": "x"}' WHERE name = 'b'""",
    "no strings": """UPDATE token SET grants = '{"apis": [1]}' WHERE name = 'b'""",
    "state": "UPDATE token SET state = 'wild' WHERE name = 'b'",
    "expired": "UPDATE token SET state = 'expired' WHERE name = 'b'",
    "flag": "UPDATE token SET protect = 7 WHERE name = 'b'",
    "credential": "UPDATE credential SET state = 'wild' WHERE token_id = 'id-b'",
}


@pytest.mark.parametrize("statement", EDITS.values(), ids=EDITS.keys())
def test_a_token_edited_by_hand(store: LiveStore, url: str, statement: str) -> None:
    """What does not fit is named, in the list and by name; it is never passed over."""
    put(store, token("a"), token("b"), token("c"))
    edit(url, statement)
    with pytest.raises(StoreUnreadable, match="token b in the live store") as raised:
        list(store.tokens())
    assert raised.value.hint
    with pytest.raises(StoreUnreadable, match="token b in the live store"):
        store.token("b")
    assert store.token("a") is not None


def test_a_value_of_another_type(file: Path, opener: Opener) -> None:
    """SQLite takes text for a number; we do not."""
    url = f"sqlite:///{file}"
    store = opener(url)
    put(store, token("b"))
    for statement in (
        "UPDATE token SET created_at = 'yesterday'",
        "UPDATE token SET created_at = 1, declared = x'00'",
    ):
        edit(url, statement)
        with pytest.raises(StoreUnreadable, match="wrong type"):
            list(store.tokens())


def test_text_that_is_no_text(file: Path, opener: Opener) -> None:
    """Bytes that are not UTF-8 break the read, and do not get past it."""
    url = f"sqlite:///{file}"
    store = opener(url)
    put(store, token("b"))
    edit(url, "UPDATE token SET declared = CAST(x'ff' AS TEXT)")
    with pytest.raises(StoreUnreadable):
        list(store.tokens())


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("DELETE FROM token WHERE name = 'b'", "brought 1 live tokens of 2"),
        ("DELETE FROM token WHERE name = 'd'", "brought 0 deleted tokens of 1"),
        ("UPDATE token SET state = 'deleted' WHERE name = 'b'", "brought 1 live tokens of 2"),
        ("DELETE FROM intent WHERE number = 1", "brought 1 journal entries of 2"),
        ("DELETE FROM record WHERE sequence = 3", "record 3 is missing"),
        ("UPDATE workspace SET record_count = 2", "brought 3 records of 2"),
        ("UPDATE record SET published = 1 WHERE sequence = 3", "brought 1 unpublished records of 2"),
        ("UPDATE workspace SET open_run = 'other'", "run other is missing"),
        ("DELETE FROM credential", "token a in the live store .* 0 usable credentials of 1"),
        ("DELETE FROM record WHERE sequence = 2", "record 2 is missing"),
        ("UPDATE record SET published = 9 WHERE sequence = 3", "record 3 in the live store"),
        ("UPDATE intent SET after = '{' WHERE number = 0", "journal entry for x in the live store"),
    ],
)
def test_rows_that_are_gone_or_odd(store: LiveStore, url: str, statement: str, says: str) -> None:
    """A short list is an error, for tokens, journal and records alike."""
    put(store, token("a"), token("b", credentials=()), token("d", credentials=()))
    put(store, replace(deleted("d"), credentials=()))
    write(store, Batch(begin=run(), journal=[intent(0, token("x")), intent(1, None)]))
    write(store, *(Batch(record=record(number, published=number == 2)) for number in (1, 2, 3)))
    edit(url, statement)
    with pytest.raises(StoreUnreadable, match=says):
        everything(store)


def test_a_store_without_its_id(url: str, opener: Opener) -> None:
    """The row that names the store is gone."""
    store = opener(url)
    edit(url, "DELETE FROM store")
    with pytest.raises(StoreUnreadable):
        store.state()


Full: TypeAlias = "tuple[Path, bytes, tuple[object, ...]]"
PAGE = 4096
places = st.integers(0, 2**24)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Full:
    """A folder, the bytes of a store with 300 tokens, and what it reads as."""
    folder = tmp_path_factory.mktemp("full")
    store = open_store(f"sqlite:///{folder}/full.db", "acme")
    put(store, *(token(f"t{number:04}") for number in range(300)))
    put(store, *(deleted(f"t{number:04}") for number in range(0, 300, 5)))
    write(store, Batch(begin=run(), journal=[intent(n, token(f"u{n}")) for n in range(50)]))
    write(store, *(Batch(record=record(number)) for number in range(1, 20)))
    whole = everything(store)
    store.close()
    return folder, (folder / "full.db").read_bytes(), whole


def read(folder: Path, data: bytes) -> tuple[object, ...] | None:
    """What a store of these bytes reads as; None where it says that it cannot be read."""
    file = folder / "damaged.db"
    for left in folder.glob("damaged.db*"):
        left.unlink()
    file.write_bytes(data)
    try:
        store = open_store(f"sqlite:///{file}", "acme")
    except StoreError:
        return None
    try:
        return everything(store)
    except StoreUnreadable:
        return None
    finally:
        store.close()


@given(place=places, page_end=st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_truncated_file(full: Full, place: int, page_end: object) -> None:
    """Cut off anywhere, it cannot be read: never a shorter list, never an empty store."""
    folder, whole, _ = full
    length = place % len(whole)
    assert read(folder, whole[: length - length % PAGE if page_end else length]) is None


@given(page=places, place=places, turn=st.integers(1, 255))
@settings(max_examples=150, deadline=None)
def test_damaged_headers(full: Full, page: int, place: int, turn: int) -> None:
    """With a byte of the file's header or of a page's header turned, it is the same or an error."""
    folder, whole, expected = full
    page %= len(whole) // PAGE
    turned = bytearray(whole)
    turned[page * PAGE + place % (8 if page else 108)] ^= turn
    assert read(folder, bytes(turned)) in (None, expected)


@given(page=places, filler=st.sampled_from([b"\0", b"\xff", b"x"]))
@settings(max_examples=60, deadline=None)
def test_a_page_that_is_lost(full: Full, page: int, filler: bytes) -> None:
    """A page of zeros, or of something else, is the same (nobody needed it) or an error."""
    folder, whole, expected = full
    start = page % (len(whole) // PAGE) * PAGE
    assert read(folder, whole[:start] + filler * PAGE + whole[start + PAGE :]) in (None, expected)


@given(st.binary(max_size=300))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_that_is_no_database(tmp_path: Path, data: bytes) -> None:
    """Whatever is in it, an empty file too: it is not a store and is not made into one."""
    assert read(tmp_path, data) is None
    assert (tmp_path / "damaged.db").read_bytes() == data


def test_a_database_of_somebody_else(tmp_path: Path) -> None:
    """It is not turned into a store."""
    connection = sqlite3.connect(tmp_path / "live.db")
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    with pytest.raises(StoreUnreadable, match="without a store in it"):
        open_store(f"sqlite:///{tmp_path}/live.db", "acme")


def test_a_file_that_ends_under_the_reader(file: Path, opener: Opener) -> None:
    """A read that breaks off midway raises inside the iterator."""
    store = opener(f"sqlite:///{file}")
    put(store, *(token(f"t{number:05}") for number in range(8000)))
    store.close()
    store = opener(f"sqlite:///{file}")
    reading = store.tokens()
    next(reading)
    with file.open("r+b") as handle:
        handle.truncate(file.stat().st_size // 2)
    with pytest.raises(StoreUnreadable):
        list(reading)


def test_a_server_that_hangs_up_on_the_reader(server: Postgres, database: str, opener: Opener) -> None:
    """A connection that ends midway raises inside the iterator; the next read gets a new one."""
    store = opener(database)
    put(store, *(token(f"t{number:05}") for number in range(3000)))
    reading = store.tokens()
    next(reading)
    server.run(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname LIKE 'test%' AND state = 'idle in transaction'"
    )
    with pytest.raises(StoreUnreadable) as raised:
        list(reading)
    assert "run again" in raised.value.hint
    assert store.token("t00001") is not None


def test_a_writer_that_is_kept_waiting(file: Path, opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program inside a transaction of its own: the store is locked, and says so."""
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0)
    store = opener(f"sqlite:///{file}")
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreLocked, match="another process is writing"):
        put(store, token("a"))
    other.close()
    assert put(store, token("a")) == 1


def test_every_error_of_a_driver_has_a_hint() -> None:
    """Even one that nobody foresaw, and one that says nothing."""
    error = faults.translate(UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), "sqlite:///x")
    assert isinstance(error, StoreUnreadable)
    silent = faults.translate(OverflowError(), "sqlite:///x")
    assert "OverflowError" in str(silent)
    assert isinstance(silent, ReconcilerError)
    assert silent.hint
    assert faults._hint("something new") == faults.DEFAULT_HINT


def test_nothing_of_a_damaged_read_stays_open(file: Path, opener: Opener) -> None:
    """After an error the store can be written again."""
    url = f"sqlite:///{file}"
    store = opener(url)
    put(store, token("b"))
    edit(url, "UPDATE token SET state = 'wild'")
    with pytest.raises(StoreUnreadable):
        list(store.tokens())
    edit(url, "UPDATE token SET state = 'active'")
    assert look(url, "SELECT count(*) FROM token") == [(1,)]
    assert put(store, token("c")) == 2
