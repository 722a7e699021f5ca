"""A plan as a person reads it, and the options by which one is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import click

from reconciler.canonical import Json
from reconciler.cli.output import counted, in_line, style
from reconciler.plan.brakes import Overrides
from reconciler.plan.change import Change, FieldChange, summary
from reconciler.plan.document import Plan
from reconciler.times import minute
from reconciler.workspace import Workspace

SIGNS = {
    "delete": ("-", "red"),
    "retire": ("x", "red"),
    "rotate": ("±", "yellow"),
    "rename": (">", "yellow"),
    "modify": ("~", "yellow"),
    "reseal": ("=", "cyan"),
    "issue": ("+", "green"),
}
NOTHING = "Nothing to do: what is live is what the specs declare."
WAITING = "Nothing to do now: the rest waits for its next try."
F = TypeVar("F", bound=Callable[..., int])


def override_options(function: F) -> F:
    """The options that let one plan past its brakes."""
    number = click.IntRange(0)
    for option in (
        click.option("--retry", is_flag=True, help="Try rotations again that failed a while ago."),
        click.option("--allow-empty", is_flag=True, help="Let specs that declare nothing delete everything."),
        click.option("--max-disable", type=number, metavar="N", help="Let this plan disable N tokens."),
        click.option(
            "--max-rotate", type=number, metavar="N", help="Let this plan rotate N tokens besides those due."
        ),
        click.option("--max-delete", type=number, metavar="N", help="Let this plan delete N tokens."),
    ):
        function = option(function)
    return function


def final(it: str) -> str:
    """What deleting means, said before somebody agrees to it."""
    return f"That cannot be undone: whoever still uses {it} is refused from then on."


def echo_plan(plan: Plan, workspace: Workspace) -> None:
    """The whole plan as text."""
    click.echo("\n".join(plan_lines(plan, workspace)))


def plan_lines(plan: Plan, workspace: Workspace) -> Iterator[str]:
    """The plan, line by line. What comes from specs, the store or git is made visible; colours are ours."""
    specs = counted(len(workspace.specs.tokens), "spec")
    at = f" at {plan.commit[:7]}" if plan.commit else ""
    live = f"live revision {plan.revision} in {workspace.shown_store}"
    yield in_line(f"{plan.bound.workspace}: {specs}{at}, {live}")
    if not plan.changes:
        yield WAITING if plan.waits else NOTHING
        yield from _blocked(plan)
        yield from _warnings(plan)
        return
    yield ""
    kinds = max(len(change.kind) for change in plan.changes)
    names = max(len(change.name) for change in plan.changes)
    for change in plan.changes:
        yield from _change_lines(change, kinds, names)
    yield ""
    yield from _blocked(plan)
    for lifted in _lifted(plan.overrides):
        yield style("lifted:  ", fg="yellow") + lifted
    yield from _warnings(plan)
    counts = ", ".join(f"{number} to {action}" for action, number in summary(plan.changes).items())
    yield f"{counts}.  plan {short(plan.digest)}, good until {minute(plan.expires_at)} UTC"


def _blocked(plan: Plan) -> Iterator[str]:
    for block in plan.blocked:
        yield style("blocked: ", fg="red", bold=True) + in_line(f"{block.message} [{block.rule}]")
        yield style("hint:    ", fg="cyan") + in_line(block.hint)


def echo_warnings(plan: Plan) -> None:
    """What the plan warns of, on stderr: where there is no plan to be shown."""
    for line in _warnings(plan):
        click.echo(line, err=True)


def _warnings(plan: Plan) -> Iterator[str]:
    for warned in plan.warnings:
        yield style("warning: ", fg="yellow", bold=True) + in_line(f"{warned.message} [{warned.rule}]")
        yield style("hint:    ", fg="cyan") + in_line(warned.hint)


def _lifted(overrides: Overrides) -> Iterator[str]:
    """The brakes that somebody let go for this plan."""
    if overrides.max_delete is not None:
        yield f"the brake on deletions, by --max-delete {overrides.max_delete}"
    if overrides.max_rotate is not None:
        yield f"the brake on rotations, by --max-rotate {overrides.max_rotate}"
    if overrides.max_disable is not None:
        yield f"the brake on disabling, by --max-disable {overrides.max_disable}"
    if overrides.allow_empty:
        yield "the check for empty specs, by --allow-empty"
    if overrides.retry:
        yield "the pause after a rotation that failed, by --retry"


def _change_lines(change: Change, kinds: int, names: int) -> Iterator[str]:
    sign, colour = SIGNS[change.action]
    head = in_line(f"  {sign} {change.action:<6}  {change.kind:<{kinds}}  {change.name:<{names}}  ")
    lines = [in_line(one) for one in (*change.reasons, *map(_field, change.fields))] or [""]
    if change.action == "delete":
        lines[0] += "; this cannot be undone"
    yield (style(head, fg=colour) + lines[0]).rstrip()
    for detail in lines[1:]:
        yield " " * len(head) + detail


def _field(field: FieldChange) -> str:
    name = field.field.removeprefix("spec.")
    if field.is_set:
        parts = [f"+ {added}" for added in field.added] + [f"- {removed}" for removed in field.removed]
        return f"{name}: {', '.join(parts)}"
    return f"{name}: {_value(field.before)} → {_value(field.after)}"


def _value(value: Json) -> str:
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def short(digest: str) -> str:
    """A digest as people compare it: the first and last four digits."""
    prefix, _, hexadecimal = digest.partition(":")
    return f"{prefix}:{hexadecimal[:4]}…{hexadecimal[-4:]}"
