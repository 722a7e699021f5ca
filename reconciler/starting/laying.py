"""Which files a new workspace lacks: what is there already stays as it is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.files import read_regular
from reconciler.specs.export import WORKSPACE_FILE
from reconciler.specs.faults import Fault
from reconciler.specs.files import MAX_BYTES, spec_files


@dataclass(frozen=True, slots=True)
class Laying:
    """What is to be done, before any of it is done."""

    new: Mapping[str, str]
    """Path from the top → text, in the order in which it is written."""
    kept: tuple[str, ...]
    """Paths that something has already: it stays as it is."""
    edited: Mapping[str, str]
    """Files that are there and get lines more: path from the top → the whole text."""


def laid_out(top: Path, wanted: Mapping[str, str], edited: Mapping[str, str]) -> Laying:
    """What of the wanted files is new, and what is kept."""
    taken = tuple(path for path in wanted if os.path.lexists(top / path))
    return Laying({path: text for path, text in wanted.items() if path not in taken}, taken, edited)


def has_begun(specs: Path, ours: Mapping[str, str]) -> bool:
    """Whether a folder has specs of somebody's: then none is added to them.

    What an init wrote that was killed is nobody's yet, and the next one goes on with it.
    """
    if not os.path.lexists(specs):
        return False
    if os.path.lexists(specs / WORKSPACE_FILE):
        return True
    faults: list[Fault] = []
    found = [Path(file).relative_to(specs.name) for file in spec_files(specs.parent, specs.name, faults)]
    return bool(faults) or any(_text(specs / file) != ours.get(file.as_posix()) for file in found)


def _text(path: Path) -> str | None:
    try:
        return read_regular(path, MAX_BYTES, links=False).decode()
    except (OSError, UnicodeDecodeError):
        return None
