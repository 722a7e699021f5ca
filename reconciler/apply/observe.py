"""What became of the sealed files in the tree, as far as can be told without a key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Protocol

from reconciler.apply.untouched import Untouched
from reconciler.artifacts.interface import Expected, Header
from reconciler.artifacts.opener import metadata_of, read_header
from reconciler.artifacts.tree import MAX_BYTES
from reconciler.canonical import digest
from reconciler.errors import ArtifactTampered, SettingsError
from reconciler.files import LinkedError, NotRegularError, inside, read_regular
from reconciler.live.interface import LiveToken
from reconciler.plan.observed import ArtifactState, Observed

WHOLE, GONE = Observed(ArtifactState.SAME), Observed(ArtifactState.MISSING)


class Elsewhere(Protocol):
    """Where artifacts are published, as the work tree may be older than that."""

    def read(self, path: str, here: bytes | None, expected: str | None = None) -> bytes | None:
        """What stands at a path, given what stands in the work tree and the digest that live wants.

        None where nothing does. Raises GitFailed where it cannot be told.
        """

    def has(self, folder: str) -> bool:
        """Whether there is such a folder. Raises GitFailed where it cannot be told."""

    def is_newer(self, commit: str) -> bool:
        """Whether a commit follows the one that is checked out, and declares something else.

        Raises GitFailed where it cannot be told.
        """


def observed(tokens: Iterable[LiveToken], observer: Observer) -> Iterator[tuple[LiveToken, Observed]]:
    """Each live token with what became of its artifact. Raises SettingsError where a file cannot be read."""
    for token in tokens:
        yield token, observer.look(token)
    observer.untouched.keep()


class Observer:
    """Looks at artifacts in a tree. That no folder is a link is looked at once a folder.

    Where artifacts are published elsewhere, that is asked about each file that is not the expected one.
    `wanted` says where the spec of a name wants the artifact; None where none declares it.
    """

    def __init__(
        self,
        root: Path,
        wanted: Callable[[str], str | None],
        elsewhere: Elsewhere | None = None,
        untouched: Untouched | None = None,
    ) -> None:
        self._root = root
        self._wanted = wanted
        self._elsewhere = elsewhere
        self.untouched = untouched or Untouched(root, None)
        self._folders: set[str] = set()

    def look(self, token: LiveToken) -> Observed:
        """How it compares with what the live token says of it. Raises SettingsError or GitFailed."""
        if token.artifact_path is None:
            return WHOLE
        here = self._here(token, token.artifact_path)
        elsewhere = self._elsewhere
        if here.state is ArtifactState.SAME or elsewhere is None:
            return here
        read = partial(self._published, elsewhere, token.artifact_digest)
        return self._look(token, token.artifact_path, read)

    def _here(self, token: LiveToken, path: str) -> Observed:
        """The same of the work tree. A file that nobody touched since it was read is not read again."""
        stamp = self.untouched.stamp(path)
        known = self.untouched.has(path, stamp, token.artifact_digest)
        if known and token.artifact_recipients is not None and self._is_inside(path):
            found = WHOLE
        else:
            found = self._look(token, path, self._read)
        if found is WHOLE:
            self.untouched.saw(path, stamp, token.artifact_digest)
        return found

    def _is_inside(self, path: str) -> bool:
        """Whether no folder on the way is a link."""
        folder = path.rpartition("/")[0]
        if folder not in self._folders:
            try:
                inside(self._root, path)
            except LinkedError:
                return False
            self._folders.add(folder)
        return True

    def _published(self, elsewhere: Elsewhere, expected: str | None, path: str) -> bytes | None:
        """The bytes at a path, by what is published too. Raises FileNotFoundError."""
        try:
            here = self._read(path)
        except (FileNotFoundError, NotADirectoryError):
            here = None
        data = elsewhere.read(path, here, expected)
        if data is None:
            raise FileNotFoundError(path)
        return data

    def _look(self, token: LiveToken, path: str, read: Callable[[str], bytes | None]) -> Observed:
        try:
            data = read(path)
        except (FileNotFoundError, NotADirectoryError):
            return self._moved(token, path, read)
        if data is None:
            return Observed(ArtifactState.BROKEN)
        same = digest(data) == token.artifact_digest
        if same and token.artifact_recipients is not None:
            return WHOLE
        return _compared(data, path, token, whole=ArtifactState.SAME if same else ArtifactState.RESEALED)

    def _moved(self, token: LiveToken, path: str, read: Callable[[str], bytes | None]) -> Observed:
        """Somebody may have moved it to where its spec wants it."""
        place = self._wanted(token.name)
        if place in (None, path):
            return GONE
        try:
            data = read(str(place))
        except (FileNotFoundError, NotADirectoryError):
            return GONE
        found = GONE if data is None else _compared(data, str(place), token, whole=ArtifactState.MOVED)
        return found if found.state is ArtifactState.MOVED else GONE

    def _read(self, path: str) -> bytes | None:
        """The bytes at a path; None where a link leads there, or something stands that is no file."""
        if not self._is_inside(path):
            return None
        try:
            return read_artifact(self._root / path)
        except (FileNotFoundError, NotADirectoryError):
            raise
        except OSError as error:
            raise SettingsError(
                f"{path} cannot be read: {error.strerror}", hint="mind its permissions"
            ) from error


def expected_of(token: LiveToken) -> Expected:
    """What the artifact of a live token holds, if it is that token's.

    Of a token that an older version issued, nobody kept what was sealed: then it is the very file.
    """
    contents = token.artifact_contents
    whole = token.artifact_digest if contents is None else None
    return Expected(Header(token.kind, token.id, token.generation), contents, whole)


def read_artifact(path: Path, *, sync: bool = False) -> bytes | None:
    """The bytes of an artifact; None where a link, a folder or a device stands in its place.

    With `sync`, they are on disk when this returns. Raises OSError.
    """
    try:
        return read_regular(path, MAX_BYTES, links=False, sync=sync)
    except NotRegularError:
        return None


def _compared(data: bytes, path: str, token: LiveToken, *, whole: ArtifactState) -> Observed:
    """`whole`, if it is that token's; a file that nobody can open is none."""
    try:
        header, recipients = read_header(data, path), metadata_of(data, path).recipients
    except ArtifactTampered:
        return Observed(ArtifactState.BROKEN)
    if header != expected_of(token).header:
        return Observed(ArtifactState.FOREIGN)
    return Observed(whole if recipients else ArtifactState.BROKEN, recipients)
