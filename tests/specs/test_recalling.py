"""Unchanged specs are not parsed again, and nothing but the time it takes tells whether there was a memo."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.memo import MOMENT, Memo
from reconciler.secret import Secret
from reconciler.specs import reading, recalling
from reconciler.specs.faults import Fault
from reconciler.specs.files import Folder
from reconciler.specs.load import Specs, examine
from reconciler.specs.reader import FileRead, read_into
from reconciler.specs.recalling import reader
from tests.specs.samples import text_of

KINDS = ["RSAToken", "JWTToken", "LoginToken", "TokenAuth"]
WORKSPACE = "apiVersion: reconciler/v1\nkind: Workspace\nmetadata: {name: w}\n"
COUNT = 24


@pytest.fixture(autouse=True)
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were parsed, in one process, and however few there are."""
    found: list[str] = []

    def counted(into: FileRead, file: str, data: bytes) -> None:
        found.append(file)
        read_into(into, file, data)

    monkeypatch.setattr(reading, "read_into", counted)
    monkeypatch.setattr(reading, "WORTH_KEEPING", 1)
    monkeypatch.setattr(reading, "_cores", lambda: 1)
    return found


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Specs of some age: what was written this very moment is read again the next time."""
    (tmp_path / "specs" / "tokens").mkdir(parents=True)
    (tmp_path / "specs" / "w.yaml").write_text(WORKSPACE)
    for number in range(COUNT):
        spec(tmp_path, number).write_text(text_of(KINDS[number % 4], f"t{number}"))
    return tmp_path


def spec(root: Path, number: int) -> Path:
    return root / "specs" / "tokens" / f"{number:02}.yaml"


class Later(Memo):
    """A memo whose run began long after the files were written."""

    __slots__ = ()

    def moment(self) -> int | None:
        now = super().moment()
        return now and now + 10 * MOMENT


def memo(root: Path, key: str = "key") -> Memo:
    return Later(root, ".reconciler/cache/specs", Secret(key), reader())


def both(root: Path) -> tuple[Specs | None, list[Fault]]:
    """What is examined with a memo, which must be what is examined without."""
    found = examine(root, "specs", lambda: memo(root))
    assert found == examine(root)
    return found


def again(root: Path, parsed: list[str]) -> list[str]:
    """The files that are parsed by a run with a memo."""
    parsed.clear()
    with_memo = examine(root, "specs", lambda: memo(root))
    found = sorted(parsed)
    assert with_memo == examine(root)
    return found


def test_what_did_not_change_is_parsed_once(root: Path, parsed: list[str]) -> None:
    assert len(again(root, parsed)) == COUNT + 1
    assert again(root, parsed) == ["specs/w.yaml"]
    spec(root, 3).write_text(text_of("JWTToken", "t3x"))
    assert again(root, parsed) == ["specs/tokens/03.yaml", "specs/w.yaml"]
    assert again(root, parsed) == ["specs/w.yaml"]


def test_files_that_did_not_change_are_not_even_opened(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    examine(root, "specs", lambda: memo(root))
    opened: list[str] = []
    real = Folder.read

    def noted(folder: Folder, file: str) -> bytes:
        opened.append(file)
        return real(folder, file)

    monkeypatch.setattr(Folder, "read", noted)
    examine(root, "specs", lambda: memo(root))
    assert opened == ["specs/w.yaml"]


def test_a_fresh_checkout_parses_nothing_that_was_parsed_elsewhere(
    root: Path, tmp_path: Path, parsed: list[str]
) -> None:
    """Shared between machines: files look new there, and have the bytes that they had here."""
    both(root)
    other = tmp_path / "other"
    shutil.copytree(root / "specs", other / "specs")
    shutil.copytree(root / ".reconciler", other / ".reconciler")
    for file in (other / "specs" / "tokens").iterdir():
        os.utime(file, (1, 1))
    assert again(other, parsed) == ["specs/w.yaml"]


def test_a_file_that_moves_is_known_by_its_bytes(root: Path, parsed: list[str]) -> None:
    both(root)
    (root / "specs" / "teams").mkdir()
    spec(root, 5).rename(root / "specs" / "teams" / "mine.yaml")
    assert again(root, parsed) == ["specs/w.yaml"]
    specs, _ = both(root)
    assert specs is not None
    (moved,) = [one for one in specs.tokens if one.name == "t5"]
    assert moved.file == "specs/teams/mine.yaml"


def test_a_change_that_keeps_size_and_time_is_seen(root: Path, parsed: list[str]) -> None:
    """Whoever sets the time back changes when the file was changed."""
    both(root)
    file = spec(root, 4)
    seen, text = file.stat(), file.read_text()
    assert text_of(KINDS[0], "u4") == text.replace("t4", "u4")
    file.write_text(text.replace("t4", "u4"))
    os.utime(file, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert file.stat().st_size == seen.st_size
    assert again(root, parsed) == ["specs/tokens/04.yaml", "specs/w.yaml"]


def test_what_was_written_while_it_was_read_is_opened_again(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within one moment of the file system, a second change may leave no mark."""
    monkeypatch.setattr(Later, "moment", Memo.moment)
    now = memo(root).moment()
    assert now is not None
    for number in range(COUNT):
        os.utime(spec(root, number), ns=(now, now))
    examine(root, "specs", lambda: memo(root))
    assert {stamp for _, stamp, _, _ in recalling._entries(memo(root))} == {None}


def test_faults_are_found_anew_each_time(root: Path, parsed: list[str]) -> None:
    spec(root, 7).write_text(text_of("RSAToken", "t7") + "x: 1\n")
    _, faults = both(root)
    assert [fault.file for fault in faults] == ["specs/tokens/07.yaml"]
    assert again(root, parsed) == ["specs/tokens/07.yaml", "specs/w.yaml"]


def test_a_name_that_is_used_twice_is_a_fault_of_two_files_that_were_both_known(root: Path) -> None:
    both(root)
    shutil.copy(spec(root, 7), root / "specs" / "copy.yaml")
    specs, faults = both(root)
    assert specs is None
    assert [fault.rule for fault in faults] == ["metadata.name"]


def poisoned(root: Path, key: str) -> None:
    """A memo in which every spec that is there declares what an attacker wants."""
    entries = list(recalling._entries(memo(root)))
    assert len(entries) == COUNT
    wanted = [
        (name, stamp, sha, [(token, kind, normal.replace('"t', '"evil'), line, column)])
        for name, stamp, sha, [(token, kind, normal, line, column)] in entries
    ]
    Memo(root, ".reconciler/cache/specs", Secret(key), reader()).write(recalling._chunks(iter(wanted)))


def test_a_memo_that_a_pull_request_brings_is_not_believed(root: Path, parsed: list[str]) -> None:
    both(root)
    poisoned(root, key="the attacker's own")
    assert len(again(root, parsed)) == COUNT + 1


def test_the_test_above_can_fail(root: Path) -> None:
    """Under the machine's own key, what stands in a memo is believed."""
    both(root)
    poisoned(root, key="key")
    assert examine(root, "specs", lambda: memo(root)) != examine(root)


def test_another_version_of_what_reads_knows_nothing(root: Path, parsed: list[str]) -> None:
    both(root)
    other = Memo(root, ".reconciler/cache/specs", Secret("key"), f"{reader()}+")
    parsed.clear()
    examine(root, "specs", lambda: other)
    assert len(parsed) == COUNT + 1


def edits(root: Path, chance: random.Random) -> Iterator[None]:
    """Some of all that may happen to spec files between two runs."""
    for step in range(60):
        file = spec(root, chance.randrange(COUNT))
        match chance.randrange(7):
            case 0:
                file.unlink(missing_ok=True)
            case 1:
                file.write_text(text_of(chance.choice(KINDS), f"s{step}"))
            case 2 if file.exists():
                file.rename(spec(root, chance.randrange(COUNT)))
            case 3 if file.exists():
                file.write_text(file.read_text() + "# a comment\n")
            case 4:
                file.write_text(chance.choice(["", "x", "- 1\n", WORKSPACE, "kind: Catalog\n"]))
            case 5:
                texts = [text_of(kind, f"d{step}-{kind.lower()}") for kind in chance.sample(KINDS, 2)]
                file.write_text("---\n".join(texts))
            case 6:
                (root / ".reconciler" / "cache" / "specs").unlink(missing_ok=True)
        yield


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_to_files_a_memo_changes_nothing(root: Path, seed: int) -> None:
    for _ in edits(root, random.Random(seed)):
        both(root)
