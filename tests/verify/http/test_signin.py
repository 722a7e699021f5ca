"""`/sso/<name>`: the user whom an application signs in."""

from __future__ import annotations

import pytest

from reconciler.errors import StoreUnreadable
from reconciler.kinds.checking import Call, Reason, SignIn
from reconciler.live.sql import SqlStore
from reconciler.verify.http.signin import Attempt, answered
from reconciler.verify.interface import Identity, Verdict
from tests.verify.http.kit import ERP, Site, documents


def test_a_sign_in_jwt_in_the_parameter_of_the_spec_gives_the_user(asked: Site) -> None:
    told = asked.ask("GET", f"/sso/erp?ticket={asked.ticket()}")
    assert told.status == 200
    assert told.json == {
        "user": {"username": "li.wei", "name": "李伟", "email": "li.wei@example.com"},
        "roles": ["SYS_Author", "SYS_Reader"],
        "create": True,
        "token": {"id": asked.id("erp"), "name": "erp", "generation": 1},
    }
    assert told.headers["x-reconciler-user"] == "li.wei"
    assert told.headers["x-reconciler-user-name"] == "%E6%9D%8E%E4%BC%9F"
    assert told.headers["cache-control"] == "no-store"
    assert told.headers["referrer-policy"] == "no-referrer"


def test_it_may_be_posted_as_a_form(asked: Site) -> None:
    assert asked.ask("POST", "/sso/erp", form={"ticket": asked.ticket()}).json["user"]["username"] == "li.wei"


@pytest.mark.parametrize("target", ["/sso/erp", "/sso/erp?token=x", "/sso/erp?ticket="])
def test_without_it_there_is_no_user(asked: Site, target: str) -> None:
    told = asked.ask("GET", target)
    assert (told.status, told.json["reason"]) == (401, "token-missing")


def test_two_of_them_are_none(asked: Site) -> None:
    ticket = asked.ticket()
    assert asked.ask("GET", f"/sso/erp?ticket={ticket}&ticket={ticket}").status == 400


@pytest.mark.parametrize("name", ["nobody", "bridge", "historian", "x%00", "../erp"])
def test_an_application_that_is_none_signs_nobody_in(asked: Site, name: str) -> None:
    told = asked.ask("GET", f"/sso/{name}?token={asked.ticket()}&ticket={asked.ticket()}")
    assert told.status in (401, 404)
    assert "user" not in told.json


def test_what_the_application_did_not_sign_signs_nobody_in(asked: Site) -> None:
    for token in (asked.jwt("bridge"), asked.signed("historian"), "x.y.z", asked.ticket(exp=1)):
        told = asked.ask("GET", f"/sso/erp?ticket={token}")
        assert (told.status, "user" in told.json) == (401, False)


def test_one_with_a_jti_is_good_once(own: Site) -> None:
    ticket = own.ticket(jti="one")
    assert own.ask("GET", f"/sso/erp?ticket={ticket}").status == 200
    told = own.ask("GET", f"/sso/erp?ticket={ticket}")
    assert (told.status, told.json["reason"]) == (401, "replayed")
    assert own.ask("GET", f"/sso/erp?ticket={own.ticket(jti='two')}").status == 200
    assert own.ask("GET", f"/sso/erp?ticket={own.ticket(jti='')}").json["reason"] == "jti"


def test_one_with_a_jti_lasts_no_longer_than_a_jti_is_remembered(own: Site) -> None:
    """A day; without a `jti` nothing has to be remembered, and the spec's limit holds alone."""
    erp = {**ERP, "spec": {**ERP["spec"], "expire": 31_536_000}}  # type: ignore[dict-item]
    own.apply(*(erp if one is ERP else one for one in documents()))
    end = own.house.now + 24 * 3600
    told = own.ask("GET", f"/sso/erp?ticket={own.ticket(jti='long', exp=end + 1)}")
    assert (told.status, told.json["reason"]) == (401, "exp-far")
    assert own.ask("GET", f"/sso/erp?ticket={own.ticket(exp=end + 1)}").status == 200
    assert own.ask("GET", f"/sso/erp?ticket={own.ticket(jti='long', exp=end)}").status == 200


def test_where_the_store_cannot_remember_nobody_is_signed_in_by_a_jti(
    own: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object) -> bool:
        raise StoreUnreadable("it is gone")

    monkeypatch.setattr(SqlStore, "first_use", lost)
    told = own.ask("GET", f"/sso/erp?ticket={own.ticket(jti='one')}")
    assert (told.status, told.headers["retry-after"]) == (503, "1")
    assert own.ask("GET", f"/sso/erp?ticket={own.ticket()}").status == 200


def test_no_name_on_record_writes_a_header_of_its_own() -> None:
    """Whatever somebody wrote into the store."""
    identity = Identity("id\r\n", "n\r\nX-Reconciler-Owner: root", "TokenAuth", None, 1, {})
    user = SignIn("u", None, None, (), create=False)
    told = answered(Attempt(Verdict(Reason.ACCEPTED, Call(), identity, None, user)), None, "acme")
    assert told.status == 200
    assert not any(b"\r" in value or b"\n" in value for _, value in told.headers)


def test_the_log_has_no_ticket(asked: Site) -> None:
    ticket = asked.ticket()
    asked.ask("GET", f"/sso/erp?ticket={ticket}")
    asked.ask("GET", f"/sso/{ticket}?ticket={ticket}")
    text = asked.lines.getvalue()
    assert not any(part in text for part in ticket.split("."))
    first, second = asked.log()
    assert (first["path"], first["name"], first["reason"]) == ("/sso/erp", "erp", "accepted")
    assert second["path"] == "/sso/***"
