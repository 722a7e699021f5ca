"""What became of the sealed files in the tree, as far as can be told without a key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from reconciler.artifacts.interface import Expected, Header
from reconciler.artifacts.opener import metadata_of, read_header
from reconciler.canonical import digest
from reconciler.errors import ArtifactTampered, SettingsError
from reconciler.files import NotRegularError, read_regular
from reconciler.live.interface import LiveToken
from reconciler.plan.diff import ArtifactState, Observed

MAX_BYTES = 5 << 20
"""No artifact is as large. One that is gets cut there, and is then not what was published."""


WHOLE = Observed(ArtifactState.SAME)


def observed(root: Path, tokens: Iterable[LiveToken]) -> Iterator[tuple[LiveToken, Observed]]:
    """Each live token with what became of its artifact. Raises SettingsError where a file cannot be read."""
    for token in tokens:
        yield token, look(root, token)


def look(root: Path, token: LiveToken) -> Observed:
    """How the file in the tree compares with what the live token says of it."""
    if token.artifact_path is None:
        return WHOLE
    try:
        data = read_artifact(root / token.artifact_path)
    except (FileNotFoundError, NotADirectoryError):
        return Observed(ArtifactState.MISSING)
    except OSError as error:
        raise SettingsError(
            f"{token.artifact_path} cannot be read: {error.strerror}", hint="mind its permissions"
        ) from error
    if data is None:
        return Observed(ArtifactState.BROKEN)
    same = digest(data) == token.artifact_digest
    if same and token.artifact_recipients is not None:
        return WHOLE
    return _compared(data, token, same=same)


def expected_of(token: LiveToken) -> Expected:
    """What the artifact of a live token holds, if it is that token's."""
    return Expected(Header(token.kind, token.id, token.generation), token.artifact_contents)


def read_artifact(path: Path, *, sync: bool = False) -> bytes | None:
    """The bytes of an artifact; None where a link, a folder or a device stands in its place.

    With `sync`, they are on disk when this returns. Raises OSError.
    """
    try:
        return read_regular(path, MAX_BYTES, links=False, sync=sync)
    except NotRegularError:
        return None


def _compared(data: bytes, token: LiveToken, *, same: bool) -> Observed:
    path = str(token.artifact_path)
    try:
        header, recipients = read_header(data, path), metadata_of(data, path).recipients
    except ArtifactTampered:
        return Observed(ArtifactState.BROKEN)
    if header != expected_of(token).header:
        return Observed(ArtifactState.FOREIGN)
    return Observed(ArtifactState.SAME if same else ArtifactState.RESEALED, recipients)
