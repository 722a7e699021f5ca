"""Whether the branch that specs are applied from wants what a checkout would change.

A pipeline that is run again, or comes late, has the specs of its commit, and so has whoever applies by hand.
Where newer specs were applied, the live store tells (`obstacles`). Where nothing was left to do for them, or
the checkout is of another line altogether, only the branch does.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

from reconciler.apply.obstacles import SPECS_OLDER, SPECS_UNCOMMITTED
from reconciler.apply.upstream import Upstream
from reconciler.errors import GitFailed
from reconciler.git.shallow import DEEPEN
from reconciler.plan.brakes import Block
from reconciler.plan.change import Change
from reconciler.plan.document import Plan
from reconciler.specs.load import Specs, examine
from reconciler.specs.revision import Revision

NEWEST = "apply from the newest commit of the branch: its pipeline does"


def held_behind(plan: Plan, specs: Specs, upstream: Upstream) -> Plan:
    """The plan, blocked where its specs are not those of the branch, or the branch says otherwise by now.

    A remote that cannot be read holds nothing here: what takes access away waits for nobody, and what gives
    any comes to a push.
    """
    if not plan.changes:
        return plan
    try:
        block = _uncommitted(upstream) or _unmerged(upstream) or _outrun(plan, specs, upstream)
    except GitFailed:
        return plan
    return plan if block is None else replace(plan, blocked=(*plan.blocked, block))


def _uncommitted(upstream: Upstream) -> Block | None:
    edited = upstream.edited()
    if not edited:
        return None
    return Block(
        SPECS_UNCOMMITTED,
        f"{edited[0]} is not as the commit has it, and what is published names the commit of its specs",
        f"commit it and push it to {upstream.branch}, or take it back",
    )


def _unmerged(upstream: Upstream) -> Block | None:
    head, branch, remote = upstream.head, upstream.branch, upstream.settings.remote
    if head is not None and upstream.is_in_main(head):
        return None
    rule, here = "specs-unmerged", f"the commit checked out, {(head or 'none')[:10]},"
    if upstream.repository.is_shallow():
        told = f"this clone is cut off, so nobody can tell whether {here} is on {branch} of {remote}"
        return Block(rule, told, DEEPEN)
    return Block(
        rule,
        f"{here} is not on {branch} of {remote}, which specs are applied from",
        "merge or push it there first; for another branch, set spec.git.branch of the Workspace document",
    )


def _outrun(plan: Plan, specs: Specs, upstream: Upstream) -> Block | None:
    """Where the branch went on and wants something else of what is to be changed."""
    if not upstream.is_newer(upstream.main):
        return None
    with closing(Revision(upstream.repository, upstream.main)) as revision:
        newest, faults = examine(revision)
    gone_on = f"the branch {upstream.branch} went on to {upstream.main[:10]}, "
    if newest is None:
        told = f"{gone_on}whose specs have a fault at {faults[0].where}: {faults[0].message}"
        return Block(SPECS_OLDER, told, "mend the specs of the branch, and apply from there")
    other = _otherwise(plan, specs, newest, upstream)
    return Block(SPECS_OLDER, f"{gone_on}which says something else of {other}", NEWEST) if other else None


def _otherwise(plan: Plan, specs: Specs, newest: Specs, upstream: Upstream) -> str | None:
    """What newer specs say something else of, that the plan would do."""
    if _terms(specs) != _terms(newest) or upstream.rules(str(upstream.head)) != upstream.rules(upstream.main):
        return "its settings, policies or creation rules"
    names = [one.name for one in plan.changes if _wanted(specs, one) != _wanted(newest, one)]
    return f"{names[0]} and {len(names) - 1} more" if len(names) > 1 else next(iter(names), None)


def _terms(specs: Specs) -> tuple[object, ...]:
    return specs.settings, tuple(specs.policies)


def _wanted(specs: Specs, change: Change) -> str | None:
    """Digest of what is declared of a token that is changed; None where nothing is."""
    found = specs.token(change.name) or specs.heir(change.live_name)
    return None if found is None else found.digest
