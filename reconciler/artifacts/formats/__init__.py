"""The delivery formats: one file each, found by their `FORMAT`.

A new format is one new file here. Nothing else names the formats.
"""

from __future__ import annotations

from functools import cache
from pathlib import PurePosixPath

from reconciler.artifacts.formats.interface import Format
from reconciler.errors import SealFailed
from reconciler.family import family


@cache
def all_formats() -> dict[str, Format]:
    """Every format by its name, in alphabetical order."""
    return family(__name__, "FORMAT", Format)


def named(name: str) -> Format:
    """The format of a name. Raises SealFailed."""
    try:
        return all_formats()[name]
    except KeyError:
        raise SealFailed(
            f"there is no delivery format {name!r}", hint="it can be " + ", ".join(all_formats())
        ) from None


def candidates(path: str) -> list[Format]:
    """The formats that a file of this name can have: those of its extension, or all."""
    extension = PurePosixPath(path).suffix[1:]
    return [one for one in all_formats().values() if one.extension == extension] or [*all_formats().values()]
