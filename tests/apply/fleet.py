"""A fleet with a past, and an edit of its specs that asks for every action at once."""

from __future__ import annotations

from tests.apply.kit import DAY, T0, House, auth_token, jwt_token, login_token, own_key, own_token, rsa_token

TURNING = {"rotate": {"every": "30d", "overlap": "1d"}}

BEFORE = (
    rsa_token("rsa-modify", apis=("a", "b")),
    jwt_token("jwt-narrow", users=("u", "v")),
    login_token("login-rotate"),
    rsa_token("rsa-move", deliver={"format": "yaml"}),
    jwt_token("old-gone"),
    jwt_token("shifty"),
    rsa_token("turning", lifecycle=TURNING),
    rsa_token("sealed-anew"),
    rsa_token("leaky"),
    jwt_token("old-name", apis=("a", "b")),
    own_token("own-rotate", own_key(1)),
    auth_token("to-own", "ES256"),
    own_token("from-own", own_key(2)),
)

LEAKED = {"rotate": {"asked": {"at": "2027-02-16", "reason": "seen in a log", "leaked": True}}}

AFTER = (
    rsa_token("rsa-modify", apis=("b", "c")),
    jwt_token("jwt-narrow", users=("u",)),
    login_token("login-rotate", shop="T"),
    rsa_token("rsa-move", apis=("z",), deliver={"format": "json"}),
    auth_token("shifty"),
    rsa_token("turning", lifecycle=TURNING),
    rsa_token("sealed-anew"),
    rsa_token("leaky", lifecycle=LEAKED),
    jwt_token("new-name", apis=("a",), metadata={"name": "new-name", "previously": ["old-name"]}),
    rsa_token("new-rsa"),
    jwt_token("new-jwt"),
    login_token("new-login"),
    own_token("own-rotate", own_key(3)),
    own_token("to-own", own_key(4)),
    auth_token("from-own", "ES256"),
    own_token("new-own", own_key(5)),
)

EXPECTED = {
    ("delete", "JWTToken", "old-gone"),
    ("delete", "JWTToken", "shifty"),
    ("retire", "RSAToken", "turning"),
    ("rotate", "LoginToken", "login-rotate"),
    ("rotate", "RSAToken", "rsa-move"),
    ("retire", "RSAToken", "leaky"),
    ("rotate", "RSAToken", "leaky"),
    ("rename", "JWTToken", "new-name"),
    ("rotate", "TokenAuth", "own-rotate"),
    ("rotate", "TokenAuth", "to-own"),
    ("rotate", "TokenAuth", "from-own"),
    ("modify", "RSAToken", "rsa-modify"),
    ("modify", "JWTToken", "jwt-narrow"),
    ("reseal", "RSAToken", "sealed-anew"),
    ("issue", "TokenAuth", "shifty"),
    ("issue", "RSAToken", "new-rsa"),
    ("issue", "JWTToken", "new-jwt"),
    ("issue", "LoginToken", "new-login"),
    ("issue", "TokenAuth", "new-own"),
}
"""What the edit has to do, each exactly once."""


def aged_fleet(house: House) -> None:
    """Issues the fleet, and lets a month pass so that one credential is rotated and then over."""
    house.now = T0
    house.declare(*BEFORE)
    house.apply()
    house.now = T0 + 30 * DAY
    house.apply()
    house.now = T0 + 32 * DAY
    house.reseal("sealed-anew")
    house.reseal("rsa-modify")


def edit_fleet(house: House) -> None:
    """The pull request."""
    house.declare(*AFTER)
