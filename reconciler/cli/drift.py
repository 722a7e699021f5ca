"""reconcile drift"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import click

from reconciler.apply.observe import WHOLE, observed
from reconciler.audit.drift import SCHEMA, Finding, of_record, of_stray_record, of_token, strays
from reconciler.audit.tree import items_below, read_record
from reconciler.cli.context import Invocation, passed
from reconciler.cli.output import counted, echo_json, in_line, style
from reconciler.errors import StoreUnreadable
from reconciler.live.interface import LiveStore, Record
from reconciler.live.interface import Workspace as State
from reconciler.plan.diff import ArtifactState
from reconciler.workspace import TRIES, Workspace

FOUND = 2
STAGING = ".staging"


@click.command("drift")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@passed
def command(invocation: Invocation, form: str) -> int:
    """Show what is live, or in the artifacts folder, and should not be so.

    That is what somebody did past the specs: rows of the live store edited by hand, tokens that no spec
    names, artifacts and records that are lost, swapped or added. What the specs newly ask for is no
    drift: plan shows that. Nothing is written, and no key is needed.

    \b
    Exit codes: 0 none, 1 error, 2 drift was found.
    """
    workspace = invocation.workspace
    with workspace.live() as store:
        look = _look(workspace, store, workspace.around.clock())
    if look.run is not None:
        said = f" the apply {look.run} has not ended: the artifacts that it is about are not judged"
        click.echo(click.style("note:", fg="yellow", bold=True) + in_line(said), err=True)
    if form == "json":
        echo_json({"schema": SCHEMA, "findings": [one.to_json() for one in look.findings]})
    else:
        _echo(look)
    return FOUND if look.findings else 0


@dataclass(slots=True)
class Look:
    """What one read of the live store and the tree found."""

    run: str | None
    """The apply that has not ended."""
    live: int = 0
    known: set[str] = field(default_factory=set)
    """Where artifacts of live tokens stand, and those of the apply that has not ended."""
    findings: list[Finding] = field(default_factory=list)


def _look(workspace: Workspace, store: LiveStore, now: int) -> Look:
    """One consistent look. Raises StoreUnreadable when the store changes faster than it can be read."""
    for _ in range(TRIES):
        state = store.state()
        look = _once(workspace, store, state, now)
        if store.state().revision == state.revision:
            return look
    raise StoreUnreadable("the live store changes while it is read", hint="wait for the other apply to end")


def _once(workspace: Workspace, store: LiveStore, state: State, now: int) -> Look:
    look = Look(state.run.id if state.run else None)
    look.findings += _of_tokens(workspace, store, look, now)
    folder = workspace.specs.settings.artifacts
    ours = not look.known or any(path.startswith(f"{folder}/") for path in look.known)
    # A folder that is not there, where nothing live is to be: the specs newly ask for it, and plan tells.
    if ours or (workspace.root / folder).is_dir():
        records = f"{folder}/{workspace.records.name}"
        found = items_below(workspace.root, folder, but=(records, f"{folder}/{STAGING}"))
        look.findings += strays(found, folder, look.known)
        look.findings += _of_records(workspace, store.records(), records, look)
    return look


def _of_tokens(workspace: Workspace, store: LiveStore, look: Look, now: int) -> Iterator[Finding]:
    """What is to be said of live tokens, and, on the way, where their artifacts stand."""
    specs, pending = workspace.specs, set()
    for intent in store.intents():
        pending.add(intent.name)
        look.known |= {path for path in (intent.path, intent.after and intent.after.artifact_path) if path}
    for token, seen in observed(workspace.root, store.tokens(), specs.place):
        look.live += 1
        place = specs.place(token.name) if seen.state is ArtifactState.MOVED else None
        look.known |= {path for path in (token.artifact_path, place) if path}
        found = WHOLE if token.name in pending else seen
        yield from of_token(token, found, now, declared=specs.token(token.name) is not None)


def _of_records(
    workspace: Workspace, records: Iterable[Record], folder: str, look: Look
) -> Iterator[Finding]:
    names = set()
    for record in records:
        path = f"{folder}/{record.sequence:08d}-{record.run}.json"
        names.add(path)
        found = read_record(workspace.root, path, len(record.body.encode()))
        yield from of_record(record, path, found)
    for item in items_below(workspace.root, folder):
        mine = look.run is not None and item.path.endswith(f"-{look.run}.json")
        if item.path not in names and not mine:
            yield of_stray_record(item.path)


def _echo(look: Look) -> None:
    live = f"{counted(look.live, 'token')} live"
    for one in look.findings:
        about = " ".join(part for part in (one.name, one.path) if part)
        click.echo(style(one.rule, fg="yellow") + in_line(f"  {about}: {one.message}; {one.hint}"))
    click.echo(
        f"{counted(len(look.findings), 'finding')}, {live}." if look.findings else f"No drift: {live}."
    )
