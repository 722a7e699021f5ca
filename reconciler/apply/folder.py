"""Publishing to a folder: written aside, made durable, then renamed into place."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from reconciler.apply.interface import Publication
from reconciler.apply.observe import read_artifact
from reconciler.canonical import digest
from reconciler.errors import PublishFailed
from reconciler.files import LinkedError, NotRegularError, inside, read_regular
from reconciler.live.interface import Record
from reconciler.records.chain import file_name
from reconciler.records.envelope import LARGEST
from reconciler.specs.layout import RECORDS, STAGING


class FolderPublisher:
    """Artifacts in a folder of the workspace, staged in the same file system, so a rename is atomic.

    What is in the folder came by pull requests. A link there is never followed, so nothing outside
    the workspace is written or removed.
    """

    def __init__(self, root: Path, folder: str) -> None:
        self.root = root
        self.folder = folder
        self.staging = f"{folder}/{STAGING}"

    def ready(self) -> None:
        """Nothing: what is staged first tells."""

    def stage(self, run: str, path: str, data: bytes) -> None:
        """Writes an artifact under the staging folder of the run; its bytes are on disk on return."""
        with _failing(path):
            self._hide()
            write_new(self._made(self._staged(run, path)), data)

    def take(self, path: str) -> bytes | None:
        """The bytes of the file in place, on disk when this returns. Links are not followed."""
        with _failing(path):
            data = self._read(path)
            if data is not None:
                self._sync([self._inside(path)])
        return data

    def publish(self, publication: Publication) -> None:
        """Renames staged artifacts into place, unlinks removed ones, adds records; all of it synced.

        Each step is on disk before the next begins: no artifact leaves before its successor is
        there, and no record tells of what is not.
        """
        self._place(publication.run, publication.paths)
        self._remove(publication.removed, publication.staying)
        self._add(publication.records)

    def record(self, name: str) -> bytes | None:
        """The file of a record in place. Links are not followed."""
        path = f"{self.folder}/{RECORDS}/{name}"
        with _failing(path):
            try:
                return read_regular(self._inside(path), LARGEST, links=False)
            except (FileNotFoundError, NotADirectoryError, NotRegularError, LinkedError):
                return None

    def fence(self, run: str) -> None:
        """Nothing: a run publishes what is staged, and that is discarded before anything is given up."""

    def staged(self, run: str, path: str) -> Path:
        """Where a staged artifact stands, with the folders that lead there. Raises PublishFailed."""
        with _failing(path):
            return self._made(self._staged(run, path))

    def published(self, path: str) -> str | None:
        """Digest of the file in place, which is on disk when this returns."""
        data = self.take(path)
        return None if data is None else digest(data)

    def _read(self, path: str) -> bytes | None:
        """The bytes in place; None where there is no file, or a link leads there. Raises OSError."""
        try:
            return read_artifact(self._inside(path), sync=True)
        except (FileNotFoundError, NotADirectoryError, LinkedError):
            return None

    def discard(self) -> None:
        """Removes the staging folder; what stays because it cannot be removed is sealed anyway."""
        with suppress(OSError):
            shutil.rmtree(self._inside(self.staging), ignore_errors=True)

    def _place(self, run: str, paths: Iterable[str]) -> None:
        places: list[Path] = []
        for path in paths:
            with _failing(path):
                staged, place = self._inside(self._staged(run, path)), self._made(path)
                staged.replace(place)
                places.append(place)
        self._sync(places)

    def _remove(self, paths: Iterable[str], staying: Collection[str]) -> None:
        stay = {path.casefold(): path for path in staying}
        gone: list[Path] = []
        for path in paths:
            with _failing(path), suppress(FileNotFoundError, NotADirectoryError):
                place, other = self._inside(path), stay.get(path.casefold())
                if other is None or not place.samefile(self._inside(other)):
                    place.unlink()
                    gone.append(place)
        self._sync(gone)

    def _add(self, records: Sequence[Record]) -> None:
        self._sync([self._add_one(record) for record in records])

    def _add_one(self, record: Record) -> Path:
        """Another run's record with this number is never overwritten. Raises PublishFailed."""
        path = f"{self.folder}/{RECORDS}/{file_name(record.sequence, record.run)}"
        with _failing(path):
            place, staged = self._made(path), self._made(self._staged(record.run, path))
            staged.unlink(missing_ok=True)
            write_new(staged, record.body.encode())
            for other in place.parent.glob(f"{record.sequence:08d}-*.json"):
                if other.name != place.name:
                    raise PublishFailed(
                        f"the tree holds another record {record.sequence}, of run "
                        f"{other.stem.partition('-')[2]}",
                        hint="the live store was restored or replaced: "
                        "restore records and store from the same time",
                    )
            staged.replace(place)
        return place

    def _hide(self) -> None:
        """Whoever adds all files to git while a run goes on, or after one that died, adds none of these."""
        place = self._inside(f"{self.staging}/.gitignore")
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):
                write_new(place, b"*\n")

    def _staged(self, run: str, path: str) -> str:
        return f"{self.staging}/{run}/{path}"

    def _made(self, path: str) -> Path:
        """The place of a path, with the folders that lead there. Raises OSError."""
        place = self._inside(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    def _inside(self, path: str) -> Path:
        """The place of a path in the workspace. Raises OSError where a link leads there, or out."""
        return inside(self.root, path)

    def _sync(self, places: Iterable[Path]) -> None:
        """Waits until the entries of the folders that hold the places are on disk, up to the workspace."""
        folders = {place.parent for place in places}
        above = {up for folder in folders for up in folder.parents if up.is_relative_to(self.root)}
        for folder in sorted(folders | above, reverse=True):
            with _failing(str(folder.relative_to(self.root))):
                sync_file(folder)


def write_new(path: Path, data: bytes) -> None:
    """A new file with these bytes, on disk when this returns. Raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)


def sync_file(path: Path) -> None:
    """Waits until a file's bytes, or a folder's entries, are on disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _failing(path: str) -> Iterator[None]:
    """Turns what the operating system says into one sentence, with the path."""
    try:
        yield
    except OSError as error:
        raise PublishFailed(
            f"{path} could not be written: {error.strerror or error}",
            hint="mend the disk, the folder or its permissions, and run apply again",
        ) from error
