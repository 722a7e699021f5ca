"""What two programs could read differently is not read (RFC 7515 §5.2, RFC 8725 §3)."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest

from reconciler.kinds.checking import Reason
from reconciler.verify.reading import LARGEST, LONGEST, MOST_BRACKETS, Signed, read
from tests.verify.attacks import b64, exactly, refused, token
from tests.verify.kit import NOW, Desk, raw

HEADER = b'{"alg":"RS256","kid":"abc"}'
CLAIMS = b'{"exp":1800000300}'


def test_what_the_tests_spoil_is_read() -> None:
    found = read(raw(HEADER, CLAIMS, b"\1"))
    assert isinstance(found, Signed)
    assert (found.algorithm, found.kid, found.typ) == ("RS256", "abc", None)
    message, signature = found.checked
    assert (found.claims, signature) == ({"exp": 1_800_000_300}, b"\1")
    assert message.decode() == f"{b64(HEADER)}.{b64(CLAIMS)}"


GOOD = raw(HEADER, CLAIMS, b"\1\2\3\4")
HEAD, BODY, SIGNATURE = GOOD.split(".")
TEXTS: dict[str, tuple[str, Reason]] = {
    "nothing": ("", Reason.PARTS),
    "one part": (HEAD, Reason.PARTS),
    "two parts": (f"{HEAD}.{BODY}", Reason.PARTS),
    "four parts": (f"{GOOD}.{SIGNATURE}", Reason.PARTS),
    "five parts, a JWE": (f"{GOOD}.{SIGNATURE}.{SIGNATURE}", Reason.ENCRYPTED),
    "five empty parts": ("....", Reason.ENCRYPTED),
    "six parts": (f"{GOOD}.a.a.a", Reason.PARTS),
    "dots": ("..", Reason.PARTS),
    "no header": (f".{BODY}.{SIGNATURE}", Reason.PARTS),
    "a detached payload": (f"{HEAD}..{SIGNATURE}", Reason.PARTS),
    "the JSON serialization": (
        json.dumps({"payload": BODY, "signatures": [{"protected": HEAD, "signature": SIGNATURE}]}),
        Reason.NOT_COMPACT,
    ),
    "the flattened JSON serialization": (
        json.dumps({"payload": BODY, "protected": HEAD, "signature": SIGNATURE}),
        Reason.NOT_COMPACT,
    ),
    "JSON behind a blank": (' \n{"payload": "a.b.c"}', Reason.NOT_COMPACT),
    "a scheme in front": (f"Bearer {GOOD}", Reason.BASE64),
    "bytes of Latin-1": (GOOD + "\xe9", Reason.NOT_ASCII),
    "full-width dots": (GOOD.replace(".", "．"), Reason.NOT_ASCII),
    "a look-alike letter": (GOOD.replace("e", "е", 1), Reason.NOT_ASCII),
    "half a character": (GOOD + "\ud800", Reason.NOT_ASCII),
    "NUL": (GOOD + "\0", Reason.BASE64),
    "NUL within": (GOOD.replace(".", ".\0", 1), Reason.BASE64),
}


@pytest.mark.parametrize("case", TEXTS)
def test_a_text_that_is_no_compact_jws_is_refused(case: str) -> None:
    text, reason = TEXTS[case]
    refused(Desk([]).check(text), reason)
    refused(Desk([]).sign_in("erp", text), reason)


PART = "abcdefgh"
STRAY = ["=", " ", "\n", "\r\n", "\t", "+", "/", "%", "*", ",", ":", "\x7f", "\x0b", "\0"]


@pytest.mark.parametrize("part", [0, 1, 2])
@pytest.mark.parametrize("at", [0, 4, 8])
@pytest.mark.parametrize("stray", STRAY)
def test_a_stray_character_in_any_part_is_refused(part: int, at: int, stray: str) -> None:
    """RFC 7515 §2: no line breaks, white space or other characters; §3.1: the URL-safe alphabet."""
    parts = GOOD.split(".")
    parts[part] = parts[part][:at] + stray + parts[part][at:]
    assert read(".".join(parts)) is Reason.BASE64


@pytest.mark.parametrize("part", [0, 1, 2])
@pytest.mark.parametrize("padding", ["=", "==", "===", "===="])
def test_padded_base64_is_refused(part: int, padding: str) -> None:
    """Wycheproof's JWS cases 367 and 370: PyJWT 2.15.1 and joserfc 1.8.0 take it."""
    of = token("RSAToken")
    parts = of.signed().split(".")
    parts[part] += padding
    refused(Desk([of]).check(".".join(parts)), Reason.BASE64)


def test_pyjwt_takes_padded_base64_so_the_reader_is_needed() -> None:
    """When this fails, PyJWT has become stricter; nothing else is wrong."""
    of = token("RSAToken")
    public = of.live.credentials[0].public_key
    assert public is not None
    options: jwt.types.Options = {
        "verify_exp": False,
        "verify_iat": False,
        "verify_nbf": False,
        "verify_aud": False,
    }
    assert jwt.decode(of.signed() + "==", public, ["RS256"], options=options)["sub"] == of.id


LEFT_OVER = [("QQ", "QR"), ("QQ", "Qf"), ("QUE", "QUF"), ("QUE", "QUG"), ("QUE", "QUH")]


@pytest.mark.parametrize("part", [0, 1, 2])
@pytest.mark.parametrize(("plain", "bits"), LEFT_OVER)
def test_bits_that_are_left_over_are_zero(part: int, plain: str, bits: str) -> None:
    """RFC 4648 §3.5: else one token has several texts."""
    assert jwt.utils.base64url_decode(plain) == jwt.utils.base64url_decode(bits)
    parts = [HEAD, BODY, SIGNATURE]
    if part < 2:
        source = json.loads((HEADER, CLAIMS)[part])
        pad = len(plain) - 1
        while len(json.dumps(source).encode()) % 3 != pad:
            source["x"] = source.get("x", "") + "x"
        parts[part] = b64(json.dumps(source).encode())
    else:
        parts[part] = "AAAA" + plain
    assert isinstance(read(".".join(parts)), Signed)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    step = alphabet.index(bits[-1]) - alphabet.index(plain[-1])
    parts[part] = parts[part][:-1] + alphabet[alphabet.index(parts[part][-1]) + step]
    assert read(".".join(parts)) is Reason.BASE64


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_part_whose_length_no_bytes_give_is_refused(part: int) -> None:
    parts = [HEAD, BODY, SIGNATURE]
    parts[part] = "AAAAA"
    assert read(".".join(parts)) is Reason.BASE64


def of_length(length: int) -> str:
    """A text of a length that is right but for its signature."""
    text = f"{HEAD}.{BODY}."
    return text + "A" * (length - len(text))


def test_a_token_of_8_kib_is_read_and_a_longer_one_is_not() -> None:
    assert LONGEST == 8192
    longest = next(length for length in (8192, 8191) if (length - len(f"{HEAD}.{BODY}.")) % 4 != 1)
    assert isinstance(read(of_length(longest)), Signed)
    for text in (of_length(8193), of_length(5_000_000), "." * 10_000, "{" * 10_000, "é" * 10_000):
        refused(Desk([]).check(text), Reason.TOO_LONG)


HEADERS: dict[str, tuple[bytes, Reason]] = {
    "crit that is unknown": (b'{"alg":"RS256","crit":["exp"],"exp":1}', Reason.CRITICAL),
    "crit that is empty": (b'{"alg":"RS256","crit":[]}', Reason.CRITICAL),
    "crit that is null": (b'{"alg":"RS256","crit":null}', Reason.CRITICAL),
    "b64 false": (b'{"alg":"RS256","b64":false,"crit":["b64"]}', Reason.UNENCODED),
    "b64 true": (b'{"alg":"RS256","b64":true}', Reason.UNENCODED),
    "an encrypted one": (b'{"alg":"RSA-OAEP","enc":"A128GCM"}', Reason.ENCRYPTED),
    "a compressed one": (b'{"alg":"RS256","zip":"DEF"}', Reason.ENCRYPTED),
    "a nested one by cty": (b'{"alg":"RS256","cty":"JWT"}', Reason.NESTED),
    "alg twice": (b'{"alg":"none","alg":"RS256"}', Reason.DUPLICATE),
    "alg twice, once escaped": (b'{"alg":"none","\\u0061lg":"RS256"}', Reason.DUPLICATE),
    "typ that is a number": (b'{"alg":"RS256","typ":1}', Reason.TYP),
    "typ that is null": (b'{"alg":"RS256","typ":null}', Reason.TYP),
    "typ that is a list": (b'{"alg":"RS256","typ":["JWT"]}', Reason.TYP),
}


@pytest.mark.parametrize("case", HEADERS)
def test_a_header_that_asks_for_more_is_refused(case: str) -> None:
    header, reason = HEADERS[case]
    assert read(raw(header, CLAIMS)) is reason


OBJECTS: dict[str, tuple[bytes, Reason]] = {
    "a member twice": (b'{"exp":1,"exp":2}', Reason.DUPLICATE),
    "a member twice, once escaped": (b'{"exp":1,"\\u0065xp":2}', Reason.DUPLICATE),
    "a member twice, further in": (b'{"a":[{"b":1,"b":1}]}', Reason.DUPLICATE),
    "a member twice with an empty name": (b'{"":1,"":1}', Reason.DUPLICATE),
    "a list": (b"[]", Reason.NOT_JSON),
    "a string": (b'"exp"', Reason.NOT_JSON),
    "null": (b"null", Reason.NOT_JSON),
    "no JSON": (b"exp=1", Reason.NOT_JSON),
    "half an object": (b'{"exp":', Reason.NOT_JSON),
    "two objects": (b"{}{}", Reason.NOT_JSON),
    "text behind": (b"{} x", Reason.NOT_JSON),
    "a comma too many": (b'{"exp":1,}', Reason.NOT_JSON),
    "single quotes": (b"{'exp':1}", Reason.NOT_JSON),
    "a comment": (b'{"exp":1/**/}', Reason.NOT_JSON),
    "a byte order mark": (b"\xef\xbb\xbf{}", Reason.NOT_JSON),
    "NUL behind": (b"{}\0", Reason.NOT_JSON),
    "a line break within a string": (b'{"a":"\n"}', Reason.NOT_JSON),
    "a form feed between": (b'{\f"a":1}', Reason.NOT_JSON),
    "a form feed in front": (b'\f{"a":1}', Reason.NOT_JSON),
    "a vertical tab behind": (b'{"a":1}\v', Reason.NOT_JSON),
    "a no-break space in front": ('\u00a0{"a":1}'.encode(), Reason.NOT_JSON),
    "a line separator behind": ('{"a":1}\u2028'.encode(), Reason.NOT_JSON),
    "a leading zero": (b'{"exp":01}', Reason.NOT_JSON),
    "a plus": (b'{"exp":+1}', Reason.NOT_JSON),
    "hexadecimal": (b'{"exp":0x10}', Reason.NOT_JSON),
    "digits of another script": ('{"exp":１}'.encode(), Reason.NOT_JSON),
    "an unknown escape": (b'{"a":"\\x41"}', Reason.NOT_JSON),
    "Latin-1": (b'{"a":"\xe9"}', Reason.NOT_UTF8),
    "an overlong form": (b'{"a":"\xc0\xaf"}', Reason.NOT_UTF8),
    "half a character in bytes": (b'{"a":"\xed\xa0\x80"}', Reason.NOT_UTF8),
    "half a character, escaped": (b'{"a":"\\ud800"}', Reason.NOT_UTF8),
    "half a character in a name": (b'{"\\udc00":1}', Reason.NOT_UTF8),
    "halves in the wrong order": (b'{"a":"\\udc00\\ud800"}', Reason.NOT_UTF8),
    "UTF-16": ('{"exp":1}'.encode("utf-16"), Reason.NOT_UTF8),
    "UTF-16 without its mark": ('{"exp":1}'.encode("utf-16-le"), Reason.NOT_JSON),
    "NaN": (b'{"exp":NaN}', Reason.NUMBER),
    "Infinity": (b'{"exp":Infinity}', Reason.NUMBER),
    "minus Infinity": (b'{"exp":-Infinity}', Reason.NUMBER),
    "an exponent that overflows": (b'{"exp":1e999}', Reason.NUMBER),
    "2^53": (f'{{"exp":{LARGEST}}}'.encode(), Reason.NUMBER),
    "minus 2^53": (f'{{"exp":-{LARGEST}}}'.encode(), Reason.NUMBER),
    "2^53 as a fraction": (f'{{"exp":{LARGEST}.0}}'.encode(), Reason.NUMBER),
    "2^53 with an exponent": (b'{"exp":9007199254740992e0}', Reason.NUMBER),
    "a number of 4000 digits": (b'{"exp":' + b"9" * 4000 + b"}", Reason.NUMBER),
    "a number of 4000 digits in a list": (b'{"a":[' + b"9" * 4000 + b"]}", Reason.NUMBER),
    "deep lists": (b'{"a":' + b"[" * 2000 + b"]" * 2000 + b"}", Reason.DEEP),
    "deep objects": (b'{"a":' * 500 + b"1" + b"}" * 500, Reason.DEEP),
    "deep and cut off": (b"[" * 3000, Reason.DEEP),
    "one bracket too many": (b'{"a":' + b"[" * MOST_BRACKETS + b"]" * MOST_BRACKETS + b"}", Reason.DEEP),
}


@pytest.mark.parametrize("case", OBJECTS)
def test_json_that_is_read_in_two_ways_is_refused_in_header_and_claims(case: str) -> None:
    found, reason = OBJECTS[case]
    assert read(raw(found, CLAIMS)) is reason
    assert read(raw(HEADER, found)) is reason


def test_what_is_just_within_the_limits_is_read() -> None:
    within = MOST_BRACKETS - 1
    for claims in (
        f'{{"a":{LARGEST - 1},"b":-{LARGEST - 1},"c":0.5,"d":-0}}',
        f'{{"a":{"[" * within}{"]" * within}}}',
        '{"a":"\\ud83d\\ude00","李":"伟"}',
        '\t{"a" : 1}\r\n',
    ):
        assert isinstance(read(raw(HEADER, claims.encode())), Signed), claims


def test_a_nested_token_is_refused() -> None:
    inner = token("RSAToken").signed()
    assert read(raw(HEADER, inner.encode())) is Reason.NESTED
    assert read(raw(HEADER, json.dumps(inner).encode())) is Reason.NOT_JSON


@pytest.mark.parametrize(
    "typ",
    [
        "jwt",
        "JOSE",
        "JWE",
        "dpop+jwt",
        "logout+jwt",
        "id_token",
        "secevent+jwt",
        "application/JWT",
        "JWT ",
        " JWT",
    ],
)
def test_a_typ_of_another_use_is_refused_under_a_good_signature(typ: str) -> None:
    """RFC 8725 §3.11: kinds of JWT are told apart."""
    of, auth = token("RSAToken"), token("TokenAuth")
    refused(Desk([of]).check(of.signed(header={"typ": typ})), Reason.TYP)
    refused(Desk([auth]).sign_in("tokenauth", auth.sign_in(header={"typ": typ})), Reason.TYP)


@pytest.mark.parametrize("typ", [b"null", b'""', b"0", b"false", b"[]"])
def test_a_typ_that_says_nothing_is_refused_under_a_good_signature(typ: bytes) -> None:
    of = token("RSAToken")
    text = exactly(of, b'{"alg":"RS256","kid":"%s","typ":%s}' % (of.id.encode(), typ), b'{"exp":1}')
    refused(Desk([of]).check(text), Reason.TYP)


def test_an_access_token_is_no_sign_in() -> None:
    auth = token("TokenAuth")
    for typ in ("at+jwt", "application/at+jwt"):
        refused(Desk([auth]).sign_in("tokenauth", auth.sign_in(header={"typ": typ})), Reason.TYP)


SECRET_IDS: dict[str, Any] = {
    "another checksum": lambda text: text[:-1] + ("0" if text[-1] != "0" else "1"),
    "another body": lambda text: text[:10] + ("0" if text[10] != "0" else "1") + text[11:],
    "another case": lambda text: text[:4] + text[4:].swapcase(),
    "two letters swapped": lambda text: text[:4] + text[5:4:-1] + text[4] + text[6:] + "0",
    "cut off": lambda text: text[:-1],
    "lengthened": lambda text: text + "0",
    "a blank behind": lambda text: text + " ",
    "a line break behind": lambda text: text + "\n",
    "the prefix alone": lambda _: "rcn_",
    "a megabyte": lambda text: text + "0" * 1_000_000,
    "a look-alike": lambda text: text[:-1] + "а",
    "half a character": lambda text: text[:-1] + "\ud800",
    "digits of another script": lambda text: text[:-1] + "１",
}


@pytest.mark.parametrize("case", SECRET_IDS)
def test_a_secret_id_with_a_wrong_checksum_or_form_is_refused_before_any_look_up(case: str) -> None:
    of = token("JWTToken")
    refused(Desk([of]).check(SECRET_IDS[case](of.secret["secret_id"])), Reason.SECRET_ID)


@pytest.mark.parametrize("prefix", ["RCN_", "Rcn_", " rcn_", "rcn-", ""])
def test_a_secret_id_with_another_prefix_is_no_token_at_all(prefix: str) -> None:
    of = token("JWTToken")
    refused(Desk([of]).check(of.secret["secret_id"].replace("rcn_", prefix, 1)), Reason.PARTS)


def test_a_secret_id_that_is_on_nobodys_record_is_unknown() -> None:
    mine, other = token("JWTToken"), token("JWTToken", "ES256")
    assert Desk([mine, other]).check(other.secret["secret_id"]).active
    refused(Desk([mine]).check(other.secret["secret_id"]), Reason.UNKNOWN)


def test_a_secret_id_signs_nobody_in() -> None:
    of = token("JWTToken")
    refused(Desk([of, token("TokenAuth")]).sign_in("tokenauth", of.secret["secret_id"]), Reason.PARTS)


def test_the_hash_on_record_is_no_secret_id() -> None:
    of = token("JWTToken")
    assert of.live.credentials[0].secret_hash is not None
    refused(Desk([of], now=NOW).check(of.live.credentials[0].secret_hash), Reason.PARTS)
