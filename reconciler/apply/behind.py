"""A checkout that the branch has left behind: what it would change and the branch says otherwise by now.

A pipeline that is run again, or comes late, has the specs of its commit. Where newer ones were applied, the
live store tells (`obstacles`). Where they were merged and nothing was left to do for them, as after a revert
of what could not be applied, only the branch does.
"""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import replace

from reconciler.apply.obstacles import SPECS_OLDER
from reconciler.apply.upstream import Upstream
from reconciler.artifacts.rules import CONFIG
from reconciler.errors import GitFailed
from reconciler.git.trees import entry
from reconciler.plan.brakes import Block
from reconciler.plan.change import Change
from reconciler.plan.document import Plan
from reconciler.specs.load import Specs, examine
from reconciler.specs.revision import Revision


def held_behind(plan: Plan, specs: Specs, upstream: Upstream) -> Plan:
    """The plan, blocked where the branch went on and wants something else of what it changes.

    A remote that cannot be read blocks nothing here: what needs it says so, and what takes access away
    does not need it.
    """
    with suppress(GitFailed):
        if plan.changes and upstream.is_newer(upstream.main):
            newest = _newest(upstream)
            block = newest and _block(plan, specs, newest, upstream)
            if block:
                return replace(plan, blocked=(*plan.blocked, block))
    return plan


def _newest(upstream: Upstream) -> Specs | None:
    """What the branch declares; None where that has faults, and so cannot be applied itself."""
    with closing(Revision(upstream.repository, upstream.main)) as revision:
        return examine(revision)[0]


def _block(plan: Plan, specs: Specs, newest: Specs, upstream: Upstream) -> Block | None:
    if _terms(specs) != _terms(newest) or _rules_changed(upstream):
        told = "its settings, policies or creation rules"
    else:
        names = [one.name for one in plan.changes if _wanted(specs, one) != _wanted(newest, one)]
        if not names:
            return None
        told = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
    return Block(
        SPECS_OLDER,
        f"the branch {upstream.branch} went on to {upstream.main[:10]}, which says something else of {told}",
        "apply from the newest commit of the branch: its pipeline does",
    )


def _terms(specs: Specs) -> tuple[object, ...]:
    return specs.settings, tuple(specs.policies)


def _rules_changed(upstream: Upstream) -> bool:
    git, place = upstream.repository.git, upstream.place(CONFIG)
    return entry(git, "HEAD", place) != entry(git, upstream.main, place)


def _wanted(specs: Specs, change: Change) -> str | None:
    """Digest of what is declared of a token that is changed; None where nothing is."""
    found = specs.token(change.name) or specs.heir(change.live_name)
    return None if found is None else found.digest
