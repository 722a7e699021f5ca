"""All Catalog documents as one catalog: what it lists, what its groups hold, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from reconciler.canonical import Json
from reconciler.specs.catalog import ALL, AT, SECTIONS, Entry, FoundCatalog
from reconciler.specs.faults import Fault, did_you_mean, shown
from reconciler.specs.groups import held_by
from reconciler.specs.routes import Shape, parse

ROUTED = "apis"
"""The section whose names have routes."""
MAX_GUESSES = 100
"""Members that come with a did-you-mean: a guess reads all names of the section."""


@dataclass(frozen=True, slots=True)
class Section:
    """One section of the catalog: what specs may write in the fields that it is for."""

    entries: Mapping[str, Entry]
    """Names, groups and `*`, by name, sorted."""
    held: Mapping[str, frozenset[str]]
    """Group → the names and groups that it holds, at any depth."""

    def names_of(self, group: str) -> Iterable[str]:
        """The names that a group stands for."""
        return (name for name in self.held[group] if not name.startswith(AT))

    def choices(self) -> list[str]:
        """What a spec can name: names first, then groups."""
        return sorted((name for name in self.entries if name != ALL), key=lambda name: (name[0] == AT, name))

    def meaning(self) -> Json:
        """What it means for specs. Descriptions mean nothing to them, nor does how groups are nested."""
        names: list[Json] = [name for name in self.entries if not name.startswith(AT)]
        groups: dict[str, Json] = {group: sorted(self.names_of(group)) for group in self.held}
        return {"names": names, "groups": groups}


Catalog: TypeAlias = Mapping[str, Section]
"""Section → what it lists. A section that is absent is not checked."""


class _Listed(NamedTuple):
    """An entry, and where it stands."""

    entry: Entry
    catalog: FoundCatalog
    section: str
    number: int

    def where(self, part: str = "") -> str:
        line = self.catalog.places[self.section, self.number, part].line
        return f"{self.catalog.file}:{line}"

    @property
    def routes(self) -> Sequence[str]:
        return self.entry.routes or ()

    def fault(self, rule: str, message: str, hint: str, part: str = "") -> Fault:
        """What is wrong with it, or with one member or route of it."""
        place = self.catalog.places[self.section, self.number, part]
        return Fault(self.catalog.file, *place, rule, message, hint)


def gathered(found: Iterable[FoundCatalog], *, lost: bool = False) -> tuple[Catalog, list[Fault]]:
    """One catalog out of several, and what is wrong with it.

    Where a catalog was `lost`, it may list what the others do not: no member is unknown then.
    """
    faults: list[Fault] = []
    sections: dict[str, dict[str, _Listed]] = {}
    for catalog in found:
        for section in SECTIONS:
            entries = catalog.document.entries(section)
            if entries is not None:
                listed = sections.setdefault(section, {})
                for number, entry in enumerate(entries):
                    _add(listed, _Listed(entry, catalog, section, number), faults.append)
    _check_routes(sections.get(ROUTED, {}).values(), faults.append)
    whole = {
        section: _section(section, dict(sorted(sections[section].items())), faults.append, lost=lost)
        for section in SECTIONS
        if section in sections
    }
    return whole, faults


def _add(listed: dict[str, _Listed], one: _Listed, say: Callable[[Fault], None]) -> None:
    """Lists an entry. A second catalog may list a plain name again, if it says the same of it."""
    first = listed.setdefault(one.entry.name, one)
    if first is one:
        return
    if first.catalog is one.catalog or one.entry.is_group or first.entry != one.entry:
        differs = " and says something else of it" if first.entry != one.entry else ""
        say(
            one.fault(
                "catalog.twice",
                f"{one.section} lists {shown(one.entry.name)} a second time{differs}; the first is at"
                f" {first.where()}",
                "keep one of the two",
            )
        )


def _section(
    section: str, listed: Mapping[str, _Listed], say: Callable[[Fault], None], *, lost: bool
) -> Section:
    members = {
        name: one.entry.members for name, one in listed.items() if one.entry.is_group and one.entry.members
    }
    for one in listed.values():
        _check_shape(one, say)
    if not lost:
        _check_members(section, listed, members, say)
    held, troubles = held_by(members)
    for trouble in troubles:
        say(listed[trouble.group].fault(trouble.rule, trouble.message, trouble.hint, trouble.member))
    return Section({name: one.entry for name, one in listed.items()}, held)


def _check_shape(one: _Listed, say: Callable[[Fault], None]) -> None:
    name = one.entry.name
    if one.entry.is_group and not one.entry.members:
        say(
            one.fault(
                "catalog.members", f"the group {shown(name)} has no members", "write members: and their names"
            )
        )
    elif one.entry.members and not one.entry.is_group:
        hint = "remove members" if name == ALL else f'call it "{AT}{name}", or remove members'
        say(one.fault("catalog.members", f"{shown(name)} has members, and is no group", hint))
    if one.routes and (one.section != ROUTED or one.entry.is_group or name == ALL):
        message = f"{shown(name)} of {one.section} has routes, and is no API"
        say(one.fault("catalog.routes", message, f"a route stands with one name in {ROUTED}", one.routes[0]))


def _check_routes(listed: Iterable[_Listed], say: Callable[[Fault], None]) -> None:
    """A request is of one API: the one with the most specific route. So no two are equally specific."""
    first: dict[Shape, tuple[_Listed, str]] = {}
    for one in listed:
        for route in one.routes:
            other, text = first.setdefault(parse(route).shape, (one, route))
            if (other, text) != (one, route):
                message = (
                    f"{shown(route)} of {shown(one.entry.name)} matches the same requests as {shown(text)} of"
                    f" {shown(other.entry.name)} at {other.where(text)}, and neither is more specific"
                )
                say(one.fault("catalog.routes", message, "keep one of the two", route))


def _check_members(
    section: str,
    listed: Mapping[str, _Listed],
    members: Mapping[str, Sequence[str]],
    say: Callable[[Fault], None],
) -> None:
    unknown = [(group, name) for group, names in members.items() for name in names if name not in listed]
    choices = [name for name in listed if name != ALL]
    for number, (group, name) in enumerate(unknown):
        others = [one for one in choices if one != group] if number < MAX_GUESSES else []
        hint = did_you_mean(name, others) if others else ""
        say(
            listed[group].fault(
                "catalog.members",
                f"{group} has the member {shown(name)}, which {section} does not list",
                hint or f"list it under {section} too",
                name,
            )
        )
