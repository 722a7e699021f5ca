"""Reads what a report is made of: as of now, a day, a moment or a revision, from git alone.

Specs and findings are those of the last commit by then. Records come later than the runs that they tell of,
so they are read where the line ends now, and those of runs after the moment are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconciler.audit.applied import Lived, applied
from reconciler.audit.events import Ran
from reconciler.audit.history import Line
from reconciler.audit.report.facts import Facts
from reconciler.audit.report.standing import standing
from reconciler.audit.window import window
from reconciler.errors import GitFailed, UsageError
from reconciler.git.shallow import DEEPEN
from reconciler.readers.auditing import Auditing
from reconciler.readers.auditing_verify import Asked, verify
from reconciler.readers.telling import declared, runs_of, told
from reconciler.times import timestamp
from reconciler.workspace import Workspace


def facts(
    workspace: Workspace, at: str | None, line: str | None = None, *, with_records: bool = True
) -> Facts:
    """All of it. Raises UsageError, GitFailed, RecordUnreadable, SpecsInvalid."""
    auditing = Auditing(workspace)
    found = _line(auditing, at, line)
    every = runs_of(auditing, found.commit) if with_records else []
    moment = _moment(auditing, at, found, every)
    commit, then = _then(found, moment), _as_of(workspace, moment)
    runs = [ran for ran in every if ran.at <= moment]
    everything = told(declared(Auditing(then), commit), runs, moment)
    lived = applied(runs) if every else None
    spans = everything.history.spans if lived is None else lived.spans
    verified = verify(then, Asked(revision=commit))
    return Facts(
        workspace=verified.workspace,
        commit=commit,
        line=found.commit,
        at=moment,
        recorded=lived is not None,
        spans=spans,
        log=[event for event in everything.log if event.at <= moment],
        overdue={story.name: story.overdue for story in everything.stories if story.overdue is not None},
        runs=runs,
        verified=verified,
        notes=(*everything.notes, *_untold(lived)),
        standing=standing(everything.line, everything.meanings, moment),
    )


def _untold(lived: Lived | None) -> list[str]:
    if lived is None or not lived.untold:
        return []
    return [f"no record tells all that could be done by: {', '.join(lived.untold)}"]


def _line(auditing: Auditing, at: str | None, revision: str | None) -> Line:
    """The line that is read. Raises UsageError, GitFailed."""
    named = None if at is None or window(at) is not None else at
    if named is not None and revision is not None:
        raise UsageError(f"{at} is a revision, and --line names another", hint="leave out one of them")
    return auditing.line(auditing.commit(revision) if named is None else auditing.commit_or_time(named))


def _moment(auditing: Auditing, at: str | None, line: Line, runs: Sequence[Ran]) -> int:
    """The moment that is told of, in epoch seconds. Raises UsageError.

    A day is over by then, unless it is today. A revision is told as it came to the line, and with all runs
    that it has records of.
    """
    latest = auditing.workspace.around.clock()
    if at is None:
        return latest
    time = window(at)
    if time is None:
        return max(line.at, runs[-1].at if runs else 0)
    return min(latest, max(time.since, time.until - 1))


def _then(line: Line, moment: int) -> str:
    """The last commit of a line that had come by a moment. Raises GitFailed where there was none."""
    before = [commit for commit, at in line.whole.items() if at <= moment]
    if not before:
        raise GitFailed(
            f"by {timestamp(moment)} there was no commit yet, or this clone does not have it",
            hint=f"name a later time; in a shallow clone, {DEEPEN}",
        )
    return before[-1]


def _as_of(workspace: Workspace, moment: int) -> Workspace:
    """The workspace on a day that may be over: what is late, is late by then."""
    return Workspace(workspace.root, replace(workspace.around, clock=lambda: moment), workspace.named_store)
