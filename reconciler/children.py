"""What the programs that the command line starts may see of its environment."""

from __future__ import annotations

from collections.abc import Mapping

WITHHELD = (
    "SOPS_AGE_KEY",
    "RECONCILER_STORE",
    "RECONCILER_CACHE_KEY",
    "RECONCILER_RECORD_KEY",
    "PGPASSWORD",
    "PGPASSFILE",
)
"""Beginnings of names: what they hold opens artifacts or the live store, or signs records."""


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for a program, without what is a secret or leads to one."""
    return {name: value for name, value in environ.items() if not name.upper().startswith(WITHHELD)}
