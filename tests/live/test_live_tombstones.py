"""What was this token? Tombstones answer it years later, by name, by id, and all together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from reconciler.errors import StoreError, StoreUnreadable
from reconciler.live.interface import Batch, CredentialState, Finish, LiveStore, LiveToken, TokenState
from reconciler.live.opening import open_store
from reconciler.plan import transition
from reconciler.plan.transition import Circumstances
from tests.live.hands import edit
from tests.live.values import NOW, as_stored, credential, deleted, intent, put, run, token, write

YEAR = 365 * 86_400


def ids(tokens: Sequence[LiveToken]) -> list[str]:
    return [one.id for one in tokens]


def bury(store: LiveStore, name: str, at: int) -> LiveToken:
    """Deletes the token of a name as apply does."""
    found = store.token(name)
    assert found is not None
    put(store, transition.deleted(found, Circumstances(at, "f00d")))
    return found


def test_a_tombstone_tells_what_the_token_was(store: LiveStore) -> None:
    """All that was live stays, but for what was its artifact; the dates are those of the token."""
    first = replace(
        token("a", "first"), created_at=NOW, changed_at=NOW + 5, expires_at=NOW + YEAR, protect=True
    )
    put(store, first)
    lived = bury(store, "a", NOW + 9)
    (stone,) = store.tombstones("a")
    assert (stone.created_at, stone.changed_at, stone.deleted_at) == (NOW, NOW + 5, NOW + 9)
    kept = ("id", "name", "kind", "grants", "declared", "spec_digest", "commit", "expires_at")
    assert [getattr(stone, part) for part in kept] == [getattr(lived, part) for part in kept]
    assert stone.state is TokenState.DELETED
    assert {(one.state, one.not_after) for one in stone.credentials} == {(CredentialState.RETIRED, NOW + 9)}


def test_a_second_life_and_death_of_the_name_leaves_the_first_as_it_was(store: LiveStore) -> None:
    """The name is used again under a new id, granted something else, and given up again."""
    put(store, token("a", "first"))
    bury(store, "a", NOW + 9)
    (before,) = store.tombstones("a")
    second = replace(
        token("a", "second", credentials=(credential(1), credential(2))),
        grants={"apis": ("telemetry.write",)},
        declared='{"kind":"RSAToken","spec":{}}',
        spec_digest="sha256:other",
        commit="beef",
        created_at=NOW + 10,
        changed_at=NOW + 11,
    )
    put(store, second)
    assert store.tombstones("a") == (before,)
    bury(store, "a", NOW + 12)
    newest, oldest = store.tombstones("a")
    assert oldest == before == store.token_by_id("first")
    assert (newest.grants, newest.commit, newest.deleted_at) == (second.grants, "beef", NOW + 12)
    assert list(store.graveyard()) == [newest, oldest]


def test_no_way_of_writing_wakes_a_buried_credential(store: LiveStore) -> None:
    """Not by its own id, not by a journal entry, and not by writing the tombstone once more."""
    put(store, token("a", "first"))
    lived = bury(store, "a", NOW + 9)
    with pytest.raises(StoreError, match="was deleted"):
        put(store, lived)
    write(store, Batch(begin=run(), journal=[intent(0, replace(lived, name="b"))]))
    with pytest.raises(StoreError, match="was deleted"):
        write(store, Batch(finish=Finish("run-1")))
    put(store, replace(lived, state=TokenState.DELETED, deleted_at=NOW + 9))
    put(store, token("a", "second"))
    dead = store.token_by_id("first")
    assert dead is not None
    assert {one.state for one in dead.credentials} == {CredentialState.RETIRED}
    assert [one.id for one in store.tokens()] == ["second"]


def test_the_graveyard_is_in_the_order_of_names_and_newest_first(store: LiveStore) -> None:
    """Whatever order they were deleted in; tokens that live are not in it."""
    put(store, token("lives"))
    for number, name in enumerate(["b", "a", "b", "a-b", "B"]):
        put(store, token(name, f"{name}{number}"))
        put(store, replace(deleted(name, f"{name}{number}"), deleted_at=NOW + number))
    assert ids(list(store.graveyard())) == ["B4", "a1", "a-b3", "b2", "b0"]
    assert ids(list(store.tokens())) == ["id-lives"]


def test_a_token_is_found_by_its_id(store: LiveStore) -> None:
    """As it is shown by name: alive without the credentials that are over, dead with all of them."""
    halves = (credential(1, CredentialState.RETIRED), credential(2))
    put(store, token("a", "1", credentials=halves), token("b", "2", credentials=()))
    assert store.token_by_id("1") == store.token("a")
    assert store.token_by_id("2") == store.token("b")
    assert store.token_by_id("a") is None
    revision = put(store, replace(deleted("a", "1"), credentials=halves))
    assert store.token_by_id("1") == as_stored(replace(deleted("a", "1"), credentials=halves), revision)
    assert store.tombstones("a") == (store.token_by_id("1"),)


def test_a_large_graveyard_streams_and_sees_one_state(store: LiveStore) -> None:
    """What is written meanwhile does not show in it."""
    names = [f"t{number:04}" for number in range(1500)]
    put(store, *(token(name, credentials=()) for name in names))
    put(store, *(replace(deleted(name), credentials=()) for name in names))
    reading = store.graveyard()
    first = next(reading)
    put(store, token("t0000", "new"))
    put(store, deleted("t0000", "new"))
    assert [first.name, *(one.name for one in reading)] == names
    assert len(list(store.graveyard())) == 1501


def test_a_row_that_hands_edited_is_named(store: LiveStore, url: str) -> None:
    """As for live tokens: it is never passed over."""
    put(store, token("a"))
    put(store, deleted("a"))
    edit(url, "UPDATE token SET grants = '{'")
    for look in (lambda: list(store.graveyard()), lambda: store.token_by_id("id-a")):
        with pytest.raises(StoreUnreadable, match="token a in the live store"):
            look()


def test_no_store_has_no_graves(new_url: str) -> None:
    """Reading makes none."""
    store = open_store(new_url, "acme", create=False)
    assert (list(store.graveyard()), store.token_by_id("a")) == ([], None)
    store.close()
