"""Events in words, for whatever prints them. Text from git and from specs stands in them as it is."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.audit.events import Due, Event, Ran, Standing, What
from reconciler.audit.history import Person, Step
from reconciler.cli.plans.text import short
from reconciler.plan.change import DONE, Action
from reconciler.times import timestamp

HOUR, DAY = 3_600, 86_400
SAID = {
    What.DECLARED: "declared",
    What.FOUND: "declared already, where the history of this clone begins",
    What.CHANGED: "changed",
    What.RENAMED: "renamed",
    What.REMOVED: "no longer declared",
    What.HIDDEN: "declares nothing, for a fault",
    What.MENDED: "declared again, its fault mended",
    What.BLOCKED: "a run was blocked",
    What.ENDED: "ended by itself",
    What.LAPSED: "its newest credential ended, so no credential of it works until another is made",
    What.IDLE: "a run changed no token",
}
DID: dict[str, str] = {
    Action.ISSUE: "issued",
    Action.MODIFY: "modified",
    Action.ROTATE: "rotated",
    Action.RENAME: "renamed",
    Action.RESEAL: "sealed anew",
    Action.RETIRE: "older credentials ended",
    Action.DELETE: "deleted: no credential of it works since",
}
WAITS = {
    Standing.WAITING: "not applied yet",
    Standing.PASSED: "never applied: it was the same, or something else again, before a run",
}


def what_text(event: Event) -> str:
    """What happened, in a few words."""
    if event.asked is not None or event.run is None or event.what in (What.BLOCKED, What.IDLE):
        text = SAID[What(event.what)]
    elif event.outcome != DONE:
        text = f"{event.what}: {event.outcome}" + (f" ({event.error})" if event.error else "")
    else:
        text = DID.get(event.what, event.what)  # a newer version may have written it
        if event.what in (Action.ISSUE, Action.ROTATE):
            text += f", generation {event.generation}"
    return text + (f", was {event.previously}" if event.previously is not None else "")


def due_text(due: Due) -> str:
    """Whether a rotation was on time."""
    if due.early:
        return f"before it was due ({timestamp(due.since)})"
    if due.late:
        return f"{span_text(due.late)} late: it was due by {timestamp(due.by)}"
    return f"on time: it was due from {timestamp(due.since)}, by {timestamp(due.by)}"


def span_text(seconds: int) -> str:
    """So many days, hours or minutes: the largest that fits, rounded down."""
    for size, word in ((DAY, "day"), (HOUR, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {word}{'' if count == 1 else 's'}"
    return f"{seconds} second{'' if seconds == 1 else 's'}"


def person_text(person: Person) -> str:
    """`Ann <ann@example.org>`."""
    return f"{person.name} <{person.email}>"


def commit_text(step: Step) -> str:
    """Who wrote a commit, and who committed it where that is another."""
    other = "" if step.committer == step.author else f", committed by {person_text(step.committer)}"
    return f"{person_text(step.author)}{other} ({step.commit[:7]}): {step.subject}"


def asked_texts(event: Event) -> Iterator[str]:
    """Who asked for it, and who let it in."""
    asked = event.asked
    if asked is None:
        return
    if asked.hidden:
        yield f"who asked for it is behind {asked.step.commit[:7]}, where this clone is cut"
    yield from (f"asked by {commit_text(one)}" for one in asked.asking)
    if asked.commits:
        yield f"merged by {commit_text(asked.step)}"
    yield from (f"{name.lower().replace('-', ' ')} {who}" for name, who in asked.trailers)


def run_text(ran: Ran) -> str:
    """Which run it was, whose, and of which plan."""
    body = ran.body
    record = f", record {body.sequence}" + (f" ({ran.brought.commit[:7]})" if ran.brought else "")
    return f"by {body.actor}, run {body.run}, plan {short(body.plan)}{record}"


def run_texts(ran: Ran) -> Iterator[str]:
    """What is out of the ordinary about a run."""
    body = ran.body
    if body.commit is None:
        yield "its specs were of no commit"
    elif ran.on_line is None:
        yield f"it applied a commit that this clone does not have ({body.commit[:7]})"
    elif not ran.on_line:
        where = "" if ran.here else ", nor in this clone"
        yield f"it applied a commit that is not on this line ({body.commit[:7]}){where}"
    if body.settled is not None:
        yield f"the run died, and {body.settled.actor} settled it at {timestamp(ran.gave_at)}"
    if body.error is not None and not body.held:
        yield f"the run ended as {body.outcome}: {body.error}"
    yield from (f"held by {one.rule}: {one.message}" for one in body.held)
    if body.overrides:
        yield f"brakes were let go: {', '.join(body.let_go)}"
    if body.is_overridden:
        yield from (f"that would have held it: {one.rule}: {one.message}" for one in body.released)
    if body.reason is not None:
        yield f"because: {body.reason}"
