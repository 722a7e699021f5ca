"""Live tokens with their owners' halves, minted by the kinds themselves, and the book that holds them."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from reconciler.artifacts import age, identities
from reconciler.kinds import all_kinds
from reconciler.kinds.checking import Call
from reconciler.kinds.interface import Draft, Minted
from reconciler.live.interface import Credential, CredentialState, LiveToken, TokenState
from reconciler.secret import Secret
from reconciler.specs.model import from_normal_form
from reconciler.verify.book import Book
from reconciler.verify.check import Against, Rules, check, sign_in
from reconciler.verify.interface import Verdict
from reconciler.verify.unsealing import unsealing

NOW = 1_800_000_000
DAY = 86_400
AUDIENCE = "reconciler:acme"

SPECS: dict[str, dict[str, Any]] = {
    "RSAToken": {"apis": ["device.list", "device.read"], "projects": ["plant-a"], "keySize": 2048},
    "JWTToken": {"apis": ["telemetry.write"], "users": ["svc-mes"]},
    "LoginToken": {
        "aud": "AdmManHu",
        "sap": "SvKerneL",
        "jti": "12345678",
        "ipm": ["10.1.0.0/16", "2001:db8::/32"],
        "dvm": ["scanner-1"],
        "api": ["shop.read"],
        "shop": ["EldrCaRE"],
        "role": "*",
        "rule": "*",
    },
    "TokenAuth": {"name": "ERP", "fieldmap": {"username": "loginname"}, "initroles": ["SYS_Reader"]},
}
"""A spec of each kind, with every limit that it can have."""


@cache
def verifier_keys() -> tuple[str, Secret]:
    """Recipient and identity of the verifier."""
    return identities.generate()


@cache
def rsa_key(number: int = 0, bits: int = 2048) -> rsa.RSAPrivateKey:
    """One of a few RSA keys, made once."""
    assert number >= 0
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@dataclass(frozen=True)
class Owned:
    """One live token, and what its owner holds."""

    live: LiveToken
    secret: Mapping[str, str]

    @property
    def id(self) -> str:
        return self.live.id

    def with_(self, **changes: Any) -> Owned:
        """The same, with another live record."""
        return Owned(replace(self.live, **changes), self.secret)

    def with_credential(self, **changes: Any) -> Owned:
        """The same, with another newest credential."""
        first, *rest = self.live.credentials
        return self.with_(credentials=(replace(first, **changes), *rest))

    def signed(
        self, changes: Mapping[str, Any] | None = None, header: Mapping[str, Any] | None = None
    ) -> str:
        """A JWT as its owner signs it for a call: right in all, but for what a test changes.

        A claim or header member that is changed to None is left out.
        """
        claims = {"iss": self.id, "sub": self.id, "aud": AUDIENCE, "iat": NOW, "nbf": NOW, "exp": NOW + 300}
        algorithm = self.live.credentials[0].algorithm
        return signed(
            without_none({**claims, **(changes or {})}),
            self.key,
            algorithm,
            {"kid": self.id, **(header or {})},
        )

    def sign_in(
        self, changes: Mapping[str, Any] | None = None, header: Mapping[str, Any] | None = None
    ) -> str:
        """A JWT with which the application of a TokenAuth signs a user in."""
        claims = {"loginname": "li.wei", "name": "李伟", "email": "li.wei@example.com"}
        times = {"iat": NOW, "exp": NOW + 300}
        algorithm = self.live.credentials[0].algorithm
        return signed(without_none({**claims, **times, **(changes or {})}), self.key, algorithm, header or {})

    @property
    def key(self) -> Any:
        """What its owner signs with: a private key, or a shared secret."""
        if "secret" in self.secret:
            return self.secret["secret"].encode()
        return load_pem_private_key(self.secret["private_key"].encode(), None)


def without_none(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def signed(claims: Mapping[str, Any], key: Any, algorithm: str, header: Mapping[str, Any]) -> str:
    """A compact JWS over exactly these claims."""
    payload = json.dumps(claims).encode()
    return jwt.PyJWS().encode(payload, key, algorithm=algorithm, headers=dict(header))


def raw(header: bytes, claims: bytes, signature: bytes = b"\1" * 256) -> str:
    """A compact text of any three parts."""
    parts = (base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (header, claims, signature))
    return ".".join(parts)


def owned(kind: str, name: str = "", **changes: Any) -> Owned:
    """A live token of a kind that was minted just now; `changes` are to its spec."""
    declared = {
        "apiVersion": "reconciler/v1",
        "kind": kind,
        "metadata": {"name": name or kind.lower(), "owner": "team-mes"},
        "spec": {**SPECS[kind], **changes},
    }
    document = from_normal_form(json.dumps(declared))
    what = all_kinds()[kind]
    token_id = what.new_id(os.urandom)
    minted = what.mint(document.spec, Draft(token_id, 1, NOW, document.expires_at(NOW), os.urandom))
    secret = {key: one.open() if isinstance(one, Secret) else one for key, one in minted.secret.items()}
    live = LiveToken(
        id=token_id,
        name=document.metadata.name,
        kind=kind,
        state=TokenState.ACTIVE,
        grants=what.grants(document.spec),
        declared=document.normal_form(),
        spec_digest="sha256:5e1c",
        commit="3f2c1a9",
        created_at=NOW,
        changed_at=NOW,
        expires_at=None,
        protect=False,
        artifact_path=None,
        artifact_digest=None,
        last_generation=1,
        credentials=(credential(minted),),
    )
    return Owned(live, secret)


def credential(minted: Minted, generation: int = 1) -> Credential:
    """The checkable half, as apply keeps it."""
    recipient = verifier_keys()[0]
    return Credential(
        generation,
        CredentialState.ACTIVE,
        minted.algorithm,
        NOW,
        minted.not_after,
        public_key=minted.public_key,
        secret_hash=minted.secret_hash,
        sealed_secret=None if minted.shared is None else age.seal_text([recipient], minted.shared),
    )


@cache
def opens() -> Callable[[str], Secret | None]:
    """What opens the shared secrets that are sealed to the verifier."""
    return unsealing(identities.parse(verifier_keys()[1], "the test").native)


@dataclass
class Desk:
    """Where tokens are presented: a book, and the rules of one verifier."""

    tokens: Sequence[Owned]
    now: int = NOW
    rules: Rules = field(default_factory=lambda: Rules(AUDIENCE, unseal=opens()))
    book: Book = field(init=False)

    def __post_init__(self) -> None:
        self.book = Book().changed([one.live for one in self.tokens], 1)

    def check(self, token: str, **call: str | None) -> Verdict:
        """The verdict on a bearer token."""
        return check(Secret(token), Against(self.book, Call(**call), self.rules, self.now))

    def sign_in(self, name: str, token: str, **call: str | None) -> Verdict:
        """The verdict on a sign-in JWT."""
        return sign_in(name, Secret(token), Against(self.book, Call(**call), self.rules, self.now))
