"""reconcile reseal"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import click

from reconciler.artifacts.comparing import Change
from reconciler.artifacts.interface import Expected
from reconciler.artifacts.resealing import Resealer, stale
from reconciler.artifacts.tree import MAX_BYTES
from reconciler.cli.context import Invocation, interactive, passed
from reconciler.cli.output import counted, echo_failed, echo_json, echo_note, in_line, style
from reconciler.errors import CannotOpen, ReconcilerError, UsageError
from reconciler.files import inside, read_regular
from reconciler.readers.finding import Failed, declared_in_tree, sought_in
from reconciler.readers.opening import Reader, in_tree
from reconciler.specs.write import write_whole
from reconciler.workspace import Workspace

SCHEMA = "reconciler/reseal/v1"


@dataclass(frozen=True, slots=True)
class Target:
    """An artifact to be looked at."""

    name: str
    path: str
    wanted: str
    """Where its spec wants it: the creation rule that matches there is its own."""
    expected: Expected | None = None
    """What it must hold; None where it is only to be compared with its rule."""


@dataclass(frozen=True, slots=True)
class Stale:
    """An artifact that is not sealed to whom its rule names, or was not until now."""

    name: str
    path: str
    change: Change

    def line(self, *, check: bool) -> str:
        """As a person reads it."""
        return in_line(f"{self.path}: {'; '.join(_words(self.change, check=check))}")

    def to_json(self) -> dict[str, object]:
        """As in `reconciler/reseal/v1`."""
        return {
            "name": self.name,
            "path": self.path,
            "added": list(self.change.added),
            "removed": list(self.change.removed),
            "regrouped": self.change.regrouped,
        }


@click.command("reseal")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--check", is_flag=True, help="Change nothing, and fail where something would change.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@passed
def command(invocation: Invocation, names: Sequence[str], form: str, *, check: bool, yes: bool) -> int:
    """Encrypt artifacts anew for the recipients that .sops.yaml names now.

    Works on the tokens named, or on all. For somebody who was added, the data key is wrapped once more
    and not one value changes. When somebody was removed, there is a new data key; they have seen the
    secret all the same, so the next plan rotates the token. Every artifact is checked as download
    checks it before it is touched, so this takes an identity that opens it. What will change is shown,
    and then you are asked: whoever is added can read the secrets from then on.

    --check needs neither an identity nor the live store: it compares the artifacts that stand where
    their specs want them with the rules, as a pre-commit hook does.

    \b
    Exit codes: 0 all are sealed as the rules say, 1 some are not, or could not be opened.
    """
    workspace = invocation.workspace
    targets: Sequence[Target | Failed] = _in_tree(workspace, names) if check else ()
    if targets or not check:
        _ = workspace.rules  # without any, there is one error to tell, and not one an artifact
    if not check:
        targets = _sought(workspace, names)
    agreed = None if check or yes else _agreed(workspace, targets)
    done, failed = _all(workspace, targets, None if check else workspace.resealer, agreed)
    if form == "json":
        echo_json(
            {
                "schema": SCHEMA,
                "artifacts": [one.to_json() for one in done],
                "failed": [{"name": one.name, "error": one.error, "hint": one.hint} for one in failed],
            }
        )
    else:
        _echo(done, len(targets), check=check)
    for one in failed:
        echo_failed(one.name, one.error, one.hint)
    return 1 if failed or (check and done) else 0


def _sought(workspace: Workspace, names: Sequence[str]) -> list[Target | Failed]:
    """The artifacts of the tokens named, as the live store or the records tell of them."""
    return [
        one if isinstance(one, Failed) else Target(one.name, one.path, one.wanted, one.expected)
        for one in sought_in(Reader(workspace, echo_note), names)
    ]


def _in_tree(workspace: Workspace, names: Sequence[str]) -> list[Target]:
    return [Target(name, path, path) for name, path in declared_in_tree(workspace, names)]


def _agreed(workspace: Workspace, targets: Sequence[Target | Failed]) -> Mapping[str, Change]:
    """What is to change in the artifact of each token, shown and agreed to.

    Raises UsageError where nobody can be asked, and Abort where the answer is no.
    """
    shown, _ = _all(workspace, targets, None)
    if not shown:
        return {}
    for one in shown:
        click.echo(one.line(check=False), err=True)
    if not interactive():
        raise UsageError(
            "there is nobody to ask whether to seal to these recipients",
            hint="pass --yes, or see what would change with --check",
        )
    question = f"Encrypt {counted(len(shown), 'artifact')} anew for these recipients?"
    click.confirm(question, default=False, abort=True, err=True)
    return {one.name: one.change for one in shown}


def _all(
    workspace: Workspace,
    targets: Sequence[Target | Failed],
    resealer: Resealer | None,
    agreed: Mapping[str, Change] | None = None,
) -> tuple[list[Stale], list[Failed]]:
    """Each for itself: what goes wrong with one is no harm to the others."""
    done: list[Stale] = []
    failed: list[Failed] = []
    now = workspace.around.clock()
    for target in targets:
        try:
            found = target if isinstance(target, Failed) else _one(workspace, target, resealer, agreed, now)
        except ReconcilerError as error:
            found = Failed.by(target.name, error)
        if isinstance(found, Failed):
            failed.append(found)
        elif found is not None:
            done.append(found)
    return done, failed


def _one(
    workspace: Workspace,
    target: Target,
    resealer: Resealer | None,
    agreed: Mapping[str, Change] | None,
    now: int,
) -> Stale | None:
    """What is to be changed, or was; without a resealer, nothing is. `now` is epoch seconds.

    With `agreed`, nothing else than that is done. Raises what reading, opening, sealing and writing raise.
    """
    data = in_tree(workspace, target.path)
    rule = workspace.rules.match(target.wanted)
    change = stale(data, target.path, rule)
    if agreed is not None and change != agreed.get(target.name, Change()):
        raise CannotOpen(f"{target.path} was changed since you were asked", hint="run this again")
    if resealer is not None:
        fresh = resealer.reseal(data, target.path, rule, target.expected, now)
        if fresh != data:
            _replace(workspace, target.path, data, fresh)
    return Stale(target.name, target.path, change) if change else None


def _replace(workspace: Workspace, path: str, before: bytes, after: bytes) -> None:
    """Puts the file into place, unless somebody else did so meanwhile. Raises CannotOpen."""
    place = inside(workspace.root, path)
    try:
        if read_regular(place, MAX_BYTES, links=False) != before:
            raise CannotOpen(f"{path} was changed while it was encrypted anew", hint="run this again")
        write_whole(place, after)
    except OSError as error:
        raise CannotOpen(
            f"{path} cannot be written: {error.strerror or error}",
            hint="mend the disk or the permissions, and run this again; the file is as it was",
        ) from error


def _echo(done: Sequence[Stale], total: int, *, check: bool) -> None:
    for one in done:
        click.echo(one.line(check=check))
    verb = "not sealed to whom the rules name" if check else "encrypted anew"
    click.echo(f"{len(done)} of {counted(total, 'artifact')} {verb}.", err=True)
    if check and done:
        click.echo(style("hint: ", fg="cyan") + " run reconcile reseal, as one who can open them", err=True)
    gone = sum(bool(one.change.removed) for one in done)
    if gone and not check:
        echo_note(
            f"{counted(gone, 'token')} lost a recipient, who has seen the secret: the next plan rotates"
        )


def _words(change: Change, *, check: bool) -> Iterator[str]:
    yield from (f"+ {name}" for name in change.added)
    yield from (f"- {name}" for name in change.removed)
    if change.regrouped:
        yield "other key groups"
    if (change.removed or change.regrouped) and not check:
        yield "a new data key"
