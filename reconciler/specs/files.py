"""The files of a spec folder: which there are, and their bytes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from reconciler.files import Stamp, read_regular, stamp_of
from reconciler.specs.faults import Fault

SUFFIXES = (".yaml", ".yml")
MAX_BYTES = 1 << 20
NO_FOLDER = "there is no such folder"


def is_spec(path: str) -> bool:
    """Whether a path below a spec folder is that of a spec file, by its name alone."""
    return path.lower().endswith(SUFFIXES) and not any(part.startswith(".") for part in path.split("/"))


class Tree(Protocol):
    """The files of a workspace as of one moment: what is checked out, or what a commit holds."""

    def spec_files(self, folder: str, faults: list[Fault]) -> Iterator[str]:
        """Spec files below a folder, relative to the workspace, sorted. Links that lead out are faults."""

    def read(self, file: str) -> bytes:
        """The bytes of a spec file, one more than the limit at most. Raises OSError."""

    def stamp(self, file: str) -> Stamp | None:
        """How the file looks now; None where that cannot be told."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A workspace as it is checked out."""

    root: Path

    def spec_files(self, folder: str, faults: list[Fault]) -> Iterator[str]:
        """As in `Tree`."""
        return spec_files(self.root, folder, faults)

    def read(self, file: str) -> bytes:
        """As in `Tree`."""
        return read_bytes(f"{self.root}/{file}")

    def stamp(self, file: str) -> Stamp | None:
        """As in `Tree`."""
        return stamp_of(f"{self.root}/{file}")


def spec_files(root: Path, folder: str, faults: list[Fault]) -> Iterator[str]:
    """Spec files below a folder, relative to the root, sorted. Links that lead out are faults."""
    top = root / folder
    if top.is_symlink():
        faults.append(spec_folder_linked(folder))
    elif not top.is_dir():
        faults.append(of_path(folder, NO_FOLDER, "make one with: reconcile init, or reconcile new KIND NAME"))
    else:
        yield from _below(root, folder, faults)


def _below(root: Path, folder: str, faults: list[Fault]) -> Iterator[str]:
    top = (root / folder).resolve()
    folders = [folder]
    while folders:
        relative = folders.pop()
        inner = []
        for entry in _entries(root, relative, faults):
            name = f"{relative}/{entry.name}"
            if not name.isprintable():
                faults.append(not_printable(name))
            elif entry.is_symlink():
                faults.extend(_of_link(Path(entry.path), name, top))
            elif entry.is_dir(follow_symlinks=False):
                if os.path.lexists(f"{entry.path}/.git"):
                    faults.append(of_other_repository(name))
                else:
                    inner.append(name)
            elif entry.name.lower().endswith(SUFFIXES):
                yield name
        folders.extend(reversed(inner))


def _entries(root: Path, relative: str, faults: list[Fault]) -> list[os.DirEntry[str]]:
    """What a folder holds, in the order of names, without what is hidden."""
    try:
        with os.scandir(root / relative) as found:
            return sorted(
                (entry for entry in found if not entry.name.startswith(".")), key=lambda entry: entry.name
            )
    except OSError as error:
        faults.append(
            of_path(relative, f"this folder cannot be read ({error.strerror})", "mind its permissions")
        )
        return []


def _of_link(path: Path, name: str, top: Path) -> Iterator[Fault]:
    """A link inside the folder is read where it leads; any other is a fault."""
    try:
        leads_inside = path.resolve(strict=True).is_relative_to(top)
    except (OSError, RuntimeError):
        leads_inside = False
    if not leads_inside:
        yield leads_out(name)


def of_path(file: str, message: str, hint: str) -> Fault:
    """A fault of a file or folder as a whole."""
    return Fault(printable(file), 1, 1, "specs.file", message, hint)


def spec_folder_linked(folder: str) -> Fault:
    """The fault of a spec folder that is a link."""
    return of_path(folder, "the spec folder is a link", "make it a folder of the repository")


def leads_out(name: str) -> Fault:
    """The fault of a link that is not read where it leads."""
    return of_path(name, "this link leads out of the spec folder, or nowhere", "put the file itself here")


def not_printable(name: str) -> Fault:
    """The fault of a name that no message can show as it is."""
    return of_path(name, "this name has a character that cannot be shown", "rename it")


def of_other_repository(name: str) -> Fault:
    """The fault of a folder whose files are in no commit of this repository: nobody reviews them."""
    return of_path(
        name,
        "this is a repository of its own, or a submodule: no commit of this one has what it holds",
        "put the files themselves here",
    )


def unreadable(file: str, error: OSError) -> Fault:
    """The fault of a file that cannot be read."""
    return of_path(file, f"this file cannot be read ({error.strerror})", "mind its permissions")


def printable(name: str) -> str:
    """A file name with what no terminal or JSON can show replaced."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def read_bytes(path: str | Path) -> bytes:
    """The bytes of a spec file, one more than the limit at most. Raises OSError."""
    return read_regular(path, MAX_BYTES, links=False)
