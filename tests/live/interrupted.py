"""A live store in which an apply died after all that it did was published, and before it could say so."""

from __future__ import annotations

import time
from contextlib import closing

from reconciler.live.interface import Batch, Run
from reconciler.live.opening import open_store

RUN = "0123456789abcdef"


def interrupt(url: str, workspace: str) -> None:
    """Leaves such a run in a store; its lease has ended."""
    with closing(open_store(url, workspace, create=False)) as store:
        now = int(time.time())
        lease = store.acquire("dead", RUN, now, 60)
        store.commit(lease, Batch(begin=Run(RUN, "sha256:" + "0" * 64, now, "dead", None)))
        store.release(lease)
