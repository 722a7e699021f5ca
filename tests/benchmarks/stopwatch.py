"""Runs one command and prints, as JSON, what it cost. A program of its own, and a small one, on purpose.

A child inherits the peak memory of the process that it was forked from until it runs its own program, so
a benchmark that has just made 100,000 specs would report its own size. This file imports next to nothing,
and is started without site-packages: `python -I -S stopwatch.py STDERR-FILE PROGRAM ARGUMENT…`.
"""

from __future__ import annotations

import os
import sys
import time


def main() -> None:
    """Starts the command, waits for it, and prints its exit code, seconds and peak memory."""
    errors, *command = sys.argv[1:]
    quiet = os.open(os.devnull, os.O_RDWR)
    said = os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    actions = [
        (os.POSIX_SPAWN_DUP2, quiet, 0),
        (os.POSIX_SPAWN_DUP2, quiet, 1),
        (os.POSIX_SPAWN_DUP2, said, 2),
    ]
    started = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, os.environ, file_actions=actions)
    _, status, used = os.wait4(pid, 0)
    wall = time.perf_counter() - started
    code = os.waitstatus_to_exitcode(status)
    unit = 1 if sys.platform == "darwin" else 1024
    print(
        f'{{"code": {code}, "wall": {wall}, "cpu": {used.ru_utime + used.ru_stime},'
        f' "peak": {used.ru_maxrss * unit}}}'
    )


if __name__ == "__main__":
    main()
