"""Artifacts that were changed, removed, swapped or added are found; what people may do to them is a note."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from reconciler.artifacts import identities
from reconciler.artifacts.age import NativeSealer
from reconciler.artifacts.opener import FileOpener, still_sealed
from reconciler.artifacts.resealing import Resealer
from reconciler.artifacts.rules import parse
from reconciler.artifacts.sealing import RuleSealer
from reconciler.audit.verifying.finding import Check
from reconciler.audit.verifying.resealed import Sealed, judged
from reconciler.errors import ArtifactTampered
from tests.apply.kit import jwt_token, login_token, owner
from tests.audit.audited import Audited, copied, lived, told

SHOP = "artifacts/LoginToken/shop.yaml"
LINE = "artifacts/JWTToken/line.yaml"
ALLY = identities.generate()[0]
"""Recipient of one who is let in."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Audited:
    """A workspace with some history, signed: not to be written to."""
    return lived(tmp_path_factory.mktemp("artifacts") / "house")


@pytest.fixture
def house(whole: Audited, tmp_path: Path) -> Audited:
    """A copy to tamper with."""
    return copied(whole, tmp_path / "house")


FAULTS = {Check.ARTIFACT_CHANGED, Check.ARTIFACT_REKEYED}
"""What a file may be found to be that is not what its record put there."""


def checks(house: Audited, path: str = SHOP) -> set[Check]:
    """What was found of a file, notes too."""
    return {one.check for one in house.found().found if one.where == path}


@pytest.mark.parametrize("share", [0, 0.5, 0.999])
def test_a_byte_that_was_changed_is_found(share: float, house: Audited) -> None:
    """Whatever it stands for, and wherever in the file it stands."""
    path = house.root / SHOP
    data = bytearray(path.read_bytes())
    data[int(len(data) * share)] ^= 1
    path.write_bytes(data)
    house.commit("edit")
    assert checks(house) & FAULTS


def test_no_byte_can_be_changed_as_if_a_reseal_had_done_it(whole: Audited) -> None:
    """Each byte in turn, one bit or all that follows: none is taken for a reseal."""
    data = (whole.root / SHOP).read_bytes()
    recorded = sealed(data)
    assert recorded is not None
    for at in range(len(data)):
        for edited in (
            data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :],
            data[:at] + data[at + 3 :],
            data[:at] + b"0" + data[at:],
        ):
            found = sealed(edited)
            if found is not None and found.header == recorded.header and edited != data:
                check, told_of = judged(recorded, found)
                assert check in FAULTS, (at, edited[max(at - 20, 0) : at + 20], told_of)


def sealed(data: bytes) -> Sealed | None:
    """A file taken apart; None where it is no artifact."""
    try:
        form, document = still_sealed(data, SHOP)
        return Sealed(form, document, form.header(document.tree))
    except ArtifactTampered:
        return None


def test_a_secret_that_was_replaced_by_plain_text_is_found(house: Audited) -> None:
    """Its header says that it is of the same token, and somebody else can open it."""
    path = house.root / SHOP
    text = path.read_text()
    gutted = re.sub(r"ENC\[[^]]*\]", "hello", text, count=2)
    path.write_text(re.sub(r"recipient: age1\S+", f"recipient: {ALLY}", gutted))
    house.commit("gut")
    assert checks(house) == {Check.ARTIFACT_CHANGED}


def test_one_that_was_gutted_and_moved_is_found(house: Audited) -> None:
    """Where it stands now: that it was moved is a note, what it holds is none."""
    moved = house.root / "artifacts" / "LoginToken" / "other.yaml"
    moved.write_text(re.sub(r"ENC\[[^]]*\]", "hello", (house.root / SHOP).read_text(), count=2))
    (house.root / SHOP).unlink()
    house.commit("move")
    assert checks(house, "artifacts/LoginToken/other.yaml") == {Check.ARTIFACT_CHANGED, Check.ARTIFACT_MOVED}


def resealed(house: Audited, *recipients: str) -> None:
    """The rules name some recipients, and a person who can open the artifact ran `reseal`."""
    rules = f"creation_rules:\n  - age: {','.join(recipients)}\n"
    (house.root / ".sops.yaml").write_text(rules, "utf-8")
    config = parse(rules.encode())
    program = NativeSealer(os.urandom)
    sealer = RuleSealer(config.match, program, program)
    resealer = Resealer(FileOpener(identities.parse(owner()[1], "test")), sealer, Nobody())
    path = house.root / SHOP
    path.write_bytes(resealer.reseal(path.read_bytes(), SHOP, config.match(SHOP), None, house.now))
    house.commit("reseal")


class Nobody:
    """No program is there to admit anybody."""

    def admit(self, data: bytes, packed: object, rule: object) -> bytes:
        """Is not asked."""
        raise AssertionError(data, packed, rule)


def test_one_that_was_resealed_is_a_note_and_says_who_came_and_left(house: Audited) -> None:
    """Where somebody comes, each value is as it was; where one only leaves, there is a new key."""
    resealed(house, owner()[0], ALLY)
    (note,) = [one for one in house.found().notes if one.check is Check.ARTIFACT_RESEALED]
    assert f"the same values for others: {ALLY} came" in note.message
    house.applies()
    assert checks(house) == set()
    resealed(house, owner()[0])
    report = house.found()
    (note,) = [one for one in report.notes if one.check is Check.ARTIFACT_RESEALED]
    assert f"without some of its recipients: {ALLY} left" in note.message
    assert report.faults == []
    house.applies()
    assert checks(house) == set()


def test_one_whose_values_are_others_for_the_same_recipients_is_found(house: Audited) -> None:
    """Everybody can encrypt anything for an owner: until an apply records it, nobody vouches for it."""
    house.reseal("shop")
    house.commit("reseal")
    assert told(house.found()) == {(Check.ARTIFACT_REKEYED, SHOP)}
    house.applies()
    assert told(house.found()) == set()


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


def test_a_file_for_git_needs_no_record_and_nothing_hides_behind_its_name(house: Audited) -> None:
    """A short text is one; an artifact, something long, what is no text, and a link are none."""
    folder = house.root / "artifacts"
    (folder / ".gitattributes").write_text("*.yaml -diff\n")
    (folder / "LoginToken" / ".gitkeep").touch()
    house.commit("git")
    assert told(house.found()) == set()
    hidden = {
        "a/.gitignore": (house.root / SHOP).read_bytes(),
        "b/.gitattributes": b"# x\n" * 1025,
        "c/.gitkeep": b"\xff\xfe\x00",
        "d/.gitkeep": b"x\x00y",
    }
    for path, data in hidden.items():
        house.repo.write(f"artifacts/{path}", data)
    (folder / "e").mkdir()
    (folder / "e" / ".gitkeep").symlink_to("../JWTToken/line.yaml")
    house.commit("more")
    places = {f"artifacts/{path}" for path in (*hidden, "e/.gitkeep")}
    assert told(house.found()) == {(Check.ARTIFACT_UNEXPLAINED, place) for place in places}
