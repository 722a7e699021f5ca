"""What was measured: runs of a whole process or of a function, taken in turns with those of a peer."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

STOPWATCH = Path(__file__).with_name("stopwatch.py")
OURS_TO_SET = ("RECONCILER_", "SOPS_", "GIT_")
"""Variables of the caller that would change what is measured."""


class MeasurementError(Exception):
    """A command that should have worked did not: there is nothing to report."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds, user and system together."""
    peak: int = 0
    """Bytes of resident memory at most; 0 where it was not measured."""


@dataclass(frozen=True, slots=True)
class Sample:
    """All runs of one side."""

    runs: Sequence[Run]

    @property
    def wall(self) -> float:
        """Median seconds."""
        return statistics.median(run.wall for run in self.runs)

    @property
    def cpu(self) -> float:
        """Median seconds of processor time."""
        return statistics.median(run.cpu for run in self.runs)

    @property
    def peak(self) -> int:
        """The largest peak, in bytes."""
        return max(run.peak for run in self.runs)

    @property
    def spread(self) -> tuple[float, float]:
        """The fastest and the slowest run, in seconds."""
        walls = [run.wall for run in self.runs]
        return min(walls), max(walls)


Measured = Callable[[], Run]


def alternate(runs: int, ours: Measured, peer: Measured | None) -> tuple[Sample, Sample | None]:
    """Runs both in turns (A B A B), so that a machine that slows down slows both."""
    mine: list[Run] = []
    theirs: list[Run] = []
    for _ in range(runs):
        mine.append(ours())
        if peer is not None:
            theirs.append(peer())
    return Sample(mine), Sample(theirs) if peer is not None else None


def environment(home: Path, **more: str) -> Mapping[str, str]:
    """The caller's environment without what would change the work, and with a home of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS_TO_SET)}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', os.defpath)}"
    return {**kept, "PATH": path, "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", **more}


def process(command: Sequence[str | Path], folder: Path, environ: Mapping[str, str], *, code: int = 0) -> Run:
    """Runs a command to its end, output thrown away. Raises MeasurementError for another exit code."""
    with tempfile.NamedTemporaryFile() as said:
        watched = [sys.executable, "-I", "-S", str(STOPWATCH), said.name, *map(str, command)]
        done = subprocess.run(watched, cwd=folder, env=environ, stdout=subprocess.PIPE, check=True)
        found = json.loads(done.stdout)
        if found["code"] != code:
            text = Path(said.name).read_text(errors="replace").strip()
            raise MeasurementError(f"{Path(command[0]).name} exited with {found['code']}: {text[-2000:]}")
    return Run(found["wall"], found["cpu"], found["peak"])


def in_process(function: Callable[[int], object], times: int) -> Run:
    """Calls a function so many times with a running number; the seconds are those of one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    for number in range(times):
        function(number)
    return Run((time.perf_counter() - wall) / times, (time.process_time() - cpu) / times)
