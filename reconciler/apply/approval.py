"""What somebody agreed to, and whether what would be done now is that: the plan, or what is left of it.

A plan is agreed to by its digest. Two things may stand between the agreement and the apply and are no reason
to refuse. Time: what only time asks for was agreed to with the spec that set the interval, so where the plan
without it is the one that was approved, that one is applied, and the rest is left for the next run. And a run
of that very plan that died: what it was to do is kept in the live store when it begins, until all of it is
done, so that what is left can be told from anything else. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

from reconciler.canonical import canonical, digest
from reconciler.errors import PlanStale
from reconciler.live.interface import Record
from reconciler.plan.approving import without_due
from reconciler.plan.change import DONE, Change, Done
from reconciler.plan.document import Plan, SavedPlan

Key = tuple[str, str, str, str | None, str | None]
"""(action, kind, name, id of the live token, digest of the spec) of a change."""
Settled = frozenset[tuple[str, str, str]]
"""(action, kind, name) of each change."""
NAMED = 5
"""Changes that an error has room for."""


@dataclass(frozen=True, slots=True)
class Approved:
    """What somebody agreed to: a plan's digest, and what stands in it."""

    digest: str
    keys: frozenset[Key] | None = None
    """Of every change; None where only the digest is at hand."""


@dataclass(frozen=True, slots=True)
class Begun:
    """The approved plan that the last run began, as long as it is not done."""

    digest: str
    terms: str
    """Digest of what the plan was bound to, and of what was let go for it."""
    keys: frozenset[Key]

    def to_text(self) -> str:
        """As the live store keeps it."""
        keys = sorted(self.keys, key=lambda key: tuple(part or "" for part in key))
        return json.dumps({"digest": self.digest, "terms": self.terms, "keys": keys}, separators=(",", ":"))


def approval(plan: Plan) -> Approved:
    """Agreement to a plan as it is."""
    return Approved(plan.digest, keys_of(plan))


def approval_of_saved(saved: SavedPlan) -> Approved:
    """Agreement to a plan that was read from a file."""
    keys = (
        (one.action, one.kind, one.name, one.live.id if one.live else None, one.spec) for one in saved.changes
    )
    return Approved(saved.digest, frozenset(keys))


def keys_of(plan: Plan) -> frozenset[Key]:
    """What a plan does, to compare with what was approved."""
    return frozenset((one.action.value, one.kind, one.name, one.token_id, one.spec) for one in plan.changes)


def begun(plan: Plan, approved: Approved, before: Begun | None) -> Begun:
    """What is kept of an approval when a run of it begins. A run that goes on adds nothing to it."""
    if before is not None and before.digest == approved.digest:
        return before
    return Begun(approved.digest, _terms(plan), keys_of(plan))


def read_begun(text: str | None) -> Begun | None:
    """What was kept; None where nothing was, or where nobody can read it: then nothing goes on from it."""
    try:
        found = json.loads(text or "")
        keys = frozenset((a, k, n, i, s) for a, k, n, i, s in found["keys"])
        return Begun(found["digest"], found["terms"], keys)
    except (ValueError, LookupError, TypeError):
        return None


def undone(kept: str | None, done: Iterable[Done]) -> str | None:
    """What is kept when these changes were carried out, or tried: less, or nothing, as `Batch` has it."""
    before = read_begun(kept)
    if before is None:
        return None if kept is None else ""
    names = {(one.action, one.kind, one.name) for one in done if one.outcome == DONE}
    left = frozenset(key for key in before.keys if key[:3] not in names)
    return replace(before, keys=left).to_text() if left else ""


def agreed(plan: Plan, approved: Approved, before: Begun | None) -> Plan | None:
    """What of a plan is to be applied: the plan, or all of it but what only time asks for; None where
    neither was agreed to.
    """
    if plan.digest == approved.digest or _is_rest(plan, approved, before):
        return plan
    timeless = without_due(plan)
    if timeless is not plan and (timeless.digest == approved.digest or _is_rest(timeless, approved, before)):
        return timeless
    return None


def carried_out(run: str | None, last: Record | None) -> Settled:
    """All that a run did which was interrupted and is settled now, if there was one."""
    from reconciler.records.envelope import body_of  # a plan alone reads no record

    changes = body_of(last.body).changes if last is not None and last.run == run else ()
    return frozenset((one.action, one.kind, one.name) for one in changes if one.outcome == DONE)


def left_by(settled: Settled, plan: Plan, approved: Approved) -> bool:
    """Whether this is what was approved without what is settled meanwhile: a plan that is only shown cannot
    settle what was interrupted, so it stood in it.
    """
    if approved.keys is None or not keys_of(plan) < approved.keys:
        return False
    return {key[:3] for key in approved.keys - keys_of(plan)} <= settled


def stale(plan: Plan, approved: Approved) -> PlanStale:
    """The error for a plan that nobody agreed to, with what is known of the difference."""
    return PlanStale(
        f"what would be done now is not the plan that was approved, {approved.digest}"
        + _difference(plan, approved),
        hint="look at what is planned now, and approve that" + _about_time(plan),
    )


def _difference(plan: Plan, approved: Approved) -> str:
    if not plan.changes:
        return ": nothing is to be done any more"
    if approved.keys is None:
        return ""
    now = keys_of(plan)
    come, gone = _names(now - approved.keys), _names(approved.keys - now)
    if not come and not gone:
        return ": the live store moved since this plan was made"
    parts = (f"it would now {come}" if come else "", f"it would no longer {gone}" if gone else "")
    return ": " + ", and ".join(filter(None, parts))


def _names(keys: Iterable[Key]) -> str:
    told = sorted({f"{action} {name}" for action, _, name, _, _ in keys})
    return ", ".join(told[:NAMED]) + (f" and {len(told) - NAMED} more" if len(told) > NAMED else "")


def _about_time(plan: Plan) -> str:
    """Which changes are there only because it is time, as these come and go by themselves."""
    kept = set(map(id, without_due(plan).changes))
    due = [change for change in plan.changes if id(change) not in kept]
    if not due:
        return ""
    return (
        f"; only time asks to {_names(map(_key, due))}: plan --no-due leaves that to the next apply --yes,"
        " and stays the same while time passes"
    )


def _key(change: Change) -> Key:
    return change.action.value, change.kind, change.name, change.token_id, change.spec


def _is_rest(plan: Plan, approved: Approved, before: Begun | None) -> bool:
    """Whether this is what is left of what was approved: the last run began it and did not finish."""
    if before is None or before.digest != approved.digest or before.terms != _terms(plan):
        return False
    return keys_of(plan) <= before.keys


def _terms(plan: Plan) -> str:
    """Without the store: it is kept there, and a plan that was made before there was one names none."""
    bound = asdict(replace(plan.bound, store=""))
    return digest(canonical({"bound": bound, "overrides": asdict(plan.overrides)}))
