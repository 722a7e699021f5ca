"""The forges that a pull request can be on: one file each, found by their `FORGE`.

A new forge is one new file here. Nothing else knows what a forge's API is like.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from reconciler.errors import UsageError
from reconciler.family import family
from reconciler.forges.interface import Forge


@cache
def all_forges() -> dict[str, Forge]:
    """Every forge by its name, in alphabetical order."""
    return family(__name__, "FORGE", Forge)


def forge_of(environ: Mapping[str, str]) -> Forge:
    """The forge that a pipeline runs on. Raises UsageError where it runs on none that is known."""
    for forge in all_forges().values():
        if forge.runs_here(environ):
            return forge
    names = " or ".join(forge.title for forge in all_forges().values())
    raise UsageError(
        "this is no pipeline of a forge that is known",
        hint=f"run it in a pipeline of {names}, for a pull request",
    )
