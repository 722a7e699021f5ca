"""The Catalog document: which APIs, projects, users, roles, rules, shops and apps exist."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Strict

from reconciler.kinds.fields import EntryName, Model, TokenName


class Entry(Model):
    """One name that specs may use."""

    name: EntryName
    description: str | None = None


def _entry(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


Entries: TypeAlias = Annotated[
    tuple[Annotated[Entry, BeforeValidator(_entry, json_schema_input_type=str | Entry)], ...], Strict(strict=False)
]


class CatalogSpec(Model):
    """Sections of names. A section that no catalog has is not checked."""

    apis: Entries | None = None
    projects: Entries | None = None
    users: Entries | None = None
    roles: Entries | None = None
    rules: Entries | None = None
    shops: Entries | None = None
    apps: Entries | None = None


class CatalogName(Model):
    """Which catalog it is."""

    name: TokenName


class CatalogDocument(Model):
    """Names that specs may use. Several catalogs add up."""

    apiVersion: Literal["reconciler/v1"]
    kind: Literal["Catalog"]
    metadata: CatalogName
    spec: CatalogSpec


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
) -> Iterator[tuple[str, str, str]]:
    """(field, section, name) of every name in a spec that its section of the catalog does not have."""
    for field, section in fields.items():
        known = catalog.get(section)
        if known is None:
            continue
        value = spec.get(field)
        names = (value,) if isinstance(value, str) else value
        for name in names if isinstance(names, (list, tuple)) else ():
            if isinstance(name, str) and name != "*" and name not in known:
                yield field, section, name
