"""How a server is set up: values only, made by the command line, and the same in every worker."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass

from reconciler.kinds.interface import Entropy
from reconciler.live.interface import LiveStore
from reconciler.verify.check import Rules
from reconciler.verify.http.forward import Gateways, Match
from reconciler.verify.http.introspect import Introspection
from reconciler.verify.http.oauth import Issuer
from reconciler.verify.http.signing import SigningKey


@dataclass(frozen=True, slots=True)
class Setup:
    """What every worker starts from."""

    store: Callable[[], LiveStore]
    """Opens the live store; called anew whenever it was lost."""
    rules: Rules
    max_stale: float
    match: Match
    """The routes of the catalog."""
    read_routes: Callable[[], Match]
    """The routes as they are on disk now. Raises ReconcilerError."""
    gateways: Gateways
    introspection: Introspection
    issuer_url: str | None
    issuer: Issuer | None
    keys: tuple[SigningKey, ...]
    clock: Callable[[], float]
    entropy: Entropy
    access_log: bool = True
    tls: ssl.SSLContext | None = None
    metrics_folder: str | None = None
    """Where several workers count together."""
