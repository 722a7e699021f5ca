"""Who names what the catalog lists: who would be affected if an entry went. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic_core import from_json

from reconciler.kinds import all_kinds
from reconciler.specs.catalog import ALL, AT, SECTIONS, Entry
from reconciler.specs.gathering import Catalog
from reconciler.specs.reader import Declared


@dataclass(frozen=True, slots=True)
class Use:
    """One token that names an entry."""

    token: str
    kind: str
    owner: str | None
    direct: bool
    """Whether its spec names the entry itself."""
    through: tuple[str, ...]
    """The groups in its spec that hold the entry."""


@dataclass(slots=True)
class Row:
    """One entry of the catalog, or a name that specs use and no catalog lists, and who names it."""

    section: str
    name: str
    entry: Entry | None
    """None for a name that is in no catalog."""
    groups: tuple[str, ...] = ()
    """The groups that it is a member of."""
    tokens: int = 0
    owners: set[str] = field(default_factory=set)
    """Whose those tokens are."""


@dataclass(frozen=True, slots=True)
class Deprecation:
    """A deprecated entry that is still named, and by which tokens."""

    section: str
    name: str
    instead: str
    tokens: tuple[str, ...]


def namings(token: Declared, catalog: Catalog) -> Iterator[tuple[str, str, str]]:
    """(section, name, group) of all that a spec names; the group is the one that gives it, or empty."""
    spec = from_json(token.normal)["spec"]
    written = dict(token.written)
    for name, section in all_kinds()[token.kind].catalog.items():
        for one in written.get(name) or _names(spec.get(name)):
            yield section, one, ""
            if one.startswith(AT):
                yield from ((section, inner, one) for inner in catalog[section].held[one])


def given_by_groups(
    token: Declared, catalog: Catalog, name: str, one: str, taken: Sequence[str]
) -> list[str]:
    """The groups in a field of a spec that still give what is taken out of it; none that is taken out too."""
    section = all_kinds()[token.kind].catalog.get(name)
    groups = [group for group in dict(token.written).get(name, ()) if group.startswith(AT)]
    return [
        group for group in groups if section and group not in taken and one in catalog[section].held[group]
    ]


def _names(value: object) -> Iterable[str]:
    if isinstance(value, str):
        return (value,)
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else ()


def rows(tokens: Iterable[Declared], catalog: Catalog) -> list[Row]:
    """Every entry, and every name that specs use beside: by section, then by name."""
    found = {
        (section, name): Row(section, name, entry, _groups_with(name, listed.entries))
        for section, listed in catalog.items()
        for name, entry in listed.entries.items()
    }
    for token in tokens:
        owner = token.owner
        for section, name in {(section, name) for section, name, _ in namings(token, catalog)}:
            row = found.setdefault((section, name), Row(section, name, None))
            row.tokens += 1
            if owner is not None:
                row.owners.add(owner)
    return sorted(found.values(), key=lambda row: (SECTIONS.index(row.section), row.name))


def _groups_with(name: str, entries: Mapping[str, Entry]) -> tuple[str, ...]:
    return tuple(group for group, entry in entries.items() if name in (entry.members or ()))


def uses(tokens: Iterable[Declared], catalog: Catalog, section: str, name: str) -> list[Use]:
    """The tokens that name an entry, themselves or through a group, in the order of their names."""
    found = []
    for token in tokens:
        through = {group for *what, group in namings(token, catalog) if what == [section, name]}
        if through:
            groups = tuple(sorted(through - {""}))
            found.append(Use(token.name, token.kind, token.owner, "" in through, groups))
    return sorted(found, key=lambda use: use.token)


def with_all(tokens: Iterable[Declared], catalog: Catalog, section: str) -> int:
    """How many tokens have everything of a section by `*`."""
    return len(uses(tokens, catalog, section, ALL))


def sought(found: Sequence[Row], text: str) -> list[Row]:
    """The rows that a name stands for; `SECTION:NAME` where nothing has it for its name."""
    exact = [row for row in found if row.name == text]
    section, _, name = text.partition(":")
    return exact or [row for row in found if (row.section, row.name) == (section, name)]


def deprecations(tokens: Iterable[Declared], catalog: Catalog) -> list[Deprecation]:
    """Every deprecated entry that tokens name, themselves or through a group, sorted."""
    named: dict[tuple[str, str], set[str]] = {
        (section, name): set()
        for section, listed in catalog.items()
        for name, entry in listed.entries.items()
        if entry.deprecated is not None
    }
    for token in tokens if named else ():
        for section, name, _ in namings(token, catalog):
            if (section, name) in named:
                named[section, name].add(token.name)
    return [
        Deprecation(section, name, catalog[section].entries[name].deprecated or "", tuple(sorted(by)))
        for (section, name), by in sorted(named.items())
        if by
    ]
