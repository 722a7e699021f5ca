"""What differs between two catalogs: which names there are, what groups hold, and which requests APIs are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from reconciler.compare.side import Effect, Shift, of_set
from reconciler.kinds import all_kinds
from reconciler.plan.change import FieldChange
from reconciler.specs.catalog import ALL, AT, SECTIONS, Entry
from reconciler.specs.gathering import Section
from reconciler.specs.load import Specs
from reconciler.specs.reader import Declared

NOTHING = Section({}, {})


def catalog_shifts(before: Specs, after: Specs) -> Iterator[Shift]:
    """Every difference, section by section. Descriptions, and how groups are nested, are none."""
    for section in SECTIONS:
        old, new = before.catalog.get(section), after.catalog.get(section)
        if old is None and new is None:
            continue
        if old is None or new is None:
            checked = FieldChange("checked", before=old is not None, after=new is not None)
            yield Shift(section, checked, Effect.LOOSENS if new is None else Effect.TIGHTENS)
        # What the first list names could be written before as well, `*` too: nothing is loosened by it.
        yield from _names(section, old or NOTHING, new or NOTHING, loosens=old is not None)
        yield from _groups(section, old or NOTHING, new or NOTHING, _naming(after.tokens, section))
        yield from _entries(section, (old or NOTHING).entries, (new or NOTHING).entries)


def _names(section: str, before: Section, after: Section, *, loosens: bool) -> Iterator[Shift]:
    """`loosens`: whether the section was checked before, so that `*` lets more through."""
    added, removed = _apart(before.entries, after.entries)
    if added or removed:
        effect = Effect.LOOSENS if loosens and ALL in added else Effect.CHANGES
        yield of_set(section, "names", added, removed, effect)


def _apart(before: Iterable[str], after: Iterable[str]) -> tuple[set[str], set[str]]:
    old, new = set(before), set(after)
    return new - old, old - new


def _groups(
    section: str, before: Section, after: Section, naming: Mapping[str, list[str]]
) -> Iterator[Shift]:
    """What groups stand for now and did not before, with the tokens that name them; one that is new gives
    nobody anything yet.
    """
    for group in after.held:
        known = group in before.held
        added, removed = _apart(before.names_of(group) if known else (), after.names_of(group))
        if added or removed:
            effect = Effect.CHANGES if not known else Effect.LOOSENS if added else Effect.TIGHTENS
            shift = of_set(f"{section} {group}", "members", added, removed, effect)
            named = {
                token for name, tokens in naming.items() for token in tokens if _stands_in(group, name, after)
            }
            yield replace(shift, tokens=tuple(sorted(named)))


def _stands_in(group: str, name: str, section: Section) -> bool:
    """Whether a group is another one, or is held by it."""
    return group == name or group in section.held.get(name, ())


def _naming(tokens: Iterable[Declared], section: str) -> Mapping[str, list[str]]:
    """Group → the tokens whose specs name it in fields of a section."""
    found: dict[str, list[str]] = {}
    for token in tokens:
        for field, written in token.written:
            if all_kinds()[token.kind].catalog[field] == section:
                for name in written:
                    if name.startswith(AT):
                        found.setdefault(name, []).append(token.name)
    return found


def _entries(section: str, before: Mapping[str, Entry], after: Mapping[str, Entry]) -> Iterator[Shift]:
    """That a name is to be used no more, and which requests it is."""
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name, Entry(name=name)), after.get(name, Entry(name=name))
        if old.deprecated != new.deprecated and name in after:
            yield Shift(f"{section} {name}", FieldChange("deprecated", old.deprecated, new.deprecated))
        added, removed = _apart(old.routes or (), new.routes or ())
        if added or removed:
            yield of_set(f"{section} {name}", "routes", added, removed, Effect.CHANGES)
