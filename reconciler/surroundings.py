"""What a run takes from the machine it is on, as values."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import ReconcilerError
from reconciler.git.running import find_top
from reconciler.kinds.interface import Entropy
from reconciler.memo import FOLDER, Memo, find_key
from reconciler.web import Exchange, Request, Response

SPECS = "specs"
"""The folder of the specs in a workspace."""


def _untracked(_: Path) -> bool:
    return False


def _unsent(request: Request, _: int, failed: Callable[[str], ReconcilerError]) -> Response:
    raise failed(f"{request.url} cannot be reached from here")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a run takes from the machine, as values: a test gives its own."""

    environ: Mapping[str, str]
    home: Path
    platform: str
    """As `sys.platform`."""
    clock: Callable[[], int]
    """Epoch seconds."""
    sleep: Callable[[float], None]
    entropy: Entropy
    commit: Callable[[Path], str | None]
    """Workspace folder → the commit that is checked out there, if it is a git repository."""
    exchange: Exchange = _unsent
    """Sends a request that carries a credential."""
    tracked: Callable[[Path], bool] = _untracked
    """File → whether it came with a commit. May raise SettingsError where nobody can tell."""

    def memo(self, root: Path, name: str, about: str) -> Memo | None:
        """What was worked out before in a workspace on this machine; None where nothing is kept."""
        key = find_key(self.environ, self.home, find_top(root.resolve()) or root, self.entropy)
        return None if key is None else Memo(root, f"{FOLDER}/{name}", key, about)


def find_root(start: Path) -> Path:
    """The workspace that a folder lies in: the nearest with `specs/`, else the folder itself."""
    for folder in (start, *start.parents):
        if (folder / SPECS).is_dir():
            return folder
    return start


def actor(environ: Mapping[str, str]) -> str:
    """Who runs this, for the record: as the pipeline says, else the user of the machine."""
    for name in ("RECONCILER_ACTOR", "GITHUB_ACTOR", "GITLAB_USER_LOGIN", "USER", "LOGNAME"):
        if environ.get(name):
            return environ[name]
    # A container, or a timer, may set none of them.
    with suppress(KeyError, ImportError):
        from pwd import getpwuid

        return getpwuid(os.getuid()).pw_name
    return "unknown"
