"""Families of modules: one file a member, found by itself, so that adding one adds a file and edits none."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Protocol, TypeVar


class _Named(Protocol):
    @property
    def name(self) -> str: ...


M = TypeVar("M", bound=_Named)


def family(package: str, attribute: str, kind: type[M]) -> dict[str, M]:
    """What the modules of a package call `attribute` and is of that kind, by name, in alphabetical order."""
    path = import_module(package).__path__
    members = (getattr(import_module(f"{package}.{one.name}"), attribute, None) for one in iter_modules(path))
    found = [member for member in members if isinstance(member, kind)]
    return {member.name: member for member in sorted(found, key=lambda member: member.name)}
