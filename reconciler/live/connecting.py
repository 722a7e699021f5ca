"""Opening a store that is there, or is to be made, whatever its make."""

from __future__ import annotations

from pathlib import Path

from reconciler.errors import StoreUnreadable
from reconciler.live import address, making
from reconciler.live.address import Address
from reconciler.live.empty import EmptyStore
from reconciler.live.engine import Engines, connect
from reconciler.live.faults import translated
from reconciler.live.interface import LiveStore
from reconciler.live.sql import SqlStore


def opened(url: str, workspace: str, *, create: bool) -> LiveStore:
    """As `open_store` says."""
    place = address.parse(url)
    if place.file is not None and not _exists(place.file, place.shown):
        if not create:
            return EmptyStore(place.shown)
        with translated(place.shown):
            making.make_file(place.file, place.shown)
    engines = connect(place)
    try:
        ready = _ready(engines, place, create=create)
    except BaseException:
        engines.close()
        raise
    if ready:
        return SqlStore(engines, place.shown, workspace)
    engines.close()
    return EmptyStore(place.shown)


def _exists(file: Path, shown: str) -> bool:
    try:
        return file.exists()
    except OSError as error:
        raise StoreUnreadable(
            f"the live store {shown} cannot be reached: {error.strerror}",
            hint="see that you may read its folder",
        ) from error


def _ready(engines: Engines, place: Address, *, create: bool) -> bool:
    """Whether there is a store of this tool's version, made or brought up to date if need be."""
    with translated(place.shown):
        with engines.reader.connect() as connection:
            found = making.version(connection)
        if found is None and place.file is not None:
            raise StoreUnreadable(
                f"the live store {place.shown} is a database without a store in it",
                hint="restore it from a backup; if it never was a store, correct the URL",
            )
        if found is not None and making.check(found, place.shown):
            return True
        if create:
            making.upgrade(engines)
        elif found is not None:
            raise making.too_old(place.shown)
        return create
