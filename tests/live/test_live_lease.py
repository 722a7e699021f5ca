"""The lease: one writer, a number for each, an end for each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.errors import LeaseLost, StoreLocked
from reconciler.live.interface import Batch, LiveStore
from tests.live.values import NOW, Opener, lease_of, names, put, token


def test_a_lease_is_seen_until_it_is_released(store: LiveStore) -> None:
    """`state()` tells who holds it, for which run, since when and until when."""
    lease = store.acquire("ci-runner-7", "run-1", NOW, 300)
    assert (lease.fence, lease.acquired_at, lease.expires_at) == (1, NOW, NOW + 300)
    assert store.state().lease == lease
    store.release(lease)
    assert store.state().lease is None


def test_a_held_lease_says_who_and_until_when(store: LiveStore) -> None:
    """The message of StoreLocked is enough to act on."""
    store.acquire("ci-runner-7", "run-1", NOW, 300)
    with pytest.raises(StoreLocked) as raised:
        store.acquire("laptop", "run-2", NOW + 299, 300)
    assert str(raised.value) == (
        "another apply holds the store (ci-runner-7, since 2027-01-15 08:00:00 UTC,"
        " ends by itself at 2027-01-15 08:05:00 UTC)"
    )
    assert "--lock-timeout" in raised.value.hint


def test_a_time_that_no_calendar_has(store: LiveStore) -> None:
    """An absurd end is shown as the last one that can be."""
    store.acquire("ci-runner-7", "run-1", -5, 2**62)
    with pytest.raises(StoreLocked, match=r"since 1970-01-01 .* 9999-12-31"):
        lease_of(store)


def test_an_expired_lease_may_be_taken(store: LiveStore) -> None:
    """From the second on at which it ends; the fence grows."""
    first = lease_of(store)
    second = lease_of(store, "laptop", first.expires_at)
    assert second.fence == first.fence + 1
    assert store.state().lease == second


def test_the_fence_grows_over_a_release(store: LiveStore) -> None:
    """A number is never given out twice."""
    fences = []
    for _ in range(3):
        lease = lease_of(store)
        fences.append(lease.fence)
        store.release(lease)
    assert fences == [1, 2, 3]


def test_a_heartbeat_moves_the_end(store: LiveStore) -> None:
    """Renewing keeps fence and start."""
    lease = lease_of(store)
    later = store.renew(lease, NOW + 200, 300)
    assert later == replace(lease, expires_at=NOW + 500)
    assert store.state().lease == later
    with pytest.raises(StoreLocked):
        lease_of(store, "laptop", NOW + 499)


def test_a_late_heartbeat_is_in_time_if_nobody_came(store: LiveStore) -> None:
    """An expired lease that nobody took is still the holder's."""
    lease = lease_of(store)
    assert store.renew(lease, NOW + 1000, 300).expires_at == NOW + 1300


def test_an_old_holder_is_fenced_off(store: LiveStore) -> None:
    """After a takeover the old holder can neither write, nor renew, nor release the new one."""
    old = lease_of(store)
    new = lease_of(store, "laptop", old.expires_at)
    with pytest.raises(LeaseLost) as raised:
        store.commit(old, Batch(tokens=[token("a")]))
    assert "run again" in raised.value.hint
    with pytest.raises(LeaseLost):
        store.renew(old, NOW + 400, 300)
    store.release(old)
    assert store.state().lease == new
    assert (store.state().revision, names(store)) == (0, [])
    assert store.commit(new, Batch()) == 1


def test_the_same_holder_anew_is_another_lease(store: LiveStore) -> None:
    """A runner that died and came back under its name is fenced off from its former self."""
    old = lease_of(store)
    lease_of(store, now=old.expires_at)
    with pytest.raises(LeaseLost):
        store.commit(old, Batch())


def test_a_released_lease_writes_no_more(store: LiveStore) -> None:
    """Release is final, and doing it twice is nothing."""
    lease = lease_of(store)
    store.release(lease)
    store.release(lease)
    with pytest.raises(LeaseLost):
        store.commit(lease, Batch())


def test_a_lease_of_a_workspace_that_was_never_written(store: LiveStore) -> None:
    """A lease nobody gave is no lease."""
    lease = replace(lease_of(store), fence=9)
    with pytest.raises(LeaseLost):
        store.commit(lease, Batch())


def test_a_lease_is_for_its_workspace(url: str, opener: Opener) -> None:
    """It opens no other one, and both can be held at once."""
    acme, other = opener(url, "acme"), opener(url, "other")
    lease = lease_of(acme)
    with pytest.raises(LeaseLost):
        other.commit(lease, Batch())
    assert put(other, token("a")) == 1
