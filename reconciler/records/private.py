"""A private key as text: PEM (PKCS #8), or as OpenSSH writes it, without a password."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.errors import SignFailed
from reconciler.secret import Secret
from reconciler.specs.auditing import CURVES, weak

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
    from securesystemslib.signer import CryptoSigner, SSlibKey

OPENSSH = "-----BEGIN OPENSSH PRIVATE KEY-----"
MAKE = "make one with: ssh-keygen -t ed25519 -N '' -f FILE"


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A key that was read."""

    signer: CryptoSigner

    @property
    def public(self) -> SSlibKey:
        """Its public half."""
        return self.signer.public_key

    def sign(self, text: bytes) -> bytes:
        """The signature over a text."""
        return bytes.fromhex(self.signer.sign(text).signature)


def read_private(text: Secret, name: str) -> PrivateKey:
    """The key in a text, which messages call by a name. Raises SignFailed."""
    from securesystemslib.signer import CryptoSigner

    return PrivateKey(CryptoSigner(_sound(_loaded(text, name), name)))


def _loaded(text: Secret, name: str) -> PrivateKeyTypes:
    """The key in a text. Raises SignFailed, which says nothing of the text."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key

    raw = text.open()
    load = load_ssh_private_key if OPENSSH in raw else load_pem_private_key
    try:
        return load(raw.encode("latin-1"), None)
    except TypeError:  # it wants a password
        raise SignFailed(
            f"the signing key {name} is encrypted by a password, and nobody is there to type it",
            hint=f"take a key without one, kept where only the pipeline can read it; {MAKE}",
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise SignFailed(
            f"{name} holds no private key that can be read", hint=f"it is PEM (PKCS #8) or OpenSSH; {MAKE}"
        ) from None


def _sound(key: PrivateKeyTypes, name: str) -> PrivateKeyTypes:
    """The key, if it is of a type that signs records and is not weak. Raises SignFailed."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    fits = isinstance(key, (rsa.RSAPrivateKey, ed25519.Ed25519PrivateKey)) or (
        isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in CURVES
    )
    if not fits:
        raise SignFailed(
            f"the key in {name} is of a type that signs no records",
            hint=f"take Ed25519, ECDSA (P-256, P-384, P-521) or RSA; {MAKE}",
        )
    why = weak(key.public_key()) if isinstance(key, rsa.RSAPrivateKey) else None
    if why is not None:
        raise SignFailed(f"the key in {name} {why}", hint=MAKE)
    return key
