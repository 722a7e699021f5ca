"""reconcile download"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path

import click

from reconciler.apply.interface import Progress
from reconciler.artifacts.interface import Opener
from reconciler.artifacts.plaintext import plaintext
from reconciler.audit.export import some
from reconciler.cli.context import Invocation, passed
from reconciler.cli.output import counted, echo_failed, echo_json, echo_note, visible
from reconciler.cli.progress import progress
from reconciler.cli.saving import Unwritable, file_name, private_folder, write_private
from reconciler.errors import NoKey, ReconcilerError, UsageError
from reconciler.readers.finding import Failed, Kept, sought_of
from reconciler.readers.opening import Delivered, Reader, Sought, opened, sealed, unsealed
from reconciler.secret import Secret
from reconciler.workspace import Workspace

SCHEMA = "reconciler/download/v1"


@dataclass(frozen=True, slots=True)
class Saved:
    """A file that was written."""

    name: str
    kind: str
    id: str
    generation: int
    path: str

    def __str__(self) -> str:
        return f"{self.path}: {self.kind} {self.name}, id {self.id}, generation {self.generation}"


@dataclass(slots=True)
class Outcome:
    """How a download went."""

    files: list[Saved] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    closed: list[Failed] = field(default_factory=list)
    """Artifacts that none of the reader's identities opens, where nobody said that they must."""
    kept: list[str] = field(default_factory=list)
    """Tokens without an artifact: their owners brought their keys."""

    def to_json(self) -> dict[str, object]:
        """As in `reconciler/download/v1`. No secret is in it."""
        return {
            "schema": SCHEMA,
            "files": [asdict(one) for one in self.files],
            "failed": [asdict(one) for one in self.failed],
            "closed": [asdict(one) for one in self.closed],
            "kept": self.kept,
        }


@click.command("download")
@click.argument("name", required=False)
@click.option("--all", "every", is_flag=True, help="Every token's, each into a file of its own.")
@click.option("--owner", help="With --all: only this owner's.")
@click.option(
    "-o", "--output", type=click.Path(), metavar="PATH", help="Write to this new file; with --all, a folder."
)
@click.option("--stdout", is_flag=True, help="Write to standard output.")
@click.option("--force", is_flag=True, help="With --stdout: even when that is a terminal.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@passed
def command(
    invocation: Invocation,
    name: str | None,
    owner: str | None,
    output: str | None,
    form: str,
    *,
    every: bool,
    stdout: bool,
    force: bool,
) -> int:
    """Open a token's artifact into a file that only you can read.

    Your identity is looked for where sops looks: SOPS_AGE_KEY, SOPS_AGE_KEY_FILE, your sops folder,
    your SSH key. The file is new, has mode 0600, and lies in this folder under the artifact's name
    unless --output says otherwise; an existing file is never overwritten.

    With --all --owner OWNER, every token of that owner is opened, each into a new file in this
    folder, or in the folder --output, which is made with mode 0700. With --all alone, every token
    that your identities open. What goes wrong with one token is no harm to the others.

    \b
    Exit codes: 0 done, 1 error, or at least one token could not be downloaded.
    """
    workspace = invocation.workspace
    if every:
        _check_all(name, stdout=stdout, force=force)
        return _download_all(workspace, owner, Path(output or "."), form)
    if name is None:
        raise UsageError("no token is named", hint="name one, or pass --all --owner OWNER")
    _check_one(name, owner, output, form, stdout=stdout, force=force)
    delivered = opened(Reader(workspace, echo_note), name)
    if stdout:
        click.echo(_text(delivered).open(), nl=False)
        return 0
    path = Path(output or file_name(delivered.path))
    with private_folder(path.parent, workspace.root, make=False) as folder:
        write_private(folder, path, _text(delivered))
    saved = _saved(name, delivered, path)
    _note_place(workspace, path)
    if form == "json":
        echo_json(Outcome([saved]).to_json())
    else:
        click.echo(f"{saved}, readable by you alone.")
    return 0


def _check_all(name: str | None, *, stdout: bool, force: bool) -> None:
    if name is not None:
        raise UsageError(f"{name} is one token, and --all is every one", hint="choose one")
    if stdout or force:
        raise UsageError("--all writes files, and --stdout none", hint="leave --stdout and --force out")


def _check_one(
    name: str, owner: str | None, output: str | None, form: str, *, stdout: bool, force: bool
) -> None:
    if owner is not None:
        raise UsageError("--owner is for --all", hint="leave NAME out and add --all, or leave --owner out")
    if force and not stdout:
        raise UsageError("--force is for --stdout", hint="a file is never overwritten: name a new one")
    if stdout and output:
        raise UsageError("--stdout and --output are two places", hint="choose one")
    if stdout and form == "json":
        raise UsageError("--stdout and --format json are both for standard output", hint="choose one")
    if stdout and sys.stdout.isatty() and not force:
        raise UsageError(
            "this would show the secret on the terminal", hint="pipe it, use --output, or add --force"
        )
    if output and Path(output).is_dir():
        raise UsageError(f"{output} is a folder", hint=f"name a new file in it, such as {output}/{name}")


def _download_all(workspace: Workspace, owner: str | None, place: Path, form: str) -> int:
    found = sought_of(Reader(workspace, echo_note), owner)
    outcome = Outcome()
    with private_folder(place, workspace.root) as folder:
        run = _Run(workspace, workspace.opener, folder, place, owner is not None, outcome)
        try:
            _carry_out(run, found, form)
        finally:
            # Whatever ended it: a person sees what failed, below all that went well.
            for failed in outcome.failed:
                echo_failed(failed.name, failed.error, failed.hint)
    if form == "json":
        echo_json(outcome.to_json())
    if outcome.files:
        _note_place(workspace, place)
    _echo_summary(outcome, place, owner, len(found))
    return 1 if outcome.failed else 0


@dataclass(frozen=True, slots=True)
class _Run:
    """One download of many artifacts."""

    workspace: Workspace
    opener: Opener
    folder: int
    """Where the files go, opened."""
    place: Path
    """The same, as messages name it."""
    strict: bool
    """Whether it is an error that an artifact cannot be opened."""
    outcome: Outcome

    def take(self, target: Sought) -> Saved | None:
        """One artifact, into its file; None where it need not open. Raises ReconcilerError."""
        data = sealed(self.workspace, target)
        try:
            delivered = unsealed(self.opener, target, data)
        except NoKey as error:
            if self.strict:
                raise
            self.outcome.closed.append(Failed.by(target.name, error))
            return None
        path = self.place / file_name(delivered.path)
        write_private(self.folder, path, _text(delivered))
        return _saved(target.name, delivered, path)


def _carry_out(run: _Run, found: Sequence[Sought | Kept | Failed], form: str) -> None:
    """Each for itself: what goes wrong with one is no harm to the others, unless nothing can be written."""
    with _watching(form) as shown:
        if shown:
            shown.start("opening", len(found))
        for number, target in enumerate(found, 1):
            try:
                _one(run, target, form)
            except Unwritable as error:
                rest = f"; {len(found) - number} more were not begun" if number < len(found) else ""
                run.outcome.failed.append(Failed(target.name, f"{error}{rest}", error.hint))
                return
            except ReconcilerError as error:
                run.outcome.failed.append(Failed.by(target.name, error))
            if shown:
                shown.advance()


def _one(run: _Run, target: Sought | Kept | Failed, form: str) -> None:
    if isinstance(target, Failed):
        run.outcome.failed.append(target)
    elif isinstance(target, Kept):
        run.outcome.kept.append(target.name)
    elif saved := run.take(target):
        run.outcome.files.append(saved)
        if form == "text":
            click.echo(visible(str(saved)))


def _note_place(workspace: Workspace, place: Path) -> None:
    """What lies among the files of a repository is soon committed."""
    if place.resolve().is_relative_to(workspace.root.resolve()):
        echo_note("it lies in the workspace, in the clear: keep it out of git")


def _watching(form: str) -> AbstractContextManager[Progress | None]:
    """A bar, unless each file is told on the terminal as it comes."""
    return nullcontext() if form == "text" and sys.stdout.isatty() else progress()


def _echo_summary(outcome: Outcome, place: Path, owner: str | None, total: int) -> None:
    """What it comes to, on stderr."""
    if not total:
        echo_note(f"no token{f' of {owner}' if owner else ''} is live, so there is no file")
    if outcome.kept:
        count = counted(len(outcome.kept), "token")
        echo_note(f"{count} without an artifact, for the owner keeps the private key: {some(outcome.kept)}")
    if outcome.closed:
        left = f"none of your identities opens {len(outcome.closed)} of {counted(total, 'artifact')}"
        echo_note(f"{left}; of the first: {outcome.closed[0].error}")
    if outcome.files:
        click.echo(f"{counted(len(outcome.files), 'new file')} in {place}, readable by you alone.", err=True)
    if outcome.failed:
        click.echo(f"{len(outcome.failed)} of {total} failed: run it again when that is mended.", err=True)


def _text(delivered: Delivered) -> Secret:
    return plaintext(delivered.opened, delivered.form)


def _saved(name: str, delivered: Delivered, path: Path) -> Saved:
    header = delivered.opened.header
    return Saved(name, header.kind, header.token_id, header.generation, str(path))
