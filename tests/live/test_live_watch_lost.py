"""Watching a store that goes away: it is said, and seen when the store is back."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import traceback
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic

import pytest
from sqlalchemy import make_url

from reconciler.errors import StoreUnreadable
from reconciler.live import watching_postgres
from reconciler.live.interface import LiveStore, Watch
from reconciler.live.watching_postgres import PostgresWatch
from tests.live.hands import look
from tests.live.test_live_watch import LONG, SOON, ended, meanwhile, settled, watching
from tests.live.values import Opener, names, put, token
from tests.servers import Postgres, postgres

RIGHT, WRONG = "opensesame", "hunter2-sesame"
LISTENING = "FROM pg_stat_activity WHERE query LIKE 'LISTEN%' OR query = 'SELECT 1'"


def lost(watch: Watch) -> StoreUnreadable:
    """What a long wait raises soon."""
    start = monotonic()
    with pytest.raises(StoreUnreadable) as raised:
        watch.wait(LONG)
    assert monotonic() - start < SOON
    assert raised.value.hint
    return raised.value


def remove(file: Path) -> None:
    for each in file.parent.glob(f"{file.name}*"):
        each.unlink()


@pytest.fixture
def other_file(made_file: Path, tmp_path: Path, opener: Opener) -> Path:
    """Another store, with a token `other`, closed."""
    other = tmp_path / "other" / "live.db"
    other.parent.mkdir()
    store = opener(f"sqlite:///{other}")
    put(store, token("other"))
    store.close()
    return other


def test_a_file_that_is_replaced(file: Path, other_file: Path, opener: Opener) -> None:
    """It is seen, and from then on the new one is watched, read and written."""
    store = opener(f"sqlite:///{file}")
    put(store, token("a"))
    with watching(store) as watch:
        settled(watch)
        for each in file.parent.glob("live.db-*"):
            each.unlink()
        other_file.replace(file)
        assert ended(watch)
        assert names(store) == ["other"]
        found = store.since(0)
        assert (found.revision, [one.name for one in found.tokens]) == (1, ["other"])
        settled(watch)
        put(store, token("b"))
        assert ended(watch)
        assert names(store) == ["b", "other"]


def test_a_file_that_is_gone(file: Path, made_file: Path, opener: Opener) -> None:
    """It is said as long as it is so, of the watch and of the store; then the file that comes is seen."""
    store = opener(f"sqlite:///{file}")
    put(store, token("a"))
    with watching(store) as watch:
        settled(watch)
        remove(file)
        for _ in range(3):
            assert "No such file" in str(lost(watch))
        with pytest.raises(StoreUnreadable):
            store.since(0)
        with pytest.raises(StoreUnreadable):
            store.watch()
        shutil.copy(made_file, file)
        assert ended(watch)
        assert store.since(0).tokens == ()
        settled(watch)


def test_a_file_that_is_no_store_any_more(file: Path, tmp_path: Path, opener: Opener) -> None:
    """A backup that is none was put in its place."""
    store = opener(f"sqlite:///{file}")
    (tmp_path / "junk").write_bytes(b"junk" * 1000)
    with watching(store) as watch:
        settled(watch)
        remove(file)
        (tmp_path / "junk").replace(file)
        assert "backup" in lost(watch).hint


def test_a_restore_into_the_file(file: Path, other_file: Path, opener: Opener) -> None:
    """SQLite's own way to restore, under whoever has the file open."""
    store = opener(f"sqlite:///{file}")
    with watching(store) as watch:
        settled(watch)
        with closing(sqlite3.connect(other_file)) as source, closing(sqlite3.connect(file)) as target:
            source.backup(target)
        assert ended(watch)
        assert names(store) == ["other"]


def test_a_file_that_somebody_keeps_to_himself(
    file: Path, opener: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not in reach, so nobody can say that nothing changed."""
    monkeypatch.setattr("reconciler.live.watching_sqlite.BUSY_SECONDS", 0.05)
    with closing(sqlite3.connect(file, isolation_level=None)) as alone:
        alone.execute("PRAGMA journal_mode = DELETE")
        with watching(opener(f"sqlite:///{file}")) as watch:
            settled(watch)
            alone.execute("BEGIN EXCLUSIVE")
            assert "locked" in str(lost(watch))
            alone.execute("ROLLBACK")
            assert ended(watch)


@pytest.fixture(scope="module")
def own_server() -> Iterator[Postgres]:
    """A server that the tests here may stop."""
    with postgres() as running:
        yield running


@pytest.fixture
def own(own_server: Postgres, opener: Opener) -> LiveStore:
    """A store on it."""
    return opener(own_server.url("postgres"))


def test_a_server_that_stops_and_starts(own_server: Postgres, own: LiveStore) -> None:
    """It is said as long as it is so; then it is seen that it is back, and commits wake again."""
    put(own, token("a"))
    before = own.since(0)
    with watching(own) as watch:
        settled(watch)
        with own_server.down():
            for _ in range(3):
                assert "run again" in lost(watch).hint
            with pytest.raises(StoreUnreadable):
                own.watch()
        assert ended(watch)
        assert own.since(0) == before
        settled(watch)
        with meanwhile(lambda: put(own, token("b"))):
            assert ended(watch)


def test_a_server_that_stops_during_a_wait(own_server: Postgres, own: LiveStore) -> None:
    """The wait ends with the server, not with its time."""
    with watching(own) as watch:
        settled(watch)
        with meanwhile(own_server.stop):
            lost(watch)
        own_server.start()
        assert ended(watch)


def test_a_connection_that_is_cut(own_server: Postgres, own: LiveStore) -> None:
    """What was committed before it was there again is not missed."""
    with watching(own) as watch:
        settled(watch)
        own_server.run(f"SELECT pg_terminate_backend(pid, 5000) {LISTENING}")
        revision = put(own, token("a"))
        lost(watch)
        assert ended(watch)
        assert own.since(revision - 1).revision == revision


@contextmanager
def silent(watch: Watch) -> Iterator[None]:
    """The process of the server that serves the watch does nothing, for as long as the block takes."""
    assert isinstance(watch, PostgresWatch)
    assert watch._connection is not None
    process = watch._connection.info.backend_pid
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def test_a_server_that_says_nothing(own: LiveStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked when the time is over, and its answer is not waited for without end."""
    monkeypatch.setattr(watching_postgres, "ANSWER_SECONDS", 0.2)
    with watching(own) as watch:
        settled(watch)
        with silent(watch), pytest.raises(StoreUnreadable, match="does not answer") as raised:
            watch.wait(0.05)
        assert "server runs" in raised.value.hint
        assert ended(watch)


def test_whoever_closes_does_not_wait_for_a_silent_server(
    own: LiveStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does whoever wakes."""
    monkeypatch.setattr(watching_postgres, "ANSWER_SECONDS", LONG)
    for end in ("wake", "close"):
        with watching(own) as watch:
            settled(watch)
            with silent(watch), meanwhile(getattr(watch, end)):
                start = monotonic()
                assert watch.wait(0)
                assert monotonic() - start < SOON


def test_a_watch_leaves_no_connection(own_server: Postgres, own: LiveStore) -> None:
    """Not when it is closed, and not when it is closed while somebody waits."""
    for waits in (True, False):
        with watching(own) as watch:
            settled(watch)
            if waits:
                with meanwhile(watch.close):
                    assert ended(watch)
        deadline = monotonic() + SOON
        while look(own_server.url("postgres"), f"SELECT pid {LISTENING}"):
            assert monotonic() < deadline


def test_a_role_that_may_only_read_can_watch(server: Postgres, database: str, opener: Opener) -> None:
    """With its password, which is in no text."""
    name = make_url(database).database
    url = f"postgresql://guarded@/{name}?host={server.socket}&password={RIGHT}"
    writer = opener(database)
    with watching(opener(url, create=False)) as watch:
        settled(watch)
        with meanwhile(lambda: put(writer, token("a"))):
            assert ended(watch)
        assert RIGHT not in repr(watch)


def test_a_password_that_was_changed(own_server: Postgres, opener: Opener) -> None:
    """What to correct is said, without showing either password."""
    own_server.run(f"CREATE ROLE guarded LOGIN PASSWORD '{RIGHT}'", "GRANT pg_read_all_data TO guarded")
    opener(own_server.url("postgres"))
    url = f"postgresql://guarded:{RIGHT}@/postgres?host={own_server.socket}"
    with watching(opener(url, create=False)) as watch:
        settled(watch)
        own_server.run(
            f"ALTER ROLE guarded PASSWORD '{WRONG}'", f"SELECT pg_terminate_backend(pid, 5000) {LISTENING}"
        )
        texts = ["".join(traceback.format_exception(lost(watch))) for _ in range(2)]
        assert "password authentication failed" in texts[1]
        assert not any(word in text for word in (RIGHT, WRONG) for text in texts)
