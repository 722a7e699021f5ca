"""Reads the live store for `audit verify`: all of it, or where that fails, token by token."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from reconciler.audit.verifying import living
from reconciler.audit.verifying.chain import Link
from reconciler.errors import StoreUnreadable
from reconciler.live.interface import LiveStore, LiveToken, Record
from reconciler.workspace import TRIES

Unread = dict[str, str]
"""Id of a token → why it cannot be read."""


def looked(store: LiveStore, links: Sequence[Link]) -> tuple[living.LiveLook, StoreUnreadable | None]:
    """What the store holds, and what is wrong with it as a whole, where it was asked for token by token.

    Raises StoreUnreadable where it cannot be read so either.
    """
    try:
        return _consistent(store, lambda _records, _unread: (*store.tokens(), *store.graveyard())), None
    except StoreUnreadable as error:
        return _consistent(store, lambda records, unread: _told_of(store, links, records, unread)), error


def _consistent(
    store: LiveStore, tokens: Callable[[Sequence[Record], Unread], Iterable[LiveToken]]
) -> living.LiveLook:
    """One consistent read. Raises StoreUnreadable where the store changes faster than it can be read."""
    for _ in range(TRIES):
        state, records, unread = store.state(), tuple(store.records()), Unread()
        look = living.LiveLook(state, tuple(tokens(records, unread)), records, unread)
        if store.state().revision == state.revision:
            return look
    raise StoreUnreadable("the live store changes while it is read", hint="wait for the other apply to end")


def _told_of(
    store: LiveStore, links: Sequence[Link], records: Sequence[Record], unread: Unread
) -> Iterator[LiveToken]:
    """The tokens that records of the clone and the store tell of; what cannot be read is noted."""
    for token_id in living.vouched([*links, *living.only_there(records, links, [])]):
        try:
            found = store.token_by_id(token_id)
        except StoreUnreadable as error:
            unread[token_id] = str(error)
        else:
            if found is not None:
                yield found
