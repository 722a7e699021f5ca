"""Real `reconcile` processes over a workspace folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from tests.apply.kit import House

COMMAND = "import sys; from reconciler.cli.main import main; sys.exit(main())"


@dataclass(frozen=True)
class Ended:
    """A process that has ended."""

    code: int
    out: str
    err: str


def environment(house: House) -> dict[str, str]:
    """What a process gets, and nothing else: no settings of whoever runs the tests."""
    kept = {name: os.environ[name] for name in ("PATH", "COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")
            if name in os.environ}  # fmt: skip
    return {**kept, "HOME": str(house.root / "home"), "RECONCILER_STORE": house.url, "NO_COLOR": "1"}


def start(
    house: House, *arguments: str, prelude: str = "", environ: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """Starts `reconcile` in the workspace; `prelude` is Python that runs first in the process."""
    return subprocess.Popen(
        [sys.executable, "-c", f"{prelude}\n{COMMAND}", *arguments],
        cwd=house.root,
        env={**environment(house), **(environ or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> Ended:
    """Closes a process's stdin, and waits for it; a minute means that it hangs."""
    out, err = process.communicate(timeout=60)
    return Ended(process.returncode, out, err)


def reconcile(house: House, *arguments: str, environ: Mapping[str, str] | None = None) -> Ended:
    """Runs `reconcile` to its end."""
    return ended(start(house, *arguments, environ=environ))
