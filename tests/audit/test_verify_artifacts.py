"""Artifacts that were changed, removed, swapped or added are found; what people may do to them is a note."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.audit.verifying.finding import Check
from tests.apply.kit import jwt_token, login_token
from tests.audit.audited import Audited, copied, lived, told

SHOP = "artifacts/LoginToken/shop.yaml"
LINE = "artifacts/JWTToken/line.yaml"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Audited:
    """A workspace with some history, signed: not to be written to."""
    return lived(tmp_path_factory.mktemp("artifacts") / "house")


@pytest.fixture
def house(whole: Audited, tmp_path: Path) -> Audited:
    """A copy to tamper with."""
    return copied(whole, tmp_path / "house")


@pytest.mark.parametrize("share", [0, 0.3, 0.6, 0.999])
def test_a_byte_that_was_changed_is_found(share: float, house: Audited) -> None:
    """Whatever it stands for: a file that still names its token is a note, as after a reseal."""
    path = house.root / SHOP
    data = bytearray(path.read_bytes())
    data[int(len(data) * share)] ^= 1
    path.write_bytes(data)
    house.commit("edit")
    found = {(one.check, one.where) for one in house.found().found}
    assert {(Check.ARTIFACT_CHANGED, SHOP), (Check.ARTIFACT_RESEALED, SHOP)} & found


def test_what_is_removed_is_found(house: Audited) -> None:
    """By the record that put it there."""
    (house.root / SHOP).unlink()
    house.commit("remove")
    assert told(house.found()) == {(Check.ARTIFACT_MISSING, SHOP)}


def test_what_is_added_is_found(house: Audited) -> None:
    """A file, a link, and one that lies deep."""
    (house.root / "artifacts" / "more").mkdir()
    (house.root / "artifacts" / "more" / "x.yaml").write_text("x: 1\n")
    (house.root / "artifacts" / "link.yaml").symlink_to("more/x.yaml")
    house.commit("more")
    places = {"artifacts/more/x.yaml", "artifacts/link.yaml"}
    assert told(house.found()) == {(Check.ARTIFACT_UNEXPLAINED, place) for place in places}


def test_an_older_generation_in_its_place_is_found(house: Audited) -> None:
    """It opens for its owner, and holds what was rotated away."""
    old = house.repo.git("rev-list", "--reverse", "HEAD", "--", SHOP).split()[0]
    house.repo.git("checkout", old, "--", SHOP)
    house.commit("replay")
    (found,) = house.found().faults
    assert (found.check, found.where) == (Check.ARTIFACT_CHANGED, SHOP)
    assert "generation 1, not 2" in found.message


def test_two_that_were_swapped_are_found(house: Audited) -> None:
    """Each is of another token."""
    one, other = house.root / SHOP, house.root / LINE
    data = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(data)
    house.commit("swap")
    found = house.found().faults
    assert {(one.check, one.where) for one in found} == {
        (Check.ARTIFACT_CHANGED, SHOP),
        (Check.ARTIFACT_CHANGED, LINE),
    }
    assert all("another token" in one.message for one in found)


def test_a_link_in_the_place_of_one_is_found(house: Audited) -> None:
    """Even where it leads to the very file."""
    path = house.root / SHOP
    path.rename(house.root / "elsewhere.yaml")
    path.symlink_to("../../elsewhere.yaml")
    house.commit("link")
    assert (Check.ARTIFACT_CHANGED, SHOP) in told(house.found())


def test_one_that_was_encrypted_anew_is_a_note(house: Audited) -> None:
    """As a person does who can open it; only such a person can tell that it holds the same."""
    house.reseal("shop")
    house.commit("reseal")
    report = house.found()
    assert report.faults == []
    assert (Check.ARTIFACT_RESEALED, SHOP) in {(one.check, one.where) for one in report.notes}


def test_one_that_was_moved_is_a_note(house: Audited) -> None:
    """The next apply takes it up."""
    (house.root / SHOP).rename(house.root / "artifacts" / "LoginToken" / "other.yaml")
    house.commit("move")
    report = house.found()
    assert report.faults == []
    assert Check.ARTIFACT_MOVED in {one.check for one in report.notes}


def test_other_bytes_at_the_commit_of_the_record_are_found(house: Audited) -> None:
    """The record was committed with a file that is not the one that it tells of; later it was put right."""
    house.asks(jwt_token("line", apis=("b",)), login_token("shop", shop="U"))
    house.now += 60
    house.apply()
    right = (house.root / SHOP).read_bytes()
    (house.root / SHOP).write_bytes(b"wrong\n")
    commit = house.commit("apply")
    (house.root / SHOP).write_bytes(right)
    house.commit("right")
    (found,) = house.found().faults
    assert (found.check, found.where) == (Check.ARTIFACT_DIGEST, SHOP)
    assert commit[:10] in found.message


def test_two_applies_in_one_commit_leave_what_nobody_can_check_and_say_so(house: Audited) -> None:
    """The first artifact is in no commit: that is a note, and no fault."""
    for shop in ("U", "V"):
        house.declare(jwt_token("line", apis=("b",)), login_token("shop", shop=shop))
        house.repo.git("commit", "--quiet", "-m", "specs", "specs")
        house.now += 60
        house.apply()
    house.commit("both")
    report = house.found()
    assert report.faults == []
    assert Check.ARTIFACT_SUPERSEDED in {one.check for one in report.notes}
