"""What happened to tokens, event by event: somebody asked for something, or a run did something. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.audit.history import Person, Step
from reconciler.audit.recorded import Recorded
from reconciler.audit.spans import State
from reconciler.canonical import Json
from reconciler.kinds.interface import Grants
from reconciler.plan.change import DONE, FieldChange
from reconciler.records.body import BLOCKED
from reconciler.times import timestamp

SCHEMA = "reconciler/audit-log/v1"


class What(StrEnum):
    """What a commit made of a token, or a run that did nothing. Whatever else a run did has the name of its
    action in a plan.
    """

    DECLARED = "declared"
    FOUND = "found"
    """It was declared already where the history of this clone begins."""
    CHANGED = "changed"
    RENAMED = "renamed"
    REMOVED = "removed"
    HIDDEN = "hidden"
    """Its spec has a fault, or another has one that is in its way."""
    MENDED = "mended"
    BLOCKED = "blocked"
    ENDED = "ended"
    """It came to the end that its spec gives it."""
    LAPSED = "lapsed"
    """Its newest credential ended, and no run had made another."""
    IDLE = "idle"
    """A run that did nothing to any token, and that nothing held."""


class Standing(StrEnum):
    """What became of what a commit asked for."""

    APPLIED = "applied"
    WAITING = "waiting"
    """No run has made it live yet."""
    PASSED = "passed"
    """It was something else again before a run made it live, or it was live anyway."""
    UNKNOWN = "unknown"
    """There are no records, or what tells is behind the commit at which a shallow clone is cut."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asked for something, and who let it in. All of it is as the commits say."""

    step: Step
    """The commit of the line."""
    commits: tuple[Step, ...] = ()
    """Those that asked for it in a branch that the step merged; none where the step itself did."""
    hidden: bool = False
    """Whether those are not told: a shallow clone is cut at the step, and they may be behind it."""

    @property
    def asking(self) -> tuple[Step, ...]:
        """The commits that asked for it."""
        return () if self.hidden else self.commits or (self.step,)

    @property
    def trailers(self) -> tuple[tuple[str, str], ...]:
        """Who had a part in it besides: (such as `Reviewed-by`, who)."""
        steps = () if self.hidden else (*self.commits, self.step)
        return tuple(dict.fromkeys(one for step in steps for one in step.trailers))

    def to_json(self) -> dict[str, Json]:
        """As in the document."""
        return {
            "known": not self.hidden,
            "commits": [_of_commit(one) for one in self.asking],
            "merge": _of_commit(self.step) if self.commits else None,
            "trailers": [{"name": name, "who": who} for name, who in self.trailers],
        }


@dataclass(frozen=True, slots=True)
class Ran(Recorded):
    """A run, as its record tells."""

    brought: Step | None
    """The commit that brought the record to the line; None where this clone does not tell."""
    on_line: bool | None
    """Whether the commit that it applied is on the line; None where it may be behind the commit at which a
    shallow clone is cut."""
    here: bool
    """Whether that commit is in this clone at all."""

    def to_json(self) -> dict[str, Json]:
        """As in the document."""
        body = self.body
        document: dict[str, Json] = {
            "run": body.run,
            "sequence": body.sequence,
            "time": timestamp(self.at),
            "actor": body.actor,
            "commit": body.commit,
            "onLine": self.on_line,
            "inClone": self.here,
            "plan": body.plan,
            "outcome": body.outcome,
            "record": self.path,
            "recordCommit": self.brought.commit if self.brought else None,
        }
        if body.is_overridden:
            document["overrides"] = dict(body.overrides)
            document["released"] = [{"rule": one.rule, "message": one.message} for one in body.released]
        if body.held:
            document["held"] = [{"rule": one.rule, "message": one.message} for one in body.held]
        if body.reason is not None:
            document["reason"] = body.reason
        if body.settled is not None:
            document["settled"] = {"time": timestamp(self.gave_at), "actor": body.settled.actor}
        return document


@dataclass(frozen=True, slots=True)
class Due:
    """When a credential was due for rotation, by the spec of that time."""

    since: int
    """From when on it was."""
    by: int
    """The latest that it was to be."""
    at: int
    """When it was rotated."""

    @property
    def late(self) -> int:
        """Seconds by which it was late; 0 where it was on time."""
        return max(0, self.at - self.by)

    @property
    def early(self) -> bool:
        """Whether it was not due yet: something else asked for it."""
        return self.at < self.since

    def to_json(self) -> dict[str, Json]:
        """As in the document."""
        return {"since": timestamp(self.since), "by": timestamp(self.by), "lateSeconds": self.late}


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to one token."""

    at: int
    """Epoch seconds: when the commit, or the run, counts as made."""
    what: str
    """A `What`, or the action of a change that a run made."""
    name: str
    kind: str
    owner: str | None
    asked: Asked | None = None
    """None for what a run did."""
    run: Ran | None = None
    """The run that did it, or that made live what was asked for."""
    standing: Standing | None = None
    """Of what was asked for."""
    previously: str | None = None
    gave: str | None = None
    """The spec that a run gave its token in place of another, in normal form; an empty one where it deleted
    it."""
    fields: tuple[FieldChange, ...] = ()
    gains: Grants = field(default_factory=dict)
    loses: Grants = field(default_factory=dict)
    token: str | None = None
    """Id of the live token that a run touched."""
    generation: int = 0
    outcome: str = DONE
    """What became of a change of a run."""
    error: str | None = None
    due: Due | None = None
    """Of a rotation that a schedule or an end asks for at some time."""
    order: int = 0
    """Its place among those of one moment: no run is told before the commit that it applied."""

    def to_json(self) -> dict[str, Json]:
        """As in the document."""
        document: dict[str, Json] = {
            "time": timestamp(self.at),
            "event": self.what,
            "name": self.name,
            "kind": self.kind,
            "owner": self.owner,
        }
        if self.previously is not None:
            document["previously"] = self.previously
        if self.asked is not None:
            document["asked"] = self.asked.to_json()
        if self.standing is not None:
            document["standing"] = self.standing.value
        parts: Mapping[str, Json] = {
            "fields": [one.to_json() for one in self.fields],
            "gains": dict(self.gains),
            "loses": dict(self.loses),
        }
        document.update({name: part for name, part in parts.items() if part})
        if self.what in (What.ENDED, What.LAPSED):
            document["token"] = self.token
        elif self.asked is None and self.what not in (What.BLOCKED, What.IDLE):
            document |= {"token": self.token, "generation": self.generation, "outcome": self.outcome}
        if self.error is not None:
            document["error"] = self.error
        if self.due is not None:
            document["due"] = self.due.to_json()
        if self.run is not None:
            document["run"] = self.run.to_json()
        return document


@dataclass(frozen=True, slots=True)
class Story:
    """One token, from birth to tombstone."""

    name: str
    """The last that it had."""
    kind: str
    owner: str | None
    ids: tuple[str, ...]
    """Of the live tokens that it was; none for one that was never applied."""
    names: frozenset[str]
    """All that it had, and that it says it had."""
    events: tuple[Event, ...]
    """Oldest first."""
    declared: bool
    """Whether it is declared now."""
    live: bool | None
    """Whether it is live by the last record; None where there are no records."""
    state: State | None
    """What it is as a live token; None where it is none."""
    ended: int | None
    """Since when it is expired, in epoch seconds; None where it is not."""
    earlier: bool
    """Whether it may have begun before: history is cut there."""
    overdue: int | None
    """Since when a rotation of it is late that no record tells of; None where none is."""

    def to_json(self) -> dict[str, Json]:
        """As in the document."""
        return {
            "name": self.name,
            "kind": self.kind,
            "owner": self.owner,
            "ids": self.ids,
            "declared": self.declared,
            "live": self.live,
            "state": None if self.state is None else self.state.value,
            "endedAt": None if self.ended is None else timestamp(self.ended),
            "complete": not self.earlier,
            "overdueSince": None if self.overdue is None else timestamp(self.overdue),
            "events": [one.to_json() for one in self.events],
        }


def nothing(ran: Ran) -> Event:
    """A run that did nothing to any token."""
    what = What.BLOCKED if ran.body.outcome == BLOCKED else What.IDLE
    return Event(ran.at, what, "", "", None, run=ran, outcome=ran.body.outcome, error=ran.body.error)


def _of_commit(step: Step) -> dict[str, Json]:
    return {
        "id": step.commit,
        "author": _of_person(step.author),
        "authored": timestamp(step.authored),
        "committer": _of_person(step.committer),
        "committed": timestamp(step.committed),
        "subject": step.subject,
    }


def _of_person(person: Person) -> dict[str, Json]:
    return {"name": person.name, "email": person.email}
