"""reconcile doctor"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Literal

import click

from reconciler.cli.context import Invocation, passed
from reconciler.cli.output import counted, echo_json, style
from reconciler.cli.programs import environment
from reconciler.errors import ArtifactError, ReconcilerError
from reconciler.live.interface import LiveToken
from reconciler.specs.load import examine
from reconciler.workspace import SPECS, Workspace


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    state: Literal["ok", "note", "fault"]
    message: str
    hint: str = ""


NAMED = 5
"""Names that a line has room for."""
COLOURS = {"ok": "green", "note": "yellow", "fault": "red"}


@click.command("doctor")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@passed
def command(invocation: Invocation, form: str) -> int:
    """Say in one screen what is set up and what is missing.

    Looks at the specs, the live store, the creation rules, your identities and which artifacts they
    open, and the programs sops and git. Nothing is changed.

    \b
    Exit codes: 0 all is well (notes included), 1 something is missing or broken.
    """
    checks = list(_checks(invocation.workspace))
    if form == "json":
        echo_json({"schema": "reconciler/doctor/v1", "checks": [asdict(check) for check in checks]})
    else:
        for check in checks:
            click.echo(
                f"{style(f'{check.state:<6}', fg=COLOURS[check.state])} {check.name:<11} {check.message}"
            )
            if check.hint:
                click.echo(f"{'':<18} {check.hint}")
    return 1 if any(check.state == "fault" for check in checks) else 0


def _checks(workspace: Workspace) -> Iterator[Check]:
    specs, faults = examine(workspace.root, SPECS)
    if specs is None:
        message = f"{counted(len(faults), 'fault')} in {workspace.root / SPECS}"
        yield Check("specs", "fault", message, "see them with: reconcile validate")
    else:
        yield Check("specs", "ok", f"{counted(len(specs.tokens), 'spec')} in workspace {specs.name}")
        yield from _guarded("live store", lambda: _store(workspace))
        yield from _guarded("rules", lambda: _rules(workspace))
        yield from _guarded("artifacts", lambda: _artifacts(workspace))
    yield from _guarded("identities", lambda: _identities(workspace))
    yield from _guarded("sops", lambda: _sops(workspace))
    yield from _guarded("git", lambda: _git(workspace))


def _guarded(name: str, look: Callable[[], Check]) -> Iterator[Check]:
    try:
        yield look()
    except ReconcilerError as error:
        yield Check(name, "fault", str(error), error.hint)


def _live(workspace: Workspace) -> list[LiveToken]:
    with workspace.live() as store:
        return list(store.tokens())


def _store(workspace: Workspace) -> Check:
    with workspace.live() as store:
        state = store.state()
        count = sum(1 for _ in store.tokens())
    where = workspace.shown_store
    if state.revision == 0:
        return Check("live store", "note", f"{where} holds nothing yet", "the first reconcile apply makes it")
    message = f"{where}, revision {state.revision}, {counted(count, 'live token')}"
    if state.run is not None:
        return Check(
            "live store", "note", f"{message}; run {state.run.id} did not end", "reconcile apply settles it"
        )
    return Check("live store", "ok", message)


def _rules(workspace: Workspace) -> Check:
    folder = workspace.specs.settings.artifacts
    paths = [declared.artifact_path(folder) for declared in workspace.specs.tokens]
    sealed = {workspace.sealer.recipients(path).rule for path in paths}
    return Check("rules", "ok", f"every artifact has recipients, by {counted(len(sealed), 'creation rule')}")


def _identities(workspace: Workspace) -> Check:
    found = workspace.identities
    count = len(found.native)
    if count == 0 and not found.foreign:
        return Check(
            "identities",
            "note",
            "none found, so no artifact can be opened here",
            "make one: reconcile keygen",
        )
    return Check("identities", "ok", f"{count} in {', '.join(found.looked_in) or 'the environment'}")


def _artifacts(workspace: Workspace) -> Check:
    tokens = [token for token in _live(workspace) if token.artifact_path]
    missing = [token.name for token in tokens if not (workspace.root / str(token.artifact_path)).is_file()]
    if missing:
        names = ", ".join(missing[:NAMED]) + (" …" if len(missing) > NAMED else "")
        return Check(
            "artifacts",
            "fault",
            f"{len(missing)} of {len(tokens)} are missing: {names}",
            "restore them from git",
        )
    opened = sum(_opens(workspace, token) for token in tokens)
    state: Literal["ok", "note"] = "ok" if opened == len(tokens) else "note"
    return Check("artifacts", state, f"{len(tokens)} in place, {opened} of them open with your identities")


def _opens(workspace: Workspace, token: LiveToken) -> bool:
    from reconciler.artifacts.interface import Header

    path = str(token.artifact_path)
    try:
        data = (workspace.root / path).read_bytes()
        workspace.opener.open(data, path, Header(token.kind, token.id, token.generation))
    except (ArtifactError, OSError):
        return False
    return True


def _sops(workspace: Workspace) -> Check:
    try:
        version = workspace.program.version()
    except ArtifactError as error:
        return Check("sops", "note", f"{error}; age recipients need no program", error.hint)
    return Check("sops", "ok", f"version {version}")


def _git(workspace: Workspace) -> Check:
    git = shutil.which("git")
    if git is None:
        return Check(
            "git", "note", "the program is not there, so plans and records name no commit", "install git"
        )
    try:
        version = subprocess.run(
            [git, "--version"],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=10,
            env=environment(workspace.around.environ),
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return Check("git", "note", f"{git} does not answer, so plans and records name no commit", "mend git")
    commit = workspace.around.commit(workspace.root)
    at = f", at commit {commit[:7]}" if commit else ", and no commit is checked out here"
    return Check("git", "ok" if commit else "note", version.strip().removeprefix("git version ") + at)
