"""Many files are read by several processes, and that changes nothing but the time it takes."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from reconciler.specs import reading
from reconciler.specs.files import Folder
from reconciler.specs.load import examine
from reconciler.specs.reader import FileRead
from reconciler.specs.reading import Sources, read_files, read_share
from tests.specs.samples import text_of

KINDS = ["RSAToken", "JWTToken", "LoginToken", "TokenAuth"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of 60 specs, some with faults, a Workspace and a Catalog."""
    root = tmp_path_factory.mktemp("many")
    (root / "specs").mkdir()
    for number in range(60):
        text = text_of(KINDS[number % 4], f"t{number}")
        (root / "specs" / f"{number:02}.yaml").write_text(text + ("x: 1\n" if number % 20 == 7 else ""))
    (root / "specs" / "w.yaml").write_text(
        "apiVersion: reconciler/v1\nkind: Workspace\nmetadata: {name: w}\n"
    )
    (root / "specs" / "c.yaml").write_text(
        "apiVersion: reconciler/v1\nkind: Catalog\nmetadata: {name: c}\nspec: {users: [u]}\n"
    )
    return root


def names(root: Path) -> list[str]:
    return sorted(f"specs/{path.name}" for path in (root / "specs").iterdir())


def with_cores(monkeypatch: pytest.MonkeyPatch, cores: int) -> None:
    monkeypatch.setattr(reading, "_cores", lambda: cores)
    monkeypatch.setattr(reading, "MIN_SHARE", 10)


@pytest.mark.parametrize("cores", [1, 2, 3, 6])
def test_any_number_of_processes_gives_the_same_result_in_the_same_order(
    root: Path, monkeypatch: pytest.MonkeyPatch, cores: int
) -> None:
    alone = read_share(Sources(Folder(root)), names(root))
    with_cores(monkeypatch, cores)
    assert read_files(Folder(root), names(root)) == alone
    assert len(alone.tokens) == 57
    assert len(alone.faults) == 3
    assert multiprocessing.active_children() == []


def test_no_process_is_made_for_few_files_nor_beside_threads(root: Path) -> None:
    running = len(list(Path("/proc/self/task").iterdir()))
    assert reading._cores() == (1 if running > 1 else len(os.sched_getaffinity(0)))
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        assert reading._cores() == 1
    finally:
        stop.set()
        thread.join()
    assert read_files(Folder(root), []) == FileRead()


def test_another_system_reads_in_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert reading._cores() == 1


def test_what_a_process_that_died_was_to_read_is_read_here(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = read_share(Sources(Folder(root)), names(root))
    here, real = os.getpid(), read_share

    def dies(place: Sources, share: Sequence[str]) -> FileRead:
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(place, share)

    with_cores(monkeypatch, 2)
    monkeypatch.setattr(reading, "read_share", dies)
    assert read_files(Folder(root), names(root)) == alone


def test_no_process_is_left_when_reading_breaks_off(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = os.getpid()

    def breaks_off(_: Sources, __: Sequence[str]) -> FileRead:
        if os.getpid() == here:
            raise KeyboardInterrupt
        signal.pause()
        return FileRead()

    with_cores(monkeypatch, 3)
    monkeypatch.setattr(reading, "read_share", breaks_off)
    with pytest.raises(KeyboardInterrupt):
        read_files(Folder(root), names(root))
    assert multiprocessing.active_children() == []


def test_the_collector_is_as_it_was_afterwards(root: Path) -> None:
    for enabled in (True, False):
        (gc.enable if enabled else gc.disable)()
        try:
            read_share(Sources(Folder(root)), names(root)[:1])
            assert gc.isenabled() == enabled
        finally:
            gc.enable()


PARENT = """
import os, signal, sys
from pathlib import Path
from reconciler.specs import reading
from reconciler.specs.files import Folder

def share(root, names):
    if os.getpid() != PARENT:
        print(os.getpid(), flush=True)
        return real(root, names)
    os.kill(PARENT, signal.SIGKILL)

PARENT, real = os.getpid(), reading.read_share
reading.read_share, reading.MIN_SHARE = share, 1
reading._cores = lambda: 2
root = Path(sys.argv[1])
reading.read_files(Folder(root), sorted(f"specs/{path.name}" for path in (root / "specs").iterdir()))
"""


def test_a_process_ends_by_itself_when_its_parent_was_killed(root: Path) -> None:
    """Its answer has no reader then: the pipe is closed, and it says nothing about that."""
    ran = subprocess.run(
        [sys.executable, "-c", PARENT, str(root)], capture_output=True, text=True, timeout=30, check=False
    )
    # The output is at its end only when both processes, which share it, have ended.
    assert ran.returncode == -signal.SIGKILL
    assert ran.stderr == ""


def test_examine_finds_the_same_in_one_and_in_two_processes(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = examine(root)
    with_cores(monkeypatch, 2)
    assert examine(root) == alone
