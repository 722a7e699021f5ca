"""reconcile export"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import click

from reconciler.audit.export import Survey, notes, spec_of, surveyed
from reconciler.cli.context import Invocation, passed
from reconciler.cli.editing import not_written
from reconciler.cli.lost import found_again
from reconciler.cli.output import counted, echo_note, in_line
from reconciler.errors import SettingsError, UsageError
from reconciler.files import LinkedError
from reconciler.live.interface import LiveToken
from reconciler.specs.adding import NewFiles
from reconciler.specs.export import WORKSPACE_FILE, exported, exported_workspace, place_of
from reconciler.specs.schema import schema_text
from reconciler.specs.settings import DEFAULT_NAME
from reconciler.specs.write import SCHEMA_FILE, schema_line
from reconciler.surroundings import SPECS
from reconciler.workspace import Workspace

Documents: TypeAlias = Iterable[tuple[str, str]]
"""Paths below the folder that is written to, each with its text."""


@click.command("export")
@click.option("--output", metavar="DIR", help=f"Write below this folder; by default {SPECS}/.")
@click.option("--stdout", "to_stdout", is_flag=True, help="Print all as one YAML text, and write nothing.")
@click.option("--name", metavar="NAME", help="Name of the workspace, where no Workspace document says it.")
@passed
def command(invocation: Invocation, output: str | None, name: str | None, *, to_stdout: bool) -> int:
    """Write specs of all that is live, for the day the repository is lost.

    One file a token, tokens/KIND/NAME.yaml, and a Workspace document where none is there and the
    workspace has a name of its own. Applying them changes nothing. No file is written over: where one
    is in the way, nothing is written.
    """
    if to_stdout and output is not None:
        raise UsageError("--stdout writes no file, so it takes no --output", hint="leave one of the two out")
    workspace = found_again(invocation.workspace, name)
    place = _place(workspace, output, lost=workspace is not invocation.workspace)
    with workspace.live() as store:
        state = store.state()
        if not state.revision:
            raise SettingsError(
                f"the live store {workspace.shown_store} holds nothing of workspace {workspace.specs.name}",
                hint="name the store with --store, and the workspace with --name",
            )
        survey = surveyed(store.tokens(), workspace.specs.settings.layout)
        documents = _documents(place, store.tokens())
        if to_stdout:
            _print(documents)
        else:
            _write(place, survey, documents)
    run = state.run.id if state.run else None
    for note in notes(survey, run, without_settings=place.named is not None):
        echo_note(note)
    return 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where specs are exported to."""

    folder: Path
    schema: Path
    """The folder that has the schema which the first line of a file names."""
    shown: str
    named: str | None
    """What the Workspace document that is written says; None where none is."""
    declared: dict[str, str]
    """Tokens that are declared there already, each with its file: a second file would be one too many."""


def _place(workspace: Workspace, output: str | None, *, lost: bool) -> Place:
    """Raises SettingsError where the workspace has a link that leads out of it: that came with a branch."""
    specs = workspace.root / SPECS
    folder = specs if output is None else Path.cwd() / output
    if folder.is_relative_to(workspace.root) and not folder.resolve().is_relative_to(
        workspace.root.resolve()
    ):
        raise SettingsError(
            f"{folder} is a link out of the workspace", hint="name the folder that it leads to"
        )
    inside = folder.resolve().is_relative_to(specs.resolve())
    nameless = workspace.specs.name == DEFAULT_NAME and workspace.named_store is None
    return Place(
        folder=folder,
        schema=specs if inside else folder,
        shown=output or SPECS,
        named=None if nameless or (inside and not lost) else workspace.specs.name,
        declared={one.name: one.file for one in workspace.specs.tokens} if inside else {},
    )


def _documents(place: Place, tokens: Iterable[LiveToken]) -> Iterator[tuple[str, str]]:
    """One document after the other. Raises StoreUnreadable."""
    if place.named is not None:
        yield WORKSPACE_FILE, exported_workspace(place.named)
    for token in tokens:
        yield place_of(token.kind, token.name), exported(spec_of(token).normal_form())


def _print(documents: Documents) -> None:
    for number, (_, text) in enumerate(documents):
        click.echo(f"---\n{text}" if number else text, nl=False)


def _write(place: Place, survey: Survey, documents: Documents) -> None:
    """Writes all, or nothing. Raises SettingsError."""
    with NewFiles(place.folder) as files:
        _check_free(place, survey, files)
        for path, text in documents:
            _add(files, place, path, schema_line(place.folder / path, place.schema) + text)
        if not (place.schema / SCHEMA_FILE).exists() and place.schema == place.folder:
            _add(files, place, SCHEMA_FILE, schema_text())
    click.echo(in_line(f"{counted(len(survey.found), 'spec')} written below {place.shown}."))


def _check_free(place: Place, survey: Survey, files: NewFiles) -> None:
    """Names every file that is in the way. Raises SettingsError for any."""
    wanted = [WORKSPACE_FILE] * (place.named is not None)
    wanted += [place_of(kind, name) for name, kind in survey.found.items()]
    taken = [_under(place, path) for path in wanted if files.is_taken(path)]
    taken += sorted({place.declared[name] for name in survey.found if name in place.declared} - set(taken))
    if not taken:
        return
    for one in taken:
        click.echo(in_line(f"in the way: {one}"), err=True)
    raise SettingsError(
        f"{counted(len(taken), 'file')} in the way of the export: nothing was written",
        hint="name another folder with --output, or move away what is there",
    )


def _add(files: NewFiles, place: Place, path: str, text: str) -> None:
    try:
        files.add(path, text.encode())
    except LinkedError as error:
        raise SettingsError(str(error), hint="then export again") from error
    except OSError as error:
        raise not_written(_under(place, path), error) from error


def _under(place: Place, path: str) -> str:
    """A path as messages show it."""
    return f"{place.shown.rstrip('/')}/{path}"
