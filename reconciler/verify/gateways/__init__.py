"""The gateways that the verifier can stand behind: one file each, found by their `GATEWAY`.

A new gateway is one new file here. Nothing else names the gateways.
"""

from __future__ import annotations

from functools import cache

from reconciler.family import family
from reconciler.verify.gateways.interface import Gateway


@cache
def all_gateways() -> dict[str, Gateway]:
    """Every gateway by its name, in alphabetical order."""
    return family(__name__, "GATEWAY", Gateway)
