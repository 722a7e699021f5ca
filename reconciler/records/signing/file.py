"""A private key in a file: PEM (PKCS #8) or as OpenSSH writes it, that its owner alone can read."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import SignFailed
from reconciler.files import NotRegularError, read_regular
from reconciler.records.signing.interface import Keeper, Place
from reconciler.secret import Secret
from reconciler.specs.auditing import CURVES, weak

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
    from securesystemslib.signer import CryptoSigner, SSlibKey

LARGEST = 64 * 1024
"""Bytes of a file that is read."""
OPENSSH = "-----BEGIN OPENSSH PRIVATE KEY-----"
MAKE = "make one with: ssh-keygen -t ed25519 -N '' -f FILE"


@dataclass(frozen=True, slots=True)
class FileKey:
    """A key that was read from a file."""

    signer: CryptoSigner

    @property
    def public(self) -> SSlibKey:
        """Its public half."""
        return self.signer.public_key

    def sign(self, text: bytes) -> bytes:
        """The signature over a text."""
        return bytes.fromhex(self.signer.sign(text).signature)


def _open(place: Place) -> FileKey:
    from securesystemslib.signer import CryptoSigner

    return FileKey(CryptoSigner(_sound(_loaded(_read(place.named), place.named), place.named)))


def _read(path: str) -> Secret:
    """The text of the file, which nobody else can read. Raises SignFailed."""
    try:
        seen = Path(path).stat()
        data = read_regular(path, LARGEST)
    except (OSError, ValueError) as error:
        why = "it is not a regular file" if isinstance(error, NotRegularError) else _said(error)
        raise SignFailed(
            f"the signing key {path} cannot be read: {why}", hint="name the file in RECONCILER_RECORD_KEY"
        ) from None
    if seen.st_uid == os.geteuid() and stat.S_IMODE(seen.st_mode) & 0o077:
        raise SignFailed(
            f"others than its owner can read the signing key {path}",
            hint=f"keep it to yourself: chmod 600 {path}",
        )
    return Secret(data.decode("latin-1"))


def _said(error: OSError | ValueError) -> str:
    return (isinstance(error, OSError) and error.strerror) or "it has no such name"


def _loaded(text: Secret, path: str) -> PrivateKeyTypes:
    """The key in a text. Raises SignFailed, which says nothing of the text."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key

    raw = text.open()
    load = load_ssh_private_key if OPENSSH in raw else load_pem_private_key
    try:
        return load(raw.encode("latin-1"), None)
    except TypeError:  # it wants a password
        raise SignFailed(
            f"the signing key {path} is encrypted by a password, and nobody is there to type it",
            hint=f"take a key without one, kept where only the pipeline can read it; {MAKE}",
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise SignFailed(
            f"{path} holds no private key that can be read", hint=f"it is PEM (PKCS #8) or OpenSSH; {MAKE}"
        ) from None


def _sound(key: PrivateKeyTypes, path: str) -> PrivateKeyTypes:
    """The key, if it is of a type that signs records and is not weak. Raises SignFailed."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    fits = isinstance(key, (rsa.RSAPrivateKey, ed25519.Ed25519PrivateKey)) or (
        isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in CURVES
    )
    if not fits:
        raise SignFailed(
            f"the key in {path} is of a type that signs no records",
            hint=f"take Ed25519, ECDSA (P-256, P-384, P-521) or RSA; {MAKE}",
        )
    why = weak(key.public_key()) if isinstance(key, rsa.RSAPrivateKey) else None
    if why is not None:
        raise SignFailed(f"the key in {path} {why}", hint=MAKE)
    return key


KEEPER = Keeper("file", "the file of a private key", lambda named: "://" not in named, _open)
