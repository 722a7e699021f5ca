"""A plan for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.cli.output import counted, in_line, style
from reconciler.cli.plans.interface import (
    FINAL,
    NOTHING,
    OTHERWISE,
    WAITING,
    PlanFormat,
    Shown,
    judged_otherwise,
    lifted,
)
from reconciler.plan.change import Action, Change, summary
from reconciler.plan.document import Plan
from reconciler.plan.words import field_text
from reconciler.times import minute

SIGNS = {
    Action.DELETE: ("-", "red"),
    Action.RETIRE: ("x", "red"),
    Action.ROTATE: ("±", "yellow"),
    Action.RENAME: (">", "yellow"),
    Action.MODIFY: ("~", "yellow"),
    Action.RESEAL: ("=", "cyan"),
    Action.ISSUE: ("+", "green"),
}


def _lines(shown: Shown) -> Iterator[str]:
    yield from plan_lines(shown)
    if not shown.plan.changes or shown.plan.blocked:
        return
    if judged_otherwise(shown.plan):
        yield OTHERWISE
    elif shown.saved is None:
        plan = " ".join(("reconcile plan", *shown.options))
        yield in_line(f"Apply exactly this: {plan} --out FILE && reconcile apply FILE")
    else:
        yield f"Apply exactly this: reconcile apply {shown.saved}"


FORMAT = PlanFormat("text", _lines)


def plan_lines(shown: Shown) -> Iterator[str]:
    """The plan, line by line. What comes from specs, the store or git is made visible; colours are ours."""
    plan = shown.plan
    at = f" at {plan.commit[:7]}" if plan.commit else ""
    live = f"live revision {plan.revision} in {shown.store}"
    yield in_line(f"{plan.bound.workspace}: {counted(shown.specs, 'spec')}{at}, {live}")
    if not plan.changes:
        yield WAITING if plan.waits else NOTHING
        yield from _blocked(plan)
        yield from warning_lines(plan)
        return
    yield ""
    kinds = max(len(change.kind) for change in plan.changes)
    names = max(len(change.name) for change in plan.changes)
    for change in plan.changes:
        yield from _change_lines(change, kinds, names)
    yield ""
    yield from _blocked(plan)
    for one in lifted(plan.overrides):
        yield style("lifted:  ", fg="yellow") + one
    yield from warning_lines(plan)
    counts = ", ".join(f"{number} to {action}" for action, number in summary(plan.changes).items())
    yield f"{counts}.  plan {short(plan.digest)}, good until {minute(plan.expires_at)} UTC"


def _blocked(plan: Plan) -> Iterator[str]:
    for block in plan.blocked:
        yield style("blocked: ", fg="red", bold=True) + in_line(f"{block.message} [{block.rule}]")
        yield style("hint:    ", fg="cyan") + in_line(block.hint)


def warning_lines(plan: Plan) -> Iterator[str]:
    """What the plan warns of."""
    for warned in plan.warnings:
        yield style("warning: ", fg="yellow", bold=True) + in_line(f"{warned.message} [{warned.rule}]")
        yield style("hint:    ", fg="cyan") + in_line(warned.hint)


def _change_lines(change: Change, kinds: int, names: int) -> Iterator[str]:
    sign, colour = SIGNS[change.action]
    head = in_line(f"  {sign} {change.action:<6}  {change.kind:<{kinds}}  {change.name:<{names}}  ")
    lines = [in_line(one) for one in (*change.reasons, *map(field_text, change.fields))] or [""]
    if change.action is Action.DELETE:
        lines[0] += f"; {FINAL}"
    yield (style(head, fg=colour) + lines[0]).rstrip()
    for detail in lines[1:]:
        yield " " * len(head) + detail


def short(digest: str) -> str:
    """A digest as people compare it: the first and last four digits."""
    prefix, _, hexadecimal = digest.partition(":")
    return f"{prefix}:{hexadecimal[:4]}…{hexadecimal[-4:]}"
