"""The public keys that may sign records, and whether one of them did. Pure.

Ids and signatures are those of `securesystemslib`: whatever else reads DSSE and in-toto finds the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.errors import SettingsError
from reconciler.records.envelope import PAYLOAD_TYPE, Signed
from reconciler.specs.auditing import TAKES, checking_key

if TYPE_CHECKING:
    from securesystemslib.signer import SSlibKey

    from reconciler.specs.auditing import CheckingKey

# What checks signatures takes long to import, and most commands check none.


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that may sign records."""

    line: str
    """As spec.audit.keys has it."""
    key: SSlibKey

    @property
    def id(self) -> str:
        """As it stands beside a signature: SHA-256 over the key, in hex."""
        return self.key.keyid

    @property
    def shown(self) -> str:
        """As messages name it: by its comment, where the line has one, and the first of its id."""
        named = self.line.split(" ", 2)[2:] if self.line.startswith(("ssh-", "ecdsa-")) else []
        return " ".join((*named, self.id[:12]))


def read_keys(lines: Iterable[str]) -> tuple[PublicKey, ...]:
    """The keys of spec.audit.keys. Raises SettingsError for what is none."""
    found = []
    for line in lines:
        key = checking_key(line)
        if key is None:
            raise SettingsError("a text is no public key that signs records", hint=TAKES)
        found.append(PublicKey(line, checked_by(key)))
    return tuple(found)


def checked_by(key: CheckingKey) -> SSlibKey:
    """A key as signatures are checked by it."""
    from securesystemslib.signer import SSlibKey

    return SSlibKey.from_crypto(key)


def ssh_line(key: SSlibKey) -> str:
    """A key as the line that spec.audit.keys takes."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        load_pem_public_key,
    )

    text = str(key.keyval["public"])
    raw = Ed25519PublicKey.from_public_bytes(bytes.fromhex(text)) if key.keytype == "ed25519" else None
    found = raw or load_pem_public_key(text.encode())
    return found.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def signed_by(signed: Signed, keys: Iterable[PublicKey]) -> PublicKey | None:
    """The first of the keys that signed a record, whatever other signatures stand beside; None for none."""
    from securesystemslib.exceptions import UnverifiedSignatureError
    from securesystemslib.signer import Signature

    text = pae(signed.payload)
    by_id = {key.id: key for key in reversed(tuple(keys))}
    for ident, signature in signed.signatures:
        key = by_id.get(ident)
        if key is None:
            continue
        try:
            key.key.verify_signature(Signature(ident, signature.hex()), text)
        except UnverifiedSignatureError:
            continue
        return key
    return None


def pae(payload: bytes) -> bytes:
    """What is signed of a record: its payload with its type, as DSSE puts them together."""
    from securesystemslib.dsse import Envelope

    return bytes(Envelope(payload, PAYLOAD_TYPE, {}).pae())
