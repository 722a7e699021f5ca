"""What holds for the whole run: signals are as in the foreground, and in CI no test is skipped."""

from __future__ import annotations

import os
import signal

import pytest


def pytest_configure() -> None:
    """Runs in the background, or under nohup, ignore signals, and what tests start inherits that."""
    for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fails a run in CI that skipped something. Of several processes, only the first one reports."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not os.environ.get("CI"):
        return
    if skipped := reporter.stats.get("skipped", ()):
        reporter.write_line(f"\nskipped, and CI skips nothing: {', '.join(one.nodeid for one in skipped)}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
