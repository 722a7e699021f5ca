"""reconcile doctor"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Literal

import click

from reconciler.artifacts.interface import Recipients
from reconciler.artifacts.process import OLDEST as OLDEST_SOPS
from reconciler.children import environment
from reconciler.cli.context import Invocation, passed
from reconciler.cli.doctor_artifacts import artifact_checks, tally
from reconciler.cli.doctor_check import NAMED, Check
from reconciler.cli.doctor_publishing import publishing_checks
from reconciler.cli.doctor_records import record_checks
from reconciler.cli.output import counted, echo_json, in_line, style
from reconciler.errors import ArtifactError, ReconcilerError
from reconciler.surroundings import SPECS
from reconciler.workspace import Workspace

OLDEST_GIT = (2, 30)
COLOURS = {"ok": "green", "note": "yellow", "fault": "red"}


@click.command("doctor")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@passed
def command(invocation: Invocation, form: str) -> int:
    """Say in one screen what is set up and what is missing.

    Looks at the specs, the live store, the creation rules, your identities and which artifacts they
    open, and the programs sops and git; with publish: git, whether the remote can be read and pushed to, and
    commits can be signed; and whether records can be. Nothing is changed.

    \b
    Exit codes: 0 all is well (notes included), 1 something is missing or broken.
    """
    checks = list(_checks(invocation.workspace))
    if form == "json":
        echo_json({"schema": "reconciler/doctor/v1", "checks": [asdict(check) for check in checks]})
    else:
        for check in checks:
            state = style(f"{check.state:<6}", fg=COLOURS[check.state])
            click.echo(f"{state} {check.name:<11} {in_line(check.message)}")
            if check.hint:
                click.echo(f"{'':<18} {in_line(check.hint)}")
    return 1 if any(check.state == "fault" for check in checks) else 0


def _checks(workspace: Workspace) -> Iterator[Check]:
    specs, faults = workspace.examine()
    if specs is None:
        message = f"{counted(len(faults), 'fault')} in {workspace.root / SPECS}"
        yield Check("specs", "fault", message, "see them with: reconcile validate")
    else:
        yield Check("specs", "ok", f"{counted(len(specs.tokens), 'spec')} in workspace {specs.name}")
        yield from _guarded("live store", lambda: [_store(workspace)])
        yield from _guarded("rules", lambda: [_rules(workspace)])
        yield from _guarded("artifacts", lambda: artifact_checks(tally(workspace)))
        yield from _guarded("publishing", lambda: publishing_checks(workspace))
        yield from _guarded("records", lambda: record_checks(workspace))
    yield from _guarded("identities", lambda: [_identities(workspace)])
    yield from _guarded("sops", lambda: [_sops(workspace, needed=_needs_sops(workspace))])
    yield from _guarded("git", lambda: [_git(workspace)])


def _guarded(name: str, look: Callable[[], Iterable[Check]]) -> Iterator[Check]:
    try:
        yield from look()
    except ReconcilerError as error:
        yield Check(name, "fault", str(error), error.hint)


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


def _used(workspace: Workspace) -> dict[int, Recipients]:
    """The creation rules that some artifact is sealed by, by their place in the file."""
    layout = workspace.specs.settings.layout
    paths = (one.artifact_path(layout) for one in workspace.specs.tokens)
    used = (workspace.rules.match(path) for path in paths if path is not None)
    return {rule.recipients.rule: rule.recipients for rule in used}


def _rules(workspace: Workspace) -> Check:
    tokens = workspace.specs.tokens
    if tokens and all(one.own_key is not None for one in tokens):
        return Check("rules", "ok", "none is needed: every owner brings the key, so nothing is sealed")
    used, rules = _used(workspace), workspace.rules.rules
    idle = [index for index in range(len(rules)) if index not in used]
    if not idle:
        return Check("rules", "ok", f"{counted(len(rules), 'creation rule')}, each for some artifact")
    where = "; ".join(f"rule {index} ({_shown(rules[index])})" for index in idle[:NAMED])
    said = f"{len(idle)} of {counted(len(rules), 'creation rule')} for no artifact: {where}"
    return Check("rules", "note", said, "they may be for other files; the first rule that matches wins")


def _needs_sops(workspace: Workspace) -> bool:
    try:
        return any(not recipients.native for recipients in _used(workspace).values())
    except ReconcilerError:
        return False  # what is wrong with the rules or the specs is told by their own check


def _shown(rule: Mapping[str, object]) -> str:
    return f"path_regex {rule['path_regex']}" if rule.get("path_regex") else "without path_regex"


def _identities(workspace: Workspace) -> Check:
    found = workspace.identities
    count = len(found.native)
    where = ", ".join(found.looked_in) or "the environment"
    if count == 0 and not found.foreign:
        message = "none found, so no artifact can be opened here"
        return Check("identities", "note", message, "make one: reconcile keygen")
    others = " and others that sops uses" if found.foreign else ""
    return Check("identities", "ok", f"{count}{others} in {where}")


def _sops(workspace: Workspace, *, needed: bool) -> Check:
    """Missing or too old, it is a fault only where a rule needs it."""
    bad: Literal["fault", "note"] = "fault" if needed else "note"
    try:
        version = workspace.program.version()
    except ArtifactError as error:
        rest = "" if needed else "; age recipients need no program"
        return Check("sops", bad, f"{error}{rest}", error.hint)
    if tuple(map(int, version.split("."))) < OLDEST_SOPS:
        oldest = ".".join(map(str, OLDEST_SOPS))
        return Check("sops", bad, f"version {version} is too old", f"install {oldest} or newer")
    use = "a creation rule needs it" if needed else "no creation rule needs it"
    return Check("sops", "ok", f"version {version}; {use}")


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
    number = re.search(r"\d+\.\d+[.\d]*", version)
    if number is None or tuple(map(int, number[0].split(".")[:2])) < OLDEST_GIT:
        oldest = ".".join(map(str, OLDEST_GIT))
        return Check(
            "git", "note", f"version {number[0] if number else '?'} is older than {oldest}", "upgrade git"
        )
    commit = workspace.around.commit(workspace.root)
    at = f", at commit {commit[:7]}" if commit else ", and no commit is checked out here"
    return Check("git", "ok" if commit else "note", f"version {number[0]}{at}")
