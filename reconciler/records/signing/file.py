"""A private key in a file that its owner alone can read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from reconciler.errors import SignFailed
from reconciler.files import NotRegularError, read_regular
from reconciler.records.private import PrivateKey, read_private
from reconciler.records.signing.interface import Keeper, Place
from reconciler.secret import Secret

LARGEST = 64 * 1024
"""Bytes of a file that is read."""


def _open(place: Place) -> PrivateKey:
    return read_private(_read(place.named), place.named)


def _read(path: str) -> Secret:
    """The text of the file, which nobody else can read. Raises SignFailed."""
    try:
        seen = Path(path).stat()
        data = read_regular(path, LARGEST)
    except (OSError, ValueError) as error:
        why = "it is not a regular file" if isinstance(error, NotRegularError) else _said(error)
        raise SignFailed(
            f"the signing key {path} cannot be read: {why}", hint="name the file in RECONCILER_RECORD_KEY"
        ) from None
    if seen.st_uid == os.geteuid() and stat.S_IMODE(seen.st_mode) & 0o077:
        raise SignFailed(
            f"others than its owner can read the signing key {path}",
            hint=f"keep it to yourself: chmod 600 {path}",
        )
    return Secret(data.decode("latin-1"))


def _said(error: OSError | ValueError) -> str:
    return (isinstance(error, OSError) and error.strerror) or "it has no such name"


KEEPER = Keeper(
    "file",
    "the file of a private key",
    lambda named: "://" not in named and not named.startswith("-----BEGIN "),
    _open,
)
