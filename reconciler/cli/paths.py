"""PATHs on the command line: the spec files and folders that they name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from reconciler.errors import UsageError
from reconciler.specs.files import SUFFIXES
from reconciler.surroundings import SPECS


def named_in_specs(root: Path, paths: Sequence[str]) -> list[Path]:
    """The files and folders of `specs/` that are named, as they stand below the root. Raises UsageError."""
    return [_named(root.resolve() / SPECS, root, path) for path in paths]


def is_below(place: Path, named: Sequence[Path]) -> bool:
    """Whether a file is one of those, or in one of them."""
    return any(place.is_relative_to(one) for one in named)


def _named(specs: Path, root: Path, path: str) -> Path:
    place = Path.cwd() / path
    place = place.resolve() if place.name in ("", "..") else place.parent.resolve() / place.name
    if not os.path.lexists(place):
        raise UsageError(f"there is no {path}", hint=f"name files or folders of {SPECS}/")
    if not place.is_relative_to(specs):
        raise UsageError(f"{path} is not in {SPECS}/", hint="name files or folders of the spec folder")
    inner = place.relative_to(specs)
    if any(part.startswith(".") for part in inner.parts):
        raise UsageError(f"{path} is hidden, so it is not read as a spec", hint="name it without the dot")
    if not place.is_dir() and not place.name.lower().endswith(SUFFIXES):
        raise UsageError(f"{path} is no spec file", hint=f"name a folder, or a {' or '.join(SUFFIXES)} file")
    return root / SPECS / inner
