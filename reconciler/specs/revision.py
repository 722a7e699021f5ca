"""The spec files of a commit, read from git without a checkout.

What counts is the content that git has. A checkout may differ from it: where `.gitattributes` or settings
of the machine change ends of lines, a file means the same; where a filter makes other text of it, as git-lfs
does, the commit means what the filter was given, and that is no spec.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from reconciler.files import Stamp
from reconciler.git.contents import Contents
from reconciler.git.repository import Blob, Repository
from reconciler.git.trees import FILES, LINK, SUBMODULE
from reconciler.specs.faults import Fault
from reconciler.specs.files import (
    MAX_BYTES,
    NO_FOLDER,
    SUFFIXES,
    leads_out,
    not_printable,
    of_other_repository,
    of_path,
    spec_folder_linked,
)

HOPS = 40
"""Links in a row that are followed, as a file system does."""
LONGEST_LINK = 4096


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
        """Spec files below a folder, relative to the workspace, in the order in which a folder gives them.

        Links that lead out are faults, and so are submodules. Raises GitFailed.
        """
        found: dict[str, Blob] = {}
        for blob in self.repository.blobs(self.commit, folder):
            name = blob.path.removeprefix(self.repository.prefix)
            if found.setdefault(name, blob) is not blob:
                faults.append(of_path(name, "the commit has this name twice", "make the commit with git"))
        if folder in found:
            faults.append(_of_top(folder, found[folder]))
        elif not found:
            faults.append(of_path(folder, NO_FOLDER, "see that the commit is one of this workspace"))
        else:
            self._contents.bring(self.commit, f"{self.repository.prefix}{folder}")
            listing = _Listing(folder, found, self._leads_to)
            for name in sorted(found, key=_in_order_of_folders):
                if listing.is_spec(name, faults):
                    self._blobs[name] = found[name].id
                    yield name

    def has(self, folder: str) -> bool:
        """Whether the commit has anything of that name in the workspace. Raises GitFailed."""
        return next(self.repository.blobs(self.commit, folder), None) is not None

    def read(self, file: str) -> bytes:
        """The bytes of a spec file, one more than the limit at most. Raises GitFailed."""
        return self._contents.read(self._blobs[file], MAX_BYTES + 1)

    def stamp(self, _: str) -> Stamp | None:
        """None: what a commit holds is looked up by its content."""
        return None

    def close(self) -> None:
        """Ends what reads."""
        self._contents.close()

    def _leads_to(self, link: Blob) -> str:
        return self._contents.read(link.id, LONGEST_LINK).decode(errors="surrogateescape")


def _of_top(folder: str, blob: Blob) -> Fault:
    """The fault of a spec folder that is none."""
    if blob.mode == SUBMODULE:
        return of_other_repository(folder)
    if blob.mode == LINK:
        return spec_folder_linked(folder)
    return of_path(folder, NO_FOLDER, "see that the commit is one of this workspace")


def _in_order_of_folders(name: str) -> list[tuple[bool, str]]:
    """Sort key: the files of a folder before those of the folders in it, each by name."""
    *folders, file = name.split("/")
    return [*((True, one) for one in folders), (False, file)]


class _Listing:
    """All that a spec folder of a commit holds, judged as one that is checked out is."""

    def __init__(self, folder: str, found: dict[str, Blob], leads_to: Callable[[Blob], str]) -> None:
        self.folder = folder
        self.found = found
        self.leads_to = leads_to
        self.folders = {name[:end] for name in found for end in _ends(name)}
        """Submodules are folders as well: empty ones."""
        self.told: set[str] = set()
        """Names that cannot be shown and were told of."""

    def is_spec(self, name: str, faults: list[Fault]) -> bool:
        """Whether a file is read as specs; adds what is wrong with one that may not stand there."""
        for end in (*_ends(name), len(name)):
            part = name[:end]
            if part != self.folder and part.rpartition("/")[2].startswith("."):
                return False
            if not part.isprintable():
                if part not in self.told:
                    faults.append(not_printable(part))
                self.told.add(part)
                return False
        blob = self.found[name]
        if blob.mode == SUBMODULE:
            faults.append(of_other_repository(name))
        elif blob.mode == LINK and not self.leads_inside(name):
            faults.append(leads_out(name))
        return blob.mode in FILES and name.lower().endswith(SUFFIXES)

    def leads_inside(self, link: str) -> bool:
        """Whether what a link leads to is there, and is read where it stands.

        A way through what is outside the spec folder counts as leading out: what is there can change.
        """
        place, ahead, hops = link.split("/")[:-1], [link.rsplit("/", maxsplit=1)[-1]], 0
        top = self.folder.split("/")
        while ahead:
            part = ahead.pop(0)
            if part == "..":
                if not place:
                    return False
                place.pop()
            elif part not in ("", "."):
                place.append(part)
            here = "/".join(place)
            blob = self.found.get(here)
            if blob is not None and blob.mode == LINK:
                hops += 1
                leads = self.leads_to(blob)
                if hops > HOPS or not leads or leads.startswith("/"):
                    return False
                place.pop()
                ahead = leads.split("/") + ahead
            elif place[: len(top)] != top[: len(place)] or (
                len(place) > len(top) and blob is None and here not in self.folders
            ):
                return False
        return place[: len(top)] == top


def _ends(name: str) -> Iterator[int]:
    """Where the name of each folder that a file is in ends."""
    return (end for end, letter in enumerate(name) if letter == "/")
