"""The sealer that the rest of the house uses: it picks the backend by the rule's recipients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from reconciler.artifacts.interface import Parcel, Recipients
from reconciler.artifacts.packing import Packed, packed
from reconciler.artifacts.rules import Rule
from reconciler.errors import SealFailed


class Backend(Protocol):
    """One way to seal."""

    def seal(self, packed: Packed, rule: Rule) -> bytes:
        """The bytes of the sealed file, under a new data key. Raises NoRecipients or SealFailed."""


class RuleSealer:
    """Seals each parcel as its creation rule says: natively where age is enough, else by the program."""

    def __init__(self, match: Callable[[str], Rule], native: Backend, program: Backend) -> None:
        """`match`: path of an artifact → its creation rule. Raises NoRecipients; asked when it is needed."""
        self._match = match
        self._native = native
        self._program = program

    def recipients(self, path: str) -> Recipients:
        """To whom the artifact at a path is sealed. Raises NoRecipients."""
        return self._match(path).recipients

    def seal(self, parcel: Parcel) -> bytes:
        """The bytes of the sealed file. Raises NoRecipients or SealFailed, which name the artifact."""
        rule = self._match(parcel.path)
        try:
            return self.seal_packed(packed(parcel), rule)
        except SealFailed as fault:
            raise SealFailed(f"{parcel.path}: {fault.message}", hint=fault.hint) from None

    def seal_packed(self, packed: Packed, rule: Rule) -> bytes:
        """The same, of a tree that is packed already."""
        backend = self._native if rule.recipients.native else self._program
        return backend.seal(packed, rule)
