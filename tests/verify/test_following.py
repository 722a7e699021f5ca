"""A verifier in process follows what apply commits, on each make of store."""

from __future__ import annotations

import json
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from reconciler.errors import SettingsError, StoreUnreadable
from reconciler.kinds.checking import Reason
from reconciler.live.interface import LiveStore
from reconciler.live.opening import open_store
from reconciler.verify.check import Rules
from reconciler.verify.verifier import Verifier
from tests.apply.kit import DAY, House, auth_token, jwt_token, login_token, rsa_token
from tests.servers import Postgres, postgres
from tests.verify.follow import Hands, bearer, caught_up, following, held, until
from tests.verify.kit import signed

FLEET = (rsa_token("historian"), jwt_token("mes"), login_token("kiosk"), auth_token("erp"))


def test_what_was_applied_is_accepted_and_what_was_deleted_is_not(house: House) -> None:
    """The whole way: a spec, an apply, the owner's artifact, a bearer token, a verdict; and its end."""
    house.declare(*FLEET)
    house.apply()
    shown = {name: bearer(house, name) for name in ("historian", "mes", "kiosk")}
    with following(house) as verifier:
        for token in shown.values():
            assert verifier.check(token, api="a").reason is Reason.ACCEPTED
        house.declare(jwt_token("other"))
        house.apply()
        caught_up(house, verifier)
        for token in shown.values():
            assert verifier.check(token, api="a").reason is Reason.DELETED


def test_each_change_of_a_life_is_in_force_after_its_apply(house: House) -> None:
    house.declare(jwt_token("mes", apis=["a", "b"]))
    house.apply()
    first = bearer(house, "mes")
    with following(house) as verifier:
        assert verifier.check(first, api="b").active

        house.declare(jwt_token("mes", apis=["a"]))
        house.apply()
        caught_up(house, verifier)
        assert verifier.check(first, api="b").reason is Reason.API

        house.declare(jwt_token("mes", lifecycle={"enabled": False}))
        house.apply()
        caught_up(house, verifier)
        assert verifier.check(first, api="a").reason is Reason.DISABLED

        house.declare(jwt_token("mes", algorithm="ES256"))
        house.apply()
        caught_up(house, verifier)
        second = bearer(house, "mes")
        assert verifier.check(first, api="a").active, "the overlap"
        assert verifier.check(second, api="a").active

        house.now += 8 * DAY
        assert verifier.check(first, api="a").reason is Reason.ENDED, "before anybody retired it"
        house.apply()
        caught_up(house, verifier)
        assert verifier.check(first, api="a").reason is Reason.RETIRED
        assert verifier.check(second, api="a").active


def test_a_leaked_credential_is_refused_when_its_retirement_is_committed(house: House) -> None:
    house.declare(jwt_token("mes"))
    house.apply()
    leaked = held(house, "mes")
    asked = {"at": "2027-01-15T08:00:00Z", "reason": "in a log", "leaked": True}
    with following(house) as verifier:
        house.declare(jwt_token("mes", lifecycle={"rotate": {"asked": asked}}))
        house.apply()
        caught_up(house, verifier)
        assert verifier.check(leaked["jwt"]).reason is Reason.RETIRED
        assert verifier.check(leaked["secret_id"]).reason is Reason.UNKNOWN
        assert verifier.check(held(house, "mes")["secret_id"], api="a", user="u").active


def test_a_name_that_is_used_again_is_another_token(house: House) -> None:
    house.declare(rsa_token("historian"))
    house.apply()
    old = bearer(house, "historian")
    house.declare(jwt_token("other"))
    house.apply()
    house.declare(rsa_token("historian"), jwt_token("other"))
    house.apply()
    with following(house) as verifier:
        assert verifier.check(old).reason is Reason.DELETED
        assert verifier.check(bearer(house, "historian"), api="a", project="p").active


def test_a_sign_in_needs_the_identity_that_its_secret_is_sealed_to(house: House) -> None:
    house.declare(auth_token("erp"))
    house.apply()
    claims = {"username": "li", "iat": house.now, "exp": house.now + 60}
    token = signed(claims, held(house, "erp")["secret"].encode(), "HS256", {})
    with following(house) as verifier:
        assert verifier.sign_in("erp", token).active
        assert verifier.check(token).reason is Reason.KID
    with following(house, opens=False) as closed:
        assert closed.sign_in("erp", token).reason is Reason.KEY_CLOSED


def test_without_the_store_it_says_yes_only_so_long(house: House) -> None:
    """Its file or its connections are gone; the clock is moved by hand."""
    house.declare(jwt_token("mes"))
    house.apply()
    token, hands = bearer(house, "mes"), Hands()
    with following(house, hands) as verifier:
        verifier.close()
        hands.at = verifier.max_stale
        assert verifier.check(token).active
        hands.at += 0.001
        assert verifier.check(token).reason is Reason.STALE
        assert verifier.sign_in("erp", token).reason is Reason.STALE
        assert not verifier.freshness().ready


@pytest.mark.usefixtures("quick")
def test_a_server_that_stops_and_starts_is_found_again(tmp_path: Path) -> None:
    hands = Hands()
    with postgres() as server:
        server.run("CREATE DATABASE alone")
        house = House(tmp_path / "house", server.url("alone"))
        house.declare(jwt_token("mes"), jwt_token("other"))
        house.apply()
        token = bearer(house, "mes")
        with following(house, hands) as verifier:
            house.close()
            server.stop()
            assert verifier.check(token).active, "for a while the last book will do"
            hands.at += 2 * verifier.max_stale
            assert verifier.check(token).reason is Reason.STALE
            until(lambda: verifier.freshness().why.startswith("the live store"), "nobody says what is wrong")
            server.start()
            until(lambda: verifier.freshness().ready, "the server is not found again")
            assert verifier.check(token).active
            house.declare(jwt_token("other"))
            house.apply()
            caught_up(house, verifier)
            assert verifier.check(token).reason is Reason.DELETED
        house.close()


def test_an_older_copy_of_the_store_brings_no_deleted_token_back(tmp_path: Path, quick: None) -> None:
    root = tmp_path / "house"
    file = root / ".reconciler" / "live.db"
    house = House(root, f"sqlite:///{file}")
    house.declare(jwt_token("mes"), jwt_token("other"))
    house.apply()
    token = bearer(house, "mes")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("VACUUM INTO ?", [str(tmp_path / "old.db")])
    with following(house) as verifier:
        house.declare(jwt_token("other"))
        house.apply()
        caught_up(house, verifier)
        assert verifier.check(token).reason is Reason.DELETED
        house.close()
        seen = verifier.freshness().revision
        for journal in ("-wal", "-shm"):
            file.with_name(file.name + journal).unlink(missing_ok=True)
        (tmp_path / "old.db").replace(file)
        until(lambda: verifier.freshness().revision < seen, "the other file is not noticed")
        assert verifier.check(token).reason is Reason.ROLLED_BACK


def test_a_restored_store_that_was_applied_to_since_is_read_anew(tmp_path: Path, quick: None) -> None:
    """It has a later revision than the verifier knows, and another history behind it."""
    root, copy = tmp_path / "house", tmp_path / "copy.db"
    file = root / ".reconciler" / "live.db"
    house = House(root, f"sqlite:///{file}")
    house.declare(jwt_token("mes"), jwt_token("other"))
    house.apply()
    token = bearer(house, "mes")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("VACUUM INTO ?", [str(copy)])
    shutil.copytree(root, tmp_path / "elsewhere")
    house.declare(jwt_token("mes"), jwt_token("other", apis=["b"]))
    house.apply()
    with following(house) as verifier:
        known = verifier.freshness().revision
        assert verifier.check(token).active
        house.close()
        elsewhere = House(tmp_path / "elsewhere", f"sqlite:///{copy}")
        for api in ("c", "d", "e"):
            elsewhere.declare(jwt_token("mes", lifecycle={"enabled": False}), jwt_token("other", apis=[api]))
            elsewhere.apply()
        assert elsewhere.store().state().revision > known
        elsewhere.close()
        with closing(sqlite3.connect(copy)) as source, closing(sqlite3.connect(file)) as target:
            source.backup(target)
        until(lambda: verifier.check(token).reason is Reason.DISABLED, "it is not read anew")


def test_a_storm_of_applies_under_checks_from_many_threads(house: House) -> None:
    """A verdict is accepted or denied by grants, never an error, and what is committed last is what holds."""
    house.declare(jwt_token("mes"))
    house.apply()
    token = bearer(house, "mes")
    with following(house) as verifier, ThreadPoolExecutor(3) as pool:
        going = [pool.submit(_reasons, verifier, token, 400) for _ in range(3)]
        for number in range(6):
            house.declare(jwt_token("mes", apis=["a" if number % 2 else "b"]))
            house.apply()
        seen = {reason for done in going for reason in done.result()}
        caught_up(house, verifier)
        assert seen <= {Reason.ACCEPTED, Reason.API}
        assert verifier.check(token, api="a").active
        assert verifier.check(token, api="b").reason is Reason.API


def _reasons(verifier: Verifier, token: str, times: int) -> set[Reason]:
    return {verifier.check(token, api="a").reason for _ in range(times)}


def test_the_one_workspace_of_a_store_need_not_be_named_and_of_several_one_must(house: House) -> None:
    with pytest.raises(StoreUnreadable, match="there is no live store"):
        Verifier.open(house.url)
    house.declare(jwt_token("mes"))
    house.apply()
    with Verifier.open(house.url) as verifier:
        assert verifier.rules.audience == "reconciler:acme"
        assert verifier.freshness().tokens == 1
    second = open_store(house.url, "second")
    lease = second.acquire("test", "run", house.now, 60)
    second.release(lease)
    second.close()
    with pytest.raises(SettingsError, match="2 workspaces") as refused:
        Verifier.open(house.url)
    assert refused.value.hint == "name one of acme, second"


def test_a_verdict_as_json_has_no_part_of_what_was_presented(house: House) -> None:
    house.declare(jwt_token("mes"))
    house.apply()
    fields = held(house, "mes")
    with following(house) as verifier:
        for presented in (fields["jwt"], fields["secret_id"], fields["jwt"][:-2], "rcn_nonsense"):
            verdict = verifier.check(presented, api="a", address="10.0.0.1")
            shown = json.dumps(verdict.to_json()) + repr(verdict)
            assert presented not in shown
            assert all(part not in shown for part in presented.split("."))


def test_a_store_that_is_slow_is_as_one_that_is_lost_until_it_answers(
    server: Postgres, tmp_path: Path, quick: None
) -> None:
    """Somebody holds its tables locked, as a migration would: a read waits, and does not fail."""
    server.run("CREATE DATABASE slow")
    house, hands = House(tmp_path / "house", server.url("slow")), Hands()
    house.declare(jwt_token("mes"))
    house.apply()
    token = bearer(house, "mes")
    house.close()
    with following(house, hands) as verifier:
        with psycopg.connect(house.url) as connection:
            connection.execute("LOCK TABLE token, workspace IN ACCESS EXCLUSIVE MODE")
            hands.at += 2 * verifier.max_stale
            assert verifier.check(token).reason is Reason.STALE
        until(lambda: verifier.freshness().ready, "it does not go on when the lock is gone")
        assert verifier.check(token).active


def test_a_store_file_that_is_gone_is_a_store_that_is_lost(tmp_path: Path, quick: None) -> None:
    root = tmp_path / "house"
    file = root / ".reconciler" / "live.db"
    house = House(root, f"sqlite:///{file}")
    house.declare(jwt_token("mes"))
    house.apply()
    token, hands = bearer(house, "mes"), Hands()
    with following(house, hands) as verifier:
        house.close()
        aside = root / "aside"
        file.parent.rename(aside)
        hands.at += 2 * verifier.max_stale
        until(lambda: not verifier.freshness().ready, "nobody notices")
        assert verifier.check(token).reason is Reason.STALE
        aside.rename(file.parent)
        until(lambda: verifier.freshness().ready, "it is not found again")
        assert verifier.check(token).active


@pytest.mark.parametrize(("ahead", "reason"), [(-31, Reason.IAT), (-30, Reason.ACCEPTED), (3600, Reason.EXP)])
def test_a_verifier_whose_clock_is_off_allows_for_half_a_minute_of_it(
    ahead: int, reason: Reason, house: House
) -> None:
    """An owner's clock is the verifier's own, but for so many seconds."""
    house.declare(rsa_token("historian"))
    house.apply()
    house.now += DAY
    token = bearer(house, "historian")
    with following(house) as verifier:
        house.now += ahead
        assert verifier.check(token).reason is reason


def test_a_workspace_that_the_store_does_not_have_is_not_ready(house: House) -> None:
    """A name that was mistyped, or one that nobody applied yet: it must not look like one without tokens."""
    house.declare(jwt_token("mes"))
    house.apply()
    with pytest.raises(StoreUnreadable, match="no workspace of this name"):
        Verifier.open(house.url, workspace="acne")


def test_whatever_goes_wrong_with_the_store_it_is_tried_again(house: House) -> None:
    """A fault that nobody foresaw neither hangs the start nor ends the following."""
    house.declare(jwt_token("mes"))
    house.apply()
    tries: list[int] = []

    def opened() -> LiveStore:
        tries.append(1)
        if len(tries) < 3:
            raise MemoryError("hunter2")
        return open_store(house.url, house.name, create=False)

    verifier = Verifier(opened, Rules("acme")).started()
    until(lambda: verifier.freshness().ready, "it gave up")
    verifier.close()
    tries.clear()
    broken = Verifier(opened, Rules("acme")).started()
    assert broken.freshness().why == "the live store cannot be followed: MemoryError"
    broken.close()


def _broken(*_: object) -> None:
    raise KeyError("hunter2")


def test_a_record_that_nobody_foresaw_refuses_and_raises_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.declare(jwt_token("mes"))
    house.apply()
    token = bearer(house, "mes")
    with following(house) as verifier:
        monkeypatch.setattr("reconciler.verify.check._judged", _broken)
        assert verifier.check(token).reason is Reason.FAULT
