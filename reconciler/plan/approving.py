"""A plan without what only time asks for: that was approved with the spec which sets the interval. Pure."""

from __future__ import annotations

from dataclasses import replace

from reconciler.plan.document import Plan


def without_due(plan: Plan) -> Plan:
    """The plan without rotations that are due and credentials whose overlap is over, where nothing else is
    done to their tokens; the plan itself where it holds none.

    Such changes come and go while time passes and other runs carry them out, and each would give the plan
    another digest.
    """
    others = {change.live_name for change in plan.changes if not change.scheduled}
    kept = tuple(one for one in plan.changes if not one.scheduled or one.live_name in others)
    return plan if len(kept) == len(plan.changes) else replace(plan, changes=kept)
