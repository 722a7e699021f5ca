"""What the check of a presented token speaks of: the call, the reasons, and what a kind gets and says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Self


class Reason(StrEnum):
    """Why a presented token is accepted or refused. Codes are stable, for machines.

    `status` is what HTTP answers: 401 where the token is not good, 403 where it is good and may not do this,
    503 where nobody can tell. `says` is what is wrong, `remedy` what its bearer or the operator can do.
    """

    status: int
    says: str
    remedy: str

    def __new__(cls, code: str, status: int, says: str, remedy: str) -> Self:
        """A reason whose value is its code."""
        made = str.__new__(cls, code)
        made._value_ = code
        made.status, made.says, made.remedy = status, says, remedy
        return made

    ACCEPTED = ("accepted", 200, "the token is good, and what it asks is granted", "nothing is to be done")

    # The request that carries it.
    TOKEN_MISSING = ("token-missing", 401, "no token came", "send it as `Authorization: Bearer TOKEN`")
    SEVERAL_TOKENS = (
        "several-tokens",
        401,
        "more than one token came",
        "send one Authorization header and no token in the address",
    )
    SCHEME = (
        "scheme",
        401,
        "the Authorization header is not of the form `Bearer TOKEN`",
        "write Bearer, one space, and the token",
    )

    # The text, before anything is looked up (RFC 7515, RFC 8725).
    TOO_LONG = ("too-long", 401, "the token is longer than 8 KiB", "sign fewer claims")
    NOT_ASCII = (
        "not-ascii",
        401,
        "the token has bytes that no token has",
        "copy it anew, as it was delivered",
    )
    NOT_COMPACT = (
        "not-compact",
        401,
        "the token is in the JSON serialization",
        "send the compact form, three parts with dots",
    )
    ENCRYPTED = (
        "encrypted",
        401,
        "the token has five parts: it is encrypted",
        "sign it, and do not encrypt it",
    )
    PARTS = (
        "parts",
        401,
        "the token has not three parts",
        "send header, claims and signature, with dots between",
    )
    SECRET_ID = (
        "secret-id",
        401,
        "this is no secret id: its checksum is wrong",
        "copy it anew: a character is lost or changed",
    )
    BASE64 = (
        "base64",
        401,
        "a part is not base64url as RFC 7515 writes it",
        "leave padding and stray characters out",
    )
    NOT_UTF8 = ("not-utf8", 401, "a part holds bytes that are not UTF-8", "encode JSON as UTF-8")
    NOT_JSON = ("not-json", 401, "the header or the claims are not a JSON object", "sign a JSON object")
    DUPLICATE = (
        "duplicate-member",
        401,
        "a member stands twice in the header or the claims",
        "write it once",
    )
    DEEP = ("deep-json", 401, "the JSON is nested too deep", "sign flat claims")
    NUMBER = ("number", 401, "a number is not finite, or too large", "sign whole numbers below 2^53")
    NESTED = ("nested", 401, "the token holds another token", "send the inner one")
    CRITICAL = ("crit", 401, "the header asks for an extension that is not known here", "sign without `crit`")
    UNENCODED = ("b64", 401, "the header asks for an unencoded payload", "sign without `b64`")
    KEY_INJECTED = (
        "key-in-header",
        401,
        "the header brings or names a key",
        "name the token in `kid` and nothing else",
    )
    TYP = ("typ", 401, "the header's `typ` is of another use", "leave it out, or write JWT")
    ALG_NONE = ("alg-none", 401, "the token is not signed", "sign it with the token's key")
    ALG_UNKNOWN = (
        "alg-unknown",
        401,
        "the algorithm is not one that is used here",
        "sign with the algorithm of the token's spec",
    )
    KID = ("kid", 401, "`kid` is missing or is no token id", "set `kid` to the token's id")

    # What it names.
    UNKNOWN = ("unknown", 401, "no token is known by this id", "see that it is a token of this workspace")
    ALG_CONFUSED = (
        "alg-confused",
        401,
        "a public key was used as a shared secret, or the other way round",
        "sign with the algorithm of the token's spec",
    )
    ALG = ("alg", 401, "the algorithm is not the credential's", "sign with the algorithm of the token's spec")
    KEY_WEAK = ("key-weak", 401, "the key on record is too weak for its algorithm", "rotate the token")
    KEY_UNFIT = ("key-unfit", 401, "the key on record does not fit its algorithm", "rotate the token")
    KEY_CLOSED = (
        "key-closed",
        503,
        "the shared secret on record cannot be opened here",
        "give the verifier the identity of spec.verifier.recipients; rotate what is older than they",
    )

    # The signature.
    SIGNATURE_LENGTH = (
        "signature-length",
        401,
        "the signature has not the length of its algorithm",
        "send the token whole",
    )
    SIGNATURE_RANGE = (
        "signature-range",
        401,
        "a part of the signature is zero or out of range",
        "sign with a sound library",
    )
    SIGNATURE = (
        "signature",
        401,
        "the signature does not hold",
        "sign with the newest key; if it was rotated, fetch it anew",
    )

    # The claims.
    EXP_MISSING = ("exp-missing", 401, "`exp` is missing", "sign an end")
    EXP = ("exp-past", 401, "the token's own end is past", "fetch or sign a new one")
    EXP_FAR = ("exp-far", 401, "the token lasts longer than it may", "sign a shorter life")
    IAT_MISSING = ("iat-missing", 401, "`iat` is missing", "sign when it was made")
    IAT = ("iat-ahead", 401, "the token was made in the future", "set the clock of whoever signs")
    NBF = ("nbf-ahead", 401, "the token is not valid yet", "wait, or set the clock of whoever signs")
    TIME = (
        "time",
        401,
        "`exp`, `iat` or `nbf` is not a whole number of seconds",
        "sign seconds since 1970 as an integer",
    )
    AUD_MISSING = ("aud-missing", 401, "`aud` is missing", "sign the verifier's audience")
    AUD = ("aud", 401, "the token is for somebody else", "sign exactly the verifier's audience, and no other")
    ISS = ("iss", 401, "`iss` is not who signs", "leave it out, or write it exactly")
    SUB = ("sub", 401, "`sub` is not the token", "leave it out, or write the token's id")
    JTI = (
        "jti",
        401,
        "`jti` is missing or is not a string of 1 to 128 characters",
        "sign a new one each time",
    )
    REPLAYED = ("replayed", 401, "this `jti` was used before", "sign a new one each time")
    CLAIM = (
        "claim",
        401,
        "a claim is missing or of the wrong form",
        "sign the claims that the kind asks for",
    )
    USER = ("user-missing", 401, "the claims name no user", "sign the claims that the spec's fieldmap names")
    PURPOSE = ("purpose", 401, "a token of this kind is not for this", "use it where its kind is meant for")

    # The life of the token and of its credential.
    DELETED = ("token-deleted", 401, "the token was deleted", "issue a new one")
    DISABLED = ("token-disabled", 401, "the token is disabled", "enable it in its spec, and apply")
    EXPIRED = (
        "token-expired",
        401,
        "the token is past its end",
        "give it a later end in its spec, and apply",
    )
    EARLY = ("credential-early", 401, "the credential is not valid yet", "wait, or set the clocks")
    ENDED = ("credential-ended", 401, "the credential is past its end", "fetch the newest one")
    RETIRED = ("credential-retired", 401, "the credential was retired", "fetch the newest one")
    ROLLED_BACK = (
        "rolled-back",
        401,
        "the live store has gone back behind what was seen of this token",
        "find out who restored it; restart the verifier to accept that",
    )

    # What it may do.
    API_UNKNOWN = (
        "api-unknown",
        403,
        "no API of the catalog has this method and path",
        "name the path in the catalog",
    )
    PATH = (
        "path-ambiguous",
        403,
        "the path can be read in two ways",
        "send it in its plain form, without encoded or doubled slashes or dots",
    )
    API = ("api-denied", 403, "this API is not granted", "add it to the spec, and apply")
    PROJECT = ("project-denied", 403, "this project is not granted", "add it to the spec, and apply")
    USER_DENIED = ("user-denied", 403, "this user is not granted", "add it to the spec, and apply")
    APP = ("app-denied", 403, "this service is not granted", "change `sap` in the spec, and apply")
    SHOP = ("shop-denied", 403, "this shop is not granted", "add it to the spec, and apply")
    ADDRESS = (
        "address-denied",
        403,
        "the client's address is not granted, or not known",
        "call from an address in `ipm`",
    )
    DEVICE = (
        "device-denied",
        403,
        "the client's device is not granted, or not known",
        "call from a device in `dvm`",
    )

    # The verifier itself.
    GATEWAY = ("gateway-unknown", 403, "who asks is not a trusted gateway", "name its network with --trust")
    STALE = ("store-lost", 503, "the live store was out of reach for too long", "wait, or see /readyz")
    FAULT = ("fault", 503, "the check broke off", "report it: this is a fault of the tool")


@dataclass(frozen=True, slots=True)
class Call:
    """What the bearer wants to do, as far as whoever asks knows. None: the call is not about any.

    Nothing in it is taken from the presented token. An address or a device that is limited and not known is
    refused; the other dimensions limit a call that names them.
    """

    api: str | None = None
    """A name of the catalog."""
    project: str | None = None
    user: str | None = None
    app: str | None = None
    """The service that is called."""
    shop: str | None = None
    address: str | None = None
    """Of the client: IPv4 or IPv6, no port."""
    device: str | None = None


class Proof(NamedTuple):
    """A presented token whose signature holds, or whose secret id is on record; its times are not past."""

    token_id: str
    claims: Mapping[str, object] | None
    """What was signed; None for a secret id."""
    grants: Mapping[str, tuple[str, ...]]
    """Of the live record."""
    spec: object
    """The live spec, of the kind's own model: where the kind signs users in; else None."""
    call: Call
    now: int
    """Epoch seconds."""
    audience: str
    """Of this verifier."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """The user whom a sign-in token names."""

    username: str
    name: str | None
    email: str | None
    roles: tuple[str, ...]
    """Initial roles, for one who is created."""
    create: bool
    """Whether a user who is new is to be created."""


class Accepted(NamedTuple):
    """A kind has nothing against a proof."""

    user: SignIn | None = None


OWNER_SIGNED_SECONDS = 600
"""How long a JWT that an owner signs for a call may last (RFC 9068 §2.2 says short; RFC 8725 §2.8)."""


def grants(names: tuple[str, ...], wanted: str | None) -> bool:
    """Whether names cover one that a call names. `*` is all only where it stands alone and whole."""
    return wanted is None or names == ("*",) or wanted in names


def end(claims: Mapping[str, object], longest: int | None = None) -> Reason | None:
    """What there is against `exp`, which must be there (RFC 7519 §4.1.4), and against how long it is.

    `longest` is in seconds, from `iat` on, which must be there too (§4.1.6). Both are whole numbers by now.
    """
    exp, iat = claims.get("exp"), claims.get("iat")
    if not isinstance(exp, int):
        return Reason.EXP_MISSING
    if longest is None:
        return None
    if not isinstance(iat, int):
        return Reason.IAT_MISSING
    return Reason.EXP_FAR if exp - iat > longest else None


def audience(claims: Mapping[str, object], wanted: str) -> Reason | None:
    """What there is against `aud`: it must be exactly the one, as a string or as a list of one (§4.1.3)."""
    found = claims.get("aud")
    if found is None:
        return Reason.AUD_MISSING
    return None if found in (wanted, [wanted]) else Reason.AUD


def about(claims: Mapping[str, object], wanted: str) -> Reason | None:
    """What there is against `iss` and `sub` (§4.1.1, §4.1.2): where they stand, they are this, exactly."""
    if claims.get("iss", wanted) != wanted:
        return Reason.ISS
    return None if claims.get("sub", wanted) == wanted else Reason.SUB
