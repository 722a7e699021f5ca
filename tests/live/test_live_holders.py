"""Whose key it is or was: over all tokens of the workspace, whatever became of them."""

from __future__ import annotations

import pytest

from reconciler.errors import StoreUnreadable
from reconciler.live import sql
from reconciler.live.empty import EmptyStore
from reconciler.live.interface import Credential, CredentialState, Holder, LiveStore, TokenState
from tests.live.hands import edit
from tests.live.values import NOW, Opener, credential, put, token

ACTIVE, RETIRING, RETIRED = CredentialState


def half(generation: int, key: str, state: CredentialState = ACTIVE) -> Credential:
    return Credential(generation, state, "RS256", NOW, None, public_key=key)


def test_a_key_is_found_whatever_became_of_it(store: LiveStore) -> None:
    """In force, in its overlap, retired, and of a token that was deleted; by name, id and generation."""
    put(store, token("b", credentials=(half(3, "k3"), half(2, "k2", RETIRING), half(1, "k1", RETIRED))))
    put(store, token("a", credentials=(half(1, "k1"),)))
    put(store, token("gone", "id-1", credentials=(half(1, "kg"),)))
    put(store, token("gone", "id-1", TokenState.DELETED, (half(1, "kg"),)))
    put(store, token("gone", "id-2", credentials=(half(1, "kg"),)))
    assert store.holders(["k1", "k2", "k3", "kg", "unknown"]) == [
        Holder("k1", "a", "id-a", 1, ACTIVE),
        Holder("k1", "b", "id-b", 1, RETIRED),
        Holder("k2", "b", "id-b", 2, RETIRING),
        Holder("k3", "b", "id-b", 3, ACTIVE),
        Holder("kg", "gone", "id-1", 1, RETIRED),
        Holder("kg", "gone", "id-2", 1, ACTIVE),
    ]
    assert list(store.holders(["unknown"])) == list(store.holders([])) == []


def test_another_workspace_is_out_of_reach(url: str, opener: Opener) -> None:
    """Nothing tells whose key it is there, nor that it is one."""
    put(opener(url, "other"), token("a", credentials=(half(1, "k1"),)))
    assert list(opener(url).holders(["k1"])) == []
    assert len(opener(url, "other").holders({"k1"})) == 1


def test_many_keys_are_asked_for_in_batches(store: LiveStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is found once, wherever a batch ends."""
    monkeypatch.setattr(sql, "KEYS_ASKED", 7)
    put(store, *(token(f"t{number:02}", credentials=(half(1, f"k{number}"),)) for number in range(50)))
    found = store.holders([f"k{number}" for number in range(60)])
    assert [one.name for one in found] == [f"t{number:02}" for number in range(50)]


def test_as_many_keys_as_a_plan_may_hold(store: LiveStore) -> None:
    """No limit of the database is met."""
    put(store, token("a", credentials=(half(1, "k70000"),)))
    assert [one.name for one in store.holders([f"k{number}" for number in range(70_001)])] == ["a"]


def test_a_row_that_does_not_fit_is_an_error(store: LiveStore, url: str) -> None:
    """Never "nobody has it"."""
    put(store, token("a", credentials=(half(1, "k1"),)))
    edit(url, "UPDATE credential SET state = 'odd'")
    with pytest.raises(StoreUnreadable, match="a credential of token a in the live store cannot be read"):
        store.holders(["k1"])


def test_nobody_has_a_key_where_there_is_no_store() -> None:
    """Before the first apply."""
    assert EmptyStore("sqlite:///none").holders(["k1"]) == ()
    assert credential().public_key
