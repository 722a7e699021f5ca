"""The spec files of a commit, read from git without a checkout."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from reconciler.git.repository import FILES, LINK, Blob, Contents, Repository
from reconciler.specs.faults import Fault
from reconciler.specs.files import MAX_BYTES, SUFFIXES, Stamp, of_path


@dataclass(slots=True)
class Revision:
    """A workspace as a commit holds it: a `Tree`."""

    repository: Repository
    commit: str
    """Its full id."""
    _contents: Contents = field(init=False)
    _blobs: dict[str, str] = field(default_factory=dict, init=False)
    """File → the id of its content."""

    def __post_init__(self) -> None:
        self._contents = Contents(self.repository.git)

    def spec_files(self, folder: str, faults: list[Fault]) -> Iterator[str]:
        """Spec files below a folder, relative to the workspace, sorted. Links that lead out are faults.

        Raises GitFailed.
        """
        found = [(self._inner(blob), blob) for blob in self.repository.blobs(self.commit, folder)]
        if not found or found[0][0] == folder:
            what = "the spec folder is a link, or a file" if found else "there is no such folder"
            faults.append(of_path(folder, what, "see that the commit is one of this workspace"))
            return
        for name, blob in sorted(found, key=lambda one: one[0]):
            if self._is_spec(folder, name, blob, faults):
                self._blobs[name] = blob.id
                yield name

    def read(self, file: str) -> bytes:
        """The bytes of a spec file, one more than the limit at most. Raises GitFailed."""
        return self._contents.read(self._blobs[file])[: MAX_BYTES + 1]

    def stamp(self, _: str) -> Stamp | None:
        """None: what a commit holds is looked up by its content."""
        return None

    def close(self) -> None:
        """Ends what reads."""
        self._contents.close()

    def _inner(self, blob: Blob) -> str:
        return blob.path.removeprefix(self.repository.prefix)

    def _is_spec(self, folder: str, name: str, blob: Blob, faults: list[Fault]) -> bool:
        inner = PurePosixPath(name).relative_to(folder)
        if any(part.startswith(".") for part in inner.parts):
            return False
        if not name.isprintable():
            faults.append(of_path(name, "this name has a character that cannot be shown", "rename it"))
        elif blob.mode == LINK:
            if not self._leads_inside(folder, name, blob):
                faults.append(
                    of_path(name, "this link leads out of the spec folder", "put the file itself here")
                )
        elif blob.mode in FILES:
            return name.lower().endswith(SUFFIXES)
        return False

    def _leads_inside(self, folder: str, name: str, blob: Blob) -> bool:
        """Whether what a link leads to is read where it stands."""
        leads = self._contents.read(blob.id).decode(errors="replace")
        place = posixpath.normpath(posixpath.join(posixpath.dirname(name), leads))
        return place == folder or place.startswith(f"{folder}/")
