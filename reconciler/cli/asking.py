"""What `init` is told: by flags, by the repository, and on a terminal by a person."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

import click

from reconciler.artifacts import agewrap
from reconciler.cli.context import interactive
from reconciler.cli.keygen import has_rules, new_identity, rule_text
from reconciler.errors import GitFailed, NoRecipients, UsageError
from reconciler.git.running import Git
from reconciler.kinds.fields import BRANCH, EXPECTED, OWNER, RECIPIENT, TOKEN_NAME
from reconciler.specs.export import WORKSPACE_FILE
from reconciler.starting import all_pipelines
from reconciler.starting.answers import SPECS, Answers, Guess, guess, name_of
from reconciler.starting.interface import Pipeline, Setting, holding_package
from reconciler.workspace import Workspace

NONE = "none"
_PLAIN = re.compile(r"[A-Za-z0-9._/-]+")
_PACKAGE = re.compile(r"[A-Za-z0-9.][A-Za-z0-9._\[\],=!~@:/+#& -]*")

_FORMS = (
    "such as 'reconciler[postgres,sops] @ git+https://HOST/OWNER/reconciler@COMMIT', or "
    "'reconciler[postgres,sops] @ https://HOST/WHEEL.whl#sha256=HASH' for a wheel of your own"
)
"""Both name one content: a commit, and a hash."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The flags."""

    ci: str | None
    name: str | None
    age: tuple[str, ...]
    owner: str
    org: str | None
    branch: str | None
    package: str | None
    dry_run: bool


def answers(workspace: Workspace, top: Path, asked: Asked) -> tuple[Answers, str | None]:
    """What is to be made, and the organisation whose teams own it.

    Raises UsageError for a flag that cannot be, or one that must be given where nobody can be asked.
    """
    known = guess(_git(workspace, top, "remote", "get-url", "origin"))
    ci = asked.ci or _ci(known)
    pipeline = all_pipelines().get(ci)
    name = _name(workspace, asked)
    setting = Setting(
        workspace=_place(workspace, top, ci),
        package="",
        branch=_branch(workspace, top, asked),
        host=known.host,
    )
    setting = replace(setting, package=_package(top, pipeline, setting, asked))
    owner = _matching("--owner", asked.owner, re.compile(OWNER), EXPECTED[OWNER])
    org = asked.org or (_org(known) if pipeline else None)
    # What is written without being asked for comes last: a new identity.
    return Answers(name, owner, pipeline, setting, _rules(workspace, asked)), org


def _ci(known: Guess) -> str:
    likely = next((one.name for one in all_pipelines().values() if one.host in known.host), NONE)
    if not interactive():
        return likely
    choice = click.Choice([*all_pipelines(), NONE])
    answer: str = click.prompt("Pipeline", type=choice, default=likely, err=True)
    return answer


def _name(workspace: Workspace, asked: Asked) -> str:
    likely = name_of(workspace.root.resolve().name)
    name = asked.name
    if name is None and interactive() and not (workspace.root / SPECS / WORKSPACE_FILE).exists():
        name = click.prompt("Name of the workspace", default=likely, err=True)
    return _matching("--name", name or likely, re.compile(TOKEN_NAME), EXPECTED[TOKEN_NAME])


def _org(known: Guess) -> str | None:
    if not interactive():
        return known.org
    question = "Organisation whose teams own tokens, for CODEOWNERS"
    answer: str = click.prompt(question, default=known.org or "", err=True)
    return answer or None


def _place(workspace: Workspace, top: Path, ci: str) -> str:
    """The workspace from the top of the repository, as pipelines name it."""
    place = workspace.root.resolve().relative_to(top).as_posix()
    if ci != NONE and not _PLAIN.fullmatch(place):
        raise UsageError(
            "a pipeline is written for a folder of plain letters, digits and . _ / - only",
            hint="rename the folder, or pass --ci none",
        )
    return place


def _branch(workspace: Workspace, top: Path, asked: Asked) -> str:
    here = asked.branch or _git(workspace, top, "symbolic-ref", "--quiet", "--short", "HEAD") or "main"
    return _matching("--branch", here, re.compile(BRANCH), EXPECTED[BRANCH])


def _package(top: Path, pipeline: Pipeline | None, setting: Setting, asked: Asked) -> str:
    """What pip installs; empty where no file asks for it. Never guessed: it runs beside the secrets."""
    package = asked.package
    if package is None:
        paths = holding_package(pipeline, setting) if pipeline else ()
        if all(os.path.lexists(top / path) for path in paths):
            return ""
        if not interactive():
            raise UsageError(
                "nothing says what pip installs in pipelines, where it runs beside the secrets; "
                "the name alone may be a stranger's on a public index",
                hint=f"pass --package with where you have this tool from, {_FORMS}",
            )
        click.echo(f"Pipelines and hooks install this tool from where you have it, {_FORMS}.", err=True)
        package = click.prompt("Package that pip installs there", err=True).strip()
    return _matching("--package", package, _PACKAGE, f"what pip installs, {_FORMS}")


def _rules(workspace: Workspace, asked: Asked) -> str | None:
    """The text of `.sops.yaml`; None where there are rules already. May make an identity."""
    for recipient in asked.age:
        _check(recipient)
    if has_rules(workspace):
        return None
    if asked.age or asked.dry_run:
        return rule_text(asked.age)
    if not interactive():
        raise UsageError(
            "nothing says to whom artifacts are sealed, and there is nobody to ask",
            hint="pass --age RECIPIENT, or run reconcile keygen before",
        )
    question = "Recipient that artifacts are sealed to (age1…); nothing for a new identity of yours"
    answer: str = click.prompt(question, default="", show_default=False, err=True)
    if answer:
        _check(answer)
    return rule_text([answer or new_identity(workspace)])


def _check(recipient: str) -> None:
    try:
        if re.fullmatch(RECIPIENT, recipient) is None:
            raise UsageError("--age is not an age recipient", hint=f"give {EXPECTED[RECIPIENT]}")
        agewrap.recipient(recipient)
    except NoRecipients as error:
        raise UsageError(f"--age: {error}", hint=error.hint) from error


def _matching(flag: str, value: str, form: re.Pattern[str], what: str) -> str:
    if form.fullmatch(value) is None:
        raise UsageError(f"{flag} cannot be what it is", hint=f"it is {what}")
    return value


def _git(workspace: Workspace, top: Path, *arguments: str) -> str:
    """What git says; nothing where there is no git, or no repository."""
    if not (top / ".git").exists():
        return ""
    try:
        ran = Git(top, workspace.around.environ).run(*arguments)
    except GitFailed:
        return ""
    return ran.text if ran.code == 0 else ""
