"""Artifacts that nobody touched stay closed, and a memo of them changes no plan."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler import workspace as opened
from reconciler.apply import observe, untouched
from reconciler.apply.untouched import ABOUT
from reconciler.memo import MOMENT, Memo
from reconciler.secret import Secret
from tests.apply.kit import House, jwt_token, login_token

COUNT = 8
PLACE = ".reconciler/cache/artifacts"


@pytest.fixture(autouse=True)
def worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few there are, and however young: as if the run had begun long after the files were written."""
    monkeypatch.setattr(untouched, "WORTH_KEEPING", 1)
    monkeypatch.setattr(opened, "WORTH_KEEPING", 1)
    monkeypatch.setattr(untouched, "MOMENT", -10 * MOMENT)


@pytest.fixture
def live(house: House) -> House:
    """A workspace with artifacts, all of which were looked at once."""
    half = range(COUNT // 2)
    house.declare(
        *(jwt_token(f"j{number}") for number in half), *(login_token(f"l{number}") for number in half)
    )
    house.apply()
    assert house.plan().changes == ()
    return house


def planned(house: House) -> list[str]:
    """What is planned with a memo, which must be what is planned without."""
    found = house.plan()
    shutil.rmtree(house.root / ".reconciler" / "cache", ignore_errors=True)
    again = house.plan()
    assert (found.changes, found.warnings) == (again.changes, again.warnings)
    return [f"{change.action.value} {change.name}" for change in found.changes]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The artifacts that were opened."""
    found: list[str] = []
    real = observe.read_artifact

    def noted(path: Path, *, sync: bool = False) -> bytes | None:
        found.append(path.stem)
        return real(path, sync=sync)

    monkeypatch.setattr(observe, "read_artifact", noted)
    return found


def artifact(house: House, name: str) -> Path:
    (found,) = (house.root / "artifacts").glob(f"*/{name}.*")
    return found


def test_what_nobody_touched_is_not_opened_again(live: House, read: list[str]) -> None:
    live.plan()
    assert read == []
    artifact(live, "j1").touch()
    assert live.plan().changes == ()
    assert read == ["j1"]


def test_a_change_that_keeps_size_and_time_is_seen(live: House, read: list[str]) -> None:
    """As whoever swaps a sealed value for another would like it."""
    file = artifact(live, "j1")
    seen, data = file.stat(), file.read_bytes()
    file.write_bytes(data.replace(b"JWTToken", b"RSAToken"))
    os.utime(file, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert file.stat().st_size == seen.st_size
    assert planned(live) == ["rotate j1"]


def test_another_file_in_its_place_is_seen(live: House) -> None:
    first, second = artifact(live, "j1"), artifact(live, "j2")
    second.replace(first)
    assert planned(live) == ["rotate j1", "rotate j2"]


def test_a_folder_that_became_a_link_is_seen(live: House, tmp_path: Path) -> None:
    """The files behind it are the very same."""
    folder = live.root / "artifacts" / "JWTToken"
    folder.rename(live.root / "away")
    folder.symlink_to(live.root / "away")
    assert planned(live) == [f"rotate j{number}" for number in range(COUNT // 2)]


def test_what_was_known_of_another_generation_does_not_count(live: House) -> None:
    """The file is as it was, and live wants another."""
    data = {number: artifact(live, f"j{number}").read_bytes() for number in range(COUNT // 2)}
    live.declare(*(jwt_token(f"j{number}", algorithm="ES256") for number in data))
    live.apply()
    kept = (live.root / PLACE).read_bytes() if (live.root / PLACE).exists() else b""
    for number, old in data.items():
        artifact(live, f"j{number}").write_bytes(old)
    (live.root / PLACE).write_bytes(kept)
    assert planned(live) == [f"rotate j{number}" for number in data]


def test_a_memo_that_somebody_brings_is_not_believed(live: House, read: list[str]) -> None:
    entries = dict(untouched._entries(memo(live)))
    assert len(entries) == COUNT
    Memo(live.root, PLACE, Secret("the attacker's own"), ABOUT).write(untouched._chunks(entries, 1 << 62))
    live.plan()
    assert len(read) == COUNT


def memo(house: House) -> Memo:
    found = house.workspace().around.memo(house.root, "artifacts", ABOUT)
    assert found is not None
    return found


def test_what_was_written_while_it_was_read_is_opened_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within one moment of the file system, a second change may leave no mark."""
    monkeypatch.setattr(untouched, "MOMENT", MOMENT)
    house.declare(jwt_token("j1"))
    house.apply()
    now = memo(house).moment()
    assert now is not None
    os.utime(artifact(house, "j1"), ns=(now, now))
    house.plan()
    assert list(untouched._entries(memo(house))) == []


def harm(house: House, chance: random.Random) -> Iterator[None]:
    """Some of all that may happen to artifacts between two runs."""
    files = sorted(path for path in (house.root / "artifacts").glob("*/*") if path.parent.name != "records")
    whole = {path: path.read_bytes() for path in files}
    for _ in range(25):
        file = chance.choice(files)
        match chance.randrange(5):
            case 0:
                file.unlink(missing_ok=True)
            case 1:
                file.write_bytes(whole[file])
            case 2:
                file.write_bytes(whole[chance.choice(files)])
            case 3 if file.exists():
                file.touch()
            case 4:
                file.write_bytes(whole[file].replace(b"mac", b"cam", 1))
        yield


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_to_artifacts_a_memo_changes_nothing(live: House, seed: int) -> None:
    for _ in harm(live, random.Random(seed)):
        live.plan()
        assert planned(live) == [f"{one.action.value} {one.name}" for one in live.plan().changes]
