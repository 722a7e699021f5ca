"""The spec files of a line as they stand at one step, and what names mean by them. Pure.

The work of a step is by what it changed, not by all that there is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pydantic_core import from_json

from reconciler.audit.history import Touched
from reconciler.audit.meanings import Meanings
from reconciler.errors import SpecsInvalid
from reconciler.kinds import all_kinds
from reconciler.specs.catalog import AT
from reconciler.specs.gathering import Catalog, gathered
from reconciler.specs.naming import named
from reconciler.specs.reader import Declared, FileRead
from reconciler.specs.resolve import MAX_LETTERS, may_name_group, resolved
from reconciler.specs.settings import WorkspaceDocument

CATALOG = "the catalog"
NOTHING = FileRead()


@dataclass(slots=True)
class Meant:
    """What a step leaves of what it touched."""

    names: dict[str, Declared | None]
    """Each name that may mean something else since → its spec, groups resolved; None where none is right."""
    faulted: frozenset[str]
    """The names that mean nothing because something has a fault, not because nobody declares them."""
    wrong: Mapping[str, str | None]
    """A file, a name or the catalog → what is wrong with it since; None where nothing is."""


class Naming(NamedTuple):
    """What a spec names."""

    normal: str
    """Its normal form, as it is written."""
    groups: frozenset[tuple[str, str]]
    """The groups in it, each with its section."""


@dataclass(slots=True)
class Files:
    """The spec files, and what they declare together."""

    meanings: Meanings
    left: int = MAX_LETTERS
    """Letters that groups may still stand for, in all specs of all steps."""
    _blobs: dict[str, str] = field(default_factory=dict)
    """Path → the blob there."""
    _specs: dict[str, dict[tuple[str, int], Declared]] = field(default_factory=dict)
    """Name → where it is declared, and how."""
    _lost: dict[str, set[str]] = field(default_factory=dict)
    """Path of a file with a fault → the names that it declared when it had none."""
    _losing: Counter[str] = field(default_factory=Counter)
    """Name → how many such files declared it."""
    _wrong: dict[str, str] = field(default_factory=dict)
    """A file, a name or the catalog → what is wrong with it."""
    _catalogs: set[str] = field(default_factory=set)
    """Paths of the files with catalogs."""
    _workspaces: set[str] = field(default_factory=set)
    _catalog: Catalog = field(default_factory=dict)
    _known: frozenset[tuple[str, str]] = frozenset()
    """Every group of the catalog, with its section."""
    _groups: dict[str, Naming] = field(default_factory=dict)
    """Name of a token → the groups in its spec, where it names any."""
    _specs_now: dict[str, Declared] = field(default_factory=dict)
    """Name → its spec, groups resolved, of those with which nothing is wrong."""

    @property
    def workspace(self) -> WorkspaceDocument | None:
        """The settings; None where no file has any."""
        found = [self._meaning(path).workspaces for path in sorted(self._workspaces)]
        return found[0][0].document if found else None

    @property
    def unread(self) -> str | None:
        """A file that declares nothing because it has a fault, and what fault; None where there is none."""
        files = sorted(key for key in self._wrong if key in self._blobs)
        return self._wrong[files[0]] if files else None

    def spec(self, name: str) -> Declared | None:
        """How a token is declared, its groups resolved; None where it is not, or something is wrong."""
        return self._specs_now.get(name)

    def declared(self, name: str) -> list[Declared]:
        """Each time that a name is declared, as it is written there."""
        return list(self._specs.get(name, {}).values())

    def changed(self, touched: Sequence[Touched]) -> Meant:
        """Takes a step. Raises SpecsInvalid where groups stand for too much."""
        names, regroup = set[str](), False
        for one in touched:
            regroup |= one.path in self._catalogs
            before = self._found(one.path) | self._leave(one.path)
            names |= before
            if one.is_spec and one.blob is not None:
                names |= self._enter(one.path, one.blob)
            regroup |= one.path in self._catalogs
            if one.path in self._wrong:
                self._lost[one.path] = before
                self._losing.update(before)
        if regroup:
            names |= self._gather()
        meant = dict(self._meant(names))
        for name, spec in meant.items():
            self._specs_now.pop(name, None)
            if spec is not None:
                self._specs_now[name] = spec
        keys = {*(one.path for one in touched), *map(_of_name, names), *((CATALOG,) if regroup else ())}
        return Meant(
            meant,
            frozenset(name for name in names if self._losing[name] or _of_name(name) in self._wrong),
            {key: self._wrong.get(key) for key in keys},
        )

    def _meaning(self, path: str) -> FileRead:
        return self.meanings[self._blobs[path]]

    def _found(self, path: str) -> set[str]:
        """The names that a file with a fault had lost, which are looked at again."""
        lost = self._lost.pop(path, set())
        self._losing.subtract(lost)
        return lost

    def _leave(self, path: str) -> set[str]:
        """Takes a file out; gives the names that it declared."""
        if path not in self._blobs:
            return set()
        found = NOTHING if self._wrong.pop(path, None) else self._meaning(path)
        for number, token in enumerate(found.tokens):
            places = self._specs[token.name]
            del places[path, number]
            if not places:
                del self._specs[token.name]
        self._catalogs.discard(path)
        self._workspaces.discard(path)
        del self._blobs[path]
        return {token.name for token in found.tokens}

    def _enter(self, path: str, blob: str) -> set[str]:
        """Puts a file in; gives the names that it declares. One with a fault declares nothing."""
        self._blobs[path] = blob
        found = self.meanings[blob]
        if found.faults:
            first = min(found.faults)
            self._wrong[path] = f"{path}:{first.line}: {first.message}"
            return set()
        for number, token in enumerate(found.tokens):
            self._specs.setdefault(token.name, {})[path, number] = token._replace(file=path)
        if found.catalogs:
            self._catalogs.add(path)
        if found.workspaces:
            self._workspaces.add(path)
        return {token.name for token in found.tokens}

    def _gather(self) -> set[str]:
        """Makes the catalog anew; gives the names of the tokens whose groups hold something else since.

        One with a fault is none: its groups are not known until it is mended.
        """
        catalogs = [
            one._replace(file=path) for path in sorted(self._catalogs) for one in self._meaning(path).catalogs
        ]
        before, (catalog, faults) = self._catalog, gathered(catalogs)
        self._wrong.pop(CATALOG, None)
        if faults:
            self._wrong[CATALOG] = f"{CATALOG}: {min(faults).where}: {min(faults).message}"
        self._catalog = {} if faults else catalog
        self._known = frozenset(_held(self._catalog))
        old, new = _held(before), _held(self._catalog)
        differ = {group for group in old.keys() | new.keys() if old.get(group) != new.get(group)}
        return {name for name, naming in self._groups.items() if naming.groups & differ}

    def _meant(self, names: Iterable[str]) -> Iterator[tuple[str, Declared | None]]:
        """What each name means now."""
        grouped: list[Declared] = []
        for name in names:
            places = list(self._specs.get(name, {}).values())
            why = self._fault_of(name, places)
            self._wrong.pop(_of_name(name), None)
            if why is not None:
                self._wrong[_of_name(name)] = f"{name}: {why}"
            if why is None and name in self._groups:
                grouped.append(places[0])
            else:
                yield name, places[0] if places and why is None else None
        yield from self._resolved(grouped)

    def _fault_of(self, name: str, places: Sequence[Declared]) -> str | None:
        """What is wrong with a name, beyond its own file. Notes which groups it names."""
        before = self._groups.pop(name, None)
        if len(places) > 1:
            return f"{places[0].file} and {places[1].file} both declare it"
        if not places or not may_name_group(places[0]):
            return None
        naming = before if before and before.normal == places[0].normal else _naming(places[0])
        if naming.groups:
            self._groups[name] = naming
        unknown = sorted(naming.groups - self._known)
        return f"it names {unknown[0][1]}, which the catalog does not have" if unknown else None

    def _resolved(self, tokens: Sequence[Declared]) -> Iterator[tuple[str, Declared]]:
        """Tokens that name groups, with the names that these stand for. Raises SpecsInvalid."""
        made, faults = resolved(tokens, self._catalog, self.left)
        if faults:
            raise SpecsInvalid(
                f"the groups that specs of this history name stand for more than {MAX_LETTERS:,} letters",
                hint="ask of a revision with less history",
            )
        for token in made:
            self.left -= len(token.normal)
            yield token.name, token


def _of_name(name: str) -> str:
    """Key of what is wrong with a name; no file is called so."""
    return f"/{name}"


def _held(catalog: Catalog) -> dict[tuple[str, str], frozenset[str]]:
    """(section, group) → what it holds."""
    return {
        (section, group): held for section, listed in catalog.items() for group, held in listed.held.items()
    }


def _naming(token: Declared) -> Naming:
    spec = from_json(token.normal)["spec"]
    groups = frozenset(
        (section, name)
        for name_of_field, section in all_kinds()[token.kind].catalog.items()
        for _, name in named(name_of_field, spec.get(name_of_field))
        if name.startswith(AT)
    )
    return Naming(token.normal, groups)
