"""The stories of tokens, read from a clone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from reconciler.audit import recorded
from reconciler.audit.branches import blobs as inner_blobs
from reconciler.audit.branches import brought
from reconciler.audit.declared import History
from reconciler.audit.declaring import Declaring
from reconciler.audit.events import Event, Ran, Story, What, nothing
from reconciler.audit.history import Line, Step, line, odd_times
from reconciler.audit.meanings import Meanings
from reconciler.audit.story import stories
from reconciler.git.shallow import DEEPEN
from reconciler.readers.auditing import Auditing
from reconciler.surroundings import SPECS


@dataclass(frozen=True, slots=True)
class Told:
    """All stories of a line."""

    commit: str
    line: Line
    history: History
    """What it declared."""
    meanings: Meanings
    """What its spec files meant."""
    stories: Sequence[Story]
    runs: Sequence[Ran]
    names: Collection[str]
    """All that any token ever had."""
    notes: tuple[str, ...]
    """What a reader should know."""
    whole: bool
    """Whether this clone has all that it takes to tell them."""

    @property
    def log(self) -> list[Event]:
        """All that happened, newest first: of a run that did nothing, that is told once."""
        told = [event for story in self.stories for event in story.events if event.what != What.BLOCKED]
        told += [nothing(ran) for ran in self.runs if not ran.body.changes]
        return sorted(told, key=lambda one: (one.at, one.order, one.name), reverse=True)


def tell(auditing: Auditing, revision: str | None, name: str | None = None, *, with_records: bool) -> Told:
    """The stories of a revision, HEAD without; of all tokens, or of those that had a name or an id.

    Raises GitFailed, RecordUnreadable, SpecsInvalid.
    """
    commit = auditing.commit(revision)
    declaring = declared(auditing, commit)
    runs = runs_of(auditing, commit) if with_records else ()
    return told(declaring, runs, auditing.workspace.around.clock(), name)


def declared(auditing: Auditing, commit: str) -> Declaring:
    """What the line of a commit declared, and who asked for it. Raises GitFailed, SpecsInvalid."""
    found = auditing.line(commit)
    merged = brought(auditing.repository, found, (SPECS,))
    inside = [step for steps in merged.values() for step in steps]
    history, known = auditing.declared(found, list(inner_blobs(inside)))
    return Declaring(found, history, merged, known)


def told(declaring: Declaring, runs: Sequence[Ran], now: int, name: str | None = None) -> Told:
    """All stories of what was declared, and of runs that its records tell, or those of a later commit."""
    found, history = declaring.line, declaring.history
    names = {span.name for span in history.spans}
    names |= {change.name for ran in runs for change in ran.body.changes}
    return Told(
        commit=found.commit,
        line=found,
        history=history,
        meanings=declaring.meanings,
        stories=stories(declaring, runs, now, name),
        runs=runs,
        names=names,
        notes=tuple(_notes(found, runs)),
        whole=found.cut is None,
    )


def runs_of(auditing: Auditing, commit: str) -> list[Ran]:
    """The runs that the records of a commit tell, each with the commit that brought its record.

    Raises GitFailed, RecordUnreadable.
    """
    records, found = auditing.records(commit), auditing.line(commit)
    whole = found.whole
    bringing = dict[str, Step]()
    for step in line(auditing.repository, commit, (auditing.records_folder(commit),)).steps:
        for one in () if step.commit == found.cut else step.touched:
            bringing.setdefault(one.path, step)
    off = {one.body.commit for one in records} - {None} - whole.keys()
    missing = set(auditing.missing(one for one in off if one is not None))
    behind = missing if found.cut is not None else set[str]()
    return [
        Ran(
            one.path,
            one.body,
            one.at,
            one.gave_at,
            bringing.get(one.path),
            on_line=None if one.body.commit in behind else one.body.commit in whole,
            here=one.body.commit is not None and one.body.commit not in missing,
        )
        for one in records
    ]


def _notes(found: Line, runs: Sequence[Ran]) -> list[str]:
    notes = [*odd_times(found), *recorded.odd_times(runs)]
    if found.cut is not None:
        notes.append(f"this clone is shallow: what was before {found.cut[:7]} is not told; {DEEPEN}")
    lost = {ran.body.commit for ran in runs if ran.body.commit is not None and not ran.here}
    if lost:
        some = ", ".join(sorted(one[:7] for one in lost)[:3])
        where = "they are on no line that was fetched, as after a push by force"
        if found.cut is not None:
            where = f"they are behind {found.cut[:7]}, or on no line that was fetched"
        notes.append(f"of the commits that were applied, {len(lost)} are not in this clone ({some}): {where}")
    return notes
