"""A store that was not made yet, for reading: nothing is in it, and reading makes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from reconciler.errors import StoreError
from reconciler.live.interface import (
    Batch,
    Holder,
    Intent,
    Lease,
    LiveStore,
    LiveToken,
    Record,
    Since,
    Watch,
    Workspace,
)
from reconciler.live.watching import BlindWatch


class EmptyStore(LiveStore):
    """Reads as a store at revision 0 with no id. Whoever wants to write opens with `create=True`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def workspaces(self) -> Sequence[str]:
        """None."""
        return ()

    def state(self) -> Workspace:
        """Revision 0."""
        return Workspace(store_id="", revision=0)

    def tokens(self) -> Iterator[LiveToken]:
        """None."""
        return iter(())

    def token(self, name: str) -> LiveToken | None:
        """None."""
        return None

    def tombstones(self, name: str) -> Sequence[LiveToken]:
        """None."""
        return ()

    def token_by_id(self, token_id: str) -> LiveToken | None:
        """None."""
        return None

    def graveyard(self) -> Iterator[LiveToken]:
        """None."""
        return iter(())

    def holders(self, public_keys: Collection[str]) -> Sequence[Holder]:
        """None."""
        return ()

    def since(self, revision: int) -> Since:
        """Nothing."""
        return Since(store_id="", revision=0, token_count=0, tombstone_count=0, tokens=())

    def watch(self) -> Watch:
        """One that sees nothing: when its time is over, somebody may have made the store. Open it anew."""
        return BlindWatch(self.url)

    def first_use(self, digest: str, expires_at: int, now: int) -> bool:
        """Raises StoreError."""
        raise self._not_there()

    def intents(self) -> Iterator[Intent]:
        """None."""
        return iter(())

    def records(self) -> Iterator[Record]:
        """None."""
        return iter(())

    def records_of(self, plan_digest: str) -> Sequence[Record]:
        """None."""
        return ()

    def acquire(self, holder: str, run: str, now: int, ttl: int) -> Lease:
        """Raises StoreError."""
        raise self._not_there()

    def renew(self, lease: Lease, now: int, ttl: int) -> Lease:
        """Raises StoreError."""
        raise self._not_there()

    def release(self, lease: Lease) -> None:
        """Nothing is held here."""

    def commit(self, lease: Lease, batch: Batch) -> int:
        """Raises StoreError."""
        raise self._not_there()

    def close(self) -> None:
        """Nothing is open."""

    def _not_there(self) -> StoreError:
        return StoreError(
            f"the live store {self.url} does not exist yet, and was opened for reading",
            hint="`reconcile apply` makes it",
        )
