"""What a generated commit declares: documents, their YAML, and what they mean by rules of this module."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple, TypeAlias

API = "apiVersion: reconciler/v1"
DAY = 86_400
KINDS = {"RSAToken": "projects", "JWTToken": "users"}
"""Kind → the second dimension of its grants."""
PLAIN = ("device.read", "device.list", "device.write", "telemetry.read", "telemetry.write", "admin")
JWT_LIFETIME = 90 * DAY
OVERLAP = 7 * DAY

Groups: TypeAlias = tuple[tuple[str, tuple[str, ...]], ...]


class Token(NamedTuple):
    """A document that declares a token."""

    file: str
    name: str
    kind: str
    owner: str | None
    apis: tuple[str, ...]
    others: tuple[str, ...]
    enabled: bool = True
    expires: str | None = None
    every: int | None = None
    """Days."""
    asked: str | None = None
    """When a rotation was asked for."""
    previously: tuple[str, ...] = ()
    remark: int = 0
    """Of a comment in it, which means nothing."""
    broken: bool = False
    """Whether its file cannot be read."""

    @property
    def meant(self) -> Token:
        """The same without what means nothing."""
        return self._replace(file="", remark=0)


class Catalog(NamedTuple):
    """The document that says what groups hold."""

    groups: Groups
    file: str = "specs/catalog.yaml"


Doc: TypeAlias = Token | Catalog
State: TypeAlias = Mapping[str, Doc]
"""Key of a document → the document. The key is of the generator: no rename and no move changes it."""
CATALOG = "catalog"


class Truth(NamedTuple):
    """What a token is declared as, at one moment."""

    name: str
    kind: str
    owner: str | None
    grants: tuple[tuple[str, tuple[str, ...]], ...]
    enabled: bool
    ends: int | None
    token: Token
    """Its document, with groups resolved and without what means nothing."""


def text_of(file: str, state: State) -> str | None:
    """What stands in a file; None where there is none."""
    docs = [doc for _, doc in sorted(state.items()) if doc.file == file]
    if not docs:
        return None
    broken = any(isinstance(doc, Token) and doc.broken for doc in docs)
    return ("kind: [}\n" if broken else "") + "---\n".join(map(_yaml, docs))


def files_of(state: State) -> dict[str, str]:
    """Every file of a state."""
    names = dict.fromkeys(doc.file for doc in state.values())
    return {name: text for name in names if (text := text_of(name, state)) is not None}


@lru_cache(maxsize=100_000)
def _yaml(doc: Doc) -> str:
    if isinstance(doc, Catalog):
        named = ["*", *PLAIN, *({"name": name, "members": list(members)} for name, members in doc.groups)]
        return f"{API}\nkind: Catalog\nmetadata: {{name: platform}}\nspec:\n  apis: {json.dumps(named)}\n"
    life = {
        **({} if doc.enabled else {"enabled": False}),
        **({} if doc.expires is None else {"expires": doc.expires}),
        **({} if _rotation(doc) is None else {"rotate": _rotation(doc)}),
    }
    return (
        f"{API}\nkind: {doc.kind} # {doc.remark}\nmetadata: {json.dumps(_metadata(doc))}\n"
        f"spec: {json.dumps({'apis': doc.apis, KINDS[doc.kind]: doc.others})}\n"
        + (f"lifecycle: {json.dumps(life)}\n" if life else "")
    )


def spec_of(token: Token) -> dict[str, object]:
    """The same as a mapping, for who makes specs of it."""
    life: dict[str, object] = {"enabled": token.enabled}
    if token.expires is not None:
        life["expires"] = token.expires
    if (rotation := _rotation(token)) is not None:
        life["rotate"] = rotation
    return {
        "apiVersion": "reconciler/v1",
        "kind": token.kind,
        "metadata": _metadata(token),
        "spec": {"apis": list(token.apis), KINDS[token.kind]: list(token.others)},
        "lifecycle": life,
    }


def _metadata(token: Token) -> dict[str, object]:
    return {
        "name": token.name,
        **({} if token.owner is None else {"owner": token.owner}),
        **({"previously": list(token.previously)} if token.previously else {}),
    }


def _rotation(token: Token) -> dict[str, object] | None:
    found: dict[str, object] = {} if token.every is None else {"every": f"{token.every}d"}
    if token.asked is not None:
        found["asked"] = {"at": token.asked, "reason": "because"}
    return found or None


def declared(state: State) -> dict[str, Truth]:
    """Name → what it is declared as. A file that cannot be read declares nothing."""
    catalog = state.get(CATALOG)
    groups = catalog.groups if isinstance(catalog, Catalog) else ()
    broken = {doc.file for doc in state.values() if isinstance(doc, Token) and doc.broken}
    tokens = (doc for doc in state.values() if isinstance(doc, Token) and doc.file not in broken)
    return {doc.name: _truth(doc.meant, groups) for doc in tokens}


@lru_cache(maxsize=1_000_000)
def _truth(token: Token, groups: Groups) -> Truth:
    apis = tuple(sorted(_resolved(token.apis, dict(groups))))
    others = tuple(sorted(token.others))
    ends = None if token.expires is None else _end_of(token.expires)
    whole = token._replace(apis=apis, others=others)
    grants = (("apis", apis), (KINDS[token.kind], others))
    return Truth(token.name, token.kind, token.owner, grants, token.enabled, ends, whole)


def _resolved(names: tuple[str, ...], groups: Mapping[str, tuple[str, ...]]) -> set[str]:
    found: set[str] = set()
    for name in names:
        found |= _resolved(groups[name], groups) if name in groups else {name}
    return found


def _end_of(date: str) -> int:
    return int(datetime.fromisoformat(f"{date}T00:00:00").replace(tzinfo=UTC).timestamp()) + DAY
