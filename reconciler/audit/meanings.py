"""What the blobs of a history declare: each is read once, however many commits hold it.

A blob is what its id says, whatever file it stands in. So what it means is kept from run to run under that
id, as for files that nobody touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from reconciler.files import Stamp
from reconciler.git.contents import Contents
from reconciler.git.repository import Repository
from reconciler.memo import Kept, nothing_kept
from reconciler.specs.faults import Fault
from reconciler.specs.files import MAX_BYTES
from reconciler.specs.reader import FileRead
from reconciler.specs.reading import read_files

Meanings: TypeAlias = Mapping[str, FileRead]
"""Id of a blob → what it declares and what is wrong with it; its `file` is that id."""
ALWAYS = Stamp(0, 0, 0, 0)
"""How every blob looks: what an id stands for never changes."""


@dataclass(slots=True)
class Blobs:
    """Blobs as files of a `Tree`, each named by its id."""

    repository: Repository
    _contents: Contents = field(init=False)

    def __post_init__(self) -> None:
        self._contents = Contents(self.repository.git)

    def spec_files(self, _folder: str, _faults: list[Fault]) -> Iterator[str]:
        """None: whoever reads blobs knows which."""
        return iter(())

    def read(self, file: str) -> bytes:
        """The bytes of a blob, one more than the limit at most. Raises GitFailed."""
        return self._contents.read(file, MAX_BYTES + 1)

    def stamp(self, _: str) -> Stamp:
        """The same for each."""
        return ALWAYS

    def close(self) -> None:
        """Ends what reads."""
        self._contents.close()


def meanings(repository: Repository, blobs: Iterable[str], kept: Kept = nothing_kept) -> Meanings:
    """What blobs declare; a memo saves time only. Raises GitFailed for a blob that is missing."""
    names = list(dict.fromkeys(blobs))
    tree = Blobs(repository)
    try:
        return by_blob(names, read_files(tree, names, kept))
    finally:
        tree.close()


def by_blob(names: Iterable[str], read: FileRead) -> Meanings:
    """What was read of many, each for itself."""
    found = {name: FileRead() for name in names}
    for token in read.tokens:
        found[token.file].tokens.append(token)
    for catalog in read.catalogs:
        found[catalog.file].catalogs.append(catalog)
    for workspace in read.workspaces:
        found[workspace.file].workspaces.append(workspace)
    for policy in read.policies:
        found[policy.file].policies.append(policy)
    for fault in read.faults:
        found[fault.file].faults.append(fault)
    return found
