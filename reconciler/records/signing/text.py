"""A private key in the environment itself, as the secrets of a pipeline are given."""

from __future__ import annotations

from reconciler.records.private import PrivateKey, read_private
from reconciler.records.signing.interface import Keeper, Place
from reconciler.secret import Secret

NAME = "the signing key in the environment"
"""What messages call it: what stands there is the key."""


def _open(place: Place) -> PrivateKey:
    # Some forges take the last end of line away, without which it is no key of OpenSSH.
    return read_private(Secret(place.named.strip() + "\n"), NAME)


KEEPER = Keeper("text", "a private key itself", lambda named: named.startswith("-----BEGIN "), _open)
