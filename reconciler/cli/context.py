"""What every command starts from: the workspace, and what is taken from the machine."""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import click

from reconciler.errors import GitFailed, ReconcilerError, SettingsError
from reconciler.git.repository import repository
from reconciler.git.running import Git, find_top
from reconciler.surroundings import Surroundings, find_root
from reconciler.web import Request, Response
from reconciler.workspace import Workspace

NOT_TRACKED = 1
"""How `git ls-files --error-unmatch` ends where it finds nothing; what else goes wrong is 128."""


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
        home=_home(),
        platform=sys.platform,
        clock=lambda: int(time.time()),
        sleep=time.sleep,
        entropy=secrets.token_bytes,
        commit=commit_of,
        exchange=_exchange,
        tracked=tracked_by_git,
    )


def _exchange(request: Request, most: int, failed: Callable[[str], ReconcilerError]) -> Response:
    from reconciler.cli.sending import exchange  # what speaks TLS takes long to load

    return exchange(request, most, failed)


def _home() -> Path:
    """The user's folder; where the user has none, one that is not there, and never one of the workspace."""
    try:
        return Path.home()
    except RuntimeError:
        return Path(os.devnull) / "home"


def now() -> float:
    """Epoch seconds and parts of them."""
    return time.time()


def commit_of(root: Path) -> str | None:
    """The commit that is checked out in a folder; None where there is no git repository.

    Git is started where `.git` is: elsewhere, a commit may have put what git takes for a repository.
    """
    try:
        return repository(root, os.environ).head()
    except GitFailed:
        return None


def tracked_by_git(file: Path) -> bool:
    """Whether git tracks a file, however its name is written. Raises SettingsError where it cannot tell.

    Git is started in the folder with `.git`, which no commit can hold: in any other, a commit may
    have put what git takes for a repository, with settings that start programs.
    """
    top = find_top(file.parent)
    if top is None:
        return False
    asked = ("ls-files", "--error-unmatch", "--", f"./{file.relative_to(top).as_posix()}")
    try:
        code = Git(top, os.environ).run("--noglob-pathspecs", "--icase-pathspecs", *asked).code
    except GitFailed:
        code = None
    if code not in (0, NOT_TRACKED):
        raise SettingsError(
            f"git does not say whether it tracks {file}, which may have come with a commit",
            hint=f"see what it says to: git -C {top} status",
        )
    return code == 0


def interactive() -> bool:
    """Whether there is a person to ask."""
    return sys.stdin.isatty() and sys.stderr.isatty()
