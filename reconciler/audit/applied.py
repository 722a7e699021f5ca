"""What was live, and when: the spans of every token, from the records of what was applied. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.audit.spans import Span
from reconciler.records.body import Body


@dataclass(frozen=True, slots=True)
class Lived:
    """All that records tell."""

    spans: tuple[Span, ...]
    """In the order of their beginnings, then of their names. One without a normal form is of a token that
    lost access in a change that then failed: it could do what `grants` say at the most."""
    untold: tuple[str, ...]
    """Names of tokens whose spec no record has: what they could do is not told."""


def applied(bodies: Iterable[Body]) -> Lived:
    """The spans of records, in the order of their sequence."""
    raise NotImplementedError
