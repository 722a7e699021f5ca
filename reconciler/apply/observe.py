"""What became of the sealed files in the tree, as far as can be told without a key."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from reconciler.artifacts.opener import read_header
from reconciler.canonical import digest
from reconciler.errors import ArtifactTampered, SettingsError
from reconciler.live.interface import LiveToken
from reconciler.plan.diff import ArtifactState

MAX_BYTES = 5 << 20
"""No artifact is as large. One that is gets cut there, and then is not what was published."""


def observed(root: Path, tokens: Iterable[LiveToken]) -> Iterator[tuple[LiveToken, ArtifactState]]:
    """Each live token with what became of its artifact. Raises SettingsError where a file cannot be read."""
    for token in tokens:
        yield token, artifact_state(root, token)


def artifact_state(root: Path, token: LiveToken) -> ArtifactState:
    """How the file in the tree compares with what the live token says of it."""
    if token.artifact_path is None:
        return ArtifactState.SAME
    try:
        data = read_regular(root / token.artifact_path)
    except (FileNotFoundError, NotADirectoryError):
        return ArtifactState.MISSING
    except OSError as error:
        raise SettingsError(
            f"{token.artifact_path} cannot be read: {error.strerror}", hint="mind its permissions"
        ) from error
    if data is None:
        return ArtifactState.BROKEN
    if digest(data) == token.artifact_digest:
        return ArtifactState.SAME
    return _compared(data, token, token.artifact_path)


def read_regular(path: Path, *, sync: bool = False) -> bytes | None:
    """The bytes of a file, up to 5 MiB; None where a link, a folder or a device stands in its place.

    With `sync`, they are on disk when this returns. Raises OSError.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            return None
        raise
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        if sync:
            os.fsync(descriptor)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(MAX_BYTES)
    finally:
        os.close(descriptor)


def _compared(data: bytes, token: LiveToken, path: str) -> ArtifactState:
    try:
        header = read_header(data, path)
    except ArtifactTampered:
        return ArtifactState.BROKEN
    same = (header.kind, header.token_id, header.generation) == (token.kind, token.id, token.generation)
    return ArtifactState.RESEALED if same else ArtifactState.FOREIGN
