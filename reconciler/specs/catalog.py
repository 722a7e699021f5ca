"""The Catalog document: which APIs, projects, users, roles, rules, shops and apps exist."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Field, Strict

from reconciler.kinds.fields import EntryName, Model, TokenName
from reconciler.specs.values import Path


class Entry(Model):
    """One name that specs may use."""

    name: EntryName
    """As specs write it."""
    description: Annotated[str, Field(max_length=2000)] | None = None
    """What it is for."""


def _entry(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


Entries: TypeAlias = Annotated[
    tuple[Annotated[Entry, BeforeValidator(_entry, json_schema_input_type=EntryName | Entry)], ...],
    Strict(strict=False),
]


class CatalogSpec(Model):
    """Sections of names. A section that no catalog has is not checked."""

    apis: Entries | None = None
    """Names for `apis` and `api`."""
    projects: Entries | None = None
    """Names for `projects`."""
    users: Entries | None = None
    """Names for `users`."""
    roles: Entries | None = None
    """Names for `role` and `initroles`."""
    rules: Entries | None = None
    """Names for `rule`."""
    shops: Entries | None = None
    """Names for `shop`."""
    apps: Entries | None = None
    """Names for `aud` and `sap`."""


class CatalogName(Model):
    """Which catalog it is."""

    name: TokenName
    """For people: it has no meaning for the specs."""


class CatalogDocument(Model):
    """Names that specs may use. Several catalogs add up."""

    apiVersion: Literal["reconciler/v1"]
    """Version of the format."""
    kind: Literal["Catalog"]
    metadata: CatalogName
    """Which catalog it is."""
    spec: CatalogSpec
    """The names."""


Catalog: TypeAlias = Mapping[str, frozenset[str]]
"""Section → the names in it. A section that is absent is not checked."""


def merged(documents: Iterable[CatalogDocument]) -> Catalog:
    """One catalog out of several."""
    sections: dict[str, set[str]] = {}
    for document in documents:
        for section in CatalogSpec.model_fields:
            entries: tuple[Entry, ...] | None = getattr(document.spec, section)
            if entries is not None:
                sections.setdefault(section, set()).update(entry.name for entry in entries)
    return {section: frozenset(names) for section, names in sections.items()}


def unknown_names(
    catalog: Catalog, fields: Mapping[str, str], spec: Mapping[str, object]
) -> Iterator[tuple[Path, str, str]]:
    """(path, section, name) of every name in a spec that its section of the catalog does not have."""
    for field, section in fields.items():
        known = catalog.get(section)
        if known is None:
            continue
        for path, name in _named(field, spec.get(field)):
            if name != "*" and name not in known:
                yield path, section, name


def _named(field: str, value: object) -> Iterator[tuple[Path, str]]:
    """Every name in a field, and its path."""
    if isinstance(value, str):
        yield (field,), value
    elif isinstance(value, (list, tuple)):
        yield from (((field, index), name) for index, name in enumerate(value) if isinstance(name, str))
