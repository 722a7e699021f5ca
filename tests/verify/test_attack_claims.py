"""Claims that are signed by the right key and are not right (RFC 7519 §4.1, RFC 8725 §3.8 to §3.12)."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from reconciler.kinds import all_kinds
from reconciler.kinds.checking import Call, Proof, Reason
from reconciler.verify.check import LEEWAY_SECONDS, Rules
from tests.verify.attacks import exactly, keyed, proper, refused, rotated, token
from tests.verify.kit import AUDIENCE, DAY, NOW, Desk, Owned, opens, owned

LONG = {"iat": NOW - 500, "nbf": NOW - 500}
"""Of a token that was made a while ago."""
RSA: dict[str, tuple[dict[str, Any], Reason]] = {
    "no exp": ({"exp": None}, Reason.EXP_MISSING),
    "exp at this second": ({"exp": NOW, **LONG}, Reason.EXP),
    "exp a second ago": ({"exp": NOW - 1, **LONG}, Reason.EXP),
    "exp within the leeway": ({"exp": NOW - LEEWAY_SECONDS + 1, **LONG}, Reason.EXP),
    "exp at 0": ({"exp": 0}, Reason.EXP),
    "exp a string": ({"exp": str(NOW + 300)}, Reason.TIME),
    "exp a float": ({"exp": NOW + 300.0}, Reason.TIME),
    "exp a float at the edge": ({"exp": NOW + 0.5}, Reason.TIME),
    "exp true": ({"exp": True}, Reason.TIME),
    "exp negative": ({"exp": -1}, Reason.TIME),
    "exp 2^53": ({"exp": 2**53}, Reason.NUMBER),
    "exp 2^53 - 1": ({"exp": 2**53 - 1}, Reason.EXP_FAR),
    "exp 2^64 + a while": ({"exp": 2**64 + NOW + 300}, Reason.NUMBER),
    "exp a list": ({"exp": [NOW + 300]}, Reason.TIME),
    "exp an object": ({"exp": {}}, Reason.TIME),
    "a life of 601 s": ({"exp": NOW + 601}, Reason.EXP_FAR),
    "a long life that began long ago": ({"exp": NOW + 1, "iat": NOW - 600}, Reason.EXP_FAR),
    "a day": ({"exp": NOW + DAY}, Reason.EXP_FAR),
    "no iat": ({"iat": None}, Reason.IAT_MISSING),
    "iat ahead": ({"iat": NOW + LEEWAY_SECONDS + 1}, Reason.IAT),
    "iat far ahead, with exp behind it": ({"iat": NOW + DAY, "exp": NOW + DAY + 300}, Reason.IAT),
    "iat a string": ({"iat": str(NOW)}, Reason.TIME),
    "iat a float": ({"iat": NOW + 0.0}, Reason.TIME),
    "iat false": ({"iat": False}, Reason.TIME),
    "iat negative": ({"iat": -NOW}, Reason.TIME),
    "nbf ahead": ({"nbf": NOW + LEEWAY_SECONDS + 1}, Reason.NBF),
    "nbf a string": ({"nbf": str(NOW)}, Reason.TIME),
    "nbf a float": ({"nbf": NOW + 0.0}, Reason.TIME),
    "nbf negative": ({"nbf": -5}, Reason.TIME),
    "no aud": ({"aud": None}, Reason.AUD_MISSING),
    "aud of another": ({"aud": "reconciler:other"}, Reason.AUD),
    "aud a prefix": ({"aud": AUDIENCE[:-1]}, Reason.AUD),
    "aud a longer one": ({"aud": AUDIENCE + "-test"}, Reason.AUD),
    "aud a suffix": ({"aud": AUDIENCE.split(":")[1]}, Reason.AUD),
    "aud with a slash": ({"aud": AUDIENCE + "/"}, Reason.AUD),
    "aud with a blank": ({"aud": AUDIENCE + " "}, Reason.AUD),
    "aud in another case": ({"aud": AUDIENCE.upper()}, Reason.AUD),
    "aud with a look-alike": ({"aud": AUDIENCE.replace("a", "а")}, Reason.AUD),
    "aud *": ({"aud": "*"}, Reason.AUD),
    "aud empty": ({"aud": ""}, Reason.AUD),
    "aud an empty list": ({"aud": []}, Reason.AUD),
    "aud two": ({"aud": [AUDIENCE, "other"]}, Reason.AUD),
    "aud twice": ({"aud": [AUDIENCE, AUDIENCE]}, Reason.AUD),
    "aud within another list": ({"aud": [[AUDIENCE]]}, Reason.AUD),
    "aud an object": ({"aud": {AUDIENCE: True}}, Reason.AUD),
    "aud true": ({"aud": True}, Reason.AUD),
    "iss of another": ({"iss": "somebody"}, Reason.ISS),
    "iss empty": ({"iss": ""}, Reason.ISS),
    "iss a number": ({"iss": 1}, Reason.ISS),
    "iss a list": ({"iss": ["x"]}, Reason.ISS),
    "sub of another": ({"sub": "somebody"}, Reason.SUB),
    "sub empty": ({"sub": ""}, Reason.SUB),
    "sub a number": ({"sub": 1}, Reason.SUB),
    "sub a list": ({"sub": ["x"]}, Reason.SUB),
    "jti a number": ({"jti": 1}, Reason.JTI),
}


@pytest.mark.parametrize("case", RSA)
def test_what_an_owner_signs_wrongly_is_refused(case: str) -> None:
    """The signature holds, so the verdict names the token all the same: but for what is not even read."""
    changes, reason = RSA[case]
    verdict = Desk([token("RSAToken")]).check(token("RSAToken").signed(changes))
    refused(verdict, reason, proven=reason is not Reason.NUMBER)


@pytest.mark.parametrize("member", ["iss", "sub"])
def test_a_partial_or_other_case_of_iss_and_sub_is_refused(member: str) -> None:
    of = token("RSAToken")
    reason = Reason.ISS if member == "iss" else Reason.SUB
    for value in (of.id[:-1], of.id + "x", of.id.upper(), f"{of.id} ", f"{of.id}/", f"x{of.id}"):
        refused(Desk([of]).check(of.signed({member: value})), reason, proven=True)


def test_a_token_that_its_key_signed_for_another_token_id_is_refused() -> None:
    """By the owner of one token for another one: under `kid` it is the other's, and the key does not fit."""
    mine, other = token("RSAToken"), token("RSAToken", "RS384")
    desk = Desk([mine, other])
    refused(desk.check(mine.signed({"sub": other.id, "iss": other.id})), Reason.ISS, proven=True)
    refused(desk.check(mine.signed({"sub": other.id})), Reason.SUB, proven=True)
    refused(desk.check(mine.signed(header={"kid": other.id})), Reason.ALG)


NULLS = {"exp": Reason.TIME, "iat": Reason.TIME, "nbf": Reason.TIME, "iss": Reason.ISS, "sub": Reason.SUB}


@pytest.mark.parametrize("name", [*NULLS, "jti", "aud"])
def test_a_claim_of_null_is_not_a_claim_left_out(name: str) -> None:
    """PyJWT refuses it; RFC 7519 gives it no meaning."""
    of = token("RSAToken")
    claims = {"aud": f'"{AUDIENCE}"', "iat": str(NOW), "exp": str(NOW + 300), name: "null"}
    body = "{" + ",".join(f'"{member}":{value}' for member, value in claims.items()) + "}"
    text = exactly(of, f'{{"alg":"RS256","kid":"{of.id}"}}'.encode(), body.encode())
    reason = {**NULLS, "jti": Reason.JTI, "aud": Reason.AUD_MISSING}[name]
    refused(Desk([of]).check(text), reason, proven=True)


EDGES: list[tuple[int, dict[str, int]]] = [
    (30, {"iat": NOW + 30}),
    (30, {"nbf": NOW + 30}),
    (30, {"exp": NOW + 1, "iat": NOW - 599}),
    (30, {"exp": NOW + 600}),
    (30, {"exp": NOW + 630, "iat": NOW + 30}),
    (0, {"iat": NOW, "nbf": NOW}),
    (5, {"iat": NOW + 5, "nbf": NOW + 5}),
]


@pytest.mark.parametrize(("leeway", "changes"), EDGES)
def test_at_the_edges_a_token_is_accepted(leeway: int, changes: dict[str, int]) -> None:
    of = token("RSAToken")
    desk = Desk([of], rules=Rules(AUDIENCE, leeway))
    assert desk.check(of.signed(changes)).reason is Reason.ACCEPTED


@pytest.mark.parametrize("leeway", [0, 5, 30])
def test_the_leeway_is_what_the_rules_say(leeway: int) -> None:
    of = token("RSAToken")
    desk = Desk([of], rules=Rules(AUDIENCE, leeway))
    refused(desk.check(of.signed({"iat": NOW + leeway + 1})), Reason.IAT, proven=True)
    refused(desk.check(of.signed({"nbf": NOW + leeway + 1})), Reason.NBF, proven=True)
    refused(desk.check(of.signed({"exp": NOW, "iat": NOW - 1})), Reason.EXP, proven=True)


def test_a_token_without_any_claims_is_refused_and_not_taken_for_a_secret_id() -> None:
    of = token("RSAToken")
    empty = exactly(of, f'{{"alg":"RS256","kid":"{of.id}"}}'.encode(), b"{}")
    refused(Desk([of]).check(empty), Reason.EXP_MISSING, proven=True)
    once = keyed("JWTToken")
    empty = exactly(once, f'{{"alg":"EdDSA","kid":"{once.id}"}}'.encode(), b"{}")
    refused(Desk([once]).check(empty), Reason.RETIRED)
    gen_only = exactly(once, f'{{"alg":"EdDSA","kid":"{once.id}"}}'.encode(), b'{"gen":1}')
    refused(Desk([once]).check(gen_only), Reason.SUB, proven=True)


JWT: dict[str, tuple[dict[str, Any], Reason]] = {
    "no exp": ({"exp": None}, Reason.EXP_MISSING),
    "exp past": ({"exp": NOW}, Reason.EXP),
    "no sub": ({"sub": None}, Reason.SUB),
    "sub of another": ({"sub": "somebody"}, Reason.SUB),
    "iss of another": ({"iss": "somebody"}, Reason.ISS),
    "nbf ahead": ({"nbf": NOW + 31}, Reason.NBF),
}


@pytest.mark.parametrize("case", JWT)
def test_a_jwt_that_says_something_else_than_was_minted_is_refused(case: str) -> None:
    changes, reason = JWT[case]
    of = keyed("JWTToken")
    refused(Desk([of]).check(of.signed({"gen": 1, **changes})), reason, proven=True)


@pytest.mark.parametrize("generation", [None, 0, 2, -1, "1", True, 1.0, [1]])
def test_a_jwt_of_a_generation_that_is_not_live_is_refused(generation: object) -> None:
    """`gen` is a whole number: not what a lax comparison takes for one."""
    of = keyed("JWTToken")
    refused(Desk([of]).check(of.signed({"gen": generation})), Reason.RETIRED)


def test_a_generation_is_signed_by_its_own_key_only() -> None:
    """In an overlap both keys are live: the old one says nothing for the new generation."""
    of = keyed("JWTToken")
    both = rotated(of)
    assert Desk([both]).check(of.signed({"gen": 1})).active
    refused(Desk([both]).check(of.signed({"gen": 2})), Reason.SIGNATURE)


LOGIN: dict[str, tuple[dict[str, Any], Reason]] = {
    **{
        f"no {name}": ({name: None}, Reason.CLAIM)
        for name in ("typ", "sap", "jti", "ipm", "dvm", "tag", "api", "bug", "shop", "role", "rule")
    },
    "no aud": ({"aud": None}, Reason.CLAIM),
    "aud of another app": ({"aud": "AdmManHX"}, Reason.AUD),
    "aud in another case": ({"aud": "admmanhu"}, Reason.AUD),
    "aud a list": ({"aud": ["AdmManHu"]}, Reason.CLAIM),
    "typ of another kind": ({"typ": "R"}, Reason.CLAIM),
    "typ in another case": ({"typ": "l"}, Reason.CLAIM),
    "sap a list": ({"sap": ["SvKerneL"]}, Reason.CLAIM),
    "jti a number": ({"jti": 12345678}, Reason.JTI),
    "api a number": ({"api": 1}, Reason.CLAIM),
    "api an object": ({"api": {"shop.read": True}}, Reason.CLAIM),
    "api an empty list": ({"api": []}, Reason.CLAIM),
    "api a mixed list": ({"api": ["shop.read", 1]}, Reason.CLAIM),
    "ipm no network": ({"ipm": "10.1.2.3/16"}, Reason.ADDRESS),
    "ipm not of the call": ({"ipm": "10.9.0.0/16"}, Reason.ADDRESS),
    "dvm not of the call": ({"dvm": ["scanner-2"]}, Reason.DEVICE),
    "api not of the call": ({"api": "shop.write"}, Reason.API),
    "shop not of the call": ({"shop": ["other"]}, Reason.SHOP),
    "sap not of the call": ({"sap": "other"}, Reason.APP),
    "exp past": ({"exp": NOW}, Reason.EXP),
}


@pytest.mark.parametrize("case", LOGIN)
def test_a_login_token_is_held_to_its_own_claims_too(case: str) -> None:
    """Whatever the live grants would allow: what was signed once is a limit as well."""
    changes, reason = LOGIN[case]
    of = keyed("LoginToken")
    call = {
        "api": "shop.read",
        "shop": "EldrCaRE",
        "app": "SvKerneL",
        "address": "10.1.2.3",
        "device": "scanner-1",
    }
    assert Desk([of]).check(of.signed(proper(of)), **call).active
    refused(Desk([of]).check(of.signed({**proper(of), **changes}), **call), reason, proven=True)


SIGN_IN: dict[str, tuple[dict[str, Any], Reason]] = {
    "no exp": ({"exp": None}, Reason.EXP_MISSING),
    "exp past": ({"exp": NOW}, Reason.EXP),
    "longer than expire": ({"exp": NOW + 601}, Reason.EXP_FAR),
    "longer than expire, made long ago": ({"exp": NOW + 1, "iat": NOW - 600}, Reason.EXP_FAR),
    "longer than expire, without iat": ({"exp": NOW + 601, "iat": None}, Reason.EXP_FAR),
    "made ahead": ({"iat": NOW + 31}, Reason.IAT),
    "not yet": ({"nbf": NOW + 31}, Reason.NBF),
    "exp a string": ({"exp": str(NOW + 300)}, Reason.TIME),
    "aud of another": ({"aud": "other"}, Reason.AUD),
    "aud of two": ({"aud": [AUDIENCE, "other"]}, Reason.AUD),
    "aud empty": ({"aud": ""}, Reason.AUD),
    "iss of another application": ({"iss": "ERP2"}, Reason.ISS),
    "iss in another case": ({"iss": "erp"}, Reason.ISS),
    "iss a part": ({"iss": "ER"}, Reason.ISS),
    "sub a number": ({"sub": 42}, Reason.SUB),
    "jti a number": ({"jti": 42}, Reason.JTI),
    "no user": ({"loginname": None}, Reason.USER),
    "an empty user": ({"loginname": ""}, Reason.USER),
    "the user under the claim of another spec": ({"loginname": None, "username": "root"}, Reason.USER),
    "a user that is a number": ({"loginname": 0}, Reason.CLAIM),
    "a user that is true": ({"loginname": True}, Reason.CLAIM),
    "a user that is a list": ({"loginname": ["root"]}, Reason.CLAIM),
    "a user of two lines": ({"loginname": "li\nX-Admin: 1"}, Reason.CLAIM),
    "a user with NUL": ({"loginname": "root\0"}, Reason.CLAIM),
    "a user with what is not seen": ({"loginname": "root\u200b"}, Reason.CLAIM),
    "a user that is turned around": ({"loginname": "\u202eroot"}, Reason.CLAIM),
    "a name that is an object": ({"name": {"first": "Li"}}, Reason.CLAIM),
    "an address of two lines": ({"email": "a@b\r\nBcc: c@d"}, Reason.CLAIM),
}


@pytest.mark.parametrize("case", SIGN_IN)
def test_a_sign_in_that_says_something_wrong_is_refused(case: str) -> None:
    changes, reason = SIGN_IN[case]
    of = sign_in_of_600_s()
    refused(Desk([of]).sign_in("tokenauth", of.sign_in(changes)), reason, proven=True)


@cache
def sign_in_of_600_s() -> Owned:
    return owned("TokenAuth", expire=600)


def test_at_the_edges_a_sign_in_is_accepted() -> None:
    of = sign_in_of_600_s()
    desk = Desk([of])
    for changes in (
        {"exp": NOW + 600},
        {"exp": NOW + 600, "iat": None},
        {"exp": NOW + 1, "iat": NOW - 599},
        {"iss": "ERP", "aud": AUDIENCE, "sub": "anything", "jti": "1"},
        {"name": None, "email": None},
    ):
        assert desk.sign_in("tokenauth", of.sign_in(changes)).reason is Reason.ACCEPTED, changes


def test_a_sign_in_is_no_bearer_and_a_bearer_is_no_sign_in() -> None:
    auth, rsa = token("TokenAuth", "RS256"), token("RSAToken")
    desk = Desk([auth, rsa])
    refused(desk.check(auth.sign_in(header={"kid": auth.id})), Reason.PURPOSE)
    refused(desk.check(auth.signed()), Reason.PURPOSE)
    refused(desk.sign_in("tokenauth", rsa.signed()), Reason.KID)
    refused(desk.sign_in("rsatoken", rsa.signed()), Reason.UNKNOWN)
    refused(desk.sign_in(rsa.id, rsa.signed()), Reason.UNKNOWN)


@pytest.mark.parametrize("name", ["", "other", "TOKENAUTH", "tokenauth ", "ERP", "../tokenauth", "*"])
def test_a_sign_in_under_a_name_that_is_nobodys_is_refused(name: str) -> None:
    """The name is that of the spec; neither the application's nor the token's id."""
    of = token("TokenAuth")
    refused(Desk([of]).sign_in(name, of.sign_in()), Reason.UNKNOWN)
    refused(Desk([of]).sign_in(of.id, of.sign_in()), Reason.UNKNOWN)


def test_a_kind_that_gets_another_kinds_spec_says_that_this_is_a_fault() -> None:
    """It cannot come from outside: no token makes the check break off."""
    proof = Proof("id", {"exp": NOW + 1}, {}, None, Call(), NOW, AUDIENCE)
    assert all_kinds()["TokenAuth"].claims(proof) is Reason.FAULT
    assert Desk([], rules=Rules(AUDIENCE, unseal=opens())).sign_in("x", "x").reason is Reason.PARTS
