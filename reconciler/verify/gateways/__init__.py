"""The gateways that the verifier can stand behind: one file each, found by their `GATEWAY`.

A new gateway is one new file here. Nothing else names the gateways.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from reconciler.verify.gateways.interface import Gateway


@cache
def all_gateways() -> dict[str, Gateway]:
    """Every gateway by its name, in alphabetical order."""
    found = [
        gateway
        for module in iter_modules(__path__)
        if isinstance(
            gateway := getattr(import_module(f"{__name__}.{module.name}"), "GATEWAY", None), Gateway
        )
    ]
    return {gateway.name: gateway for gateway in sorted(found, key=lambda gateway: gateway.name)}
