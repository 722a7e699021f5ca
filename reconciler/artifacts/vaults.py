"""Where the token of a Vault or OpenBao server may go: to the server that the environment names.

The sops program sends it to the address that stands in a file or a creation rule, and whoever writes a pull
request writes those. So an address counts only if VAULT_ADDR or BAO_ADDR says it too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

ADDRESSES = ("VAULT_ADDR", "BAO_ADDR")
FAMILIES = ("VAULT_", "BAO_")
WITHHELD = {"VAULT_TOKEN": "withheld"}
"""What a server gets that nobody vouches for. Without any, sops would look for a token in the home folder."""
OTHERS = "RECONCILER_VAULTS"
"""More addresses, with commas between them."""
HINT = f"if it is your key server, name it in VAULT_ADDR or {OTHERS}: your token would be sent there"
_VAULT = "hc_vault "


def strangers(names: Iterable[str], environ: Mapping[str, str]) -> tuple[str, ...]:
    """The recipients that are keys on a server which the environment does not name."""
    named = [*(environ.get(name, "") for name in ADDRESSES), *environ.get(OTHERS, "").split(",")]
    own = tuple(address.strip().rstrip("/") + "/" for address in named if address.strip())
    vaults = (name.removeprefix(_VAULT) for name in names if name.startswith(_VAULT))
    return tuple(vault for vault in vaults if not vault.startswith(own))


def without_token(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for a program that is not to send the token anywhere."""
    kept = {name: value for name, value in environ.items() if not name.startswith(FAMILIES)}
    return {**kept, **WITHHELD}
