"""reconcile validate"""

from __future__ import annotations

from collections.abc import Sequence

import click

from reconciler.cli.context import Invocation, passed
from reconciler.cli.faults import echo_faults
from reconciler.cli.output import counted, echo_json, in_line
from reconciler.cli.paths import is_below, named_in_specs
from reconciler.plan.brakes import Warned
from reconciler.plan.deprecated import deprecated
from reconciler.plan.policy import policy_faults
from reconciler.specs.faults import Fault
from reconciler.specs.load import Specs
from reconciler.specs.reader import Declared


@click.command("validate")
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@passed
def command(invocation: Invocation, paths: tuple[str, ...], form: str) -> int:
    """Check every spec and report every fault.

    All files of specs/ are read, because names are unique over all of them and the catalog is for
    all of them. With PATHs, only faults in those files and folders are reported. Names that the catalog
    deprecates are warned of, and are no faults.

    \b
    Exit codes: 0 no fault, 1 faults.
    """
    workspace = invocation.workspace
    specs, faults = workspace.examine()
    if specs is not None:
        faults = policy_faults(specs.policies, specs.tokens, workspace.around.clock())
    tokens: Sequence[Declared] = specs.tokens if specs else ()
    if paths:
        named = named_in_specs(workspace.root, paths)
        faults = [fault for fault in faults if is_below(workspace.root / fault.file, named)]
        tokens = [token for token in tokens if is_below(workspace.root / token.file, named)]
    for warned in deprecated(specs.catalog, tokens) if specs else ():
        _echo_warned(warned)
    if form == "json":
        echo_json({"schema": "reconciler/faults/v1", "faults": [as_json(fault) for fault in faults]})
    else:
        echo_faults(faults)
        click.echo(_closing(specs, faults, len(paths)), err=bool(faults))
    return 1 if faults else 0


def _echo_warned(warned: Warned) -> None:
    click.echo(
        click.style("warning: ", fg="yellow", bold=True) + in_line(f"{warned.message} [{warned.rule}]"),
        err=True,
    )
    click.echo(click.style("hint:    ", fg="cyan") + in_line(warned.hint), err=True)


def as_json(fault: Fault) -> dict[str, str | int]:
    """A fault as machines read it."""
    return {
        "file": fault.file,
        "line": fault.line,
        "column": fault.column,
        "rule": fault.rule,
        "message": fault.message,
        "hint": fault.hint,
    }


def _closing(specs: Specs | None, faults: list[Fault], paths: int) -> str:
    if faults:
        files = len({fault.file for fault in faults})
        return f"{counted(len(faults), 'fault')} in {counted(files, 'file')}."
    if paths:
        return "no faults there."
    return f"{counted(len(specs.tokens) if specs else 0, 'spec')}, no faults."
