"""What signs records, and what a place is that keeps the key for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from reconciler.errors import SignFailed
from reconciler.records.envelope import Signed
from reconciler.records.keys import pae, read_keys, signed_by, ssh_line
from reconciler.records.making import Signatures
from reconciler.specs.auditing import AuditSettings
from reconciler.web import Exchange

if TYPE_CHECKING:
    from securesystemslib.signer import SSlibKey

TRIAL = b"reconciler: can this key sign?"
"""What is signed to see whether it can be. No record begins so."""


class Signer(Protocol):
    """Signs records."""

    def ready(self) -> None:
        """Sees that a record can be signed: better known before anything is done. Raises SignFailed."""

    def sign(self, payload: bytes, /) -> Signatures:
        """The signatures of a record. Raises SignFailed."""

    def accepts(self, signed: Signed, /) -> bool:
        """Whether the signatures of a record that is there already will do."""


class SigningKey(Protocol):
    """A key that signs, wherever it is kept."""

    @property
    def public(self) -> SSlibKey:
        """Its public half."""

    def sign(self, text: bytes) -> bytes:
        """The signature over a text. Raises SignFailed."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a key is, and how it can be reached."""

    named: str
    """As the user named it."""
    environ: Mapping[str, str]
    exchange: Exchange


@dataclass(frozen=True, slots=True)
class Keeper:
    """A kind of place that keeps keys."""

    name: str
    form: str
    """How it is named, for messages."""
    holds: Callable[[str], bool]
    """Whether a name is of such a place."""
    open: Callable[[Place], SigningKey]
    """The key there. Raises SignFailed."""


@dataclass(frozen=True, slots=True)
class Unsigned:
    """Signs nothing, as no key is configured."""

    variable: str
    required: bool

    def ready(self) -> None:
        """Whether none is needed."""
        if self.required:
            raise SignFailed(
                "the Workspace document asks for signed records in spec.audit, and there is no signing key",
                hint=f"name one in {self.variable}: the file of a private key, or openbao://MOUNT/KEY",
            )

    def sign(self, _: bytes) -> Signatures:
        """None."""
        self.ready()
        return ()

    def accepts(self, _: Signed) -> bool:
        """Any: who is to sign is not said."""
        return True


@dataclass(slots=True)
class RecordSigner:
    """Signs with one key, which is opened when it is first needed."""

    open: Callable[[], SigningKey]
    audit: AuditSettings
    _key: SigningKey | None = field(default=None, init=False)

    @property
    def key(self) -> SigningKey:
        """The key. Raises SignFailed."""
        if self._key is None:
            self._key = self.open()
        return self._key

    def ready(self) -> None:
        """Whether it signs, and is one of those that may."""
        self._check_known()
        self._signed(TRIAL)

    def sign(self, payload: bytes) -> Signatures:
        """One."""
        self._check_known()
        return ((self.key.public.keyid, self._signed(pae(payload))),)

    def accepts(self, signed: Signed) -> bool:
        """Whether one of the keys that may sign has signed a record, or nobody says which may."""
        keys = read_keys(self.audit.keys)
        return not keys or signed_by(signed, keys) is not None

    def _check_known(self) -> None:
        """Whether the key is one of those that may: a record by another is refused by everybody, for good."""
        public = self.key.public
        known = {one.id for one in read_keys(self.audit.keys)}
        if public.keyid not in known and (known or self.audit.records == "signed"):
            raise SignFailed(
                f"the signing key {public.keyid[:12]} is none of spec.audit.keys of the Workspace document",
                hint=f"add this line there: {ssh_line(public)}",
            )

    def _signed(self, text: bytes) -> bytes:
        """A signature that fits the public half: nobody could check another."""
        from securesystemslib.exceptions import UnverifiedSignatureError
        from securesystemslib.signer import Signature

        made, public = self.key.sign(text), self.key.public
        try:
            public.verify_signature(Signature(public.keyid, made.hex()), text)
        except UnverifiedSignatureError:
            raise SignFailed(
                f"what the signing key {public.keyid[:12]} signed does not fit its public half",
                hint="see that nobody exchanged it meanwhile, and run again",
            ) from None
        return made
