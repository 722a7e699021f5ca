"""What was seen of artifacts, and how they are delivered now: values that the difference depends on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from reconciler.specs.reader import Declared


class ArtifactState(StrEnum):
    """How the sealed file in the tree compares with the live token that it belongs to."""

    SAME = "same"
    RESEALED = "resealed"
    """The right header, other bytes: encrypted anew for other recipients."""
    MOVED = "moved"
    """Gone from its place, and whole where its spec wants it: somebody moved it there."""
    MISSING = "missing"
    FOREIGN = "foreign"
    """Its header names another token or generation."""
    BROKEN = "broken"
    """It is no sealed file at all."""


TAKEN_UP = (ArtifactState.RESEALED, ArtifactState.MOVED)
LOST = {
    ArtifactState.MISSING: "its artifact is missing",
    ArtifactState.FOREIGN: "its artifact belongs to another token or generation",
    ArtifactState.BROKEN: "its artifact cannot be read",
}


@dataclass(frozen=True, slots=True)
class Observed:
    """What became of an artifact, as far as can be told without a key."""

    state: ArtifactState
    recipients: tuple[str, ...] = ()
    """To whom the file is sealed, by name, where the live token does not say it."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How artifacts are delivered now."""

    path: Callable[[Declared], str | None]
    """Where the artifact of a spec is to stand; None where its owner brings the key."""
    named: Callable[[str], frozenset[str] | None]
    """To whom the creation rules seal what stands at a path, in normal form; None where no rule says."""
