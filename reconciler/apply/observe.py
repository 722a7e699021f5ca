"""What became of the sealed files in the tree, as far as can be told without a key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from reconciler.artifacts.opener import read_header
from reconciler.canonical import digest
from reconciler.errors import ArtifactTampered, SettingsError
from reconciler.live.interface import LiveToken
from reconciler.plan.diff import ArtifactState

MAX_BYTES = 5 << 20


def observed(root: Path, tokens: Iterable[LiveToken]) -> Iterator[tuple[LiveToken, ArtifactState]]:
    """Each live token with what became of its artifact. Raises SettingsError where a file cannot be read."""
    for token in tokens:
        yield token, artifact_state(root, token)


def artifact_state(root: Path, token: LiveToken) -> ArtifactState:
    """How the file in the tree compares with what the live token says of it."""
    if token.artifact_path is None:
        return ArtifactState.SAME
    try:
        with (root / token.artifact_path).open("rb", buffering=0) as file:
            data = file.read(MAX_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return ArtifactState.MISSING
    except OSError as error:
        raise SettingsError(
            f"{token.artifact_path} cannot be read: {error.strerror}", hint="mind its permissions"
        ) from error
    if digest(data) == token.artifact_digest:
        return ArtifactState.SAME
    return _compared(data, token, token.artifact_path)


def _compared(data: bytes, token: LiveToken, path: str) -> ArtifactState:
    try:
        header = read_header(data, path)
    except ArtifactTampered:
        return ArtifactState.BROKEN
    same = (header.kind, header.token_id, header.generation) == (token.kind, token.id, token.generation)
    return ArtifactState.RESEALED if same else ArtifactState.FOREIGN
