"""Real processes: killed, interrupted, and two at once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.apply.kit import House, auth_token, check_quiet, check_settled, jwt_token, recorded
from tests.apply.processes import Ended, ended, reconcile, start

KILLS = 15


def fleet(turn: int) -> list[dict[str, object]]:
    """Forty tokens, and each turn asks for all kinds of changes against the turn before."""
    keys = ("EdDSA", "ES256")[turn % 2]
    secrets = ("HS256", "HS512")[turn % 2]
    signed = [
        jwt_token(f"jwt-{number}", apis=("a", f"t{turn}"), algorithm=keys if number % 3 else "EdDSA")
        for number in range(turn % 4, 20 + turn % 4)
    ]
    shared = [
        auth_token(f"auth-{number}", algorithm=secrets if number % 2 else "HS256") for number in range(20)
    ]
    return [*signed, *shared]


@dataclass
class Pause:
    """Stops a process at the first call of a function of `os`, until its stdin is closed."""

    folder: Path
    function: str

    def __post_init__(self) -> None:
        os.mkfifo(self.folder / "there")

    @property
    def prelude(self) -> str:
        """What the process runs first."""
        return f"""
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
real = os.{self.function}
def pause(*arguments, **named):
    os.{self.function} = real
    open({str(self.folder / "there")!r}, "w").close()
    sys.stdin.read()
    return real(*arguments, **named)
os.{self.function} = pause
"""

    def reached(self) -> None:
        """Waits until the process is there."""
        (self.folder / "there").read_text("utf-8")


@pytest.fixture(params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """A workspace on each make of store, in real time."""
    root = tmp_path / "house"
    url = f"sqlite:///{root}/.reconciler/live.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("database")
    made = House(root, url, now=int(time.time()))
    yield made
    made.close()


def check_whole(house: House) -> None:
    """What must hold after an apply that ended well."""
    house.now = int(time.time())
    check_settled(house)
    check_quiet(house)
    house.close()


def staged(house: House) -> int:
    """How many artifacts wait beside their places."""
    return sum(path.is_file() for path in (house.root / "artifacts" / ".staging").rglob("*"))


def killed_after_staging(house: House, count: int) -> None:
    """Kills an apply as soon as so many artifacts are staged, unless it ends before."""
    process = start(house, "apply", "--yes")
    while process.poll() is None:
        with suppress(FileNotFoundError):
            if staged(house) >= count:
                break
    process.kill()
    process.communicate()


def killed_after(house: House, seconds: float) -> None:
    """Kills an apply after a while, unless it ends before."""
    process = start(house, "apply", "--yes")
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def test_after_any_kill_one_more_apply_puts_everything_right(house: House) -> None:
    """`kill -9` at random moments, now and then several in a row; the next apply waits for no lease."""
    dice = random.Random(20261122)
    for turn in range(KILLS):
        house.declare(*fleet(turn))
        if turn % 3:
            killed_after_staging(house, dice.randrange(1, 26))
        else:
            killed_after(house, dice.uniform(0.35, 1.3))
        if turn == KILLS - 1 or not dice.randrange(3):
            done = reconcile(house, "apply", "--yes")
            assert done.code == 0, done
            check_whole(house)


AT_CREATION = (
    "import os; os.link = lambda *a: os.kill(os.getpid(), 9)",
    "import os; real = os.link; os.link = lambda *a: (real(*a), os.kill(os.getpid(), 9))",
    "import os; os.fsync = lambda *a: os.kill(os.getpid(), 9)",
    "import os, alembic.command as a; a.upgrade = lambda *_: os.kill(os.getpid(), 9)",
)


@pytest.mark.parametrize("prelude", AT_CREATION)
def test_a_kill_while_the_store_is_made_leaves_no_half_of_one(house: House, prelude: str) -> None:
    """The first apply of a workspace dies; the second makes the store."""
    house.declare(jwt_token("one"), auth_token("two"))
    died = ended(start(house, "apply", "--yes", prelude=prelude))
    assert died.code == -signal.SIGKILL
    assert reconcile(house, "apply", "--yes").code == 0
    check_whole(house)


def test_of_two_applies_at_once_one_wins(shared: House, tmp_path: Path) -> None:
    """The other is told who holds the store; afterwards every token was issued once."""
    shared.declare(*fleet(0))
    pause = Pause(tmp_path, "replace")
    first = start(shared, "apply", "--yes", prelude=pause.prelude)
    pause.reached()
    second = reconcile(shared, "apply", "--yes")
    assert second.code == 5, second
    assert f"pid {first.pid}" in second.err
    assert "[locked, exit 5]" in second.err
    assert ended(first).code == 0
    assert len(recorded(shared)) == 40
    check_whole(shared)


def test_who_waits_for_the_other_doubles_nothing(shared: House, tmp_path: Path) -> None:
    """With --lock-timeout: nothing is left to do, or what was planned is stale."""
    shared.declare(*fleet(0))
    pause = Pause(tmp_path, "replace")
    first = start(shared, "apply", "--yes", prelude=pause.prelude)
    pause.reached()
    second = start(shared, "apply", "--yes", "--lock-timeout", "60s")
    assert ended(first).code == 0
    assert ended(second).code in (0, 4)
    assert len(recorded(shared)) == 40
    check_whole(shared)


def interrupted(house: House, pause: Pause, number: signal.Signals) -> Ended:
    process = start(house, "apply", "--yes", prelude=pause.prelude)
    pause.reached()
    process.send_signal(number)
    return ended(process)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_before_anything_changed(house: House, tmp_path: Path, number: signal.Signals) -> None:
    """While keys are minted for a first fleet: 130, one line, and the lease is free."""
    house.declare(*fleet(0))
    assert house.store().state().revision == 0
    house.close()
    done = interrupted(house, Pause(tmp_path, "fsync"), number)
    assert (done.code, done.err.strip()) == (130, "interrupted: nothing more is done")
    assert house.store().state().lease is None
    assert house.live() == {}
    assert "Traceback" not in done.err
    again = reconcile(house, "apply", "--yes")
    assert again.code == 0, again
    check_whole(house)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_after_something_changed(house: House, tmp_path: Path, number: signal.Signals) -> None:
    """While artifacts are published, and a token is deleted already: 6, and what to do."""
    house.declare(*fleet(0))
    assert reconcile(house, "apply", "--yes").code == 0
    house.declare(*fleet(1))
    done = interrupted(house, Pause(tmp_path, "replace"), number)
    assert done.code == 6, done
    assert "the plan was applied in part: it was interrupted" in done.err
    assert "run apply again" in done.err
    assert "Traceback" not in done.err
    assert house.store().state().lease is None
    assert "jwt-0" not in house.live()
    again = reconcile(house, "apply", "--yes")
    assert again.code == 0, again
    check_whole(house)


def test_a_file_that_may_not_grow(house: House) -> None:
    """A real limit of the system on the size of files: nothing new is live, and it says which file."""
    house.declare(jwt_token("one"))
    limit = """
import resource, signal, reconciler.apply.mint as mint
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
real = mint._sealed
def limited(*arguments):
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
    try:
        return real(*arguments)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
mint._sealed = limited
"""
    done = ended(start(house, "apply", "--yes", prelude=limit))
    assert done.code == 1, done
    assert "artifacts/JWTToken/one.yaml could not be written: File too large" in done.err
    assert house.live() == {}
    assert reconcile(house, "apply", "--yes").code == 0
    check_whole(house)
