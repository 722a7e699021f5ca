"""Tokens in the store: names, ids, tombstones, order, and walls between workspaces."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest

from reconciler.errors import StoreError
from reconciler.live.interface import Batch, CredentialState, LiveStore, LiveToken, TokenState
from tests.live.values import (
    Opener,
    as_stored,
    credential,
    deleted,
    everything,
    names,
    put,
    token,
    write,
)


def test_what_was_written_is_read(store: LiveStore) -> None:
    """A token comes back as it went in, stamped with the revision that wrote it."""
    written = token("plant-a")
    revision = put(store, written)
    assert store.token("plant-a") == as_stored(written, revision)
    assert list(store.tokens()) == [as_stored(written, revision)]


def test_nothing_by_an_unknown_name(store: LiveStore) -> None:
    """A name that nobody has gives None, and no tombstones."""
    assert store.token("nobody") is None
    assert store.tombstones("nobody") == ()


def test_every_commit_makes_the_next_revision(store: LiveStore) -> None:
    """The revision grows by one with each batch, an empty one too."""
    assert store.state().revision == 0
    seen = [put(store, token(name)) for name in ("a", "b", "a")] + [write(store, Batch())]
    assert seen == [1, 2, 3, 4]
    assert store.state().revision == 4


def test_a_token_not_written_keeps_its_revision(store: LiveStore) -> None:
    """Only the tokens in a batch are stamped."""
    put(store, token("a"), token("b"))
    put(store, token("b"))
    assert {each.name: each.revision for each in store.tokens()} == {"a": 1, "b": 2}


def test_names_come_in_code_point_order(store: LiveStore) -> None:
    """On both makes alike, whatever the language of the server: a-b before a1 before aa."""
    ordered = ["A", "a", "a-b", "a1", "aa", "b", "z", "é", "工厂", "\U0001f600"]
    shuffled = ordered[::3] + ordered[2::3] + ordered[1::3]
    put(store, *map(token, shuffled))
    assert names(store) == ordered == sorted(ordered)


def test_newest_credential_first_and_no_retired_one(store: LiveStore) -> None:
    """A live token shows what may still verify, newest generation first."""
    states = (CredentialState.RETIRED, CredentialState.RETIRING, CredentialState.ACTIVE)
    halves = tuple(credential(number, state) for number, state in enumerate(states, 1))
    put(store, token("a", credentials=halves))
    for found in (store.token("a"), *store.tokens()):
        assert found is not None
        assert [half.generation for half in found.credentials] == [3, 2]
        assert found.generation == 3


def test_credentials_that_are_not_named_stay(store: LiveStore) -> None:
    """A batch replaces credentials by generation and leaves the others alone."""
    put(store, token("a", credentials=(credential(1),)))
    put(store, token("a", credentials=(credential(2),)))
    put(store, token("a", credentials=(credential(1, CredentialState.RETIRING),)))
    found = store.token("a")
    assert found is not None
    assert found.credentials == (credential(2), credential(1, CredentialState.RETIRING))


def test_a_token_without_any_credential(store: LiveStore) -> None:
    """It is read like any other."""
    put(store, token("a", credentials=()), token("b"))
    assert [len(each.credentials) for each in store.tokens()] == [0, 1]


def test_a_live_name_is_unique(store: LiveStore) -> None:
    """A second live token of the name is refused, and the whole batch with it."""
    put(store, token("a", "first"))
    before = everything(store)
    with pytest.raises(StoreError, match="two live tokens would have the name a") as raised:
        put(store, token("b"), token("a", "second"))
    assert "delete or rename" in raised.value.hint
    assert everything(store) == before


def test_a_name_twice_in_one_batch(store: LiveStore) -> None:
    """It is refused as well."""
    with pytest.raises(StoreError, match="two live tokens would have the name a"):
        put(store, token("a", "first"), token("a", "second"))


def test_names_change_hands_in_one_batch(store: LiveStore) -> None:
    """Swaps, and a name that a deletion in the same batch frees, in any order."""
    put(store, token("a", "1"), token("b", "2"), token("c", "3"))
    put(store, token("b", "1"), token("a", "2"))
    put(store, token("c", "1"), deleted("c", "3"))
    assert {each.name: each.id for each in store.tokens()} == {"a": "2", "c": "1"}


def test_names_change_hands_across_parts(store: LiveStore) -> None:
    """A ring of renames that is longer than what is written at once."""
    ring = [f"t{number:04}" for number in range(1000)]
    put(store, *(token(name, f"id-{number}", credentials=()) for number, name in enumerate(ring)))
    turned = ring[1:] + ring[:1]
    put(store, *(token(name, f"id-{number}", credentials=()) for number, name in enumerate(turned)))
    assert [each.id for each in store.tokens()] == ["id-999", *(f"id-{n}" for n in range(999))]


def test_a_deleted_token_leaves_a_tombstone(store: LiveStore) -> None:
    """It keeps id, name, kind, dates, grants and declaration; its credentials are all retired."""
    put(store, token("a", credentials=(credential(1), credential(2))))
    revision = put(store, deleted("a"))
    assert store.token("a") is None
    assert names(store) == []
    (stone,) = store.tombstones("a")
    expected = as_stored(deleted("a"), revision)
    assert replace(stone, credentials=()) == replace(expected, credentials=())
    assert [(half.generation, half.state) for half in stone.credentials] == [
        (2, CredentialState.RETIRED),
        (1, CredentialState.RETIRED),
    ]


def test_tombstones_come_newest_first(store: LiveStore) -> None:
    """Several tokens may have had one name, one after another."""
    for number in range(3):
        put(store, token("a", f"id-{number}"))
        put(store, replace(deleted("a", f"id-{number}"), deleted_at=1000 + number))
    put(store, token("a", "id-now"))
    assert [stone.id for stone in store.tombstones("a")] == ["id-2", "id-1", "id-0"]
    assert [each.id for each in store.tokens()] == ["id-now"]


def test_a_deleted_token_never_lives_again(store: LiveStore) -> None:
    """Not as active and not as disabled; its record may still be brought up to date."""
    put(store, token("a"))
    put(store, deleted("a"))
    before = everything(store), store.tombstones("a")
    for state in (TokenState.ACTIVE, TokenState.DISABLED):
        with pytest.raises(StoreError, match="was deleted") as raised:
            put(store, token("b"), token("a", state=state))
        assert "new id" in raised.value.hint
    assert (everything(store), store.tombstones("a")) == before
    put(store, replace(deleted("a"), artifact_path=None))
    assert store.tombstones("a")[0].artifact_path is None


def test_an_id_is_never_used_twice_in_a_store(url: str, opener: Opener) -> None:
    """An id of another workspace is refused, alive or deleted."""
    acme, other = opener(url, "acme"), opener(url, "other")
    put(acme, token("a", "x"), token("b", "y"))
    put(acme, deleted("b", "y"))
    for id_ in ("x", "y"):
        with pytest.raises(StoreError, match=f"the id {id_} of token c is taken") as raised:
            put(other, token("fine"), token("c", id_))
        assert raised.value.hint
    assert names(other) == []
    assert names(acme) == ["a"]


def test_expired_is_not_a_state_to_store(store: LiveStore) -> None:
    """It follows from the time, so storing it would be a second truth."""
    with pytest.raises(StoreError, match="expired"):
        put(store, token("a", state=TokenState.EXPIRED))


def test_workspaces_never_see_each_other(url: str, opener: Opener) -> None:
    """The same names, runs and records in two workspaces of one store; one store id."""
    acme, other = opener(url, "acme"), opener(url, "other")
    put(acme, token("a", "1"), token("b", "2"))
    put(acme, deleted("b", "2"))
    empty = everything(other)
    assert empty[1:] == ([], [], [], [])
    assert other.tombstones("b") == ()
    assert (other.token_by_id("1"), other.token_by_id("2")) == (None, None)
    put(other, token("a", "3"))
    assert [each.id for each in acme.tokens()] == ["1"]
    assert [each.id for each in other.tokens()] == ["3"]
    assert (acme.state().revision, other.state().revision) == (2, 1)
    assert acme.state().store_id == other.state().store_id != ""


def test_a_long_read_sees_one_state(store: LiveStore) -> None:
    """What is written while tokens stream does not show in them."""
    put(store, *(token(f"t{number:04}") for number in range(2500)))
    reading = store.tokens()
    first = next(reading)
    put(store, deleted("t2400"), token("t0001", "id-t0001", TokenState.DISABLED))
    rest = list(reading)
    assert [first.name, *(each.name for each in rest)] == [f"t{number:04}" for number in range(2500)]
    assert {each.state for each in rest} == {TokenState.ACTIVE}


def test_a_read_that_is_given_up_lets_go(store: LiveStore) -> None:
    """Leaving the iterator early leaves nothing open that would stop a writer."""
    put(store, *(token(f"t{number:04}") for number in range(1500)))
    for _ in range(20):
        assert next(store.tokens()).name == "t0000"
    assert put(store, token("more")) == 2


@pytest.mark.parametrize(
    "bad",
    [
        replace(token("a"), created_at=2**63),
        replace(token("a"), commit="\ud800"),
        replace(token("a"), declared=cast("str", None)),
    ],
    ids=["over 64 bits", "half a surrogate", "nothing"],
)
def test_what_no_database_can_hold_is_refused(store: LiveStore, bad: LiveToken) -> None:
    """It is a StoreError, and not one that says the store cannot be read."""
    with pytest.raises(StoreError, match="refused what was to be written") as raised:
        put(store, bad)
    assert raised.value.code == "store"
    assert names(store) == []
