"""Publishing to a folder: written aside, made durable, then renamed into place."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.apply.interface import Publication
from reconciler.canonical import digest
from reconciler.errors import PublishFailed
from reconciler.live.interface import Record

STAGING = ".staging"
RECORDS = "records"


class FolderPublisher:
    """Artifacts in a folder of the workspace, staged in the same file system, so a rename is atomic."""

    def __init__(self, root: Path, folder: str) -> None:
        self.root = root
        self.folder = folder
        self.staging = root / folder / STAGING

    def stage(self, run: str, path: str, data: bytes) -> None:
        """Writes an artifact under the staging folder of the run."""
        with _failing(path):
            self._guard(path)
            staged = self._staged(run, path)
            staged.parent.mkdir(parents=True, exist_ok=True)
            write_new(staged, data)

    def publish(self, publication: Publication) -> None:
        """Renames staged artifacts into place, unlinks removed ones, writes records; all of it synced."""
        touched: set[Path] = set()
        for path in publication.paths:
            with _failing(path):
                self._guard(path)
                place = self.root / path
                place.parent.mkdir(parents=True, exist_ok=True)
                staged = self._staged(publication.run, path)
                sync_file(staged)
                staged.replace(place)
                touched.add(place.parent)
        for path in publication.removed:
            with _failing(path):
                self._guard(path)
                (self.root / path).unlink(missing_ok=True)
                touched.add((self.root / path).parent)
        for record in publication.records:
            self._guard(f"{self.folder}/{RECORDS}/{record.run}")
            touched.add(self._write_record(record))
        for folder in touched:
            with _failing(str(folder)):
                sync_folders(folder, self.root)

    def published(self, path: str) -> str | None:
        """Digest of the file in place."""
        with _failing(path):
            try:
                return digest((self.root / path).read_bytes())
            except (FileNotFoundError, NotADirectoryError):
                return None

    def discard(self) -> None:
        """Removes the staging folder; what stays because it cannot be removed is sealed anyway."""
        shutil.rmtree(self.staging, ignore_errors=True)

    def _staged(self, run: str, path: str) -> Path:
        return self.staging / run / path

    def _guard(self, path: str) -> None:
        """Refuses to write through a link that leads out of the workspace."""
        root = self.root.resolve()
        for place in ((self.root / path).parent, self.staging, self.root / self.folder / RECORDS):
            if place.resolve() != root / place.relative_to(self.root):
                raise PublishFailed(
                    f"{place.relative_to(self.root)} is a link, or lies behind one",
                    hint="make it a folder again",
                )

    def _write_record(self, record: Record) -> Path:
        folder = self.root / self.folder / RECORDS
        name = f"{record.sequence:08d}-{record.run}.json"
        with _failing(f"{self.folder}/{RECORDS}/{name}"):
            folder.mkdir(parents=True, exist_ok=True)
            for other in folder.glob(f"{record.sequence:08d}-*.json"):
                if other.name != name:
                    other.unlink()
            aside = folder / f".{name}"
            aside.unlink(missing_ok=True)
            write_new(aside, record.body.encode())
            sync_file(aside)
            aside.replace(folder / name)
        return folder


def write_new(path: Path, data: bytes) -> None:
    """A new file with these bytes; not yet synced. Raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


def sync_file(path: Path) -> None:
    """Waits until a file's bytes are on disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folders(folder: Path, top: Path) -> None:
    """Waits until the entries of a folder, and of those above it up to `top`, are on disk."""
    for place in _upwards(folder, top):
        sync_file(place)


def _upwards(folder: Path, top: Path) -> Iterator[Path]:
    yield folder
    for parent in folder.parents:
        if not parent.is_relative_to(top):
            return
        yield parent


@contextmanager
def _failing(path: str) -> Iterator[None]:
    """Turns what the operating system says into one sentence, with the path."""
    try:
        yield
    except OSError as error:
        raise PublishFailed(
            f"{path} could not be written: {error.strerror or error}",
            hint="mend the disk or its permissions, and run apply again: nothing new is live",
        ) from error
