"""Signing keys, by where they are kept: one file each, found by their `KEEPER`.

A new place is one new file here. Nothing else names the places.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from reconciler.errors import SignFailed
from reconciler.family import family
from reconciler.records.signing.interface import Keeper, Place, RecordSigner, Signer, Unsigned
from reconciler.specs.auditing import AuditSettings
from reconciler.web import Exchange

VARIABLE = "RECONCILER_RECORD_KEY"


@cache
def all_keepers() -> dict[str, Keeper]:
    """Every kind of place by its name, in alphabetical order."""
    return family(__name__, "KEEPER", Keeper)


def signer(environ: Mapping[str, str], exchange: Exchange, audit: AuditSettings) -> Signer:
    """Signs with the key that the environment names; without one, nothing is signed, unless it must be."""
    named = environ.get(VARIABLE)
    if not named:
        return Unsigned(VARIABLE, required=audit.records == "signed")
    return RecordSigner(lambda: _keeper(named).open(Place(named, environ, exchange)), audit)


def _keeper(named: str) -> Keeper:
    found = next((one for one in all_keepers().values() if one.holds(named)), None)
    if found is None:
        forms = " or ".join(one.form for one in all_keepers().values())
        raise SignFailed(f"{VARIABLE} names no place where keys are kept", hint=f"set it to {forms}")
    return found
