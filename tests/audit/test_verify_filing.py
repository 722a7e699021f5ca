"""Records that were moved away are removed; what never was a record can be taken out again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.audit.verifying.filing import filed
from reconciler.audit.verifying.finding import Check
from reconciler.git.logs import Touch
from reconciler.readers.auditing import Auditing
from tests.apply.kit import jwt_token, login_token
from tests.audit.audited import Audited, copied, lived, told

FOREIGN = "artifacts/records/99999999-aa.json"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Audited:
    """A workspace with some history, signed: not to be written to."""
    return lived(tmp_path_factory.mktemp("filing") / "house")


@pytest.fixture
def house(whole: Audited, tmp_path: Path) -> Audited:
    """A copy to tamper with."""
    return copied(whole, tmp_path / "house")


def settles(house: Audited, folder: str, *, message: str = "folder") -> str:
    """The Workspace document names another artifacts folder."""
    house.settings = {**house.settings, "artifacts": folder}
    return house.asks(jwt_token("line", apis=("b",)), login_token("shop", shop="T"), message=message)


def moves(house: Audited, source: Path, target: str, message: str | None = "move") -> None:
    """With `git mv`; the folders above the target are made."""
    (house.root / target).parent.mkdir(parents=True, exist_ok=True)
    house.repo.git("mv", source.relative_to(house.root).as_posix(), target)
    if message is not None:
        house.commit(message)


def removed(house: Audited) -> set[str]:
    """The names of the records that are told as removed."""
    return {where.rpartition("/")[2] for check, where in told(house.found()) if check == "record-removed"}


@pytest.mark.parametrize("folder", ["aaa", "zzz"])
def test_a_record_that_moved_where_none_are_looked_for_is_removed(folder: str, house: Audited) -> None:
    """Whatever folder the settings named for one commit, and whichever path git tells first."""
    settles(house, folder)
    settles(house, "artifacts")
    last = house.records()[-1]
    moves(house, last, f"{folder}/records/{last.name}")
    assert removed(house) == {last.name}


@pytest.mark.parametrize("folder", ["aaa", "zzz"])
def test_a_record_that_moved_along_with_a_setting_that_was_taken_back_is_removed(
    folder: str, house: Audited
) -> None:
    """At its commit the move was in order; the record is not there now, and that is what counts."""
    last = house.records()[-1]
    moves(house, last, f"{folder}/records/{last.name}", None)
    settles(house, folder)
    settles(house, "artifacts")
    assert removed(house) == {last.name}


def test_a_record_that_moved_to_the_folder_of_others_is_removed(house: Audited) -> None:
    """Records of a workspace that keeps them elsewhere are not looked for where they stand by default."""
    moves(house, house.root / "artifacts", "sealed", None)
    settles(house, "sealed")
    assert removed(house) == set()
    last = max((house.root / "sealed" / "records").iterdir())
    moves(house, last, f"artifacts/records/{last.name}")
    assert removed(house) == {last.name}


def test_records_that_move_with_their_folder_are_notes(house: Audited) -> None:
    """Twice, and back: each move goes where the settings of its commit, or those of now, want records."""
    names = {path.name for path in house.records()}
    for source, target in (("artifacts", "zzz"), ("zzz", "aaa"), ("aaa", "artifacts")):
        moves(house, house.root / source, target, None)
        settles(house, target)
    report = house.found()
    assert told(report) == set()
    moved = [one for one in report.notes if one.check is Check.RECORD_MOVED]
    assert len(moved) == 3 * len(names)


def nothing(_: Audited) -> str:
    """A file that is no record."""
    return "{}"


def forged(house: Audited) -> str:
    """What another record says."""
    return house.records()[0].read_text()


@pytest.mark.parametrize("text", [nothing, forged])
def test_what_never_was_a_record_is_a_note_when_it_was_taken_out(
    text: Callable[[Audited], str], house: Audited
) -> None:
    """Else one commit of anybody makes the records red for ever."""
    house.repo.write(FOREIGN, text(house))
    house.commit("more")
    there = told(house.found())
    assert there
    if text is nothing:
        assert there == {(Check.RECORD_FOREIGN, FOREIGN)}
    (house.root / FOREIGN).unlink()
    commit = house.commit("out")
    report = house.found()
    assert told(report) == set()
    (note,) = [one for one in report.notes if one.check is Check.RECORD_FOREIGN_REMOVED]
    assert (note.where, commit[:10] in note.message) == (FOREIGN, True)


def test_a_record_that_was_emptied_before_it_was_removed_is_no_foreign_one(house: Audited) -> None:
    """It was one once: an edit does not make it a stranger."""
    last = house.records()[-1]
    last.write_text("{}")
    house.commit("empty")
    checks = {check for check, where in told(house.found()) if where.endswith(last.name)}
    assert checks >= {Check.RECORD_UNREADABLE, Check.RECORD_CHANGED_LATER}
    last.unlink()
    house.commit("out")
    assert removed(house) == {last.name}


def test_a_submodule_among_the_records_is_foreign(house: Audited) -> None:
    """What it holds is in another repository: nothing of it is read."""
    entry = f"160000,{'1' * 40},{FOREIGN}"
    house.repo.git("update-index", "--add", "--cacheinfo", entry)
    house.repo.git("commit", "--quiet", "-m", "sub")
    assert told(house.found()) == {(Check.RECORD_FOREIGN, FOREIGN)}


def test_a_record_in_a_folder_below_the_records_is_foreign(house: Audited) -> None:
    """No apply puts one there, and none looks for one there."""
    last = house.records()[-1]
    place = f"artifacts/records/sub/{last.name}"
    moves(house, last, place)
    found = told(house.found())
    assert (Check.RECORD_FOREIGN, place) in found
    assert removed(house) == {last.name}


@pytest.mark.parametrize("copied", [True, False])
def test_no_reader_takes_a_record_in_a_folder_below_the_records(*, copied: bool, house: Audited) -> None:
    """What verify calls foreign, `log` and `access` do not believe, and a copy does not stop them."""
    last = house.records()[-1]
    below = last.parent / "sub" / last.name
    below.parent.mkdir()
    below.write_bytes(last.read_bytes())
    if not copied:
        last.unlink()
    commit = house.commit("below")
    believed = [one.path for one in Auditing(house.workspace()).records(commit)]
    assert believed == [path.relative_to(house.root).as_posix() for path in house.records()]
    assert (Check.RECORD_FOREIGN, below.relative_to(house.root).as_posix()) in told(house.found())


def test_a_record_that_only_a_merge_touched_and_that_is_not_there_is_removed() -> None:
    """Also where no commit is told to have added it: what was there once is there, or is told."""
    name, blob = "00000001-aa.json", "a" * 40
    touch = Touch("c" * 40, 0, f"artifacts/records/{name}", (blob, "b" * 40), "d" * 40, "AM")
    found = filed([touch], {}, {}, lambda _: False)
    assert Check.RECORD_REMOVED in {one.check for one in found}
