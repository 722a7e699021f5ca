"""reconcile init"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click

from reconciler.artifacts.rules import CONFIG
from reconciler.cli.asking import NONE, Asked, answers
from reconciler.cli.context import Invocation, passed
from reconciler.cli.editing import not_written
from reconciler.cli.output import counted, echo_json, echo_note, in_line, style
from reconciler.errors import ReconcilerError, SettingsError
from reconciler.files import LinkedError, read_regular
from reconciler.git.running import find_top
from reconciler.specs.adding import NewFiles
from reconciler.specs.export import WORKSPACE_FILE
from reconciler.specs.files import MAX_BYTES
from reconciler.specs.write import write_whole
from reconciler.starting import all_pipelines, hooks
from reconciler.starting.answers import SPECS, Answers
from reconciler.starting.codeowners import found
from reconciler.starting.laying import Laying, has_begun, laid_out
from reconciler.starting.owners import lines, naming, section
from reconciler.workspace import Workspace

SCHEMA = "reconciler/init/v1"


@click.command("init")
@click.option("--ci", type=click.Choice([*all_pipelines(), NONE]), help="The pipeline to write files for.")
@click.option("--name", metavar="NAME", help="Name of the workspace; by default the folder's.")
@click.option("--age", metavar="RECIPIENT", multiple=True, help="Seal artifacts to it; repeatable.")
@click.option(
    "--owner", metavar="OWNER", default="team-platform", show_default=True, help="Owner of the examples."
)
@click.option("--org", metavar="ORG", help="Owners are teams of this organisation, for CODEOWNERS.")
@click.option(
    "--branch", metavar="BRANCH", help="The branch that tokens are applied from; by default this one."
)
@click.option(
    "--package",
    metavar="PACKAGE",
    help="What pip installs in pipelines and hooks: where you have this tool from. It has no default.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be made, and make nothing.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@passed
def command(
    invocation: Invocation,
    ci: str | None,
    name: str | None,
    age: tuple[str, ...],
    owner: str,
    org: str | None,
    branch: str | None,
    package: str | None,
    form: str,
    *,
    dry_run: bool,
) -> int:
    """Start a workspace: specs, rules, pipeline, hooks.

    In an empty or an existing repository: specs/ with settings, a catalog and an example of each kind of
    token; .sops.yaml; the files of a pipeline; CODEOWNERS; hooks for pre-commit; a line in .gitignore.
    What is there already stays as it is, and is named. On a terminal you are asked for what no flag says.
    """
    workspace = invocation.workspace
    top = find_top(workspace.root.resolve()) or workspace.root.resolve()
    asked = Asked(ci, name, age, owner, org, branch, package, dry_run=dry_run)
    said, org = answers(workspace, top, asked)
    laying = _laying(workspace, top, said, org)
    if not dry_run:
        _lay(top, laying)
    if form == "json":
        made, edited = list(laying.new), list(laying.edited)
        steps = list(_next(top, said))
        echo_json({"schema": SCHEMA, "new": made, "edited": edited, "kept": list(laying.kept), "next": steps})
    else:
        _echo(laying, said, top)
    _note_ways(workspace, laying, said)
    return 0


def _laying(workspace: Workspace, top: Path, said: Answers, org: str | None) -> Laying:
    """What is to be written. Raises SettingsError."""
    specs = said.specs()
    below = f"{said.prefix}{SPECS}/"
    fresh = not has_begun(workspace.root / SPECS, specs)
    wanted = {f"{below}{path}": text for path, text in specs.items()} if fresh else {}
    # The schema first and the settings last: where these are, an init that was killed had come to its end.
    wanted = {**said.around(), **wanted}
    wanted.update(_codeowners(workspace, said, org, [f"{below}{path}" for path in specs] if fresh else None))
    ignore = f"{said.prefix}.gitignore"
    before = _text(top, ignore)
    after = hooks.ignoring(before or "")
    if before is None:
        wanted[ignore] = after
    laying = laid_out(top, wanted, {ignore: after} if before not in (None, after) else {})
    kept = [*laying.kept]
    if not fresh:
        kept.append(f"{said.prefix}{SPECS}")
    if before == after:
        kept.append(ignore)
    if (workspace.root / CONFIG).exists():
        kept.append(f"{said.prefix}{CONFIG}")
    return replace(laying, kept=tuple(sorted(kept)))


def _codeowners(
    workspace: Workspace, said: Answers, org: str | None, fresh: list[str] | None
) -> dict[str, str]:
    """The CODEOWNERS of a forge, where there is none yet and owners can be named there."""
    file = found(workspace.root)
    if said.pipeline is None:
        return {}
    if file.text:
        return {file.place: file.text}
    try:
        calls = naming(org, ())
        if fresh is None:
            owned = file.owners(workspace.specs)
        else:
            owned = {path: [said.owner] if "/tokens/" in path else [] for path in fresh}
        made = section(lines(owned, calls), calls)
    except ReconcilerError as error:
        echo_note(f"no CODEOWNERS is written: {error}; when that is mended, run reconcile owners --write")
        return {}
    return {said.pipeline.codeowners: made}


def _text(top: Path, path: str) -> str | None:
    """The text of a file that may be there. Raises SettingsError where it cannot be read as text."""
    try:
        return read_regular(top / path, MAX_BYTES, links=False).decode()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read as text", hint="make it a file of UTF-8 text") from error


def _lay(top: Path, laying: Laying) -> None:
    """Writes it. Where one file cannot be written, all that were written before it go again.

    Raises SettingsError.
    """
    path = ""
    try:
        with NewFiles(top) as files:
            for path, text in laying.new.items():
                files.add(path, text.encode(), 0o755 if text.startswith("#!") else 0o644)
            for path, text in laying.edited.items():
                write_whole(top / path, text.encode())
    except LinkedError as error:
        raise SettingsError(f"nothing was written: {error}", hint="then run it again") from error
    except OSError as error:
        failed = not_written(path, error)
        raise SettingsError(f"{failed.message}, so nothing was", hint=failed.hint) from error


def _echo(laying: Laying, said: Answers, top: Path) -> None:
    for word, colour, paths in (("new", "green", laying.new), ("edited", "yellow", laying.edited)):
        for path in paths:
            click.echo(style(f"{word:<7}", fg=colour) + in_line(path))
    for path in laying.kept:
        click.echo(f"{'kept':<7}" + in_line(path))
    _echo_joins(laying, said, top)
    if not laying.new and not laying.edited:
        click.echo("Everything is there already: nothing was written.")
        return
    click.echo(f"{counted(len(laying.new), 'file')} new. Next:")
    for step in _next(top, said):
        click.echo(f"  {step}")
    if said.pipeline is not None:
        click.echo("And on the forge, before the pipeline may reach the live store:")
        for line in said.pipeline.to_set:
            click.echo(f"  {line}")


def _echo_joins(laying: Laying, said: Answers, top: Path) -> None:
    """Files that are there and do not name ours: a person joins the two."""
    joins = {hooks.PRE_COMMIT_FILE: "reconcile", **(said.pipeline.joins if said.pipeline else {})}
    for path, word in joins.items():
        if path in laying.kept and word not in (_text(top, path) or ""):
            echo_note(f"{path} is there already and stays as it is: have it run {word} too")


def _note_ways(workspace: Workspace, laying: Laying, said: Answers) -> None:
    """That nothing runs by itself, or pushes what it makes, and how it would."""
    if said.pipeline is None:
        others = " or ".join(f"--ci {name}" for name in all_pipelines())
        echo_note(f"no pipeline is written: for one, run reconcile init {others}")
    if _publish(workspace, laying, said) == "folder":
        whose = "an apply on this machine" if said.pipeline else "an apply"
        echo_note(
            f"{whose} leaves artifacts in the work tree for you to commit (publish: folder): to have it"
            f" push them, write publish: git in {said.prefix}{SPECS}/{WORKSPACE_FILE}"
        )


def _publish(workspace: Workspace, laying: Laying, said: Answers) -> str | None:
    """How artifacts are to be published; None where specs that are there do not say, for their faults."""
    if f"{said.prefix}{SPECS}/{WORKSPACE_FILE}" in laying.new:
        return said.settings["publish"]
    specs, _ = workspace.examine()
    return None if specs is None else specs.settings.publish


def _next(top: Path, said: Answers) -> Iterator[str]:
    """Three commands that come next."""
    start = "" if find_top(top) else "git init && "
    commit = f'{start}git add --all && git commit -m "Tokens as code"'
    if said.pipeline is None:
        yield from ("reconcile plan", "reconcile apply", commit)
    else:
        yield from ("reconcile plan", commit, "git push")
