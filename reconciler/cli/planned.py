"""What the commands that make a plan have in common: its options, and how it is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click

from reconciler.cli.plans.interface import Shown
from reconciler.cli.plans.text import plan_lines, warning_lines
from reconciler.plan.brakes import owner_of
from reconciler.plan.change import Change
from reconciler.plan.document import Plan
from reconciler.workspace import Workspace

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


def shown(plan: Plan, workspace: Workspace) -> Shown:
    """The plan with what is told beside it."""

    def owner(change: Change) -> str | None:
        """Who has it live, else who is to have it."""
        if change.before:
            return owner_of(change.before)
        declared = workspace.specs.token(change.name)
        return None if declared is None else declared.owner

    specs, place = workspace.specs, workspace.place_of(named=workspace.specs.named)
    return Shown(plan, len(specs.tokens), workspace.shown_store, owner, place=place)


def echo_plan(plan: Plan, workspace: Workspace) -> None:
    """The whole plan as text."""
    click.echo("\n".join(plan_lines(shown(plan, workspace))))


def echo_warnings(plan: Plan) -> None:
    """What the plan warns of, on stderr: where there is no plan to be shown."""
    for line in warning_lines(plan):
        click.echo(line, err=True)
