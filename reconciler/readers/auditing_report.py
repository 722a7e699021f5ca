"""Reads what a report is made of: as of now, a day, a moment or a revision, from git alone."""

from __future__ import annotations

from dataclasses import replace

from reconciler.audit.applied import Lived, applied
from reconciler.audit.history import Line
from reconciler.audit.report.facts import Facts
from reconciler.audit.report.standing import standing
from reconciler.audit.window import window
from reconciler.errors import GitFailed, UsageError
from reconciler.git.shallow import DEEPEN
from reconciler.readers.auditing import Auditing
from reconciler.readers.auditing_verify import Asked, verify
from reconciler.readers.telling import tell
from reconciler.times import timestamp
from reconciler.workspace import Workspace


def facts(
    workspace: Workspace, at: str | None, line: str | None = None, *, with_records: bool = True
) -> Facts:
    """All of it. Raises UsageError, GitFailed, RecordUnreadable, SpecsInvalid."""
    commit, moment = _moment(Auditing(workspace), at, line)
    then = _as_of(workspace, moment)
    auditing = Auditing(then)
    told = tell(auditing, commit, with_records=with_records)
    lived = applied(ran.body for ran in told.runs) if told.runs else None
    spans = told.history.spans if lived is None else lived.spans
    verified = verify(then, Asked(revision=commit))
    return Facts(
        workspace=verified.workspace,
        commit=commit,
        at=moment,
        recorded=lived is not None,
        spans=spans,
        log=[event for event in told.log if event.at <= moment],
        overdue={story.name: story.overdue for story in told.stories if story.overdue is not None},
        runs=told.runs,
        verified=verified,
        notes=(*told.notes, *_untold(lived)),
        standing=standing(told.line, told.meanings, moment),
    )


def _untold(lived: Lived | None) -> list[str]:
    if lived is None or not lived.untold:
        return []
    return [f"no record tells all that could be done by: {', '.join(lived.untold)}"]


def _moment(auditing: Auditing, at: str | None, revision: str | None) -> tuple[str, int]:
    """The commit that is read, and the moment that it is told of. Raises UsageError, GitFailed.

    A day is over by then, unless it is today; a revision is told as it came to the line.
    """
    time = None if at is None else window(at)
    if at is not None and time is None:
        if revision is not None:
            raise UsageError(f"{at} is a revision, and --line names another", hint="leave out one of them")
        commit = auditing.commit_or_time(at)
        return commit, auditing.line(commit).at
    line = auditing.line(auditing.commit(revision))
    latest = auditing.workspace.around.clock()
    if time is None:
        return line.commit, latest
    moment = min(latest, max(time.since, time.until - 1))
    return _then(line, moment), moment


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
