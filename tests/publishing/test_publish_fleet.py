"""Real processes: many pipelines at once, and a push that arrives after the one who sent it was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.apply.kit import auth_token, check_quiet, jwt_token, login_token, recorded
from tests.apply.processes import Ended, reconcile, start
from tests.publishing.kit import GitHouse, Hub, check_linear, check_published, records_of

PIPELINES = 20
BLOCKED = 3
ENVIRON = {"GIT_CONFIG_NOSYSTEM": "1", "RECONCILER_ACTOR": "pipeline"}


@pytest.fixture
def shared(tmp_path: Path, database: str) -> Hub:
    """A remote, and one PostgreSQL for all who clone it."""
    return Hub(tmp_path / "hub", database).made()


def pipeline(clone: GitHouse) -> subprocess.Popen[str]:
    """One more process that applies, and waits for its turn."""
    return start(clone, "apply", "--yes", "--lock-timeout", "5m", environ=ENVIRON)


def until(came: Callable[[], bool]) -> None:
    """Waits for something that processes of ours do."""
    for _ in range(12_000):
        if came():
            return
        time.sleep(0.01)
    raise AssertionError


def test_twenty_pipelines_at_once(shared: Hub) -> None:
    """Each on its own merge, in any order: every token is issued once, who comes late undoes nothing, and
    it is more than one that publishes."""
    first = shared.clone()
    clones: list[GitHouse] = []
    names = [f"token-{number:02}" for number in range(PIPELINES)]
    for number in range(PIPELINES):
        makers = (jwt_token, login_token, auth_token)
        specs = first.propose(*[makers[one % 3](names[one]) for one in range(number + 1)])
        clones.append(shared.clone())
        clones[-1].git("checkout", "--quiet", "--detach", specs)
    older, newer = clones[: PIPELINES // 2], clones[PIPELINES // 2 :]
    merged = shared.head()
    running = [pipeline(clone) for clone in older]
    # The newest specs declare all, so whoever has them could do all alone: these start once another did some.
    until(lambda: shared.head() != merged)
    running += [pipeline(clone) for clone in newer]
    done = []
    for process in running:
        out, err = process.communicate(timeout=240)
        done.append(Ended(process.returncode, out, err))
    assert {one.code for one in done} <= {0, BLOCKED}, done
    assert all("come before them" in one.err for one in done if one.code == BLOCKED)
    assert done[-1].code == 0
    assert sorted(recorded(first), key=lambda one: one[2]) == [
        ("issue", ("JWTToken", "LoginToken", "TokenAuth")[number % 3], name)
        for number, name in enumerate(names)
    ]
    published = sum("Published as" in one.out for one in done)
    assert published > 1
    outcomes = [one["outcome"] for one in records_of(shared)]
    assert (outcomes.count("done"), outcomes.count("blocked")) == (published, PIPELINES - published)
    assert [one["sequence"] for one in records_of(shared)] == list(range(1, PIPELINES + 1))
    check_linear(shared)
    check_published(shared, int(time.time()))
    first.close()


def test_who_comes_late_is_blocked_however_often_one_was(hub: Hub) -> None:
    """The record of a run that was blocked names the specs that it came with, and nothing took them up."""
    first = hub.clone()
    clones: list[GitHouse] = []
    for number in range(3):
        specs = first.propose(*[jwt_token(f"token-{one}") for one in range(number + 1)])
        clones.append(hub.clone())
        clones[-1].git("checkout", "--quiet", "--detach", specs)
    *late, newest = clones
    assert reconcile(newest, "apply", "--yes", environ=ENVIRON).code == 0
    for clone in (*reversed(late), *late):
        done = reconcile(clone, "apply", "--yes", environ=ENVIRON)
        assert (done.code, "come before them" in done.err) == (BLOCKED, True), done
    assert [one["outcome"] for one in records_of(hub)] == ["done", *["blocked"] * 4]
    assert {action for action, _, _ in recorded(first)} == {"issue"}
    first.close()


ONCE = """
mkdir {folder}/once 2>/dev/null || exit 0
cat >/dev/null
echo $PPID >{folder}/coming
mv {folder}/coming {folder}/there
cat {folder}/on >/dev/null
"""


def killed_while_pushing(house: GitHouse, hub: Hub) -> int:
    """Applies, and kills that while the remote thinks about its push: which process thinks."""
    os.mkfifo(hub.folder / "on")
    hub.hook("pre-receive", ONCE.format(folder=hub.folder))
    process, there = start(house, "apply", "--yes", environ=ENVIRON), hub.folder / "there"
    until(lambda: there.exists() or process.poll() is not None)
    process.send_signal(signal.SIGKILL)
    out, err = process.communicate()
    assert there.exists(), (out, err)
    return int(there.read_text())


def gone(process: int) -> None:
    """Waits until a process that is not ours has ended: what kept the push for a killed run."""

    def ended() -> bool:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        return False

    until(ended)


@pytest.mark.parametrize("elsewhere", [False, True], ids=["same", "elsewhere"])
def test_a_push_that_arrives_late_does_no_harm(hub: Hub, *, elsewhere: bool) -> None:
    """The run is killed while the remote thinks about its push; another settles it; the remote goes on."""
    house = hub.clone()
    house.now = int(time.time())
    house.propose(jwt_token("one"))
    assert reconcile(house, "apply", "--yes", environ=ENVIRON).code == 0
    house.propose(jwt_token("one", algorithm="ES256"), jwt_token("two"))
    remote = killed_while_pushing(house, hub)
    other = hub.clone() if elsewhere else house
    done = reconcile(other, "apply", "--yes", environ=ENVIRON)
    assert done.code == 0, done
    before = hub.head()
    (hub.folder / "on").write_text("")
    gone(remote)
    assert hub.head() == before
    assert hub.subjects()[1:3] == [
        "Record an apply that was interrupted [skip ci]",
        "Give up what an interrupted apply did not publish [skip ci]",
    ]
    assert [one["outcome"] for one in records_of(hub)] == ["done", "interrupted", "done"]
    for one in {id(house): house, id(other): other}.values():
        one.now = int(time.time())
        one.apply()
        check_quiet(one)
        one.close()
    check_published(hub, int(time.time()))
    check_linear(hub)


def test_a_push_that_arrives_in_time_is_made_live(hub: Hub) -> None:
    """The run is killed while the remote thinks about its push, and the push lands before the next."""
    house = hub.clone()
    house.propose(jwt_token("one"))
    remote = killed_while_pushing(house, hub)
    (hub.folder / "on").write_text("")
    gone(remote)
    before = hub.head()
    assert hub.subjects()[0] == "Issue one [skip ci]"
    other = hub.clone()
    done = reconcile(other, "apply", "--yes", environ=ENVIRON)
    assert (done.code, hub.head()) == (0, before), done
    assert [one[2] for one in recorded(other)] == ["one"]
    check_published(hub, int(time.time()))
    other.close()
    house.close()
