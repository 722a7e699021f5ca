"""Whether a key that an owner brings is somebody's already, or ever was: the live store is asked."""

from __future__ import annotations

from reconciler.live.interface import LiveStore
from reconciler.plan.brakes import Block
from reconciler.plan.change import Change
from reconciler.plan.ownkeys import brought, reused
from reconciler.specs.load import Specs


def reused_keys(specs: Specs, store: LiveStore, changes: tuple[Change, ...]) -> tuple[Block, ...]:
    """Why changes may not put the keys in force that their specs bring. Without any, nothing is asked."""
    keys = brought(changes, specs.own_key)
    return tuple(reused(keys, store.holders(keys))) if keys else ()
