"""Whether what was applied is what the specs said, at the commit that the record names. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from pydantic_core import from_json

from reconciler.audit.meanings import Meanings
from reconciler.audit.verifying.chain import Link
from reconciler.audit.verifying.finding import Check, Finding
from reconciler.plan.change import DONE, Action
from reconciler.records.body import Body, Change
from reconciler.specs.gathering import Catalog, gathered
from reconciler.specs.reader import Declared, FileRead
from reconciler.specs.resolve import resolved
from reconciler.specs.settings import WorkspaceDocument

SEE = "see what was declared: git show COMMIT:FILE, and who ran the apply: the actor of the record"
GIVING = (Action.ISSUE, Action.MODIFY, Action.RENAME, Action.ROTATE)
"""Actions after which a token is as its spec says."""


@dataclass(slots=True)
class Sheet:
    """What is declared at one commit; it moves from commit to commit by what differs."""

    meanings: Meanings
    _files: dict[str, str] = field(default_factory=dict)
    """Path → blob."""
    _names: dict[str, dict[str, list[Declared]]] = field(default_factory=dict)
    """Name of a token → path → how it is declared there."""
    _catalogs: dict[str, FileRead] = field(default_factory=dict)
    """Path → a file with a catalog."""
    _settings: dict[str, WorkspaceDocument] = field(default_factory=dict)
    """Path → what a Workspace document there sets."""
    _faulty: dict[str, str] = field(default_factory=dict)
    """Path → what is wrong there."""
    _gathered: Catalog | None = None

    def move(self, path: str, blob: str | None) -> None:
        """Another blob stands at a path of the specs; None for nothing, or what is no file."""
        before = self._files.pop(path, None)
        if before is not None:
            self._forget(path, self.meanings[before])
        if blob is not None:
            self._files[path] = blob
            self._learn(path, self.meanings[blob])

    def _forget(self, path: str, read: FileRead) -> None:
        for token in read.tokens:
            places = self._names.get(token.name, {})
            places.pop(path, None)
            if not places:
                self._names.pop(token.name, None)
        if self._catalogs.pop(path, None) is not None:
            self._gathered = None
        self._settings.pop(path, None)
        self._faulty.pop(path, None)

    def _learn(self, path: str, read: FileRead) -> None:
        for token in read.tokens:
            self._names.setdefault(token.name, {}).setdefault(path, []).append(token)
        if read.catalogs:
            self._catalogs[path] = read
            self._gathered = None
        if read.workspaces:
            self._settings[path] = read.workspaces[0].document
        if read.faults:
            self._faulty[path] = read.faults[0].message

    @property
    def fault(self) -> str | None:
        """A file that has a fault, and what; None where all can be read."""
        return next((f"{path}: {told}" for path, told in self._faulty.items()), None)

    @property
    def workspace(self) -> WorkspaceDocument | None:
        """The Workspace document; None where there is none."""
        return next(iter(self._settings.values()), None)

    def named(self, name: str) -> list[Declared]:
        """Each time that a name is declared, its groups as they are written."""
        return [one for places in self._names.get(name, {}).values() for one in places]

    def token(self, name: str) -> Declared | None:
        """How a token is declared, its groups resolved; None where it is not, or where nobody can tell: see
        `named`.
        """
        found = self.named(name)
        if len(found) != 1:
            return None
        tokens, faults = resolved(found, self._catalog())
        return None if faults else tokens[0]

    def _catalog(self) -> Catalog:
        if self._gathered is None:
            catalogs = [one for read in self._catalogs.values() for one in read.catalogs]
            self._gathered = gathered(catalogs, lost=False)[0]
        return self._gathered


@dataclass(slots=True)
class Known:
    """What records told of a token so far."""

    name: str
    kind: str
    generation: int
    spec: str | None
    deleted: bool = False


@dataclass(slots=True)
class Lives:
    """Every token that records told of, by its id."""

    tokens: dict[str, Known] = field(default_factory=dict)

    def follow(self, link: Link) -> Iterator[Finding]:
        """Changes of a record that do not follow from the records before it."""
        for change in _done(link.body):
            told = self._follows(change)
            if told is not None:
                yield _undeclared(link, change, told)
            self._note(change)

    def _follows(self, change: Change) -> str | None:
        known = self.tokens.get(change.token or "")
        if change.token is None:
            return "it names no token"
        if change.action == Action.ISSUE:
            return "a token of its id was issued before" if known else None
        if known is None:
            return "no record before it issued this token"
        if known.deleted:
            return "a record before it deleted this token"
        if known.kind != change.kind:
            return f"the token is a {known.kind}"
        if known.name != (change.previously or change.name):
            return f"the token was called {known.name}"
        if change.action == Action.ROTATE and change.generation <= known.generation:
            return f"generation {known.generation} was made before it"
        return None

    def _note(self, change: Change) -> None:
        known = self.tokens.get(change.token or "")
        generation = max(change.generation, known.generation if known else 0)
        spec = change.spec or (known.spec if known else None)
        gone = change.action == Action.DELETE
        self.tokens[change.token or ""] = Known(change.name, change.kind, generation, spec, gone)


def judged(link: Link, sheet: Sheet, lives: Lives) -> Iterator[Finding]:
    """Changes of a record that the specs at its commit do not ask for. To be asked before `Lives.follow`."""
    for change in _done(link.body):
        known = lives.tokens.get(change.token or "")
        told = _undone(change, sheet, known) if change.action not in GIVING else _given(change, sheet)
        if told is not None:
            yield _undeclared(link, change, told)
        elif change.action == Action.DELETE and sheet.fault is not None and not sheet.named(change.name):
            told = f"delete {change.name}: nobody can tell whether the specs declared it: {sheet.fault}"
            yield Finding(Check.SPECS_UNREADABLE, link.path, told, SEE)


def _given(change: Change, sheet: Sheet) -> str | None:
    """What is wrong with a change by which a token got what its spec says; None for nothing."""
    declared = sheet.token(change.name)
    if declared is None and (named := sheet.named(change.name)):
        return f"nobody can tell what the specs declared: {_unclear(named)}"
    if declared is None or declared.kind != change.kind:
        return "the specs did not declare it"
    if change.spec != declared.digest:
        return "the specs declared something else"
    if change.declared is not None and change.declared != from_json(declared.normal):
        return "the spec that stands in the record is another than the specs had"
    if change.previously is not None and change.previously not in declared.previously:
        return f"the specs did not say that it was called {change.previously}"
    return None


def _undone(change: Change, sheet: Sheet, known: Known | None) -> str | None:
    """The same of a change that gives nothing new."""
    if change.action == Action.DELETE:
        there = [one for one in sheet.named(change.name) if one.kind == change.kind]
        return "the specs declared it, so nobody asked to delete it" if there else None
    declared = sheet.token(change.name)
    if change.spec in (None, declared.digest if declared else None, known.spec if known else None):
        return None
    return "it gives the token another spec than it had, and than the specs declared"


def _unclear(named: Sequence[Declared]) -> str:
    return "its groups are not those of the catalog" if len(named) == 1 else f"it is there {len(named)} times"


def _done(body: Body | None) -> Iterable[Change]:
    return [] if body is None else [one for one in body.changes if one.outcome == DONE]


def _undeclared(link: Link, change: Change, told: str) -> Finding:
    commit = link.body.commit if link.body is not None else None
    at = f", at commit {commit[:10]}" if commit else ""
    return Finding(Check.UNDECLARED_CHANGE, link.path, f"{change.action} {change.name}: {told}{at}", SEE)


def overridden(links: Iterable[Link]) -> Iterator[Finding]:
    """The runs for which somebody let a brake go: no fault, and to be seen."""
    for link in links:
        body = link.body
        if body is None or not (body.overrides or body.released):
            continue
        what = ", ".join(f"{name}={str(value).lower()}" for name, value in sorted(body.overrides.items()))
        why = body.reason or "no reason given"
        told = f"{body.actor} let go {what or 'what held the plan'} at {body.time}: {why}"
        held = "; ".join(one.message for one in body.released)
        yield Finding(
            Check.OVERRIDE, link.path, f"{told}{f' ({held})' if held else ''}", "see that it was right"
        )
