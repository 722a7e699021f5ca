"""How a creation rule writes a recipient of each type, and what that recipient is called.

In the rule itself it is text; in a key group most types are maps.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit, urlunsplit

from reconciler.artifacts.names import named
from reconciler.artifacts.tree import Node, Tree
from reconciler.errors import NoRecipients

_ROLE = re.compile(r"(?<=.)\+arn:aws:iam::.*")
"""What may stand behind an ARN: the role that is taken on to use the key."""
_AZURE = re.compile(r"(https://[^/]+)/keys/([^/]+)(?:/([^/]*))?")
_VAULT = re.compile(r"/v\d+/[^/]+/[^/]+/[^/]+", re.ASCII)
_VAULT_BELOW = re.compile(r"/[^/]+/v\d+/[^/]+/[^/]+/[^/]+", re.ASCII)


def _filled(text: str) -> str:
    if not text:
        raise NoRecipients("it has an empty recipient", hint="remove it, or fill it in")
    return text


def _age(text: str) -> str:
    return _filled(text.strip())


def _pgp(text: str) -> str:
    return named("pgp", _filled(text.replace(" ", "")))


def _kms(text: str) -> str:
    return named("kms", _filled(_ROLE.sub("", text.replace(" ", ""))))


def _gcp_kms(text: str) -> str:
    return named("gcp_kms", _filled(text.replace(" ", "")))


def _hckms(text: str) -> str:
    region, _, key = text.strip().partition(":")
    if not (region.strip() and key.strip()):
        raise NoRecipients(f"{text!r} is not a key of Huawei Cloud KMS", hint="write it as region:key-id")
    return named("hckms", text)


def _azure(text: str) -> str:
    found = _AZURE.fullmatch(text.strip())
    if found is None:
        raise NoRecipients(
            f"{text!r} is not a key of Azure Key Vault", hint="write it as https://VAULT/keys/KEY/VERSION"
        )
    return named("azure_kv", found[1], found[2], found[3] or "")


def _vault(text: str) -> str:
    """The engine is what stands between the version of the API and `keys`."""
    parts = urlsplit(_filled(text))
    path = urlunsplit(("", "", parts.path, parts.query, ""))
    spaced = text.split() != [text]
    if spaced or not parts.scheme or not _VAULT.search(path) or _VAULT_BELOW.search(path):
        raise NoRecipients(
            f"{text!r} is not a key of Vault transit",
            hint="write it as https://vault.example.com:8200/v1/transit/keys/KEY",
        )
    _, *engine, _, key = path.strip("/").split("/")
    return named("hc_vault", urlunsplit(parts._replace(path="")), posixpath.normpath("/".join(engine)), key)


_DIRECT: dict[str, Callable[[str], str]] = {
    "age": _age,
    "pgp": _pgp,
    "kms": _kms,
    "gcp_kms": _gcp_kms,
    "hckms": lambda text: _hckms(text.strip()),
    "azure_keyvault": _azure,
    "hc_vault_transit_uri": _vault,
}
"""What names recipients in a rule → how one is read. In the order of SOPS."""
_SKIPPED = ("hckms", "hc_vault_transit_uri")
"""Where an empty place in a list is nobody. Elsewhere it is a recipient that cannot be sealed to."""


def direct(rule: Tree) -> Iterator[str]:
    """The recipients in a rule itself. Raises NoRecipients."""
    for field, read in _DIRECT.items():
        for part in _parts(rule.get(field), field):
            if part or field not in _SKIPPED:
                yield read(part)


def _parts(value: Node, field: str) -> list[str]:
    """A comma-separated text, or a list of such, whose places count even when they are empty."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    items = value if isinstance(value, list) else [] if value is None else [value]
    texts = [item for item in items if isinstance(item, str)]
    if len(texts) != len(items):
        raise NoRecipients(f"what {field} names is not text", hint=f"write {field} recipients as text")
    joined = ",".join(texts)
    return joined.split(",") if joined else []


def members(group: Tree) -> Iterator[str]:
    """The recipients in a key group, those of groups merged into it first. Raises NoRecipients."""
    for merged in _maps(group, "merge"):
        yield from members(merged)
    for text in _texts(group, "age"):
        yield from (_age(part) for part in (text.split(",") if text else ()))
    yield from map(_pgp, _texts(group, "pgp"))
    for key in _maps(group, "kms"):
        yield named("kms", _filled(_text(key, "arn")))
    for key in _maps(group, "gcp_kms"):
        yield _gcp_kms(_text(key, "resource_id"))
    for key in _maps(group, "hckms"):
        yield _hckms(_text(key, "key_id"))
    for key in _maps(group, "azure_keyvault"):
        yield named(
            "azure_kv", _filled(_text(key, "vaultUrl")), _filled(_text(key, "key")), _text(key, "version")
        )
    yield from map(_vault, _texts(group, "hc_vault"))


def _items(entries: Tree, key: str) -> list[Node]:
    value = entries.get(key)
    return value if isinstance(value, list) else []


def _maps(entries: Tree, key: str) -> Iterator[Tree]:
    return (one for one in _items(entries, key) if isinstance(one, dict))


def _texts(entries: Tree, key: str) -> Iterator[str]:
    return (one for one in _items(entries, key) if isinstance(one, str))


def _text(entries: Tree, key: str) -> str:
    return str(entries.get(key) or "")
