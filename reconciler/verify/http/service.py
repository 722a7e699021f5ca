"""What the handlers share in one process."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from reconciler.kinds.checking import Call, Reason
from reconciler.verify.http.forward import Match
from reconciler.verify.http.once import Once
from reconciler.verify.http.setup import Setup
from reconciler.verify.http.signin import parameter
from reconciler.verify.verifier import Verifier

LONGEST_REMEMBERED = 512
"""Characters of a URI."""
REMEMBERED = 4096
"""URIs whose route is kept."""


def kept_routes(match: Match) -> Match:
    """The same routes; those of URIs that come often are found once."""
    kept = lru_cache(REMEMBERED)(match)

    def found(method: str, uri: str) -> Call | Reason:
        return (kept if len(uri) <= LONGEST_REMEMBERED else match)(method, uri)

    return found


@dataclass(slots=True)
class Service:
    """The verifier of one process, and how it answers over HTTP."""

    setup: Setup
    verifier: Verifier
    match: Match
    """The routes of the catalog; replaced when they are read again."""
    once: Once
    stopping: bool = False

    def parameter(self, name: str) -> str:
        """What the application behind a token calls the parameter that carries its sign-in JWT."""
        return parameter(self.verifier.book, name)
