"""What is right is accepted: of each kind, by each way in which it is presented."""

from __future__ import annotations

import jwt
import pytest

from reconciler.kinds.checking import Reason, SignIn
from tests.verify.kit import AUDIENCE, NOW, Desk, owned


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"])
def test_an_rsa_token_is_accepted_by_what_its_owner_signs(algorithm: str) -> None:
    token = owned("RSAToken", algorithm=algorithm)
    verdict = Desk([token]).check(token.signed(), api="device.read", project="plant-a")
    assert verdict.reason is Reason.ACCEPTED
    assert verdict.token is not None
    assert (verdict.token.id, verdict.token.owner) == (token.id, "team-mes")
    assert verdict.expires_at == NOW + 300


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "ES384", "RS256", "PS256"])
def test_a_jwt_token_is_accepted_as_the_jwt_and_as_the_secret_id(algorithm: str) -> None:
    token = owned("JWTToken", algorithm=algorithm)
    desk = Desk([token])
    for presented in (token.secret["jwt"], token.secret["secret_id"]):
        verdict = desk.check(presented, api="telemetry.write", user="svc-mes")
        assert verdict.reason is Reason.ACCEPTED
        assert verdict.expires_at == NOW + 90 * 86_400


@pytest.mark.parametrize("address", ["10.1.0.0", "10.1.255.255", "2001:db8::1", "::ffff:10.1.2.3"])
def test_a_login_token_is_accepted_from_its_addresses_and_devices(address: str) -> None:
    token = owned("LoginToken")
    verdict = Desk([token]).check(
        token.secret["login_token"],
        api="shop.read",
        shop="EldrCaRE",
        app="SvKerneL",
        address=address,
        device="scanner-1",
    )
    assert verdict.reason is Reason.ACCEPTED


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512", "RS256", "ES256", "ES384", "PS256"])
def test_a_sign_in_names_the_user_the_roles_and_whether_to_create_one(algorithm: str) -> None:
    token = owned("TokenAuth", "erp", algorithm=algorithm, inituser=True)
    verdict = Desk([token]).sign_in("erp", token.sign_in())
    assert verdict.reason is Reason.ACCEPTED
    assert verdict.user == SignIn("li.wei", "李伟", "li.wei@example.com", ("SYS_Reader",), create=True)


def test_aud_may_be_a_list_of_the_one(desk_of_one: Desk) -> None:
    (token,) = desk_of_one.tokens
    assert desk_of_one.check(token.signed({"aud": [AUDIENCE]})).active


@pytest.fixture
def desk_of_one() -> Desk:
    return Desk([owned("RSAToken")])


def test_the_reader_accepts_what_pyjwt_accepts_of_our_own_tokens() -> None:
    token = owned("JWTToken")
    public = token.live.credentials[0].public_key
    assert public is not None
    options: jwt.types.Options = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
    assert jwt.decode(token.secret["jwt"], public, ["EdDSA"], options=options)["sub"] == token.id
