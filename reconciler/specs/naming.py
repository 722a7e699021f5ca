"""What specs name, held against the catalog: names, groups and `*` that it does not have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.specs.catalog import ALL, AT
from reconciler.specs.explain import Finding
from reconciler.specs.faults import did_you_mean, shown
from reconciler.specs.gathering import Catalog
from reconciler.specs.values import Path


def unknown_names(
    catalog: Catalog, fields: Mapping[str, str], spec: Mapping[str, object]
) -> Iterator[tuple[Path, str, str]]:
    """(path, section, name) of every name in a spec that its section of the catalog does not have.

    A group must stand in the catalog, whether it has the section or not.
    """
    for field, section in fields.items():
        known = catalog.get(section)
        for path, name in named(field, spec.get(field)):
            if (known is not None and name not in known.entries) or (known is None and name.startswith(AT)):
                yield path, section, name


def named(field: str, value: object) -> Iterator[tuple[Path, str]]:
    """Every name that stands in a field, and its path from `spec`."""
    if isinstance(value, str):
        yield (field,), value
    elif isinstance(value, (list, tuple)):
        yield from (((field, index), name) for index, name in enumerate(value) if isinstance(name, str))


def outside(catalog: Catalog, path: Path, section: str, name: str, *, guess: bool) -> Finding:
    """What is wrong with a name that the catalog does not have, with the nearest that it has if asked for."""
    choices = catalog[section].choices() if guess and section in catalog else []
    if name == ALL:
        message = f"{path[0]} names *, and the catalog does not allow that"
        hint = f'write the names that it needs, or list "*" under {section} of the catalog'
        return Finding(("spec", *path), f"catalog.{section}", message, hint)
    if name.startswith(AT):
        message = f"{path[0]} names the group {shown(name)}, which the catalog does not have"
        choices = [choice for choice in choices if choice.startswith(AT)]
        hint = f"list it under {section} of a Catalog document, with its members"
    else:
        message = f"{path[0]} names {shown(name)}, which the catalog does not have"
        hint = "add it to the catalog"
    return Finding(
        ("spec", *path), f"catalog.{section}", message, did_you_mean(name, choices) if choices else hint
    )
