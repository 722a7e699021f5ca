"""Several processes on one listening socket: started, watched, and told the signals of their parent."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import Never

from reconciler.errors import ReconcilerError

PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
SHORT_LIFE = 2.0
"""Seconds: a worker that ends sooner has a fault that starting it again does not mend."""
MOST_SHORT_LIVES = 5
"""In a row."""
PAUSE_SECONDS = 0.5


@dataclass(slots=True)
class Workers:
    """Keeps so many workers alive until a signal says to stop."""

    count: int
    work: Callable[[int], None]
    """What a worker does; it gets a descriptor that ends when its parent does."""
    begun: Callable[[], None]
    """Called when a signal ends them well."""
    _began: dict[int, float] = field(default_factory=dict)
    _stopping: bool = False
    _short: int = 0
    _failed: bool = False

    def run(self) -> bool:
        """Returns when all have ended: whether all went well."""
        lifeline, held = os.pipe()
        for number in PASSED_ON:
            signal.signal(number, self._pass_on)
        self.begun()
        for _ in range(self.count):
            self._start(lifeline, held)
        while self._began:
            pid, status = os.waitpid(-1, 0)
            began = self._began.pop(pid, None)
            if began is None:
                continue
            self._judge(status, time.monotonic() - began)
            if not self._stopping:
                self._start(lifeline, held)
        os.close(held)
        os.close(lifeline)
        return not self._failed

    def _judge(self, status: int, lived: float) -> None:
        """Whether another takes the place of a worker that has ended."""
        if self._stopping:
            by_us = os.WIFSIGNALED(status) and os.WTERMSIG(status) in PASSED_ON
            self._failed = self._failed or (status != 0 and not by_us)
            return
        code = os.waitstatus_to_exitcode(status)
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        sys.stderr.write(f"warning: a worker ended {how}; another takes its place\n")
        self._short = self._short + 1 if lived < SHORT_LIFE else 0
        if self._short >= MOST_SHORT_LIVES:
            self._failed = True
            self._pass_on(signal.SIGTERM, None)
        elif self._short:
            time.sleep(PAUSE_SECONDS)

    def _start(self, lifeline: int, held: int) -> None:
        """One more worker. No signal comes between its birth and its entry in the list."""
        signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)
        try:
            pid = os.fork()
            if pid == 0:
                self._child(lifeline, held)
            self._began[pid] = time.monotonic()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)

    def _pass_on(self, number: int, _: FrameType | None) -> None:
        if number != signal.SIGHUP:
            self._stopping = True
        for pid in list(self._began):
            with suppress(ProcessLookupError):  # it has ended, and is not taken from the list yet
                os.kill(pid, number)

    def _child(self, lifeline: int, held: int) -> Never:
        """The worker: it never comes back to what its parent was doing."""
        code = 1
        try:
            os.close(held)
            # What a terminal sends goes to the parent alone, which passes it on once.
            os.setpgrp()
            for number in PASSED_ON:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)
            self.work(lifeline)
            code = 0
        except ReconcilerError as error:
            sys.stderr.write(f"error: {error}\n")
        except Exception as error:  # noqa: BLE001 - its message may hold anything
            sys.stderr.write(f"error: a worker broke off ({type(error).__name__})\n")
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
