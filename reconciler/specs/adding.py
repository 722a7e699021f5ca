"""New files: all of them, or none, and never in the place of one that is there."""

from __future__ import annotations

import errno
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from reconciler.files import inside


class NewFiles:
    """Files that are added below a folder. As a context: on an error, all that was added goes again."""

    def __init__(self, top: Path) -> None:
        self._top = top
        self._added: list[str] = []
        self._made: list[Path] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            return
        for path in self._added:
            with suppress(OSError):
                (self._top / path).unlink()
        for folder in reversed(self._made):
            with suppress(OSError):
                folder.rmdir()

    def is_taken(self, path: str) -> bool:
        """Whether something has that path (with `/`, below the folder), a link that leads nowhere too."""
        return os.path.lexists(self._top / path)

    def add(self, path: str, data: bytes, mode: int = 0o644) -> None:
        """Adds a file, whole; it is on disk when this returns. Raises OSError: FileExistsError where one is
        there, LinkedError where a folder on the way is a link."""
        self._make((self._top / path).parent)
        place = inside(self._top, path)
        descriptor, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fchmod(descriptor, mode)
                os.fsync(descriptor)
            _placed(Path(name), place)
            self._added.append(path)
        finally:
            Path(name).unlink(missing_ok=True)

    def _make(self, folder: Path) -> None:
        if folder.is_dir():
            return
        self._make(folder.parent)
        folder.mkdir()
        self._made.append(folder)


def _placed(aside: Path, place: Path) -> None:
    """Gives a file its name, unless another has it. Raises OSError."""
    try:
        os.link(aside, place, follow_symlinks=False)
    except OSError as error:
        # A file system without hard links: two that write at once are not told apart there.
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK):
            raise
        if os.path.lexists(place):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
        aside.rename(place)
