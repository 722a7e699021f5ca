"""Encrypting an artifact anew for the recipients that its creation rule names today.

Quiet where it can be: somebody who comes gets the data key that is there, and not one value changes.
Whoever leaves has had that key and could read every later version with it, so then there is a new one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from reconciler.artifacts.age import wrapped
from reconciler.artifacts.comparing import Change, difference
from reconciler.artifacts.interface import Expected
from reconciler.artifacts.names import normal
from reconciler.artifacts.opener import FileOpener, Whole, made_out, metadata_of, read_header
from reconciler.artifacts.packing import Packed
from reconciler.artifacts.rules import Rule
from reconciler.artifacts.sealing import RuleSealer
from reconciler.errors import ArtifactTampered


def stale(data: bytes, path: str, rule: Rule) -> Change:
    """How the recipients of a file differ from its rule's; no key is needed. Raises ArtifactTampered."""
    return difference(metadata_of(data, path), rule.recipients)


class Admitting(Protocol):
    """What lets more recipients into a file that we do not seal ourselves."""

    def admit(self, data: bytes, packed: Packed, rule: Rule) -> bytes:
        """The same file, with the recipients that its rule names more. Raises SealFailed."""


class Resealer:
    """Encrypts files anew, as one who can open them."""

    def __init__(self, opener: FileOpener, sealer: RuleSealer, program: Admitting) -> None:
        self._opener = opener
        self._sealer = sealer
        self._program = program

    def reseal(self, data: bytes, path: str, rule: Rule, expected: Expected | None, now: int) -> bytes:
        """The file for the recipients of the rule; the same bytes where it is sealed to them.

        The file is checked as for its owner first: a forgery is not made presentable. `now` is epoch
        seconds. Raises CannotOpen, ArtifactTampered, SealFailed or NoRecipients.
        """
        change = stale(data, path, rule)
        if not change:
            _check_header(data, path, expected)
            return data
        whole = self._opener.whole(data, path, expected)
        packed = Packed(whole.form, whole.tree, path, now)
        if change.removed or change.regrouped:
            return self._sealer.seal_packed(packed, rule)
        if whole.data_key is not None and rule.recipients.native:
            return admitted(whole, whole.data_key, rule)
        return self._program.admit(data, packed, rule)


def admitted(whole: Whole, data_key: bytes, rule: Rule) -> bytes:
    """The file with a stanza for each recipient who has none, and every other byte as it was."""
    metadata = whole.document.metadata
    have = {normal(one.recipient) for one in metadata.age}
    new = [name for name in rule.recipients.age if normal(name) not in have]
    more = replace(metadata, age=(*metadata.age, *wrapped(data_key, new)))
    return whole.form.emit(whole.document.tree, more)


def _check_header(data: bytes, path: str, expected: Expected | None) -> None:
    """As much as can be told without opening. Raises ArtifactTampered."""
    header = read_header(data, path)
    if expected is not None and header != expected.header:
        fault = made_out(header, expected.header)
        raise ArtifactTampered(f"{path}: {fault.message}", hint=fault.hint)
