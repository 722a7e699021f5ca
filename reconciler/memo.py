"""What was worked out before, kept in a file: only what was written under one's own key is read back.

A memo saves time and nothing else. It may be deleted, cut off, swapped or shared at will: each of its chunks
carries a code that takes the key to make (BLAKE2, RFC 7693 §2.9), and what does not carry it was never there.
So a pull request that brings a memo, or a cache that others write to, tells nothing that is believed.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from reconciler.files import inside, read_regular
from reconciler.secret import Secret

KEY = "RECONCILER_CACHE_KEY"
"""The variable that machines have in common which share a cache."""
FOLDER = ".reconciler/cache"
"""Where memos stand in a workspace."""
MOMENT = 50_000_000
"""Nanoseconds that file systems may take for one moment: what changed within it may look the same."""
MAGIC = b"reconciler memo 1\n"
LARGEST = 1 << 24
"""Bytes of a chunk."""
CODE = 32
"""Bytes of the code that a chunk carries."""
SIZE = 4
"""Bytes of the number that says how long a chunk is."""


Kept: TypeAlias = "Callable[[], Memo | None]"
"""Opens a memo where it is worth it; None where nothing is kept."""


def nothing_kept() -> None:
    """No memo."""


@dataclass(frozen=True, slots=True)
class Memo:
    """A file of chunks, each of which stands for itself."""

    root: Path
    """The folder below which nothing is followed that leads out."""
    path: str
    """Of the file, from the root, with `/`."""
    key: Secret
    about: str
    """What all chunks depend on besides their own bytes: under another, none of them is read."""

    def read(self) -> Iterator[bytes]:
        """Chunks that were written under this key, up to the first that was not. Never fails."""
        with suppress(OSError), inside(self.root, self.path).open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                return
            while len(head := file.read(SIZE + CODE)) == SIZE + CODE:
                size = int.from_bytes(head[:SIZE], "big")
                if size > LARGEST:
                    return
                chunk = file.read(size)
                if not hmac.compare_digest(self._code(chunk), head[SIZE:]):
                    return
                yield chunk

    def write(self, chunks: Iterable[bytes]) -> None:
        """Puts chunks in the place of all that is there; what cannot be written is forgotten."""
        with suppress(OSError):
            place = self._made()
            descriptor, name = tempfile.mkstemp(prefix=".memo-", dir=place.parent)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(MAGIC)
                    for chunk in chunks:
                        file.write(len(chunk).to_bytes(SIZE, "big") + self._code(chunk) + chunk)
                Path(name).replace(place)
            finally:
                with suppress(FileNotFoundError):
                    Path(name).unlink()

    def moment(self) -> int | None:
        """What the file system takes for now, in nanoseconds; None where nothing can be kept anyway."""
        try:
            descriptor, name = tempfile.mkstemp(prefix=".now-", dir=self._made().parent)
        except OSError:
            return None
        try:
            return os.fstat(descriptor).st_mtime_ns
        finally:
            os.close(descriptor)
            Path(name).unlink(missing_ok=True)

    def _made(self) -> Path:
        place = inside(self.root, self.path)
        place.parent.mkdir(parents=True, exist_ok=True)
        return inside(self.root, self.path)

    def _code(self, chunk: bytes) -> bytes:
        about = self.about.encode()
        made = hashlib.blake2b(key=self.key.open().encode()[:64], digest_size=CODE)
        made.update(len(about).to_bytes(SIZE, "big") + about + chunk)
        return made.digest()


class Reminder(Memo):
    """A memo that is read and not written: it is of another tree than the one that is read."""

    def moment(self) -> None:
        """Never: nothing is kept."""


def find_key(
    environ: Mapping[str, str], home: Path, top: Path, entropy: Callable[[int], bytes]
) -> Secret | None:
    """The key of this machine's memos: from the environment, else the user's own, which is made when there is
    none. None where it can neither be read nor made: then nothing is kept.

    A key below `top`, the top of the repository, may have come with a commit: there is none then.
    """
    if given := environ.get(KEY):
        return Secret(given)
    place = Path(environ.get("XDG_CACHE_HOME") or home / ".cache") / "reconciler" / "key"
    with suppress(OSError, RuntimeError):
        if not place.resolve().is_relative_to(top.resolve()):
            return _read_key(place) or _make_key(place, entropy(CODE).hex())
    return None


def _make_key(place: Path, key: str) -> Secret | None:
    """Whole or not at all, and never in the place of another's. Raises OSError."""
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = tempfile.mkstemp(prefix=".key-", dir=place.parent)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(key)
        with suppress(FileExistsError):
            os.link(name, place)
    finally:
        Path(name).unlink()
    return _read_key(place)


def _read_key(place: Path) -> Secret | None:
    """None where there is none, or somebody else may have written it."""
    with suppress(OSError):
        seen = place.lstat()
        if seen.st_uid == os.geteuid() and not seen.st_mode & 0o077:
            found = read_regular(place, 2 * CODE, links=False).decode(errors="replace")
            return Secret(found) if len(found) == 2 * CODE else None
    return None
