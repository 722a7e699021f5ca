"""Whether what was applied is what the specs said, at the commit that the record names. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pydantic_core import from_json

from reconciler.audit.files import Files
from reconciler.audit.verifying.chain import Link
from reconciler.audit.verifying.finding import Check, Finding
from reconciler.plan.change import Action
from reconciler.records.body import Body, Change

SEE = "see what was declared: git show COMMIT:FILE, and who ran the apply: the actor of the record"
GIVING = (Action.ISSUE, Action.MODIFY, Action.RENAME, Action.ROTATE)
"""Actions after which a token is as its spec says."""


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
        # What ends with the rename is told under the new name, and it is the rename that gives it.
        name = known.name if known and change.action not in GIVING else change.name
        self.tokens[change.token or ""] = Known(name, change.kind, generation, spec, gone)


def judged(link: Link, files: Files, lives: Lives) -> Iterator[Finding]:
    """Changes of a record that the specs at its commit do not ask for. To be asked before `Lives.follow`."""
    for change in _done(link.body):
        known = lives.tokens.get(change.token or "")
        told = _undone(change, files, known) if change.action not in GIVING else _given(change, files)
        if told is not None:
            yield _undeclared(link, change, told)
        elif change.action == Action.DELETE and files.unread is not None:
            told = f"delete {change.name}: nobody can tell whether the specs declared it: {files.unread}"
            yield Finding(Check.SPECS_UNREADABLE, link.path, told, SEE)


def _given(change: Change, files: Files) -> str | None:
    """What is wrong with a change by which a token got what its spec says; None for nothing."""
    declared = files.spec(change.name)
    if declared is None and (unclear := _unclear(files, change.name)):
        return f"nobody can tell what the specs declared: {unclear}"
    if declared is None or declared.kind != change.kind:
        return "the specs did not declare it"
    if change.spec != declared.digest:
        return "the specs declared something else"
    if change.declared is not None and change.declared != from_json(declared.normal):
        return "the spec that stands in the record is another than the specs had"
    if change.previously is not None and change.previously not in declared.previously:
        return f"the specs did not say that it was called {change.previously}"
    return None


def _undone(change: Change, files: Files, known: Known | None) -> str | None:
    """The same of a change that gives nothing new."""
    if change.action == Action.DELETE:
        there = [one for one in files.declared(change.name) if one.kind == change.kind]
        return "the specs declared it, so nobody asked to delete it" if there else None
    declared = files.spec(change.name)
    if change.spec in (None, declared.digest if declared else None, known.spec if known else None):
        return None
    return "it gives the token another spec than it had, and than the specs declared"


def _unclear(files: Files, name: str) -> str | None:
    """Why nobody can tell how a token is declared; None where it is not."""
    if not (places := len(files.declared(name))):
        return files.unread
    return "its groups are not those of the catalog" if places == 1 else f"it is there {places} times"


def _done(body: Body | None) -> Iterable[Change]:
    return [] if body is None else body.done


def _undeclared(link: Link, change: Change, told: str) -> Finding:
    commit = link.body.commit if link.body is not None else None
    at = f", at commit {commit[:10]}" if commit else ""
    return Finding(Check.UNDECLARED_CHANGE, link.path, f"{change.action} {change.name}: {told}{at}", SEE)


def overridden(links: Iterable[Link]) -> Iterator[Finding]:
    """The runs for which somebody let a brake go: no fault, and to be seen."""
    for link in links:
        body = link.body
        if body is None or not body.is_overridden:
            continue
        what = ", ".join(body.let_go)
        why = body.reason or "no reason given"
        told = f"{body.actor} let go {what or 'what held the plan'} at {body.time}: {why}"
        held = "; ".join(one.message for one in body.released)
        yield Finding(
            Check.OVERRIDE, link.path, f"{told}{f' ({held})' if held else ''}", "see that it was right"
        )
