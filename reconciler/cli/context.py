"""What every command starts from: the workspace, and what is taken from the machine."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import click

from reconciler.cli.programs import environment
from reconciler.errors import SettingsError
from reconciler.workspace import Surroundings, Workspace, find_root


@dataclass
class Invocation:
    """One call of the command line."""

    root: str | None
    store: str | None
    debug: bool

    @cached_property
    def workspace(self) -> Workspace:
        """The workspace that the call is about. Raises SettingsError when its folder is not there."""
        named = self.root or os.environ.get("RECONCILER_WORKSPACE")
        if named is None:
            return Workspace(find_root(Path.cwd()), surroundings(), self.store)
        root = Path(named)
        if not root.is_dir():
            raise SettingsError(f"there is no folder {named}", hint="name an existing one with -C")
        return Workspace(root.resolve(), surroundings(), self.store)


passed = click.make_pass_decorator(Invocation)


def surroundings() -> Surroundings:
    """This machine."""
    return Surroundings(
        environ=os.environ,
        home=Path.home(),
        platform=sys.platform,
        clock=lambda: int(time.time()),
        sleep=time.sleep,
        entropy=secrets.token_bytes,
        commit=commit_of,
    )


def commit_of(root: Path) -> str | None:
    """The commit that is checked out in a folder; None where there is no git repository."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), "rev-parse", "--verify", "--quiet", "HEAD"],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
            env=environment(os.environ),
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


def interactive() -> bool:
    """Whether there is a person to ask."""
    return sys.stdin.isatty() and sys.stderr.isatty()
