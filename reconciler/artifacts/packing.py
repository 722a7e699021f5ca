"""A parcel as the tree that either backend seals: packed by its format, with its binding in place."""

from __future__ import annotations

from reconciler.artifacts.binding import binding
from reconciler.artifacts.formats import named
from reconciler.artifacts.formats.interface import Format
from reconciler.artifacts.interface import Parcel
from reconciler.artifacts.tree import Tree
from reconciler.secret import Secret

_PLACEHOLDER = Secret("binding")
"""Stands where the binding will stand, so that the bound tree has its final shape."""


def packed(parcel: Parcel) -> tuple[Format, Tree]:
    """The format of a parcel, and its tree. Raises SealFailed."""
    form = named(parcel.format)
    bound = binding(parcel.header, form.pack(parcel, _PLACEHOLDER), form.selection)
    return form, form.pack(parcel, bound)
