"""Opening a live store by its URL."""

from __future__ import annotations

from pathlib import Path

from reconciler.live.empty import EmptyStore
from reconciler.live.interface import LiveStore

PLAIN = "sqlite:///"


def open_store(url: str, workspace: str, *, create: bool = True) -> LiveStore:
    """The store at `sqlite:///FILE` or `postgresql://…`, for one workspace in it.

    With `create`, a store that is not there is made, and an older one is brought up to date. Without,
    one that is not there reads as empty, and nothing is written.

    Raises SettingsError (the URL, the driver), StoreNewer, StoreUnreadable, StoreError (older, and
    `create` is off).
    """
    if not create and _is_absent(url):
        return EmptyStore(url)
    # What follows brings SQLAlchemy in, which takes longer than a plan of a thousand specs.
    from reconciler.live.connecting import opened

    return opened(url, workspace, create=create)


def _is_absent(url: str) -> bool:
    """Whether a plain SQLite URL certainly names no file."""
    if not url.startswith(PLAIN) or set(url) & set("?%"):
        return False
    try:
        return not Path(url.removeprefix(PLAIN)).exists()
    except OSError:
        return False
