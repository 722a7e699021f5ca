"""What recipients are called: the same in a creation rule as in the metadata of a file.

An age or SSH recipient is its own name. Any other has its type before it: `pgp FINGERPRINT`,
`kms ARN`, `gcp_kms RESOURCE`, `hckms REGION:ID`, `azure_kv VAULT/KEY/VERSION`,
`hc_vault ADDRESS/ENGINE/KEY`.
"""

from __future__ import annotations

from collections.abc import Iterable

TYPES = {
    "pgp": ("fp",),
    "kms": ("arn",),
    "gcp_kms": ("resource_id",),
    "hckms": ("key_id",),
    "azure_kv": ("vault_url", "name", "version"),
    "hc_vault": ("vault_address", "engine_path", "key_name"),
}
"""Recipient list in a file's metadata → the fields that name one recipient. In the order of SOPS."""

_POST_QUANTUM = ("age1pq1", "age1tagpq1")
_BREAKABLE = ("pgp", "azure_kv")
"""Types whose public key is RSA or elliptic. The others wrap with a secret key that never leaves a server."""


def named(kind: str, *fields: str) -> str:
    """The name of a recipient that is not age."""
    return f"{kind} " + "/".join(fields)


def is_age(name: str) -> bool:
    """Whether a name is that of an age or SSH recipient."""
    return name.partition(" ")[0] not in TYPES


def is_post_quantum(name: str) -> bool:
    """Whether what is sealed to a recipient stays sealed when there are large quantum computers."""
    return normal(name).startswith(_POST_QUANTUM)


def is_classic(name: str) -> bool:
    """Whether a large quantum computer opens what was sealed to a recipient, from the file alone."""
    if is_age(name):
        return not is_post_quantum(name)
    return name.partition(" ")[0] in _BREAKABLE


def once(names: Iterable[str]) -> tuple[str, ...]:
    """The names in their order, without repeats."""
    return tuple(dict.fromkeys(names))


def is_shouted(name: str) -> bool:
    """Whether a name is an age recipient in upper case, which Bech32 allows as long as all of it is."""
    return name.startswith("AGE1") and name.isupper()


def normal(name: str) -> str:
    """The form in which two names of one recipient are equal.

    An age recipient may be written in upper case. An SSH key loses its comment, a fingerprint its
    spaces and its case, an Azure key the case and the slash at the end of its vault. For an Azure key
    without a version see `is_version_of`.
    """
    kind, _, rest = name.partition(" ")
    if name.startswith("ssh-"):
        return " ".join(name.split()[:2])
    if is_shouted(name):
        return name.lower()
    if kind == "pgp":
        return named(kind, rest.replace(" ", "").upper().removeprefix("0X"))
    if kind == "azure_kv":
        vault, _, key = rest.lower().partition("://")
        return named(kind, f"{vault}://{key.replace('//', '/')}")
    return name


def is_version_of(name: str, latest: str) -> bool:
    """Whether a name is a version of the Azure key that the second name gives without one.

    SOPS asks Azure for the newest version when it seals, and writes that into the file.
    """
    latest = normal(latest)
    return latest.startswith("azure_kv ") and latest.endswith("/") and normal(name).startswith(latest)
