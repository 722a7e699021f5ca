"""What the commits of an apply say of themselves, from its records. Pure."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from reconciler.canonical import Json
from reconciler.git.committing import Authored
from reconciler.live.interface import Record
from reconciler.plan.change import DONE, Action

RUN, PLAN, SPECS = "Reconciler-Run", "Reconciler-Plan", "Reconciler-Specs"
GIVES_UP = "Reconciler-Gives-Up"
"""Trailers."""
SKIP = " [skip ci]"
"""Ends the subject of a commit on the branch that pipelines run for: it asks for none."""
PLAIN = re.compile(r"[0-9A-Za-z:._-]{1,200}")


def told(records: Sequence[Record], *, quiet: bool) -> Authored:
    """The message and the time of the commit that publishes records, the newest of which comes last.

    With `quiet`, it starts no pipeline. Each run is named; plan and specs are those of the newest.
    """
    bodies: list[Mapping[str, Json]] = [json.loads(record.body) for record in records]
    newest: Mapping[str, Json] = bodies[-1] if bodies else {}
    trailers = [(RUN, body["run"]) for body in bodies]
    trailers += [(PLAN, newest.get("plan")), (SPECS, newest.get("commit"))]
    return Authored(_message(_subject(bodies), trailers, quiet=quiet), _time(newest))


def given_up(run: str, now: int, *, quiet: bool) -> Authored:
    """The same of the commit that lets nothing of an interrupted run through after it."""
    subject = "Give up what an interrupted apply did not publish"
    return Authored(_message(subject, [(GIVES_UP, run)], quiet=quiet), now)


def merging(branch: str, at: int) -> Authored:
    """The same of a merge of the branch that a pull request goes into."""
    return Authored(f"Merge {branch}\n", at)


def _message(subject: str, trailers: Iterable[tuple[str, Json]], *, quiet: bool) -> str:
    lines = [f"{name}: {value}" for name, value in trailers if PLAIN.fullmatch(str(value)) and value]
    return f"{subject}{SKIP if quiet else ''}\n\n" + "".join(f"{line}\n" for line in lines)


def _subject(bodies: Iterable[Mapping[str, Json]]) -> str:
    """What was done, such as `Delete old-kiosk` or `Rotate 2 tokens, issue 1`."""
    done = [(action, name) for body in bodies for action, name, outcome in _changes(body) if outcome == DONE]
    if len(done) == 1 and PLAIN.fullmatch(done[0][1]):
        action, name = done[0]
        return f"{action.capitalize()} {name}"
    counts = Counter(action for action, _ in done)
    parts = [f"{action} {counts[action]}" for action in Action if counts[action]]
    if not parts:
        return "Record an apply that changed no token"
    first, *rest = parts
    word = "token" if counts[first.partition(" ")[0]] == 1 else "tokens"
    return ", ".join((f"{first.capitalize()} {word}", *rest))


def _changes(body: Mapping[str, Json]) -> Iterable[tuple[str, str, str]]:
    changes = body.get("changes")
    for change in changes if isinstance(changes, list) else ():
        if isinstance(change, dict):
            yield str(change.get("action")), str(change.get("name")), str(change.get("outcome"))


def _time(body: Mapping[str, Json]) -> int:
    """When a run began, in epoch seconds; 0 where nothing tells."""
    try:
        return int(datetime.fromisoformat(str(body.get("time"))).timestamp())
    except ValueError:
        return 0
