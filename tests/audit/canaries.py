"""Secrets of every format that is looked for, made anew in each run."""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Callable
from functools import cache

from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from reconciler.artifacts import agewrap
from reconciler.kinds import all_kinds, keys
from reconciler.kinds.interface import Draft
from reconciler.secret import Secret

TOKEN = "abcdefghijklmnopqrst"
NOW = 1_780_000_000


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: keys.PrivateKey | dsa.DSAPrivateKey, form: PrivateFormat = PrivateFormat.PKCS8) -> str:
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def locked(form: PrivateFormat = PrivateFormat.PKCS8) -> str:
    return rsa_key().private_bytes(Encoding.PEM, form, BestAvailableEncryption(b"hunter2")).decode()


def signed(kind: str) -> str:
    """What a kind that is signed once delivers."""
    found = all_kinds()[kind]
    minted = found.mint(found.spec(**found.example), Draft(TOKEN, 1, NOW, None, os.urandom))
    field = found.bearer.delivered if found.bearer else None
    secret = minted.secret[field or ""]
    assert isinstance(secret, Secret)
    return secret.open()


def putty(encryption: str = "none") -> str:
    lines = base64.encodebytes(secrets.token_bytes(150)).decode()
    return (
        f"PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: {encryption}\nComment: me\n"
        f"Public-Lines: 2\n{base64.b64encode(b'p' * 51).decode()}\nPrivate-Lines: 4\n{lines}Private-MAC: 00\n"
    )


def pgp(*, usage: int = 0) -> str:
    """A version 4 secret key packet of Ed25519 (RFC 4880 §5.5.3): nobody checks its numbers."""
    oid, point = bytes.fromhex("2b06010401da470f01"), b"\x40" + secrets.token_bytes(32)
    public = b"\x04" + b"\0\0\0\0" + b"\x16" + bytes([len(oid)]) + oid + b"\x01\x07" + point
    secret = bytes([usage]) + b"\x00\xff" + secrets.token_bytes(32) + b"\0\0"
    body = public + secret
    armour = base64.encodebytes(bytes([0xC5, len(body)]) + body).decode()
    block = "PGP PRIVATE KEY BLOCK"
    return f"-----BEGIN {block}-----\nComment: x\n\n{armour}=abcd\n-----END {block}-----\n"


def age() -> str:
    return agewrap.generate()[1].open()


def locked_ssh() -> str:
    """The start of one says by which cipher it is locked; nobody reads further."""
    data = b"openssh-key-v1\0\0\0\0\x0aaes256-ctr\0\0\0\x06bcrypt" + secrets.token_bytes(200)
    block = "OPENSSH PRIVATE KEY"
    return f"-----BEGIN {block}-----\n{base64.encodebytes(data).decode()}-----END {block}-----\n"


CANARIES: dict[str, tuple[str, Callable[[], str]]] = {
    "secret id": ("secret-id", lambda: keys.secret_id(secrets.token_bytes).open()),
    "JWT": ("signed-token", lambda: signed("JWTToken")),
    "login token": ("signed-token", lambda: signed("LoginToken")),
    "age": ("age-key", age),
    "PKCS #8 RSA": ("private-key", lambda: pem(rsa_key())),
    "PKCS #8 Ed25519": ("private-key", lambda: pem(ed25519.Ed25519PrivateKey.generate())),
    "PKCS #1": ("private-key", lambda: pem(rsa_key(), PrivateFormat.TraditionalOpenSSL)),
    "SEC 1": (
        "private-key",
        lambda: pem(ec.generate_private_key(ec.SECP256R1()), PrivateFormat.TraditionalOpenSSL),
    ),
    "DSA": ("private-key", lambda: pem(dsa.generate_private_key(2048), PrivateFormat.TraditionalOpenSSL)),
    "OpenSSH": ("private-key", lambda: pem(ed25519.Ed25519PrivateKey.generate(), PrivateFormat.OpenSSH)),
    "OpenPGP": ("private-key", pgp),
    "PuTTY": ("putty-key", putty),
    "bare PKCS #8": (
        "bare-key",
        lambda: "key=" + "".join(pem(ed25519.Ed25519PrivateKey.generate()).splitlines()[1:-1]),
    ),
    "bare RSA": ("bare-key", lambda: "".join(pem(rsa_key()).splitlines()[1:-1])),
    "bare SEC 1": (
        "bare-key",
        lambda: "".join(
            pem(ec.generate_private_key(ec.SECP384R1()), PrivateFormat.TraditionalOpenSSL).splitlines()[1:-1]
        ),
    ),
}
"""What it is → the detector that finds it, and what makes one."""
