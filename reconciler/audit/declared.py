"""What was declared, and when: the spans of every token, from the line of a revision. Pure.

A name is one token from the commit that declares it to the one that does not, and by the names that it says
it had before. One that is deleted and declared again is another token, and so is one of another kind. What
has a fault declares nothing until it is mended; then its tokens are those that they were.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.audit.history import Line
from reconciler.audit.meanings import Meanings
from reconciler.audit.spans import Span
from reconciler.specs.settings import WorkspaceDocument


@dataclass(frozen=True, slots=True)
class Faulty:
    """Something that declared nothing, because it had a fault."""

    since: int
    """Epoch seconds."""
    commit: str
    """That brought it."""
    what: str
    """The file, or the name of a token, and what is wrong with it."""
    until: int | None
    """When it was mended, or went; None where it still is so."""


@dataclass(frozen=True, slots=True)
class History:
    """All that a line declared."""

    spans: tuple[Span, ...]
    """In the order of their beginnings, then of their names."""
    faulty: tuple[Faulty, ...]
    workspace: WorkspaceDocument | None
    """The settings at its end."""


def blobs(line: Line) -> list[str]:
    """The blobs that a line ever read as specs, each once."""
    found = (one.blob for step in line.steps for one in step.touched if one.is_spec and one.blob)
    return list(dict.fromkeys(found))


def declared(line: Line, meanings: Meanings) -> History:
    """The spans of a line, whose blobs mean that."""
    raise NotImplementedError
