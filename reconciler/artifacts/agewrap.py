"""The age library, behind names with types. It is loaded when first used: most commands never seal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from importlib import import_module
from typing import NewType, Protocol, cast

from reconciler.errors import CannotOpen, NoRecipients
from reconciler.secret import Secret

Recipient = NewType("Recipient", object)
Identity = NewType("Identity", object)


class _KeyPair(Protocol):
    def to_public(self) -> object: ...


class _IdentityType(Protocol):
    generate: Callable[[], _KeyPair]
    from_str: Callable[[str], object]
    from_buffer: Callable[[bytes], object]


class _RecipientType(Protocol):
    from_str: Callable[[str], object]


class _Keys(Protocol):
    Identity: _IdentityType
    Recipient: _RecipientType


class _Age(Protocol):
    x25519: _Keys
    ssh: _Keys
    DecryptError: type[Exception]
    IdentityError: type[Exception]
    RecipientError: type[Exception]

    def encrypt(self, plaintext: bytes, recipients: Sequence[object], *, armored: bool) -> bytes: ...
    def decrypt(self, ciphertext: bytes, identities: Sequence[object]) -> bytes: ...


@cache
def _age() -> _Age:
    return cast("_Age", import_module("pyrage"))


@cache
def recipient(text: str) -> Recipient:
    """An age (`age1…`) or SSH (`ssh-ed25519 …`, `ssh-rsa …`) recipient. Raises NoRecipients."""
    age = _age()
    keys = age.ssh if text.startswith("ssh-") else age.x25519
    try:
        return Recipient(keys.Recipient.from_str(text))
    except age.RecipientError:
        raise NoRecipients(
            f"{text!r} is not a recipient that can be sealed to",
            hint="copy the whole public key: age1… from age-keygen, or an ssh-ed25519 or ssh-rsa line",
        ) from None


def identity(secret: Secret) -> Identity | None:
    """An age identity (`AGE-SECRET-KEY-1…`); None when the text is none."""
    age = _age()
    try:
        return Identity(age.x25519.Identity.from_str(secret.open()))
    except age.IdentityError:
        return None


def ssh_identity(secret: Secret) -> Identity | None:
    """An SSH private key as an identity; None when it is locked by a passphrase, or no key."""
    age = _age()
    try:
        return Identity(age.ssh.Identity.from_buffer(secret.open().encode()))
    except age.IdentityError:
        return None


def generate() -> tuple[str, Secret]:
    """A new age key pair: the recipient, and the identity that opens what is sealed to it."""
    pair = _age().x25519.Identity.generate()
    return str(pair.to_public()), Secret(str(pair))


def wrap(data: bytes, recipients: Iterable[Recipient]) -> str:
    """One armored age file, sealed to all the recipients."""
    return _age().encrypt(data, list(recipients), armored=True).decode()


def unwrap(armored: str, identities: Sequence[Identity]) -> bytes:
    """What an age file holds. Raises CannotOpen."""
    age = _age()
    try:
        return age.decrypt(armored.encode(), list(identities))
    except age.DecryptError:
        raise CannotOpen("none of the identities opens it") from None
