"""Sealing for age recipients, natively: no other program is started."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.artifacts import agewrap, sops
from reconciler.artifacts.agewrap import Identity
from reconciler.artifacts.packing import Packed
from reconciler.artifacts.rules import Rule
from reconciler.artifacts.tree import Entropy, Metadata, Stanza
from reconciler.errors import CannotOpen, NoRecipients
from reconciler.secret import Secret


class NativeSealer:
    """Seals for age and SSH keys."""

    def __init__(self, entropy: Entropy) -> None:
        self._entropy = entropy

    def seal(self, packed: Packed, rule: Rule) -> bytes:
        """The bytes of the sealed file. Raises SealFailed, or NoRecipients for a bad recipient."""
        data_key = self._entropy(sops.KEY_BYTES)
        metadata = _metadata(packed, rule, wrapped(data_key, rule.recipients.age))
        return packed.form.emit(*sops.seal_tree(packed.tree, metadata, data_key, self._entropy))


def _metadata(packed: Packed, rule: Rule, age: tuple[Stanza, ...]) -> Metadata:
    return Metadata(
        age=age,
        lastmodified=sops.timestamp(packed.sealed_at),
        mac="",
        selection=packed.form.selection,
        mac_only_encrypted=rule.recipients.mac_only_encrypted,
        version=sops.VERSION,
    )


def wrapped(data_key: bytes, recipients: Sequence[str]) -> tuple[Stanza, ...]:
    """The data key for each recipient: one age file a recipient, as SOPS keeps them."""
    return tuple(Stanza(one, agewrap.wrap(data_key, [agewrap.recipient(one)])) for one in recipients)


def seal_text(recipients: Sequence[str], text: Secret) -> str:
    """One armored age file (no SOPS) that any of the recipients opens.

    Raises NoRecipients when there is none, or one is not an age or SSH recipient.
    """
    if not recipients:
        raise NoRecipients("there is nobody to seal to", hint="name at least one age recipient")
    return agewrap.wrap(text.open().encode(), [agewrap.recipient(one) for one in recipients])


def open_text(identities: Sequence[Identity], armored: str) -> Secret:
    """What `seal_text` sealed. Raises CannotOpen."""
    try:
        return Secret(agewrap.unwrap(armored, identities).decode())
    except UnicodeDecodeError:
        raise CannotOpen("what is sealed is not text", hint="rotate the token") from None
