"""Artifacts in the tree that are taken as they are: moved to another place, encrypted anew, or forged."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from reconciler.artifacts import identities
from reconciler.artifacts.interface import Parcel
from reconciler.errors import ArtifactTampered, ReconcilerError
from reconciler.secret import Secret
from tests.apply.breaking import Fuse, How
from tests.apply.kit import House, check_quiet, check_settled, header, jwt_token, owner, rsa_token
from tests.live.hands import edit

TEAMS: dict[str, object] = {"deliver": {"path": "{owner}/{kind}/{name}"}}


def _rules(house: House, text: str) -> None:
    (house.root / ".sops.yaml").write_text(f"creation_rules:\n{text}\n", "utf-8")
    house._workspace = None


def _owned(name: str, team: str, apis: tuple[str, ...] = ("a",)) -> dict[str, object]:
    return jwt_token(name, apis) | {"metadata": {"name": name, "owner": team}}


def test_another_layout_moves_every_artifact_and_makes_no_credential(house: House) -> None:
    """The bytes are the same, the old place is empty, and the live store says the new one."""
    house.declare(_owned("one", "a"), _owned("two", "b"))
    house.apply()
    before = house.files()
    house.settings = TEAMS
    house.declare(_owned("one", "a"), _owned("two", "b"))
    done = house.apply().done
    assert [(one.action, one.path, one.removed) for one in done] == [
        ("modify", "artifacts/a/JWTToken/one.yaml", "artifacts/JWTToken/one.yaml"),
        ("modify", "artifacts/b/JWTToken/two.yaml", "artifacts/JWTToken/two.yaml"),
    ]
    after = house.files()
    assert after["artifacts/a/JWTToken/one.yaml"] == before["artifacts/JWTToken/one.yaml"]
    assert "artifacts/JWTToken/one.yaml" not in after
    assert house.live()["one"].generation == 1
    check_settled(house)
    check_quiet(house)


def test_a_new_owner_with_the_same_recipients_gets_the_same_secret(house: House) -> None:
    """The artifact moves into the folder of the new team, in the same change as the edit."""
    house.settings = TEAMS
    house.declare(_owned("one", "a"))
    house.apply()
    house.declare(_owned("one", "b"))
    (done,) = house.apply().done
    assert (done.action, done.path) == ("modify", "artifacts/b/JWTToken/one.yaml")
    check_quiet(house)


def test_a_new_owner_with_other_recipients_gets_a_new_secret(house: House) -> None:
    """A team's rule covers a team's tokens: who had the secret before is no recipient now."""
    other = identities.generate()[0]
    house.settings = TEAMS
    house.declare(_owned("one", "a"))
    _rules(house, f"  - {{path_regex: ^artifacts/b/, age: {other}}}\n  - age: {owner()[0]}")
    house.apply()
    house.declare(_owned("one", "b"))
    (change,) = house.plan().changes
    assert change.action == "rotate"
    assert change.reasons[0].startswith(f"it was sealed to {owner()[0][:20]}")
    (done,) = house.apply().done
    assert (done.path, done.removed) == ("artifacts/b/JWTToken/one.yaml", "artifacts/a/JWTToken/one.yaml")
    assert house.live()["one"].artifact_recipients == (other,)
    assert house.plan().changes == ()


def test_an_edit_and_an_artifact_that_was_encrypted_anew_are_one_apply(house: House) -> None:
    """Both are in the record of one run, and the next plans nothing."""
    house.declare(rsa_token("one"))
    house.apply()
    house.reseal("one")
    house.declare(rsa_token("one", apis=("a", "b")))
    (done,) = house.apply().done
    assert (done.action, done.path, done.removed) == ("modify", "artifacts/RSAToken/one.yaml", None)
    assert not done.staged
    check_settled(house)
    check_quiet(house)


@pytest.mark.parametrize("how", [How.BEFORE, How.AFTER])
def test_a_move_can_break_anywhere(tmp_path: Path, how: How) -> None:
    """Before or after each effect in turn: the next run ends it, and no sealed byte is ever lost."""
    start = House(tmp_path / "start", f"sqlite:///{tmp_path}/start/.reconciler/live.db")
    start.declare(_owned("one", "a"), _owned("two", "b"))
    start.apply()
    start.reseal("two")
    sealed = set(start.files().values()) - {data for data in start.files().values() if b"record/v1" in data}
    start.close()
    for number in count():
        root = tmp_path / str(number)
        shutil.copytree(start.root, root)
        house = House(root, f"sqlite:///{root}/.reconciler/live.db", settings=TEAMS)
        house.declare(_owned("one", "a", ("z",)), _owned("two", "b"))
        fuse = Fuse(number, how)
        try:
            house.apply(fuse.wrapped)
        except (ReconcilerError, RuntimeError, OSError, KeyboardInterrupt):
            assert sealed <= set(house.files().values())
        house.now += 600
        house.apply()
        check_settled(house)
        check_quiet(house)
        assert sorted(house.live()[name].generation for name in ("one", "two")) == [1, 1]
        house.close()
        if fuse.blown is None:
            return


def test_a_forgery_is_not_taken_for_what_was_sealed(house: House) -> None:
    """Anyone can seal to public recipients, header and all. Applied or not, no reader takes it."""
    house.declare(jwt_token("one"))
    house.apply()
    token = house.live()["one"]
    true = (house.root / str(token.artifact_path)).read_bytes()
    forged = Parcel(
        header(token),
        {**house.opened(token), "secret_id": Secret("what the forger would like it to be")},
        str(token.artifact_path),
        "yaml",
        house.now,
    )
    (house.root / str(token.artifact_path)).write_bytes(house.workspace().sealer.seal(forged))
    with pytest.raises(ArtifactTampered, match="it was forged, or its values were edited"):
        house.opened(token)
    assert [change.action for change in house.plan().changes] == ["reseal"]
    house.apply()
    with pytest.raises(ArtifactTampered, match="it was forged, or its values were edited"):
        house.opened(house.live()["one"])
    (house.root / str(token.artifact_path)).write_bytes(true)
    house.apply()
    assert house.opened(house.live()["one"])


def test_a_token_of_an_older_store_learns_its_recipients_from_the_file(house: House) -> None:
    """What was not kept is read: a recipient who left is found there too."""
    house.declare(jwt_token("one"))
    house.apply()
    token = replace(house.live()["one"], artifact_recipients=None, artifact_contents=None)
    from reconciler.apply.observe import Observer

    assert Observer(house.root, house.workspace().specs.place).look(token).recipients == (owner()[0],)
    assert house.opened(token)


def test_an_artifact_that_was_moved_by_hand_is_taken_up_where_it_is(house: House) -> None:
    """`git mv` in the change that edits the layout, or the folder of all artifacts: no new credential."""
    house.declare(_owned("one", "a"))
    house.apply()
    (house.root / "artifacts").rename(house.root / "sealed")
    house.settings = {"artifacts": "sealed", **TEAMS}
    (house.root / "sealed/a/JWTToken").mkdir(parents=True)
    (house.root / "sealed/JWTToken/one.yaml").rename(house.root / "sealed/a/JWTToken/one.yaml")
    house.declare(_owned("one", "a"))
    (change,) = house.plan().changes
    assert (change.action, change.reasons) == (
        "modify",
        ("its artifact was moved from artifacts/JWTToken/one.yaml to sealed/a/JWTToken/one.yaml",),
    )
    house.apply()
    assert house.opened(house.live()["one"])
    assert house.live()["one"].generation == 1
    assert house.plan().changes == ()


def test_another_file_where_the_spec_wants_it_is_no_moved_artifact(house: House) -> None:
    """The header must be right; else the artifact is missing."""
    house.declare(_owned("one", "a"), _owned("two", "a"))
    house.apply()
    (house.root / "artifacts/a/JWTToken").mkdir(parents=True)
    (house.root / "artifacts/JWTToken/two.yaml").rename(house.root / "artifacts/a/JWTToken/one.yaml")
    (house.root / "artifacts/JWTToken/one.yaml").unlink()
    house.settings = TEAMS
    house.declare(_owned("one", "a"), _owned("two", "a"))
    assert [(change.action, change.reasons[0]) for change in house.plan().changes] == [
        ("rotate", "its artifact is missing"),
        ("rotate", "its artifact is missing"),
    ]


def test_the_artifacts_folder_changes_with_its_files_or_not_at_all(house: House) -> None:
    """Without them the plan is blocked, and says what to do."""
    house.declare(jwt_token("one"))
    house.apply()
    house.settings = {"artifacts": "sealed"}
    house.declare(jwt_token("one"))
    (block,) = house.plan().blocked
    assert block.rule == "artifacts-missing"
    assert "git mv artifacts sealed" in block.hint


def test_who_was_a_recipient_while_the_token_rested_is_remembered(house: House) -> None:
    """Let in and shut out again while it was off: when it is on, it rotates."""
    passing = identities.generate()[0]
    house.declare(jwt_token("one", lifecycle={"enabled": False}))
    house.apply()
    _rules(house, f"  - age: {owner()[0]},{passing}")
    house.reseal("one")
    _rules(house, f"  - age: {owner()[0]}")
    assert [change.action for change in house.plan().changes] == ["reseal"]
    house.apply()
    assert passing in (house.live()["one"].artifact_recipients or ())
    house.declare(jwt_token("one"))
    (change,) = house.plan().changes
    assert (change.action, passing[:20] in change.reasons[0]) == ("rotate", True)


def test_an_artifact_that_was_replaced_before_recipients_were_kept_rotates(house: House) -> None:
    """Of a token from an older store nobody knows who could open it before."""
    house.declare(jwt_token("one"))
    house.apply()
    house.close()
    edit(house.url, "UPDATE token SET artifact_recipients = NULL")
    assert house.plan().changes == ()
    house.reseal("one")
    (change,) = house.plan().changes
    assert change.reasons == (
        "its artifact is another file now, and nobody kept to whom it was sealed before",
    )
    house.apply()
    check_quiet(house)


def test_a_file_that_nobody_can_open_is_no_artifact(house: House) -> None:
    """Its header is right, and no recipient stands in it."""
    house.declare(jwt_token("one", deliver={"format": "json"}))
    house.apply()
    place = house.root / "artifacts/JWTToken/one.json"
    document = json.loads(place.read_text())
    document["sops"]["age"] = []
    place.write_text(json.dumps(document, indent="\t"))
    (change,) = house.plan().changes
    assert change.reasons == ("its artifact cannot be read",)


def test_a_disk_that_does_not_tell_upper_from_lower_case_loses_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There, the new place is the old file. The disk is played: every path is folded to lower case."""
    house.settings = {"deliver": {"path": "{owner}/{name}"}}
    house.declare(_owned("one", "team"))
    house.apply()
    unlink, replaced, same, opened = Path.unlink, Path.replace, Path.samefile, os.open

    def folded(path: os.PathLike[str] | str) -> Path:
        below = Path(path).relative_to(house.root) if Path(path).is_relative_to(house.root) else None
        under = below is not None and below.parts[:1] == ("artifacts",) and below.parts[1:2] != (".staging",)
        return house.root / below.as_posix().lower() if under and below else Path(path)

    monkeypatch.setattr(Path, "unlink", lambda path, missing_ok=False: unlink(folded(path), missing_ok))
    monkeypatch.setattr(Path, "replace", lambda path, to: replaced(path, folded(to)))
    monkeypatch.setattr(Path, "samefile", lambda one, other: same(folded(one), folded(other)))
    monkeypatch.setattr(os, "open", lambda path, *rest: opened(folded(path), *rest))
    house.declare(_owned("one", "Team"))
    house.apply()
    assert house.live()["one"].artifact_path == "artifacts/Team/one.yaml"
    assert (house.root / "artifacts/team/one.yaml").exists()


def test_creation_rules_that_cannot_be_read_are_a_warning(house: House) -> None:
    """Nobody can tell then whether somebody is sealed to who should not be."""
    house.declare(jwt_token("one"))
    house.apply()
    (house.root / ".sops.yaml").write_text("[")
    house._workspace = None
    plan = house.plan()
    assert plan.changes == ()
    assert [warned.rule for warned in plan.warnings] == ["rules-unusable"]


def test_an_artifact_to_take_up_that_no_rule_seals_blocks_the_plan(house: House) -> None:
    """Better known before anything is done."""
    house.declare(jwt_token("one"))
    house.apply()
    house.reseal("one")
    _rules(house, f"  - {{path_regex: ^other/, age: {owner()[0]}}}")
    assert [block.rule for block in house.plan().blocked] == ["recipients"]
