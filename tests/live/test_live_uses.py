"""One-time assertions: used once, whoever asks, and nothing else changes by it."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from threading import Barrier, Thread

import psycopg
import pytest
from sqlalchemy import make_url

from reconciler.errors import StoreError
from reconciler.live import uses
from reconciler.live.empty import EmptyStore
from reconciler.live.interface import LiveStore
from tests.live.hands import edit, look
from tests.live.values import NOW, Opener, everything, lease_of, put, token
from tests.servers import Postgres

END = NOW + 60


def kept(url: str) -> list[str]:
    return sorted(str(row[0]) for row in look(url, "SELECT digest FROM used_assertion"))


def test_an_assertion_is_used_once(url: str, opener: Opener) -> None:
    """Up to its end, whoever asks; another assertion and another workspace have nothing to do with it."""
    one, two, other = opener(url), opener(url), opener(url, "other")
    assert one.first_use("sha256:1", END, NOW)
    assert not one.first_use("sha256:1", END, NOW)
    assert not two.first_use("sha256:1", END + 99, END - 1)
    assert two.first_use("sha256:2", END, NOW)
    assert other.first_use("sha256:1", END, NOW)


def test_from_its_end_on_it_is_nobodys(store: LiveStore) -> None:
    """And it is used once again then."""
    assert store.first_use("sha256:1", END, NOW)
    assert store.first_use("sha256:1", END + 60, END)
    assert not store.first_use("sha256:1", END + 120, END + 59)


def test_at_its_very_end_it_is_not_used_again(store: LiveStore) -> None:
    """It was checked in its last second, and the store is asked in the next: it is the same assertion."""
    assert store.first_use("sha256:1", END, NOW)
    for now in (END - 1, END, END + 1):
        assert not store.first_use("sha256:1", END, now)
        assert not store.first_use("sha256:1", END - 1, now)


def test_nothing_else_changes_by_it(url: str, opener: Opener) -> None:
    """It needs no lease, and takes none from whoever has it; no revision, no count moves."""
    store = opener(url)
    put(store, token("a"))
    before, lease = everything(store), lease_of(store)
    assert opener(url).first_use("sha256:1", END, NOW)
    assert everything(store) == before
    assert store.state().lease == lease
    assert store.since(0).revision == 1


def test_what_is_past_is_removed_bit_by_bit(
    store: LiveStore, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest first, so many a call and no more; what another clock may still ask about stays."""
    monkeypatch.setattr(uses, "REMOVED_AT_ONCE", 3)
    for number in range(7):
        assert store.first_use(f"past {number}", NOW + number, NOW)
    now = NOW + 6 + uses.KEPT_SECONDS
    assert store.first_use("just past", now - uses.KEPT_SECONDS + 1, NOW)
    assert store.first_use("new 1", now + 60, now)
    assert kept(url) == ["just past", "new 1", "past 3", "past 4", "past 5", "past 6"]
    assert store.first_use("new 2", now + 60, now)
    assert store.first_use("new 3", now + 60, now)
    assert kept(url) == ["just past", "new 1", "new 2", "new 3"]


def test_another_workspace_is_not_cleared(url: str, opener: Opener) -> None:
    """Each removes its own, also where both remember the same assertion."""
    mine, other = opener(url), opener(url, "other")
    mine.first_use("same", NOW, NOW)
    other.first_use("same", END + 9999, NOW)
    other.first_use("old", NOW, NOW)
    assert mine.first_use("new", END + 9999, END + 999)
    assert kept(url) == ["new", "old", "same"]
    assert not other.first_use("same", END + 9999, END + 999)


def test_threads_race_for_an_assertion(store: LiveStore) -> None:
    """Exactly one has it, over and over, also where the last use is past and still there."""
    for turn in range(12):
        barrier, won = Barrier(5), list[bool]()

        def ask(barrier: Barrier = barrier, won: list[bool] = won, now: int = NOW + turn // 2) -> None:
            barrier.wait()
            won.append(store.first_use("sha256:1", now + 1, now))

        threads = [Thread(target=ask) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(won) == [False] * (4 + turn % 2) + [True] * (1 - turn % 2)


RACER = """
import sys
from reconciler.live.opening import open_store
store = open_store(sys.argv[1], "acme")
store.state()
print("ready", flush=True)
sys.stdin.readline()
print([n for n in range(150) if store.first_use(f"sha256:{n}", 1_800_000_060, 1_800_000_000)])
store.close()
"""


def test_processes_race_for_assertions(url: str) -> None:
    """Of three, exactly one has each."""
    racers = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", RACER, url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    won: Counter[str] = Counter()
    for racer in racers:
        won.update(racer.communicate()[0].strip("[]\n ").split(", "))
        assert racer.returncode == 0
    won.pop("", None)  # one that won nothing
    assert won == Counter(str(number) for number in range(150))


def test_it_does_not_wait_for_an_apply(database: str, opener: Opener) -> None:
    """PostgreSQL: a commit that takes its time holds nobody up who signs in."""
    store, said = opener(database), list[bool]()
    put(store, token("a"))
    with psycopg.connect(database) as slow:
        slow.execute("SELECT 1 FROM workspace FOR UPDATE")
        asker = Thread(target=lambda: said.append(store.first_use("sha256:1", END, NOW)), daemon=True)
        asker.start()
        asker.join(30)
        assert said == [True]


def test_a_role_that_may_only_read(server: Postgres, database: str, opener: Opener) -> None:
    """The error says what to grant, and that is enough."""
    name = make_url(database).database
    store = opener(f"postgresql://guarded:opensesame@/{name}?host={server.socket}", create=False)
    with pytest.raises(StoreError, match="permission denied") as raised:
        store.first_use("sha256:1", END, NOW)
    assert "GRANT SELECT, INSERT, UPDATE, DELETE ON used_assertion TO" in raised.value.hint
    granted = raised.value.hint.partition("GRANT ")[2].partition(" TO ")[0]
    edit(database, f"GRANT {granted} TO guarded")
    assert store.first_use("sha256:1", END, NOW)
    assert not store.first_use("sha256:1", END, NOW)


def test_where_there_is_no_store() -> None:
    """Nobody can remember anything there, so nobody was the first."""
    with pytest.raises(StoreError, match="does not exist yet"):
        EmptyStore("sqlite:///none").first_use("sha256:1", END, NOW)
