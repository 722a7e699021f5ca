"""The CODEOWNERS file of the repository that a workspace lies in."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import SettingsError
from reconciler.files import LinkedError, inside, read_regular
from reconciler.git.running import find_top
from reconciler.specs.faults import Fault
from reconciler.specs.files import spec_files
from reconciler.specs.load import Specs
from reconciler.specs.write import write_whole
from reconciler.starting.owners import PLACES

SPECS = "specs"
MAX_BYTES = 3 << 20
"""GitHub reads no larger one."""


@dataclass(frozen=True, slots=True)
class Codeowners:
    """Which file it is, and what stands in it."""

    root: Path
    """The folder of the workspace."""
    top: Path
    """The top of the repository; of a workspace in no repository, its own folder."""
    place: str
    """From the top, with `/`."""
    text: str
    """Empty where there is no file yet."""

    def owners(self, specs: Specs) -> Mapping[str, Sequence[str]]:
        """Every spec file, from the top of the repository, with the owners of its tokens."""
        faults: list[Fault] = []
        owners: dict[str, set[str]] = {file: set() for file in spec_files(self.root, SPECS, faults)}
        for token in specs.tokens:
            if token.owner is not None:
                owners.setdefault(token.file, set()).add(token.owner)
        below = self.root.resolve().relative_to(self.top).as_posix()
        prefix = "" if below == "." else f"{below}/"
        return {prefix + file: sorted(names) for file, names in owners.items()}

    def write(self, text: str) -> None:
        """Puts it in place, as a whole. Raises OSError, and SettingsError where a folder is a link."""
        try:
            place = inside(self.top, self.place)
        except LinkedError as error:
            raise SettingsError(str(error), hint="then run it again") from error
        place.parent.mkdir(exist_ok=True)
        write_whole(place, text.encode())


def found(root: Path) -> Codeowners:
    """The first that is there; where none is, the one that the repository's forge would read.

    Raises SettingsError where it cannot be read.
    """
    top = find_top(root.resolve()) or root.resolve()
    there = next((place for place in PLACES if os.path.lexists(top / place)), None)
    if there is None:
        gitlab = any(os.path.lexists(top / name) for name in (".gitlab-ci.yml", ".gitlab"))
        return Codeowners(root, top, PLACES[-1 if gitlab else 0], "")
    try:
        data = read_regular(inside(top, there), MAX_BYTES, links=False)
        if len(data) > MAX_BYTES:
            raise SettingsError(f"{there} is larger than forges read", hint="make it shorter than 3 MiB")
        return Codeowners(root, top, there, data.decode())
    except UnicodeDecodeError as error:
        raise SettingsError(f"{there} is not UTF-8", hint="save the file as UTF-8 text") from error
    except OSError as error:
        raise SettingsError(
            f"{there} cannot be read: {error.strerror or error}", hint="make it a file"
        ) from error
