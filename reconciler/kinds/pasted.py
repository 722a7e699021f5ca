"""What somebody pasted where a public key goes: its bytes, or what it is instead. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

LONGEST = 8_000
"""Letters: the PEM text of the longest key that is taken has a fifth of them."""
PUBLIC = "openssl pkey -in key.pem -pubout"
"""How an owner gets the public half of the key pair in key.pem."""
COPY = f"copy it whole, as this prints it: {PUBLIC}"

BEGIN = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,60})-----")
WHOLE = re.compile(r"-----BEGIN ((?:RSA )?PUBLIC KEY)-----([A-Za-z0-9+/=\s]*)-----END \1-----")
BARE = re.compile(r"[A-Za-z0-9+/\s]{40,}=*\s*")
SECRET_WORDS = re.compile(
    r"PRIVATE KEY|AGE-SECRET-KEY-|PuTTY-User-Key-File|b3BlbnNzaC1rZXktdjE|rcn_[0-9A-Za-z]{43}", re.IGNORECASE
)
SECRET_FIELD = re.compile(r"""["'](d|p|q|dp|dq|qi|k)["']\s*:""")
"""A field of a JWK (RFC 7518 §6) that only the private half, or a shared secret, has."""
SSH = re.compile(r"(ssh-|ecdsa-sha2-|sk-ssh-|sk-ecdsa-)\S+ |---- BEGIN SSH2 PUBLIC KEY")
PRIVATE_DER = re.compile(rb"\x30(?:[\x00-\x7f]|\x81.|\x82..|\x83...)\x02\x01[\x00-\x03]", re.DOTALL)
"""A sequence that begins with a version: PKCS #8, PKCS #1 and SEC 1 private keys."""
ENCRYPTED = bytes.fromhex("2a864886f70d0105")
"""The OIDs of encryption by a password (PKCS #5): an encrypted private key."""

OTHER_BLOCKS = {
    "CERTIFICATE": (
        "is a certificate, and takes the public key in it",
        "print that with: openssl x509 -in cert.pem -noout -pubkey",
    ),
    "CERTIFICATE REQUEST": (
        "is a certificate request, and takes the public key in it",
        "print that with: openssl req -in request.pem -noout -pubkey",
    ),
    "PGP PUBLIC KEY BLOCK": ("is an OpenPGP key, and takes one in PEM", f"make a key pair, then: {PUBLIC}"),
    "EC PARAMETERS": ("is the name of a curve, and no key on it", COPY),
}


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why a text is refused as a public key."""

    why: str
    """As in `publicKey …`."""
    hint: str


def is_private(text: str) -> bool:
    """Whether a private key, or a shared secret, stands in a text, in any form that people have them in."""
    if SECRET_WORDS.search(text) or SECRET_FIELD.search(text):
        return True
    block = WHOLE.search(text)
    return _is_private_der(_decoded(block[2] if block else text if BARE.fullmatch(text) else "") or b"")


def _is_private_der(der: bytes) -> bool:
    return PRIVATE_DER.match(der) is not None or ENCRYPTED in der


def der_of(text: str) -> bytes | Unfit:
    """The bytes of the one public key in a PEM text (RFC 7468); or what is wrong."""
    text = text.strip()
    labels = BEGIN.findall(text)
    if other := _other(text, labels):
        return other
    if len(text) > LONGEST:
        return Unfit(f"has {len(text)} letters, and {LONGEST} are the most", COPY)
    if len(labels) > 1:
        return Unfit(f"holds {len(labels)} PEM blocks", "keep one key; a second token takes the other")
    block = WHOLE.fullmatch(text)
    if block is None:
        return _broken(text, labels[0])
    der = _decoded(block[2])
    return der or Unfit("is damaged: what stands between its first line and its last is no base64", COPY)


def _other(text: str, labels: list[str]) -> Unfit | None:
    """What it is that is no public key in PEM."""
    if labels:
        label = labels[0].removeprefix("NEW ").removeprefix("TRUSTED ").replace("X509 ", "")
        known = OTHER_BLOCKS.get(label)
        if known is None and not label.endswith("PUBLIC KEY"):
            known = f"is a PEM block of another type, {label}", f"it takes PUBLIC KEY, as in: {PUBLIC}"
        return Unfit(*known) if known else None
    if SSH.match(text):
        return Unfit("is an SSH public key", "write it as PEM: ssh-keygen -e -m PKCS8 -f key.pub")
    if re.search(r"""["']kty["']\s*:""", text):
        return Unfit(
            "is a JWK", f"write it as PEM, from the private key (as PEM) that it belongs to: {PUBLIC}"
        )
    if text.startswith("age1"):
        return Unfit(
            "is an age recipient, which encrypts and signs nothing", f"make a key pair, then: {PUBLIC}"
        )
    if BARE.fullmatch(text):
        return Unfit(
            "has no first and last line",
            "put -----BEGIN PUBLIC KEY----- above it, and -----END PUBLIC KEY----- below it",
        )
    return Unfit("is no PEM text", f"it takes what this prints: {PUBLIC}")


def _broken(text: str, label: str) -> Unfit:
    if "\\n" in text:
        return Unfit(
            r"has \n where lines should end",
            "write each on a line of its own, below publicKey: | and indented",
        )
    end = f"-----END {label}-----"
    if end not in text:
        return Unfit(f"is cut off, or its last line is not {end}", COPY)
    if not text.startswith("-----BEGIN") or not text.endswith(end):
        return Unfit("has other text beside the key", "keep only what stands from -----BEGIN to -----END")
    return Unfit("is damaged: what stands between its first line and its last is no base64", COPY)


def _decoded(body: str) -> bytes | None:
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
