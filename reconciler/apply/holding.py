"""Whether a key that an owner brings may come into force: the live store is asked whose it is, or was."""

from __future__ import annotations

from reconciler.live.interface import LiveStore
from reconciler.plan.brakes import Block
from reconciler.plan.change import Change
from reconciler.plan.ownkeys import brought, kept, reused
from reconciler.specs.load import Specs


def reused_keys(specs: Specs, store: LiveStore, changes: tuple[Change, ...]) -> tuple[Block, ...]:
    """Why changes may not put the keys in force that their specs bring. Without any, nothing is asked."""
    keys = brought(changes, specs.own_key)
    return (*kept(keys.values()), *reused(keys, store.holders(keys))) if keys else ()
