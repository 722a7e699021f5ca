"""reconcile keygen"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from reconciler.artifacts import identities, rules
from reconciler.cli.context import Invocation, passed
from reconciler.cli.editing import not_written
from reconciler.errors import NoRecipients, SettingsError
from reconciler.secret import Secret
from reconciler.specs.write import write_whole
from reconciler.times import timestamp
from reconciler.workspace import Workspace


@click.command("keygen")
@click.option("--if-missing", is_flag=True, help="Do nothing when there is an identity and a rule already.")
@passed
def command(invocation: Invocation, *, if_missing: bool) -> int:
    """Make an age identity, and a creation rule to seal to it where there is none.

    The identity is appended to SOPS_AGE_KEY_FILE, or else to your sops file, with mode 0600; sops,
    age and reconcile find it there. Nothing is overwritten. Its public half, the recipient, is
    printed, and goes into a new .sops.yaml when the workspace has no rules yet.
    """
    workspace = invocation.workspace
    if if_missing and workspace.identities.native and _has_rules(workspace):
        click.echo("There is an identity, and there are rules: nothing to do.", err=True)
        return 0
    recipient = new_identity(workspace)
    _add_rule(workspace, recipient)
    return 0


def new_identity(workspace: Workspace) -> str:
    """Makes an identity where the user's own are, says where, and prints the recipient, which it returns.

    Raises SettingsError.
    """
    around = workspace.around
    path = _file(around.environ, around.home, around.platform)
    recipient, secret = identities.generate()
    _append(path, recipient, secret, timestamp(around.clock()))
    click.echo(recipient)
    click.echo(
        f"The identity is in {path}, readable by you alone. Keep a copy where you keep keys.", err=True
    )
    return recipient


def rule_text(recipients: Sequence[str]) -> str:
    """A `.sops.yaml` by which all artifacts are sealed to these age recipients."""
    return f"creation_rules:\n  - path_regex: ^artifacts/\n    age: {','.join(recipients)}\n"


def has_rules(workspace: Workspace) -> bool:
    """Whether the workspace, or a folder above it, has creation rules."""
    return (workspace.root / rules.CONFIG).exists() or _has_rules(workspace)


def _file(environ: Mapping[str, str], home: Path, platform: str) -> Path:
    named = environ.get("SOPS_AGE_KEY_FILE")
    return Path(named) if named else identities.keys_file(environ, home, platform)


def _append(path: Path, recipient: str, secret: Secret, made: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(f"# created: {made}\n# public key: {recipient}\n{secret.open()}\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be written: {error.strerror}", hint="name another file in SOPS_AGE_KEY_FILE"
        ) from error


def _has_rules(workspace: Workspace) -> bool:
    try:
        rules.load(workspace.root)
    except NoRecipients:
        return False
    return True


def _add_rule(workspace: Workspace, recipient: str) -> None:
    config = workspace.root / rules.CONFIG
    if has_rules(workspace):
        click.echo(f"{rules.CONFIG} is there already: add the recipient to a rule to seal to it.", err=True)
        return
    try:
        write_whole(config, rule_text([recipient]).encode())
    except OSError as error:
        raise not_written(config, error) from error
    click.echo(f"{rules.CONFIG} is new: artifacts are sealed to this recipient.", err=True)
