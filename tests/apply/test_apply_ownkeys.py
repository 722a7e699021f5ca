"""Tokens whose owners bring the public key: nothing secret is made, and nothing is sealed."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from reconciler.apply.interface import Ports
from reconciler.artifacts.interface import Parcel, Recipients
from reconciler.errors import PlanBlocked, ReconcilerError
from reconciler.live.interface import CredentialState, Holder, LiveStore, TokenState
from reconciler.plan.brakes import Block
from tests.apply.breaking import Fuse, How
from tests.apply.kit import (
    DAY,
    T0,
    House,
    auth_token,
    check_quiet,
    check_settled,
    jwt_token,
    own_key,
    own_token,
    rsa_token,
    spec,
)
from tests.kinds.odd_keys import rsa_pem
from tests.records.kit import bodies, documents

PATH = "artifacts/TokenAuth/app.yaml"


def own_rsa(name: str, key: str) -> dict[str, object]:
    what = {"apis": ["a"], "projects": ["p"], "keySize": 2048, "publicKey": key}
    return spec("RSAToken", name, spec=what)


class NeverSeals:
    """A sealer that nobody may ask for anything."""

    def recipients(self, path: str) -> Recipients:
        raise AssertionError(path)

    def seal(self, parcel: Parcel) -> bytes:
        raise AssertionError(parcel.path)


def never_seals(ports: Ports) -> Ports:
    return replace(ports, sealer=NeverSeals())


def changes_on_record(house: House) -> list[dict[str, object]]:
    """The changes of the newest record."""
    found: list[dict[str, object]] = documents(house.store())[-1]["changes"]  # type: ignore[assignment]
    return found


def test_a_token_is_issued_with_its_owners_key_and_nothing_is_sealed(house: House) -> None:
    """No creation rule is needed, no file but the record is written, and the record says no artifact."""
    (house.root / ".sops.yaml").unlink()
    house.declare(own_rsa("signer", rsa_pem()), own_token("app", own_key()))
    plan = house.plan()
    assert plan.blocked == ()
    assert all(change.reasons[1].startswith("its owner brings the key sha256:") for change in plan.changes)
    done = house.apply(never_seals).done
    assert [(one.action, one.path, one.contents, one.removed, one.staged) for one in done] == [
        ("issue", None, None, None, False),
        ("issue", None, None, None, False),
    ]
    assert all("artifact" not in change for change in changes_on_record(house))
    assert [one.credentials[0].public_key for one in house.live().values()] == [own_key(), rsa_pem()]
    assert all(path.startswith("artifacts/records/") for path in house.files())
    check_settled(house)
    check_quiet(house)


def test_one_token_that_is_sealed_still_needs_a_rule(house: House) -> None:
    """The plan says so, of that one alone."""
    (house.root / ".sops.yaml").unlink()
    house.declare(own_token("app", own_key()), jwt_token("sealed"))
    assert [block.rule for block in house.plan().blocked] == ["recipients"]
    with pytest.raises(PlanBlocked):
        house.apply()


def test_a_new_key_works_beside_the_old_one_until_the_overlap_ends(house: House) -> None:
    """A change of the key is a rotation; then the old one is retired."""
    house.declare(own_token("app", own_key(1)))
    house.apply()
    house.declare(own_token("app", own_key(2)))
    (change,) = house.plan().changes
    assert change.action == "rotate"
    assert change.reasons == ("spec.publicKey changed, and the credential or its artifact carries it",)
    (field,) = change.fields
    assert str(field.before).startswith("sha256:")
    assert field.before != field.after
    house.apply(never_seals)
    halves = house.live()["app"].credentials
    assert [(one.public_key, one.state) for one in halves] == [
        (own_key(2), CredentialState.ACTIVE),
        (own_key(1), CredentialState.RETIRING),
    ]
    assert halves[1].not_after == T0 + 7 * DAY
    check_settled(house)
    house.now = T0 + 7 * DAY
    assert [one.action for one in house.apply(never_seals).done] == ["retire"]
    assert [one.public_key for one in house.live()["app"].credentials] == [own_key(2)]
    check_quiet(house)


def test_other_edits_keep_the_key(house: House) -> None:
    """Grants, an owner or a layout by owner: the generation stays, and there is nothing to move."""
    house.declare(own_rsa("signer", rsa_pem()))
    house.apply()
    edited = own_rsa("signer", rsa_pem()) | {"metadata": {"name": "signer", "owner": "team", "title": "T"}}
    house.settings = {"deliver": {"path": "{owner}/{name}"}}
    house.declare(edited)
    assert [(one.action, one.removed) for one in house.apply(never_seals).done] == [("modify", None)]
    assert house.live()["signer"].generation == 1
    check_settled(house)
    check_quiet(house)


def test_another_algorithm_with_the_same_key_is_a_new_generation_and_no_reuse(house: House) -> None:
    """Forth and back again: the token goes on with the key that it has."""
    for number, algorithm in enumerate(("RS256", "PS256", "RS256"), 1):
        house.declare(own_token("app", rsa_pem(), algorithm))
        assert house.plan().blocked == ()
        house.apply(never_seals)
        token = house.live()["app"]
        assert (token.generation, token.credentials[0].algorithm) == (number, algorithm)
        check_settled(house)


def test_from_a_generated_key_to_an_own_one_and_back(house: House) -> None:
    """The artifact leaves the tree with the publish that makes the own key live, and comes back."""
    house.declare(auth_token("app", "ES256"))
    house.apply()
    old = house.live()["app"].credentials[0].public_key
    house.declare(own_token("app", own_key()))
    (done,) = house.apply(never_seals).done
    assert (done.action, done.path, done.removed) == ("rotate", None, PATH)
    assert PATH not in house.files()
    assert changes_on_record(house)[0]["removed"] == PATH
    assert [one.public_key for one in house.live()["app"].credentials] == [own_key(), old]
    check_settled(house)
    check_quiet(house)
    house.declare(auth_token("app", "ES256"))
    (done,) = house.apply().done
    assert (done.action, done.path, done.removed) == ("rotate", PATH, None)
    assert house.live()["app"].generation == 3
    check_settled(house)
    check_quiet(house)


def test_from_a_shared_secret_to_an_own_key(house: House) -> None:
    """What the verifier kept of the secret stays for the overlap, and no longer."""
    house.declare(auth_token("app"))
    house.apply()
    house.declare(own_token("app", own_key()))
    house.apply(never_seals)
    newest, before = house.live()["app"].credentials
    assert newest.sealed_secret is None
    assert before.sealed_secret is not None
    check_settled(house)
    house.now += 8 * DAY
    house.apply()
    assert len(house.live()["app"].credentials) == 1
    check_quiet(house)


def blocks_of(house: House) -> list[Block]:
    """Why the plan is blocked, for no other reason than a key."""
    found = list(house.plan().blocked)
    assert {one.rule for one in found} <= {"public-key-reused"}
    with pytest.raises(PlanBlocked):
        house.apply()
    return found


def test_the_key_of_another_token_is_refused(house: House) -> None:
    """Generated or brought, in force or in its overlap."""
    house.declare(rsa_token("made"), own_token("app", own_key(1)))
    house.apply()
    house.declare(rsa_token("made"), own_token("app", own_key(2)))
    house.apply()
    stolen = str(house.live()["made"].credentials[0].public_key)
    house.declare(
        rsa_token("made"), own_token("app", own_key(2)), own_rsa("thief", stolen), own_token("x", own_key(1))
    )
    first, second = blocks_of(house)
    assert "publicKey of thief is the key of made, of generation 1" in first.message
    assert second.message == (
        "publicKey of x is the key of app, of generation 1, and a key is good for one token, once"
    )
    assert "makes a new key pair" in second.hint


def test_a_key_that_was_is_refused_for_good(house: House) -> None:
    """Of a generation that is retired, of the same token or another; of a token that was deleted."""
    house.declare(own_token("app", own_key(1)), own_token("gone", own_key(3)))
    house.apply()
    house.declare(own_token("app", own_key(2)))
    house.apply()
    house.declare(own_token("app", own_key(2)))
    house.apply()
    house.now += 8 * DAY
    house.apply()
    house.declare(own_token("app", own_key(1)))
    (again,) = blocks_of(house)
    assert "publicKey of app was its key before, of generation 1" in again.message
    house.declare(own_token("app", own_key(2)), own_token("gone", own_key(3)), own_token("new", own_key(1)))
    first, second = blocks_of(house)
    assert "publicKey of gone was the key of another token of that name, id " in first.message
    assert "publicKey of new was the key of app, of generation 1" in second.message


def test_a_key_that_moves_to_another_kind_of_the_same_name_is_refused(house: House) -> None:
    """The token is deleted and another issued: a key outlives no token."""
    house.declare(own_token("app", rsa_pem(), "RS256"))
    house.apply()
    house.declare(own_rsa("app", rsa_pem()))
    (block,) = blocks_of(house)
    assert "publicKey of app is the key of another token of that name" in block.message


def test_a_key_that_comes_back_after_a_generated_one_is_refused(house: House) -> None:
    """Somebody stopped trusting it."""
    for document in (own_token("app", own_key(1)), auth_token("app", "ES256")):
        house.declare(document)
        house.apply()
    house.declare(own_token("app", own_key(1)))
    (block,) = blocks_of(house)
    assert "publicKey of app is its key before, of generation 1" in block.message


def test_the_store_is_asked_for_keys_that_a_plan_puts_in_force_and_for_no_other(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody who brings no key pays for those who do."""
    asked: list[list[str]] = []
    make = type(house.store())
    holders = make.holders

    def listening(store: LiveStore, keys: Collection[str]) -> Sequence[Holder]:
        asked.append(sorted(keys))
        return holders(store, keys)

    monkeypatch.setattr(make, "holders", listening)
    house.declare(jwt_token("one"), own_token("app", own_key(1)))
    house.plan()
    assert asked == [[own_key(1)]]
    house.apply()
    asked.clear()
    house.declare(jwt_token("one", apis=("b",)), own_token("app", own_key(1)), jwt_token("two"))
    house.plan()
    assert asked == []


def test_a_deleted_token_leaves_its_key_in_the_tombstone(house: House) -> None:
    """It has no artifact to take away."""
    house.declare(own_token("app", own_key()), jwt_token("other"))
    house.apply()
    house.declare(jwt_token("other"))
    (done,) = house.apply(never_seals).done
    assert (done.action, done.removed) == ("delete", None)
    (gone,) = house.store().tombstones("app")
    assert gone.state is TokenState.DELETED
    assert [(one.public_key, one.state) for one in gone.credentials] == [(own_key(), CredentialState.RETIRED)]
    check_settled(house)


@pytest.mark.parametrize("how", [How.BEFORE, How.AFTER])
def test_a_switch_can_break_anywhere(tmp_path: Path, how: How) -> None:
    """Before or after each effect in turn: the next run ends it, each change once and on record."""
    start = House(tmp_path / "start", f"sqlite:///{tmp_path}/start/.reconciler/live.db")
    start.declare(
        auth_token("to-own", "ES256"), own_token("from-own", own_key(1)), own_token("own", own_key(2))
    )
    start.apply()
    start.close()
    for number in count():
        root = tmp_path / str(number)
        shutil.copytree(start.root, root)
        house = House(root, f"sqlite:///{root}/.reconciler/live.db")
        house.declare(
            own_token("to-own", own_key(3)),
            auth_token("from-own", "ES256"),
            own_token("own", own_key(4)),
            own_token("new", own_key(5)),
        )
        fuse = Fuse(number, how)
        try:
            house.apply(fuse.wrapped)
        except (ReconcilerError, RuntimeError, OSError, KeyboardInterrupt):
            assert fuse.blown is not None
        house.now += 600
        house.apply()
        check_settled(house)
        check_quiet(house)
        changes = (one for body in bodies(house.store())[1:] for one in body.changes)
        told = sorted((one.name, one.removed) for one in changes if one.outcome == "done")
        assert told == [
            ("from-own", None), ("new", None), ("own", None), ("to-own", "artifacts/TokenAuth/to-own.yaml"),
        ]  # fmt: skip
        assert [one.generation for one in house.live().values()] == [2, 1, 2, 2]
        house.close()
        if fuse.blown is None:
            return


def test_an_own_key_is_on_postgresql_as_it_is_on_sqlite(tmp_path: Path, database: str) -> None:
    """Issue, change of key, reuse."""
    house = House(tmp_path / "house", database)
    house.declare(own_token("app", own_key(1)))
    house.apply(never_seals)
    house.declare(own_token("app", own_key(2)))
    house.apply(never_seals)
    check_settled(house)
    house.declare(own_token("app", own_key(2)), own_token("x", own_key(1)))
    assert len(blocks_of(house)) == 1
    house.close()
