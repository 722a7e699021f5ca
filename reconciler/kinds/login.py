"""LoginToken: a login token of an application, signed once, carrying twelve claims."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, Strict, StringConstraints
from pydantic_core import PydanticCustomError

from reconciler.kinds import checking, interface, keys
from reconciler.kinds.bearing import Bearing
from reconciler.kinds.checking import Accepted, Call, Proof, Reason
from reconciler.kinds.fields import (
    TRACE_ID,
    EntryName,
    EntryOrAll,
    Model,
    OneOrMany,
    OneOrManyNames,
    one_or_many,
)
from reconciler.kinds.interface import Draft, Grants, Kind, Minted, Names

ALGORITHM = "EdDSA"

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


def _networks(entries: tuple[str, ...]) -> tuple[str, ...]:
    if entries == ("*",):
        return entries
    try:
        networks = {_written(entry) for entry in entries}
    except ValueError as error:
        raise PydanticCustomError(
            "network",
            "write * for any, or addresses and networks such as 10.1.0.0/16 with no bits set behind"
            " the prefix",
        ) from error
    return tuple(sorted(networks))


def _written(entry: str) -> str:
    network = ipaddress.ip_network(entry)
    if "%" in entry:
        raise ValueError("an interface of one machine means nothing to another")
    return str(network)


Networks: TypeAlias = Annotated[
    tuple[str, ...],
    Strict(strict=False),
    Field(min_length=1),
    BeforeValidator(one_or_many, json_schema_input_type=str | Annotated[list[str], Field(min_length=1)]),
    AfterValidator(_networks),
]
TraceId: TypeAlias = Annotated[str, StringConstraints(pattern=TRACE_ID)]


class LoginSpec(Model):
    """The twelve claims of a login token. Each of them is signed, so an edit makes a new one."""

    typ: Literal["L"] = "L"
    """Kind of token: L is a login token."""
    aud: EntryName
    """App id that the token is for."""
    sap: EntryOrAll
    """Service app id it gives access to, or `*`."""
    jti: TraceId
    """Anti-replay string by which the token's use is traced."""
    ipm: Networks = ("*",)
    """IP allow-list: `*`, or addresses and networks."""
    dvm: OneOrMany = ("*",)
    """Device allow-list."""
    tag: OneOrMany = ("*",)
    """Label, free."""
    api: OneOrManyNames
    """APIs that it may call."""
    bug: OneOrMany = ("*",)
    """Debug information that is returned."""
    shop: OneOrManyNames
    """Shops that it is active in."""
    role: OneOrManyNames
    """Roles held; `*` is the largest set it can get."""
    rule: OneOrManyNames
    """Permissions held; `*` is the largest set it can hold."""


LISTS = ("ipm", "dvm", "tag", "api", "bug", "shop", "role", "rule")


def grants(spec: LoginSpec) -> Grants:
    """Every claim that limits what the token may do."""
    lists: dict[str, tuple[str, ...]] = {name: getattr(spec, name) for name in LISTS}
    return {"aud": (spec.aud,), "sap": (spec.sap,), **lists}


def claims(spec: LoginSpec) -> dict[str, str | list[str]]:
    """The twelve claims as the platform writes them: one value as a string, several as a list."""
    found: dict[str, str | list[str]] = {"typ": spec.typ, "aud": spec.aud, "sap": spec.sap, "jti": spec.jti}
    for name in LISTS:
        values: tuple[str, ...] = getattr(spec, name)
        found[name] = values[0] if len(values) == 1 else list(values)
    return found


def mint(spec: LoginSpec, draft: Draft) -> Minted:
    """The signed login token. The key pair is made for it alone; its private half is dropped."""
    key = keys.generate(ALGORITHM)
    signed = {**claims(spec), "gen": draft.generation, "iat": draft.now, "nbf": draft.now}
    if draft.expires_at is not None:
        signed["exp"] = draft.expires_at
    return Minted(
        secret={
            "token_id": draft.token_id,
            "login_token": keys.sign(signed, key, ALGORITHM, draft.token_id),
        },
        algorithm=ALGORITHM,
        public_key=keys.public_pem(key),
        not_after=draft.expires_at,
    )


def meet(dimension: str, held: Names, wanted: Names) -> Names:
    """As for any names; addresses meet by the networks that they stand for."""
    if dimension != "ipm" or held == ("*",) or wanted == ("*",):
        return interface.meet(dimension, held, wanted)
    mine, theirs = map(_parsed, held), tuple(map(_parsed, wanted))
    return tuple(
        sorted({str(_narrower(one, other)) for one in mine for other in theirs if one.overlaps(other)})
    )


def _parsed(text: str) -> Network:
    return ipaddress.ip_network(text)


def _narrower(one: Network, other: Network) -> Network:
    return one if one.prefixlen >= other.prefixlen else other


def checked_claims(proof: Proof) -> Accepted | Reason:
    """All twelve claims, of their forms; and they cover the call, as the live grants have to."""
    signed = signed_grants(proof.claims or {})
    if signed is None:
        return Reason.CLAIM
    if signed["aud"] != proof.grants["aud"]:
        return Reason.AUD
    return allows(signed, proof.call) or Accepted()


def signed_grants(found: Mapping[str, object]) -> Grants | None:
    """The claims as grants; None where one is missing, or is not what `claims` writes."""
    read = {name: _listed(found.get(name)) for name in LISTS}
    aud, sap, jti = (found.get(name) for name in ("aud", "sap", "jti"))
    whole = found.get("typ") == "L" and isinstance(jti, str) and isinstance(aud, str) and isinstance(sap, str)
    lists = {name: names for name, names in read.items() if names is not None}
    return {"aud": (str(aud),), "sap": (str(sap),), **lists} if whole and len(lists) == len(LISTS) else None


def _listed(value: object) -> Names | None:
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list) or not value:
        return None
    names = tuple(name for name in value if isinstance(name, str))
    return names if len(names) == len(value) else None


def allows(held: Grants, call: Call) -> Reason | None:
    """By service, API, shop, address and device. An address or a device that is limited must be known."""
    if not checking.grants(held.get("sap", ()), call.app):
        return Reason.APP
    if not checking.grants(held.get("api", ()), call.api):
        return Reason.API
    if not checking.grants(held.get("shop", ()), call.shop):
        return Reason.SHOP
    if held.get("ipm", ()) != ("*",) and not _inside(call.address, held.get("ipm", ())):
        return Reason.ADDRESS
    devices = held.get("dvm", ())
    return None if devices == ("*",) or (call.device or "") in devices else Reason.DEVICE


def _inside(address: str | None, networks: Names) -> bool:
    if address is None or "%" in address:
        return False  # an interface of one machine means nothing to another
    try:
        found = ipaddress.ip_address(address)
        return any(_plain(found) in network for network in _parsed_all(networks))
    except ValueError:
        return False


def _plain(address: Address) -> Address:
    """An IPv4 address that is written in IPv6 is an IPv4 address (RFC 4291 §2.5.5.2)."""
    mapped = None if isinstance(address, ipaddress.IPv4Address) else address.ipv4_mapped
    return mapped or address


@lru_cache(maxsize=4096)
def _parsed_all(networks: Names) -> tuple[Network, ...]:
    return tuple(map(_parsed, networks))


KIND = Kind(
    name="LoginToken",
    summary="a signed login token of an application",
    spec=LoginSpec,
    reissued_by=frozenset(LoginSpec.model_fields),
    grants=grants,
    new_id=keys.short_id,
    mint=mint,
    claims=checked_claims,
    allows=allows,
    signed_once=True,
    scope="api",
    meet=meet,
    copied=("login_token",),
    bearer=Bearing(delivered="login_token"),
    carries_end=True,
    catalog={"aud": "apps", "sap": "apps", "api": "apis", "shop": "shops", "role": "roles", "rule": "rules"},
    example={
        "aud": "AdmManHu",
        "sap": "SvKerneL",
        "jti": "12345678",
        "tag": "Primary",
        "api": "*",
        "shop": "EldrCaRE",
        "role": "*",
        "rule": "*",
    },
)
