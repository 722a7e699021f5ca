"""The check of a presented token: as a library, and as an HTTP service.

    from reconciler.verify import Guard, Routes, Verifier

They are imported when they are asked for: the check itself needs none of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.verify.asgi import Guard
    from reconciler.verify.routes import Routes
    from reconciler.verify.verifier import Verifier

__all__ = ["Guard", "Routes", "Verifier"]
PLACES = {"Guard": "asgi", "Routes": "routes", "Verifier": "verifier"}


def __getattr__(name: str) -> object:
    if name not in PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(f"{__name__}.{PLACES[name]}"), name)
    return found
