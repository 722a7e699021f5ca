"""Whether a file that is not the recorded one can be what `reseal` makes of it. Pure: no key is needed.

Where recipients come, reseal leaves every value as it is. Where recipients only leave, there is a new data
key, so each value is another, and who is left was there before. Nothing else is taken for a reseal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from reconciler.artifacts.formats.interface import Format
from reconciler.artifacts.interface import Header
from reconciler.artifacts.names import normal
from reconciler.artifacts.sops import is_sealed
from reconciler.artifacts.tree import Document, Leaf, Metadata, Node, Selection
from reconciler.audit.verifying.finding import Check


@dataclass(frozen=True, slots=True)
class Sealed:
    """An artifact as it stands, taken apart."""

    form: Format
    document: Document
    header: Header


def judged(recorded: Sealed | None, found: Sealed) -> tuple[Check, str]:
    """What a file is that says it is of the same token and generation, beside what a record put there.

    `recorded` is None where no commit has what the record names.
    """
    if recorded is None:
        return Check.ARTIFACT_REKEYED, "and what it put there is in no commit to hold it against"
    if found.form.name != recorded.form.name or found.document.comment is not None:
        return Check.ARTIFACT_CHANGED, "and is written in another form"
    try:
        leaves = list(_beside(recorded, found))
    except _Apart:
        return Check.ARTIFACT_CHANGED, "and has other fields"
    if not all(is_sealed(now) for _, now, sealed in leaves if sealed):
        return Check.ARTIFACT_CHANGED, "and has a value that is not encrypted, or not whole"
    if any(was != now for was, now, sealed in leaves if not sealed):
        return Check.ARTIFACT_CHANGED, "and has another text in the clear"
    same = [was == now for was, now, sealed in leaves if sealed]
    before, now = recorded.document.metadata, found.document.metadata
    if all(same):
        return _same_values(before, now)
    if any(same) or before.mac == now.mac:
        return Check.ARTIFACT_CHANGED, "and some of its values are others"
    return _other_values(before, now)


def _same_values(before: Metadata, now: Metadata) -> tuple[Check, str]:
    """Every value is as it was: who can open it may be others, and nothing else."""
    # Who can open it, and the number of the program that let them in, may differ.
    if replace(now, age=before.age, others=before.others, split=before.split, threshold=before.threshold,
               version=before.version) != before:  # fmt: skip
        return Check.ARTIFACT_CHANGED, "and what vouches for its values is another"
    left, came = _moved(before, now)
    keys = {one.enc: normal(one.recipient) for one in before.age}
    renamed = any(keys.get(one.enc, normal(one.recipient)) != normal(one.recipient) for one in now.age)
    if renamed or not now.recipients or not (left or came):
        return Check.ARTIFACT_CHANGED, "and its values are the same, so no reseal made it"
    return Check.ARTIFACT_RESEALED, f"and holds the same values for others: {_names(left, came)}"


def _other_values(before: Metadata, now: Metadata) -> tuple[Check, str]:
    """Every value was encrypted anew: by design where recipients left, and by nobody else's leave."""
    left, came = _moved(before, now)
    if left and not came and is_sealed(now.mac) and now.recipients:
        return (
            Check.ARTIFACT_RESEALED,
            f"and was encrypted anew without some of its recipients: {_names(left, [])}",
        )
    who = _names(left, came) or "for the same recipients"
    return Check.ARTIFACT_REKEYED, f"and every value was encrypted anew: {who}"


def _moved(before: Metadata, now: Metadata) -> tuple[list[str], list[str]]:
    """Who can open it no more, and who can now."""
    was = {normal(one): one for one in before.recipients}
    new = {normal(one): one for one in now.recipients}
    left = [name for form, name in was.items() if form not in new]
    return left, [name for form, name in new.items() if form not in was]


def _names(left: list[str], came: list[str]) -> str:
    return "; ".join(
        [*([f"{', '.join(left)} left"] if left else []), *([f"{', '.join(came)} came"] if came else [])]
    )


class _Apart(Exception):
    """Two trees that do not have the same keys."""


def _beside(recorded: Sealed, found: Sealed) -> Iterator[tuple[Leaf, Leaf, bool]]:
    """Each leaf of both files, and whether it is to be encrypted. Raises _Apart."""
    selection = recorded.form.selection
    one, other = recorded.document.tree, found.document.tree
    return _leaves(one, other, selection, encrypted=selection.starts_encrypted)


def _leaves(
    one: Node, other: Node, selection: Selection, *, encrypted: bool
) -> Iterator[tuple[Leaf, Leaf, bool]]:
    if isinstance(one, dict) and isinstance(other, dict):
        if one.keys() != other.keys():
            raise _Apart
        for key, value in one.items():
            below = selection.below(key, encrypted=encrypted)
            yield from _leaves(value, other[key], selection, encrypted=below)
    elif isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            raise _Apart
        for value, beside in zip(one, other, strict=True):
            yield from _leaves(value, beside, selection, encrypted=encrypted)
    elif isinstance(one, dict | list) or isinstance(other, dict | list) or type(one) is not type(other):
        raise _Apart
    else:
        yield one, other, encrypted and one not in (None, "")
