"""The exceptions that the policies of a commit make: for which token, from which rule, why and until when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.audit.history import Line, Step, Touched
from reconciler.audit.meanings import Meanings
from reconciler.kinds.fields import end_of_date
from reconciler.specs.policies import split_rule
from reconciler.specs.policy import PolicyException
from reconciler.times import timestamp


@dataclass(frozen=True, slots=True)
class Standing:
    """A token that a rule does not hold for."""

    token: str
    policy: str
    """That makes the exception."""
    rule: str
    """As plans call it: `POLICY.ID`."""
    reason: str
    until: str
    """The last day on which it holds, in UTC."""
    over: bool
    """Whether that day is over."""
    since: str
    """When the commit that declared it came to the line."""
    commit: str
    """The first of the line, or of this clone, since which it stands as it is."""


def standing(line: Line, meanings: Meanings, at: int) -> list[Standing]:
    """The exceptions at the end of a line, as of a moment in epoch seconds: those that hold, then those over.

    A file with a fault declares none.
    """
    held: dict[str, Sequence[tuple[str, PolicyException]]] = {}
    since: dict[tuple[str, PolicyException], Step] = {}
    for step in line.steps:
        now = {one.path: _declared(one, meanings) for one in step.touched}
        if any(now.values()) or held.keys() & now.keys():
            held = {path: made for path, made in {**held, **now}.items() if made}
            since = {one: since.get(one, step) for made in held.values() for one in made}
    found = [_told(policy, one, step, at) for (policy, one), step in since.items()]
    return sorted(found, key=lambda one: (one.over, one.until, one.rule, one.token))


def _declared(one: Touched, meanings: Meanings) -> Sequence[tuple[str, PolicyException]]:
    if not one.is_spec or one.blob is None or meanings[one.blob].faults:
        return ()
    documents = (found.document for found in meanings[one.blob].policies)
    return [(policy.metadata.name, made) for policy in documents for made in policy.spec.exceptions]


def _told(policy: str, one: PolicyException, step: Step, at: int) -> Standing:
    rule = ".".join(split_rule(policy, one.rule))
    over = end_of_date(one.until) <= at
    since = timestamp(step.at)
    return Standing(one.token, policy, rule, one.reason, one.until, over, since, step.commit)
