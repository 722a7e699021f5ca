"""What the commits of an apply say of themselves, from its records. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from reconciler.git.committing import Authored
from reconciler.live.interface import Record
from reconciler.plan.change import DONE, Action
from reconciler.records.body import Body
from reconciler.records.envelope import body_of

RUN, PLAN, SPECS = "Reconciler-Run", "Reconciler-Plan", "Reconciler-Specs"
GIVES_UP = "Reconciler-Gives-Up"
"""Trailers."""
SKIP = " [skip ci]"
"""Ends the subject of a commit on the branch that pipelines run for: it asks for none."""
ENDED = {"blocked": "was blocked", "failed": "failed", "interrupted": "was interrupted"}
NOTHING = "changed no token"
PLAIN = re.compile(r"[0-9A-Za-z:._-]{1,200}")


def told(records: Sequence[Record], *, quiet: bool) -> Authored:
    """The message and the time of the commit that publishes records, the newest of which comes last.

    With `quiet`, it starts no pipeline. Each run is named; plan and specs are those of the newest.
    """
    bodies = [body_of(record.body) for record in records]
    newest = bodies[-1] if bodies else None
    trailers: list[tuple[str, str | None]] = [(RUN, body.run) for body in bodies]
    if newest is not None:
        trailers += [(PLAN, newest.plan), (SPECS, newest.commit)]
    return Authored(_message(_subject(bodies), trailers, quiet=quiet), newest.at if newest else 0)


def given_up(run: str, now: int, *, quiet: bool) -> Authored:
    """The same of the commit that lets nothing of an interrupted run through after it."""
    subject = "Give up what an interrupted apply did not publish"
    return Authored(_message(subject, [(GIVES_UP, run)], quiet=quiet), now)


def merging(branch: str, at: int) -> Authored:
    """The same of a merge of the branch that a pull request goes into."""
    return Authored(f"Merge {branch}\n", at)


def _message(subject: str, trailers: Iterable[tuple[str, str | None]], *, quiet: bool) -> str:
    lines = [f"{name}: {value}" for name, value in trailers if PLAIN.fullmatch(str(value)) and value]
    return f"{subject}{SKIP if quiet else ''}\n\n" + "".join(f"{line}\n" for line in lines)


def _subject(bodies: Sequence[Body]) -> str:
    """What was done, such as `Delete old-kiosk` or `Rotate 2 tokens, issue 1`."""
    changes = (one for body in bodies for one in body.changes)
    done = [(one.action, one.name) for one in changes if one.outcome == DONE]
    if len(done) == 1 and PLAIN.fullmatch(done[0][1]):
        action, name = done[0]
        return f"{action.capitalize()} {name}"
    counts = Counter(action for action, _ in done)
    parts = [f"{action} {counts[action]}" for action in Action if counts[action]]
    if not parts:
        return f"Record an apply that {ENDED.get(bodies[-1].outcome if bodies else '', NOTHING)}"
    first, *rest = parts
    word = "token" if counts[first.partition(" ")[0]] == 1 else "tokens"
    return ", ".join((f"{first.capitalize()} {word}", *rest))
