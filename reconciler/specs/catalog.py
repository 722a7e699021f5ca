"""The Catalog document: which APIs, projects, users, roles, rules, shops and apps exist."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple, TypeAlias

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, Strict
from pydantic_core import PydanticCustomError

from reconciler.kinds.fields import EntryOrAll, Granted, GroupMember, Line, Model, TokenName
from reconciler.specs import routes
from reconciler.specs.values import Document, List, Place

ALL = "*"
AT = "@"
"""Starts the name of a group."""


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise PydanticCustomError("twice", "a name stands here twice")
    return names


Members: TypeAlias = Annotated[
    tuple[GroupMember, ...],
    Strict(strict=False),
    Field(min_length=1, json_schema_extra={"uniqueItems": True}),
    AfterValidator(_distinct),
]


def _route(text: str) -> str:
    try:
        routes.parse(text)
    except ValueError as error:
        # As a value of the template: braces in the text are those of a route.
        raise PydanticCustomError("route", "{said}", {"said": str(error)}) from error
    return text


RouteText: TypeAlias = Annotated[
    str,
    Field(max_length=routes.LONGEST),
    AfterValidator(_route),
    Field(json_schema_extra={"pattern": r"^(\*|[A-Z][A-Z0-9_-]{0,31}) /"}),
]

Routes: TypeAlias = Annotated[
    tuple[RouteText, ...],
    Strict(strict=False),
    Field(min_length=1, json_schema_extra={"uniqueItems": True}),
    AfterValidator(_distinct),
]


class Entry(Model):
    """One name that specs may use, or a group of names."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"name": {"pattern": f"^{AT}"}}},
            "then": {"required": ["members"], "not": {"required": ["routes"]}},
            "else": {"not": {"required": ["members"]}},
        }
    )

    name: Granted
    """As specs write it. `@` starts the name of a group; `*` lets specs write `*`."""
    members: Members | None = None
    """Of a group, and of no other: the names it stands for, all of this section; groups may be among them."""
    routes: Routes | None = None
    """Of a name in `apis`: the requests that it is, for the verifier: `GET /v1/devices/{device}`,
    `* /v1/ping` for every method, `POST /v1/files/{rest...}` for one segment or more."""
    description: Annotated[str, Field(max_length=2000)] | None = None
    """What it is for."""
    deprecated: Line | None = None
    """That it is to be used no more, and what to use instead. Plans warn of tokens that name it."""

    @property
    def is_group(self) -> bool:
        """Whether it stands for other names."""
        return self.name.startswith(AT)


def _entry(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


Entries: TypeAlias = Annotated[
    tuple[Annotated[Entry, BeforeValidator(_entry, json_schema_input_type=EntryOrAll | Entry)], ...],
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


SECTIONS = tuple(CatalogSpec.model_fields)


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

    def entries(self, section: str) -> tuple[Entry, ...] | None:
        """What it has in a section; None where it does not have the section."""
        found: tuple[Entry, ...] | None = getattr(self.spec, section)
        return found


class FoundCatalog(NamedTuple):
    """A Catalog document and where its parts stand."""

    document: CatalogDocument
    file: str
    places: Mapping[tuple[str, int, str], Place]
    """Section, number of the entry, and a member or a route of it, or nothing for the entry itself."""


def found_catalog(catalog: CatalogDocument, file: str, document: Document) -> FoundCatalog:
    """A Catalog document with the places that a fault over all files may need."""
    places: dict[tuple[str, int, str], Place] = {}
    for section in SECTIONS:
        for number, entry in enumerate(catalog.entries(section) or ()):
            path = ("spec", section, number)
            places[section, number, ""] = document.place((*path, "name"))
            for field in ("members", "routes") if entry.members or entry.routes else ():
                listed = document.at((*path, field))
                for index, one in enumerate(listed if isinstance(listed, List) else ()):
                    places[section, number, str(one)] = document.place((*path, field, index))
    return FoundCatalog(catalog, file, places)
