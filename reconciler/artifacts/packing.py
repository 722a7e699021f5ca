"""A parcel as the tree that either backend seals: packed by its format, with its binding in place."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.artifacts.binding import binding
from reconciler.artifacts.formats import named
from reconciler.artifacts.formats.interface import Format
from reconciler.artifacts.interface import Parcel
from reconciler.artifacts.tree import Tree
from reconciler.secret import Secret

_PLACEHOLDER = Secret("binding")
"""Stands where the binding will stand, so that the bound tree has its final shape."""


@dataclass(frozen=True, slots=True)
class Packed:
    """What a backend seals: a tree in a format, on its way to a place."""

    form: Format
    tree: Tree = field(repr=False)
    path: str
    """Relative to the workspace, with `/`."""
    sealed_at: int
    """Epoch seconds: the file's `lastmodified`."""


def packed(parcel: Parcel) -> Packed:
    """A parcel as its format has it, bound. Raises SealFailed."""
    form = named(parcel.format)
    bound = binding(parcel.header, form.pack(parcel, _PLACEHOLDER), form.selection)
    return Packed(form, form.pack(parcel, bound), parcel.path, parcel.sealed_at)
