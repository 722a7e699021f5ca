"""Opens the shared secrets that are sealed to the verifier."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from reconciler.artifacts import age
from reconciler.artifacts.agewrap import Identity
from reconciler.errors import CannotOpen
from reconciler.secret import Secret

SECRETS_KEPT = 1024
"""Opened ones in memory, those that were used last."""


def unsealing(identities: tuple[Identity, ...]) -> Callable[[str], Secret | None]:
    """Opens shared secrets that are sealed to the verifier, each once; None where no identity does."""

    @lru_cache(maxsize=SECRETS_KEPT)
    def unseal(sealed: str) -> Secret | None:
        try:
            return age.open_text(identities, sealed)
        except CannotOpen:
            return None

    return unseal
