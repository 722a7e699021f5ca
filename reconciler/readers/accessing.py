"""Who could do what: answered from the records of a clone, or from what its specs declared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from reconciler.audit import recorded
from reconciler.audit.access import Period, Question, Unknown, periods, renewed_kinds, unknown
from reconciler.audit.applied import Lived, applied
from reconciler.audit.declared import Faulty
from reconciler.audit.history import Line, odd_times
from reconciler.audit.recorded import Recorded
from reconciler.audit.spans import Span, State
from reconciler.audit.window import Window, moment, window
from reconciler.errors import GitFailed
from reconciler.git.shallow import DEEPEN
from reconciler.readers.auditing import Auditing
from reconciler.times import day, timestamp

MOST = 5
"""Faults of specs that are told one by one."""


class Source(StrEnum):
    """What an answer is made of."""

    RECORDS = "records"
    """What was live."""
    SPECS = "specs"
    """What was declared."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and the time that it is about."""

    question: Question
    times: tuple[str, ...]
    """None for now, one for that time, two for what lies between: days, times or revisions."""
    declared: bool
    """Whether to tell what specs declared even where there are records."""
    line: str | None = None
    """The revision whose line is read; without, the one that the last time is, or what is checked out."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Who could do what was asked."""

    source: Source
    commit: str
    """That it was read at."""
    states: tuple[State, ...]
    """That were asked for."""
    window: Window
    periods: tuple[Period, ...]
    unknown: tuple[Unknown, ...]
    notes: tuple[str, ...]
    """What a reader should know."""
    whole: bool
    """False where something that belongs to the answer is told by nobody."""


@dataclass(frozen=True, slots=True)
class _Told:
    """What a source tells."""

    source: Source
    commit: str
    spans: Sequence[Span]
    looked: Window
    """The time that was asked for, as this source has it."""
    notes: Sequence[str] = ()
    whole: bool = True


@dataclass(frozen=True, slots=True)
class _When:
    """A time that was asked for: one of the two is given."""

    window: Window | None
    commit: str | None


def answer(auditing: Auditing, asked: Asked) -> Answer:
    """Who could do what. Raises UsageError, GitFailed, RecordUnreadable, SpecsInvalid."""
    whens = [_when(auditing, text) for text in asked.times]
    own = whens[-1].commit if whens and asked.line is None else None
    commit = own or auditing.commit(asked.line)
    records = [] if asked.declared else auditing.records(commit)
    now = auditing.workspace.around.clock()
    if records:
        told = _from_records(auditing, records, commit, whens, now)
    else:
        notes = [] if asked.declared else [_without_records(auditing, commit)]
        told = _from_specs(auditing, commit, whens, now, notes)
    return _answered(auditing, asked.question, told, now)


def _when(auditing: Auditing, text: str) -> _When:
    found = window(text)
    return _When(found, None if found else auditing.commit_or_time(text))


def _from_records(
    auditing: Auditing, records: Sequence[Recorded], commit: str, whens: Sequence[_When], now: int
) -> _Told:
    """What was live. A commit stands for the time of the last run that it has a record of: one that was
    blocked, too, for until then nothing else had been done.
    """

    def when(one: _When) -> Window:
        there = records
        if one.commit is not None and one.commit != commit:
            auditing.check_follows(commit, one.commit)
            there = auditing.records(one.commit)
        return one.window or moment(there[-1].at if there else 0)

    looked = _between([when(one) for one in whens], now)
    lived = applied(records)
    notes = [*recorded.odd_times(records), *_of_records(lived)]
    return _Told(Source.RECORDS, commit, lived.spans, looked, notes, whole=not lived.untold)


def _from_specs(auditing: Auditing, commit: str, whens: Sequence[_When], now: int, notes: list[str]) -> _Told:
    """What was declared. A commit stands for the time when it came to the line."""
    line = auditing.line(commit)

    def when(one: _When) -> Window:
        came = line.at if one.commit in (None, commit) else auditing.came(str(one.commit), commit)
        return one.window or moment(came)

    looked = _between([when(one) for one in whens], now)
    _check_reaches(line, looked)
    history = auditing.history(line)
    wrong = [one for one in history.faulty if _overlaps(one, looked)]
    told = [*notes, *odd_times(line), *_of_faults(wrong)]
    return _Told(Source.SPECS, commit, history.spans, looked, told, whole=not wrong)


def _answered(auditing: Auditing, question: Question, told: _Told, now: int) -> Answer:
    looked = told.looked
    found = [one for one in periods(told.spans, question) if one.covers(looked.since, looked.until)]
    missing = _not_here(auditing, found) if told.source is Source.RECORDS else []
    earlier = sum(one.earlier for one in found)
    notes = [*told.notes, *_of_answer(found, looked, now), *_of_lack(earlier, missing)]
    if told.source is Source.SPECS:
        notes += _of_credentials(found)
    unknowns = tuple(unknown(told.spans, question))
    whole = told.whole and not earlier and not missing
    return Answer(
        told.source, told.commit, question.states, looked, tuple(found), unknowns, tuple(notes), whole
    )


def _between(whens: Sequence[Window], now: int) -> Window:
    if not whens:
        return moment(now)
    return whens[0] if len(whens) == 1 else whens[0].and_up_to(whens[1])


def _check_reaches(line: Line, looked: Window) -> None:
    """Raises GitFailed where this clone does not go back as far as it would take."""
    if line.cut is not None and looked.since < line.cut_at:
        raise GitFailed(
            f"this clone is shallow: of the time before {timestamp(line.cut_at)} ({line.cut[:7]}) it tells"
            " nothing",
            hint=DEEPEN,
        )


def _without_records(auditing: Auditing, commit: str) -> str:
    folder = auditing.records_folder(commit)
    return f"{commit[:7]} has no records in {folder}/: what specs declared is told, applied or not"


def _of_records(lived: Lived) -> Iterator[str]:
    if lived.untold:
        names = ", ".join(lived.untold[:MOST])
        more = f" and {len(lived.untold) - MOST} more" if len(lived.untold) > MOST else ""
        yield f"no record tells, in words that this version knows, all that could be done by: {names}{more}"


def _of_faults(wrong: Sequence[Faulty]) -> Iterator[str]:
    for one in wrong[:MOST]:
        until = "and still does" if one.until is None else f"until {one.until.commit or ''}"[:13]
        yield f"declared nothing since {(one.since.commit or '')[:7]} {until}: {one.what}"
    if len(wrong) > MOST:
        yield f"{len(wrong) - MOST} more had faults at that time, and declared nothing"


def _overlaps(one: Faulty, looked: Window) -> bool:
    begun = one.since.at < max(looked.until, looked.since + 1)
    return begun and (one.until is None or one.until.at > looked.since)


def _of_answer(found: Sequence[Period], looked: Window, now: int) -> Iterator[str]:
    if looked.since > now:
        yield f"{day(looked.since)} is ahead: told as it will be if nothing changes"
    if unsure := sum(not one.certain for one in found):
        yield f"{unsure} of these lost access in a run that failed, and could do that at the most"


def _of_credentials(found: Iterable[Period]) -> Iterator[str]:
    """What specs do not tell of an answer."""
    if count := sum(one.kind in renewed_kinds() and one.state is State.ACTIVE for one in found):
        yield (
            f"the credentials of {count} of these end by themselves if no run renews them: when, only records"
            " tell"
        )


def _of_lack(earlier: int, missing: Sequence[str]) -> Iterator[str]:
    """What this clone does not have of the answer."""
    if earlier:
        yield f"this clone is shallow: {earlier} of these may have begun before it says; {DEEPEN}"
    if missing:
        shown = ", ".join(one[:7] for one in missing[:MOST])
        yield f"commits that records name are not in this clone ({shown}): git fetch --unshallow, or --all"


def _not_here(auditing: Auditing, found: Iterable[Period]) -> list[str]:
    """The commits that an answer names and this clone does not have."""
    causes = [cause for one in found for cause in (one.since, one.until) if cause is not None]
    return auditing.missing(cause.commit for cause in causes if cause.commit)
