"""reconcile validate"""

from __future__ import annotations

import click

from reconciler.cli.context import Invocation, passed
from reconciler.cli.paths import is_below, named_in_specs
from reconciler.cli.reports import all_reports
from reconciler.cli.reports.interface import Findings
from reconciler.git.running import find_prefix
from reconciler.plan.policy import policy_faults
from reconciler.specs.faults import Fault
from reconciler.specs.files import Folder
from reconciler.specs.load import with_lines
from reconciler.specs.outdated import outdated
from reconciler.workspace import Workspace

FORMATS = click.Choice(list(all_reports()))


@click.command("validate")
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("--format", "form", type=FORMATS, default="text", help="How to print.")
@passed
def command(invocation: Invocation, paths: tuple[str, ...], form: str) -> int:
    """Check every spec and report every fault.

    All files of specs/ are read, because names are unique over all of them and the catalog is for
    all of them. With PATHs, only faults in those files and folders are reported. Names that the catalog
    deprecates are warned of, and are no faults.

    github is for a step of a GitHub workflow: the whole list in its log, and annotations at the lines of
    the worst ten faults and ten warnings, which is as many as GitHub shows. sarif is SARIF 2.1.0, for code
    scanning: 5,000 results at the most, the worst first. The worst are secrets that stand in a spec; then
    files that cannot be read; then what is no document of ours; then what a policy denies; then the rest.

    \b
    Exit codes: 0 no fault, 1 faults.
    """
    found = _found(invocation.workspace, paths)
    all_reports()[form].echo(found)
    return 1 if found.faults else 0


def _found(workspace: Workspace, paths: tuple[str, ...]) -> Findings:
    """What is wrong with the specs, or with those that are named. Raises UsageError."""
    tree = Folder(workspace.root)
    named = named_in_specs(workspace.root, paths)
    specs, faults = workspace.examine()
    warnings: list[Fault] = []
    if specs is not None:
        denied = policy_faults(specs.policies, specs.tokens, workspace.around.clock())
        faults = list(with_lines(tree, denied))
        warnings = outdated(tree, specs.tokens, specs.catalog)
    if paths:
        faults, warnings = (
            [fault for fault in some if is_below(workspace.root / fault.file, named)]
            for some in (faults, warnings)
        )
    return Findings(
        faults,
        warnings,
        tokens=len(specs.tokens) if specs else 0,
        whole=not paths,
        prefix=find_prefix(workspace.root),
    )
