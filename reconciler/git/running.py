"""Starts git so that it never asks, and says what went wrong in a sentence."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.children import environment
from reconciler.errors import GitFailed

QUICK = 60
"""Seconds for what happens on this machine."""
SLOW = 300
"""Seconds for what goes over the network."""
QUIET = {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GCM_INTERACTIVE": "never", "LC_ALL": "C"}
"""Nobody is asked, nothing is locked that is only read, and messages are in one language."""
AS_IT_IS = {"GIT_NO_REPLACE_OBJECTS": "1", "GIT_GRAFT_FILE": os.devnull}
"""A commit is what its id says: no replacement and no graft stands in for it."""
ELSEWHERE = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_REPLACE_REF_BASE",
)
"""What a hook of git, or a shell, may have set: it would lead to another repository than the workspace's."""
SIGNS = ("BAO_TOKEN", "VAULT_TOKEN", "RECONCILER_SIGNING_KEY", "RECONCILER_SIGNING_KEY_FILE")
"""What a hook of git, or a helper, could sign with."""
ALWAYS = ("-c", "core.fsmonitor=false", "-c", "core.quotePath=false")
"""A commit may have brought what git takes for settings: none of them starts a program to read a tree."""
LONGEST = 300
"""Characters of what another program said that a message has room for."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a git command ended."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """What it printed, without the line's end."""
        return self.out.decode(errors="replace").strip()


@dataclass(frozen=True, slots=True)
class Git:
    """git in one folder, with an environment of its own."""

    folder: Path
    """The folder that holds `.git`: in any other, a commit may have put what git takes for a repository."""
    environ: Mapping[str, str]

    def run(
        self,
        *arguments: str,
        given: bytes | None = None,
        timeout: float = QUICK,
        more: Mapping[str, str] | None = None,
    ) -> Ran:
        """The command, to its end. Raises GitFailed where there is no git, or it takes too long.

        `given` is its standard input, `more` what its environment has besides.
        """
        try:
            done = subprocess.run(
                ["git", *ALWAYS, *arguments],
                cwd=self.folder,
                input=given,
                stdin=subprocess.DEVNULL if given is None else None,
                capture_output=True,
                timeout=timeout,
                check=False,
                env=self.environment(more),
            )
        except subprocess.TimeoutExpired:
            raise GitFailed(
                f"git {_command(arguments)} did not end within {timeout:.0f} seconds",
                hint="see that its remote can be reached, and that nothing asks for a password",
            ) from None
        except OSError as error:
            raise GitFailed(
                f"git cannot be started: {error.strerror}", hint="install git, and have it on PATH"
            ) from None
        return Ran(done.returncode, done.stdout, done.stderr.decode(errors="replace").strip())

    def must(
        self,
        *arguments: str,
        given: bytes | None = None,
        timeout: float = QUICK,
        more: Mapping[str, str] | None = None,
    ) -> Ran:
        """The command, which must end well. Raises GitFailed with the last line of what git said."""
        ran = self.run(*arguments, given=given, timeout=timeout, more=more)
        if ran.code != 0:
            raise GitFailed(
                f"git {_command(arguments)} failed: {last_line(ran.err) or f'exit code {ran.code}'}",
                hint=f"see what git says to it in {self.folder}",
            )
        return ran

    def over_network(self, *arguments: str, given: bytes | None = None) -> Ran:
        """`run` for what goes over the network: ssh does not ask either. Raises GitFailed."""
        own = self.environ.keys() & {"GIT_SSH_COMMAND", "GIT_SSH"} or self.setting("core.sshCommand")
        more = None if own else {"GIT_SSH_COMMAND": "ssh -o BatchMode=yes"}
        return self.run(*arguments, given=given, timeout=SLOW, more=more)

    def setting(self, name: str) -> str:
        """What git is configured to, such as `user.email`; empty where it is not."""
        return self.run("config", "--get", name).text

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """What git and its helpers see: nothing that opens artifacts or the live store."""
        given = environment(self.environ)
        kept = {name: value for name, value in given.items() if name not in (*ELSEWHERE, *SIGNS)}
        return {**kept, **QUIET, **AS_IT_IS, **(more or {})}


def _command(arguments: Sequence[str]) -> str:
    """Which command of git it is, behind the settings that it was given."""
    rest = list(arguments)
    while rest[0] == "-c":
        del rest[:2]
    return rest[0]


def last_line(said: str) -> str:
    """What a program said last that it calls an error, else the last thing that it said; on one line."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("fatal: ", "error: "))]
    return (errors or lines or [""])[-1]


def said(err: str) -> str:
    """What a remote, or git about it, said: on one line, with nothing that a terminal obeys, and no password.

    What the remote itself said comes before what git concludes from it.
    """
    lines = [" ".join(line.split()) for line in err.replace("\r", "\n").splitlines() if line.strip()]
    of_remote = [rest for line in lines if (rest := line.removeprefix("remote:").strip()) and rest != line]
    of_git = [line for line in lines if line.startswith(("fatal:", "error:", "ssh:"))]
    text = "; ".join(of_remote) or next(iter(of_git), last_line(err))
    shown = "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)
    shown = re.sub(r"://[^/@\s]*@", "://***@", shown.removeprefix("fatal: ").removeprefix("error: "))
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]} …"


def find_top(folder: Path) -> Path | None:
    """The folder with `.git` that a folder lies in; None where there is none."""
    return next((one for one in (folder, *folder.parents) if os.path.lexists(one / ".git")), None)


def find_prefix(folder: Path) -> str:
    """The way to a folder from the top of its repository: empty, or ending in `/`.

    Empty, too, where there is no repository.
    """
    place = folder.resolve()
    top = find_top(place)
    inner = "." if top is None else place.relative_to(top).as_posix()
    return "" if inner == "." else f"{inner}/"
