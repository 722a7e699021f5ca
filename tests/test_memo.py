"""A memo is never trusted for more than time: whatever is done to the file, what is read was written here."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.memo import FOLDER, KEY, LARGEST, Memo, find_key
from reconciler.secret import Secret

CHUNKS = [b"first", b"", b"third" * 1000, b"\x00\xff"]


def memo(root: Path, *, key: str = "key", about: str = "v1", path: str = f"{FOLDER}/things") -> Memo:
    return Memo(root, path, Secret(key), about)


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


@pytest.fixture
def kept(tmp_path: Path) -> Memo:
    found = memo(tmp_path)
    found.write(CHUNKS)
    assert list(found.read()) == CHUNKS
    return found


def test_what_is_not_there_has_no_chunks(tmp_path: Path) -> None:
    assert list(memo(tmp_path).read()) == []


@pytest.mark.parametrize("other", [{"key": "another"}, {"about": "v2"}])
def test_under_another_key_or_another_reader_nothing_was_ever_kept(kept: Memo, other: dict[str, str]) -> None:
    assert list(memo(kept.root, **other).read()) == []


def test_a_byte_anywhere_that_is_another_hides_what_follows_and_changes_nothing_of_what_is_read(
    kept: Memo,
) -> None:
    file = kept.root / kept.path
    data = file.read_bytes()
    for place in (*range(200), *range(200, len(data), 97)):
        if place < len(data):
            file.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
            found = list(kept.read())
            assert found == CHUNKS[: len(found)] != CHUNKS


@given(data=st.binary(max_size=400), cut=st.integers(0, 6000))
def test_what_was_cut_or_added_is_no_chunk(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, cut: int
) -> None:
    kept = memo(tmp_path_factory.mktemp("m"))
    kept.write(CHUNKS)
    file = kept.root / kept.path
    file.write_bytes(file.read_bytes()[:cut] + data)
    found = list(kept.read())
    assert found == CHUNKS[: len(found)]


def test_a_size_that_is_a_lie_asks_for_no_memory(kept: Memo) -> None:
    file = kept.root / kept.path
    magic = file.read_bytes().partition(b"\n")[0] + b"\n"
    file.write_bytes(magic + (LARGEST + 1).to_bytes(4, "big") + bytes(40))
    assert list(kept.read()) == []


def test_a_link_that_leads_out_is_neither_read_nor_written(kept: Memo, tmp_path: Path) -> None:
    """A pull request may bring `.reconciler` as a link."""
    away = tmp_path / "away"
    (kept.root / ".reconciler").rename(away)
    (kept.root / ".reconciler").symlink_to(away)
    assert list(kept.read()) == []
    before = (away / "cache" / "things").read_bytes()
    kept.write([b"new"])
    assert (away / "cache" / "things").read_bytes() == before
    assert kept.moment() is None


@pytest.mark.parametrize("place", [".reconciler", FOLDER, f"{FOLDER}/things"])
def test_what_stands_in_the_way_is_no_error(tmp_path: Path, place: str) -> None:
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    if place.endswith("things"):
        (tmp_path / place).mkdir()
    else:
        (tmp_path / place).write_text("a file")
    memo(tmp_path).write([b"x"])
    assert list(memo(tmp_path).read()) == []
    assert not list(tmp_path.rglob(".memo-*"))


def test_a_full_disk_leaves_what_was_there(kept: Memo, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    kept.write([b"new"])
    monkeypatch.undo()
    assert list(kept.read()) == CHUNKS
    assert names((kept.root / kept.path).parent) == ["things"]


def test_of_many_that_write_at_once_one_has_written(tmp_path: Path) -> None:
    one = memo(tmp_path)
    wholes = [[f"{number}".encode() * 500] * 20 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one.write, wholes * 4))
    assert list(one.read()) in wholes


AWAY = Path("/the/top/of/a/repository")


def entropy(size: int) -> bytes:
    return random.randbytes(size)


def test_the_key_is_made_once_and_is_the_users_alone(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: find_key({}, tmp_path, AWAY, entropy), range(40)))
    assert len({key.open() for key in keys if key}) == 1
    assert None not in keys
    file = tmp_path / ".cache" / "reconciler" / "key"
    assert (file.stat().st_mode & 0o777, names(file.parent)) == (0o600, ["key"])


def test_a_key_from_the_environment_touches_no_file(tmp_path: Path) -> None:
    found = find_key({KEY: "shared"}, tmp_path, tmp_path, entropy)
    assert found == Secret("shared")
    assert names(tmp_path) == []


@pytest.mark.parametrize("text", ["", "half"])
def test_a_key_that_is_none_keeps_nothing(tmp_path: Path, text: str) -> None:
    file = tmp_path / "reconciler" / "key"
    file.parent.mkdir()
    file.write_text(text)
    file.chmod(0o600)
    assert find_key({"XDG_CACHE_HOME": str(tmp_path)}, tmp_path / "none", AWAY, entropy) is None


def test_where_no_key_can_be_made_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / ".cache").write_text("a file")
    assert find_key({}, tmp_path, AWAY, entropy) is None


def test_a_key_that_may_have_come_with_a_commit_is_none(tmp_path: Path) -> None:
    """Some pipelines have their home in the checkout."""
    repository = tmp_path / "checkout"
    file = repository / ".cache" / "reconciler" / "key"
    file.parent.mkdir(parents=True)
    file.write_text("0" * 64)
    file.chmod(0o600)
    assert find_key({}, repository, repository, entropy) is None
    (tmp_path / "link").symlink_to(repository)
    assert find_key({}, tmp_path / "link", repository, entropy) is None
    assert find_key({}, repository, tmp_path / "elsewhere", entropy) == Secret("0" * 64)


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o602])
def test_a_key_that_others_may_read_or_write_is_none(tmp_path: Path, mode: int) -> None:
    key = find_key({}, tmp_path, AWAY, entropy)
    assert key is not None
    (tmp_path / ".cache" / "reconciler" / "key").chmod(mode)
    assert find_key({}, tmp_path, AWAY, entropy) is None
