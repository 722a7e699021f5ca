"""What changed after a revision: all of it, nothing else, as one read saw it, or an error."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import pytest

from reconciler.errors import StoreUnreadable
from reconciler.live import queries, sql
from reconciler.live.empty import EmptyStore
from reconciler.live.interface import Batch, CredentialState, Finish, LiveStore, LiveToken, Since, TokenState
from tests.live.hands import edit, look
from tests.live.values import (
    NOW,
    Opener,
    credential,
    deleted,
    intent,
    lease_of,
    put,
    run,
    token,
    write,
)

RETIRING, RETIRED = CredentialState.RETIRING, CredentialState.RETIRED


def by_id(tokens: Iterable[LiveToken]) -> dict[str, LiveToken]:
    """The tokens by their ids; each may come once."""
    listed = list(tokens)
    found = {one.id: one for one in listed}
    assert len(found) == len(listed)
    return found


def seen(found: Since) -> set[tuple[str, str, TokenState]]:
    return {(one.id, one.name, one.state) for one in found.tokens}


class Follower:
    """Knows a workspace from its changes alone."""

    def __init__(self, store: LiveStore) -> None:
        self._store = store
        self.revision = 0
        self.tokens: dict[str, LiveToken] = {}

    def follow(self) -> Since:
        """Takes in what changed, and sees that the counts are those of what it knows now."""
        found = self._store.since(self.revision)
        self.tokens |= by_id(found.tokens)
        self.revision = found.revision
        dead = sum(one.state is TokenState.DELETED for one in self.tokens.values())
        assert (len(self.tokens) - dead, dead) == (found.token_count, found.tombstone_count)
        return found


def test_from_the_beginning_comes_everything(store: LiveStore) -> None:
    """Live tokens as `tokens` shows them, and the deleted ones without a credential."""
    halves = (credential(3), credential(2, RETIRING), credential(1, RETIRED))
    put(store, token("a", credentials=halves), token("b", state=TokenState.DISABLED), token("c"))
    put(store, deleted("c"))
    put(store, token("c", "id-2"), token("bare", credentials=()))
    put(store, deleted("c", "id-2"))
    found = store.since(0)
    assert (found.store_id, found.revision) == (store.state().store_id, 4)
    assert (found.token_count, found.tombstone_count) == (3, 2)
    graves = [replace(one, credentials=()) for one in store.graveyard()]
    assert by_id(found.tokens) == by_id([*store.tokens(), *graves])


def test_only_what_changed_comes(store: LiveStore) -> None:
    """With revisions from which nothing changed, or which the store has not reached."""
    put(store, token("a"), token("b"))
    put(store, token("b"))
    write(store, Batch())
    assert [one.name for one in store.since(1).tokens] == ["b"]
    for later in (2, 3, 999):
        found = store.since(later)
        assert replace(found, mark=None, mark_before=None) == Since(store.state().store_id, 3, 2, 0, ())


def test_each_revision_bears_the_mark_of_who_made_it(store: LiveStore) -> None:
    """So that one that comes after a restore is told from one that comes after what is known."""
    put(store, token("a"))
    put(store, token("b"))
    first, second = store.since(1), store.since(2)
    assert first.mark == second.mark == second.mark_before
    assert first.mark_before not in {None, first.mark}
    assert store.since(999).mark_before is None


def test_every_kind_of_change_comes(store: LiveStore) -> None:
    """Deleted, renamed, names that changed hands, rotated, retired, disabled, and what a run made live."""
    put(store, token("a"), token("b"), token("c"), token("d"), token("e"))
    put(store, deleted("a"), token("e", "id-b"), token("b", "id-e"))
    assert seen(store.since(1)) == {
        ("id-a", "a", TokenState.DELETED),
        ("id-b", "e", TokenState.ACTIVE),
        ("id-e", "b", TokenState.ACTIVE),
    }
    put(store, token("c", credentials=(credential(2), credential(1, RETIRING))))
    (rotated,) = store.since(2).tokens
    assert [(half.generation, half.state) for half in rotated.credentials] == [(2, "active"), (1, "retiring")]
    put(store, token("c", credentials=(credential(2), credential(1, RETIRED))))
    (retired,) = store.since(3).tokens
    assert [half.generation for half in retired.credentials] == [2]
    put(store, token("d", state=TokenState.DISABLED))
    assert seen(store.since(4)) == {("id-d", "d", TokenState.DISABLED)}
    write(store, Batch(begin=run(), journal=[intent(0, token("x")), intent(1, token("b2", "id-e"))]))
    assert store.since(5).tokens == ()
    write(store, Batch(finish=Finish("run-1")))
    assert {one.name for one in store.since(6).tokens} == {"x", "b2"}


def test_following_is_as_good_as_reading_anew(store: LiveStore) -> None:
    """After any commit, what a follower knows is what a new reader reads, however many he missed."""
    every, seldom = Follower(store), Follower(store)
    for number in range(24):
        name, other = f"t{number % 5}", f"t{(number * 3 + 1) % 5}"
        if number % 6 == 5:
            taken = {one.name: one for one in store.tokens()}
            put(store, *(replace(deleted(name, taken[name].id)) for name in taken if name == other))
        else:
            alive = next((one.id for one in store.tokens() if one.name == name), f"id-{number}")
            put(store, token(name, alive, credentials=(credential(number + 1), credential(number, RETIRED))))
        every.follow()
        if number % 7 == 6:
            seldom.follow()
            assert seldom.tokens == every.tokens == by_id(store.since(0).tokens)


def test_a_workspace_of_its_own(url: str, opener: Opener) -> None:
    """Nothing of another one comes or counts; one that was never written to is empty."""
    put(opener(url, "other"), token("a"))
    untouched = opener(url)
    assert untouched.since(0) == Since(untouched.state().store_id, 0, 0, 0, ())
    put(untouched, token("b", "id-2"))
    assert [one.name for one in untouched.since(0).tokens] == ["b"]


def test_where_there_is_no_store() -> None:
    """Nothing, of no store."""
    assert EmptyStore("sqlite:///none").since(0) == Since("", 0, 0, 0, ())


def test_one_read_sees_one_state(url: str, opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    """While somebody commits without end, no read mixes two commits, from the beginning or from later."""
    monkeypatch.setattr(sql, "PAGE_ROWS", 7)
    writer, reader = opener(url), opener(url)
    lease, over = lease_of(writer), Event()

    def tokens(turn: int) -> list[LiveToken]:
        living = [replace(token(f"t{n:02}", f"{turn}-{n}"), changed_at=turn) for n in range(turn % 2, 40, 2)]
        return [replace(one, last_generation=turn) for one in living]

    def commit() -> None:
        before: list[LiveToken] = []
        turn = 0
        while not over.is_set():
            turn += 1
            gone = [replace(one, state=TokenState.DELETED, deleted_at=NOW) for one in before]
            before = tokens(turn)
            writer.commit(lease, Batch(tokens=[*gone, *before]))

    thread = Thread(target=commit)
    thread.start()
    try:
        revisions = set[int]()
        while len(revisions) < 8:
            for revision in (0, max(revisions, default=0)):
                found = reader.since(revision)
                alive = {one.changed_at for one in found.tokens if one.state is not TokenState.DELETED}
                changed = {one.revision for one in found.tokens}
                assert alive <= {found.revision}
                assert max(changed, default=found.revision) == found.revision
                assert found.token_count == (20 if found.revision else 0)
                assert found.tombstone_count == 20 * max(0, found.revision - 1)
                revisions.add(found.revision)
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("DELETE FROM token WHERE name = 'b'", "brought 1 live tokens of 2"),
        ("DELETE FROM token WHERE name = 'e'", "brought 1 deleted tokens of 2"),
        (
            "UPDATE token SET state = 'deleted', credential_count = 0 WHERE name = 'b'",
            "brought 1 live tokens",
        ),
        ("UPDATE workspace SET token_count = 0", "brought 2 live tokens of 0"),
        ("DELETE FROM credential", "token a in the live store .* 0 usable credentials of 1"),
        ("UPDATE credential SET state = 'active'", "token d in the live store .* 1 usable credentials of 0"),
        ("UPDATE token SET state = 'wild' WHERE name = 'b'", "token b in the live store"),
        ("DELETE FROM store", "cannot be used"),
    ],
)
def test_damage_is_an_error(store: LiveStore, url: str, statement: str, says: str) -> None:
    """Never a shorter list."""
    put(store, token("a"), token("b", credentials=()), token("d"), token("e", credentials=()))
    put(store, deleted("d"), replace(deleted("e"), credentials=()))
    edit(url, statement)
    with pytest.raises(StoreUnreadable, match=says) as raised:
        store.since(0)
    assert raised.value.hint


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("DELETE FROM credential", "0 usable credentials of 1"),
        ("UPDATE token SET grants = '{' WHERE name = 'b'", "token b in the live store"),
        ("UPDATE token SET state = 'wild'", "token b in the live store"),
        ("DROP TABLE credential", "cannot be used"),
    ],
)
def test_damage_in_what_changed_is_an_error(store: LiveStore, url: str, statement: str, says: str) -> None:
    """A row that does not fit is not passed over either where only some are read."""
    put(store, token("a"))
    put(store, token("b"))
    edit(url, statement)
    with pytest.raises(StoreUnreadable, match=says):
        store.since(1)


def test_a_change_that_is_missing_shows_in_the_counts(store: LiveStore, url: str) -> None:
    """A row that vanished from what changed cannot be told from one read; a follower's counts tell."""
    follower = Follower(store)
    put(store, token("a"))
    follower.follow()
    put(store, token("b", credentials=()))
    edit(url, "DELETE FROM token WHERE name = 'b'")
    with pytest.raises(AssertionError):
        follower.follow()


def test_what_changed_is_found_by_its_index(file: Path) -> None:
    """A reader who follows does not read every token again."""
    (query,) = queries.changed("acme", 7)
    written = str(query.compile(compile_kwargs={"literal_binds": True}))
    plan = [str(row[-1]) for row in look(f"sqlite:///{file}", f"EXPLAIN QUERY PLAN {written}")]
    assert any("token_changed (workspace=? AND revision>?)" in step for step in plan), plan
