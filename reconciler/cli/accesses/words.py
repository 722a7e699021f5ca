"""What more than one format says in the same words."""

from __future__ import annotations

from reconciler.audit.access import Period


def granted(one: Period) -> str:
    """The grants in words: `apis: device.read, device.write; projects: *`."""
    return "; ".join(f"{field}: {', '.join(names)}" for field, names in one.grants.items() if names)
