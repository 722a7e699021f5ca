"""New files: all of them, or none, and never in the place of one that is there."""

from __future__ import annotations

import os
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

    def add(self, path: str, data: bytes) -> None:
        """Adds a file; it is on disk when this returns. Raises OSError: FileExistsError where one is there,
        LinkedError where a folder on the way is a link."""
        self._make((self._top / path).parent)
        place = inside(self._top, path)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(place, flags, 0o644)
        self._added.append(path)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)

    def _make(self, folder: Path) -> None:
        if folder.is_dir():
            return
        self._make(folder.parent)
        folder.mkdir()
        self._made.append(folder)
