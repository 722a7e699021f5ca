"""A key in the transit engine of OpenBao, or of Vault: it signs there, and never leaves."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic_core import from_json

from reconciler.errors import SignFailed
from reconciler.records.keys import checked_by
from reconciler.records.signing.interface import Keeper, Place
from reconciler.secret import Secret
from reconciler.web import Address, Exchange, Request, address_of

if TYPE_CHECKING:
    from securesystemslib.signer import SSlibKey

FORM = "openbao://MOUNT/KEY"
NAMED = re.compile(r"openbao://([A-Za-z0-9_][A-Za-z0-9_./-]*)/([A-Za-z0-9_][A-Za-z0-9_.-]*)")
TYPE = "ed25519"
LARGEST = 1 << 20
"""Bytes of an answer that are read."""
OK, DENIED, MISSING = 200, (401, 403), 404


@dataclass(frozen=True, slots=True)
class _Transit:
    """A key of a server, as it is asked for."""

    address: Address
    mount: str
    name: str
    headers: Mapping[str, Secret] = field(repr=False)
    exchange: Exchange

    def asked(self, what: str, given: Mapping[str, object] | None = None) -> Mapping[str, object]:
        """The data of an answer. Raises SignFailed."""
        request = Request(
            "GET" if given is None else "POST",
            f"{self.address.url}/v1/{self.mount}/{what}/{self.name}",
            self.headers,
            None if given is None else Secret(json.dumps(given)),
            self.address.loopback,
        )
        answer = self.exchange(request, LARGEST, self._unreached)
        if answer.status != OK:
            raise self._refused(answer.status)
        try:
            data = from_json(answer.body)["data"]
        except (ValueError, KeyError, TypeError):
            data = None
        if not isinstance(data, dict):
            raise self.strange()
        return data

    def _unreached(self, why: str) -> SignFailed:
        return SignFailed(f"no record can be signed: {why}", hint="see that OpenBao runs, and run again")

    def _refused(self, status: int) -> SignFailed:
        """Why, in our words: those of a server stay out of messages."""
        if status in DENIED:
            return SignFailed(
                f"OpenBao does not let this token sign with {self.mount}/{self.name}",
                hint=f"let its policy read {self.mount}/keys/{self.name} and update"
                f" {self.mount}/sign/{self.name}; see that BAO_TOKEN or VAULT_TOKEN has not expired",
            )
        if status == MISSING:
            return SignFailed(
                f"OpenBao has no key {self.name} in {self.mount}",
                hint=f"make it with: bao write -f {self.mount}/keys/{self.name} type={TYPE}",
            )
        return SignFailed(
            f"OpenBao answers {status} and signs nothing",
            hint="see that it is unsealed and well, and run again",
        )

    def strange(self) -> SignFailed:
        """The error for an answer that is not as it should be."""
        return SignFailed(
            f"{self.address.url} does not answer as OpenBao does",
            hint="see what BAO_ADDR or VAULT_ADDR names",
        )


@dataclass(frozen=True, slots=True)
class TransitKey:
    """One version of a key: that which was the newest when it was opened."""

    transit: _Transit
    version: int
    public: SSlibKey

    def sign(self, text: bytes) -> bytes:
        """The signature over a text. Raises SignFailed."""
        given = {"input": base64.b64encode(text).decode(), "key_version": self.version}
        made = self.transit.asked("sign", given).get("signature")
        try:
            return base64.b64decode(str(made).rpartition(":")[2], validate=True)
        except (binascii.Error, ValueError):
            raise self.transit.strange() from None


def _open(place: Place) -> TransitKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    transit = _transit(place)
    data = transit.asked("keys")
    if data.get("type") != TYPE:
        raise SignFailed(
            f"the key {transit.name} in {transit.mount} is of type {_shown(data.get('type'))}, which signs no"
            " records",
            hint=f"make one with: bao write -f {transit.mount}/keys/NAME type={TYPE}",
        )
    version, versions = data.get("latest_version"), data.get("keys")
    try:
        raw = base64.b64decode(versions[str(version)]["public_key"], validate=True)  # type: ignore[index]
        public = checked_by(Ed25519PublicKey.from_public_bytes(raw))
    except (ValueError, LookupError, TypeError):
        raise transit.strange() from None
    return TransitKey(transit, int(str(version)), public)


def _transit(place: Place) -> _Transit:
    """The key that is named, and how to ask for it. Raises SignFailed."""
    named = NAMED.fullmatch(place.named)
    if named is None or ".." in place.named:
        raise SignFailed(f"RECONCILER_RECORD_KEY is not of the form {FORM}", hint=f"write {FORM}")
    address = address_of(_first(place.environ, "ADDR") or "")
    token = _first(place.environ, "TOKEN")
    if address is None or token is None:
        raise SignFailed(
            "the signing key is in OpenBao, and it is not said where that is, or who asks",
            hint="set BAO_ADDR and BAO_TOKEN, or VAULT_ADDR and VAULT_TOKEN",
        )
    if not address.private:
        raise SignFailed(
            f"{address.url} is not private, so no token goes there", hint="give an address with https"
        )
    headers = {"X-Vault-Token": Secret(token), "Content-Type": Secret("application/json")}
    if namespace := _first(place.environ, "NAMESPACE"):
        headers["X-Vault-Namespace"] = Secret(namespace)
    return _Transit(address, named[1], named[2], headers, place.exchange)


def _first(environ: Mapping[str, str], what: str) -> str | None:
    """A setting by the name that OpenBao has for it, else Vault's."""
    return environ.get(f"BAO_{what}") or environ.get(f"VAULT_{what}") or None


def _shown(kind: object) -> str:
    return kind if isinstance(kind, str) and re.fullmatch("[a-z0-9-]{1,40}", kind) else "that is not known"


KEEPER = Keeper("openbao", FORM, lambda named: named.startswith("openbao://"), _open)
