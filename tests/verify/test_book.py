"""The book: the same lookups however it was read, and a memory for what must not come back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import StoreUnreadable
from reconciler.live.interface import Credential, CredentialState, LiveToken, TokenState
from reconciler.verify.book import Book, Held
from tests.verify.attacks import token
from tests.verify.kit import NOW, Desk

IDS = ("a", "b", "c")
NAMES = ("x", "y", "z")
STORED = (TokenState.ACTIVE, TokenState.DISABLED, TokenState.DELETED)


@cache
def base(kind: str) -> LiveToken:
    return token(kind).live


def hash_of(token_id: str, generation: int) -> str:
    return f"sha256:{token_id}{generation}"


@st.composite
def lives(draw: st.DrawFn) -> list[tuple[LiveToken, ...]]:
    """What a sound store says of a few tokens, read by read: generations rise, and deletion is the end."""
    kinds = {token_id: draw(st.sampled_from(["JWTToken", "TokenAuth"])) for token_id in IDS}
    newest, dead = dict.fromkeys(IDS, 0), set[str]()
    live: dict[str, tuple[int, ...]] = {}
    reads = []
    for _ in range(draw(st.integers(1, 6))):
        batch = []
        for token_id in draw(st.lists(st.sampled_from(IDS), unique=True, max_size=3)):
            if token_id in dead:
                continue
            kept = draw(st.lists(st.sampled_from(live.get(token_id) or (0,)), unique=True, max_size=2))
            made = range(newest[token_id] + 1, newest[token_id] + 1 + draw(st.integers(0, 2)))
            live[token_id] = tuple(sorted({*kept, *made} - {0}, reverse=True))
            newest[token_id] += len(made)
            state = draw(st.sampled_from(STORED))
            if state is TokenState.DELETED:
                dead.add(token_id)
            name = draw(st.sampled_from([name + token_id for name in NAMES]))
            found = record(token_id, live[token_id], newest[token_id])
            batch.append(replace(found, name=name, kind=kinds[token_id], state=state))
        reads.append(tuple(batch))
    return reads


def record(token_id: str, generations: Sequence[int], newest: int) -> LiveToken:
    found = tuple(
        Credential(each, CredentialState.ACTIVE, "EdDSA", NOW, None, secret_hash=hash_of(token_id, each))
        for each in generations
    )
    return replace(base("TokenAuth"), id=token_id, name=token_id, credentials=found, last_generation=newest)


def lookups(book: Book) -> tuple[Mapping[str, Held], Mapping[str, tuple[str, int]], Mapping[str, str]]:
    return book.by_id, book.by_secret, book.signing_in


def states(reads: Sequence[tuple[LiveToken, ...]]) -> list[dict[str, LiveToken]]:
    """What is true after each read."""
    found: dict[str, LiveToken] = {}
    return [dict(found) for batch in reads if found.update({live.id: live for live in batch}) is None]


@settings(max_examples=300, deadline=None)
@given(lives())
def test_read_bit_by_bit_the_book_is_as_if_it_was_read_at_once(reads: list[tuple[LiveToken, ...]]) -> None:
    """By the changes, by reading all each time, and by a verifier that starts only now."""
    by_bits, by_restarts = Book(), Book()
    for number, (batch, state) in enumerate(zip(reads, states(reads), strict=True)):
        by_bits = by_bits.changed(batch, number)
        by_restarts = by_restarts.restarted(state.values(), number)
        at_once = Book().changed(state.values(), number)
        assert lookups(by_bits) == lookups(at_once)
        assert lookups(by_restarts) == lookups(at_once)
        assert by_bits.live == sum(live.state is not TokenState.DELETED for live in state.values())


@settings(max_examples=300, deadline=None)
@given(lives(), st.randoms(use_true_random=False))
def test_the_order_within_one_read_does_not_matter(
    reads: list[tuple[LiveToken, ...]], random: object
) -> None:
    forwards, backwards = Book(), Book()
    for number, batch in enumerate(reads):
        forwards = forwards.changed(batch, number)
        backwards = backwards.changed(tuple(reversed(batch)), number)
    assert lookups(forwards) == lookups(backwards)


@settings(max_examples=300, deadline=None)
@given(lives())
def test_only_a_live_generation_of_a_token_that_is_not_deleted_has_a_secret(
    reads: list[tuple[LiveToken, ...]],
) -> None:
    book = Book()
    for number, (batch, state) in enumerate(zip(reads, states(reads), strict=True)):
        book = book.changed(batch, number)
        live = {
            each.secret_hash: (one.id, each.generation)
            for one in state.values()
            if one.state is not TokenState.DELETED
            for each in one.credentials
        }
        assert book.by_secret == live


@settings(max_examples=200, deadline=None)
@given(lives(), lives(), st.sampled_from(["changed", "restarted"]))
def test_whatever_an_unsound_store_says_what_was_gone_stays_gone(
    reads: list[tuple[LiveToken, ...]], others: list[tuple[LiveToken, ...]], read: str
) -> None:
    """Two histories in one store, one after the other: what was gone, no token has again unnoticed."""
    book, gone, seen = Book(), set[tuple[str, int]](), set[tuple[str, int]]()
    for number, state in enumerate([*states(reads), *states(others)]):
        book = getattr(book, read)(state.values(), number)
        live = {
            (one.id, each.generation)
            for one in state.values()
            if one.state is not TokenState.DELETED
            for each in one.credentials
        }
        present = set(state)
        gone |= {pair for pair in seen - live if pair[0] in present}
        seen |= live
        for token_id, generation in gone & live:
            held = book.by_id[token_id]
            assert held.rolled_back, (token_id, generation)


def test_a_retired_credential_that_the_store_still_lists_has_no_secret_and_no_key() -> None:
    live = base("JWTToken")
    old = replace(live.credentials[0], state=CredentialState.RETIRED)
    book = Book().changed([replace(live, credentials=(old,))], 1)
    assert (book.by_id[live.id].credentials, dict(book.by_secret)) == ((), {})


def test_a_secret_that_went_over_to_another_token_is_still_found() -> None:
    """In whatever order one read brings the two."""
    one, other = record("a", [1], 1), record("b", [], 0)
    moved = replace(other, credentials=one.credentials, last_generation=1)
    emptied = replace(one, credentials=())
    for batch in ([moved, emptied], [emptied, moved]):
        book = Book().changed([one, other], 1).changed(batch, 2)
        assert book.by_secret == {hash_of("a", 1): ("b", 1)}


def test_a_book_is_not_changed_by_what_is_made_of_it() -> None:
    """Whoever checks holds on to one book while the next is made."""
    of = token("JWTToken")
    book = Book().changed([of.live], 1)
    before = tuple(dict(each) for each in lookups(book))
    book.changed([replace(of.live, state=TokenState.DELETED)], 2)
    book.restarted([], 3)
    assert tuple(dict(each) for each in lookups(book)) == before


BROKEN: dict[str, dict[str, Any]] = {
    "a kind that is not known": {"kind": "OtherToken"},
    "no JSON": {"declared": "{"},
    "no object": {"declared": "[]"},
    "no metadata": {"declared": "{}"},
    "metadata that is a list": {"declared": '{"metadata": []}'},
    "metadata that is null": {"declared": '{"metadata": null}'},
    "no spec of its kind": {
        "declared": '{"metadata": {"name": "x"}, "kind": "TokenAuth", "spec": {"name": 1}}'
    },
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_record_that_cannot_be_read_says_so_and_changes_nothing(case: str) -> None:
    """An incomplete read is an error, never "nothing exists"."""
    of = token("TokenAuth")
    desk = Desk([of])
    with pytest.raises(StoreUnreadable, match="tokenauth"):
        desk.book.changed([replace(of.live, **BROKEN[case])], 2)
    assert desk.sign_in("tokenauth", of.sign_in()).active
