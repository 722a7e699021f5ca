"""What finds secrets: every format, in every coat, wherever chunks and windows end; and nothing else."""

from __future__ import annotations

import base64
import json
import random
import secrets

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.audit.leaks import all_detectors
from reconciler.audit.leaks.interface import LONGEST
from reconciler.audit.leaks.scanning import NEAR, masked, scan
from reconciler.kinds import keys
from reconciler.kinds.ownkeys import fingerprint
from tests.audit.canaries import CANARIES, TOKEN, locked, locked_ssh, pem, pgp, putty, rsa_key, signed

FILLED = "lorem ipsum\n" * 50


def found(text: str | bytes) -> list[str]:
    data = text if isinstance(text, bytes) else text.encode()
    return [one.detector.name for one in scan([data])]


def test_every_detector_has_a_canary() -> None:
    assert {name for name, _ in CANARIES.values()} == set(all_detectors())


@pytest.mark.parametrize("what", CANARIES)
def test_a_secret_is_found_in_every_coat(what: str) -> None:
    """As it is, in prose, indented in YAML, escaped in JSON, with CR LF, in a patch, quoted, in UTF-16."""
    name, make = CANARIES[what]
    secret = make()
    indented = "".join(f"    {line}\n" for line in secret.splitlines())
    for coat in (
        secret,
        f"{FILLED}{secret}\n{FILLED}",
        f"data:\n  key: |\n{indented}",
        json.dumps({"a": 1, "key": secret, "b": FILLED}),
        secret.replace("\n", "\r\n"),
        "".join(f"+{line}\n" for line in secret.splitlines()),
        "".join(f"> {line}\n" for line in secret.splitlines()),
        secret.encode("utf-16"),
        secret.encode("utf-16-be"),
        secret.encode("utf-32"),
        secret.rstrip("\n"),
        f"\0\1\2{secret}\3",
    ):
        assert found(coat) == [name], coat


@pytest.mark.parametrize("what", [what for what, (name, _) in CANARIES.items() if name != "bare-key"])
def test_a_secret_is_found_in_base64_however_its_letters_are_grouped(what: str) -> None:
    """As a Secret of Kubernetes holds it; alone, or amid more, on one line or on several, URL-safe too."""
    name, make = CANARIES[what]
    secret = make().encode()
    for before in (b"", b"a", b"ab", b"token_id: x\n", secrets.token_bytes(3000)):
        whole = base64.b64encode(before + secret + b"\n")
        assert found(b"  key: " + whole + b"\n") == [name]
        assert found(base64.urlsafe_b64encode(before + secret)) == [name]
    wrapped = base64.encodebytes(secret)
    assert found(wrapped) == [name]
    assert found(json.dumps({"k": wrapped.decode()}).encode()) == [name]
    for mark in (b"+", b"-"):
        assert found(
            b"@@ -1 +1 @@\n" + b"".join(mark + line for line in wrapped.splitlines(keepends=True))
        ) == [name]


def test_a_key_is_told_once_and_not_also_as_the_base64_in_it() -> None:
    assert found(pem(rsa_key()) * 3 + base64.b64encode(pem(rsa_key()).encode()).decode()) == ["private-key"]


def test_the_line_is_that_of_the_secret() -> None:
    secret = keys.secret_id(secrets.token_bytes).open()
    for text in (secret, base64.b64encode(secret.encode()).decode()):
        assert [one.line for one in scan([b"\n" * 41 + text.encode()])] == [42]
        assert [one.line for one in scan([("\n" * 41 + text).encode("utf-16")])] == [42]


# what is none


@pytest.mark.parametrize(
    "text",
    [
        locked(),
        locked(PrivateFormat.TraditionalOpenSSL),
        locked_ssh(),
        putty("aes256-cbc"),
        pgp(usage=254),
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n",
        "-----BEGIN RSA PRIVATE KEY-----",
        "AGE-SECRET-KEY-1" + "Q" * 58,
        "AGE-SECRET-KEY-1…",
        "rcn_" + "a" * 49,
        "PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\n",
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0." + "a" * 60,
        rsa_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        rsa_key().public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode(),
    ],
)
def test_what_is_locked_public_or_an_example_is_no_leak(text: str) -> None:
    assert found(text) == []
    assert found(base64.b64encode(text.encode())) == []


def test_one_letter_less_or_another_one_is_no_secret_id() -> None:
    secret = keys.secret_id(secrets.token_bytes).open()
    assert found(secret[:-1]) == found(secret[:9] + ("A" if secret[9] != "A" else "B") + secret[10:]) == []


def test_random_bytes_and_their_base64_hold_nothing() -> None:
    """8 MB of what sealed artifacts are made of, from a seed, so that it fails always or never."""
    data = random.Random(7).randbytes(4_000_000)
    assert found(data) == found(base64.b64encode(data)) == found(base64.encodebytes(data)) == []


def test_a_jwt_of_somebody_else_is_none_of_ours() -> None:
    def part(claims: dict[str, object]) -> str:
        return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")

    header = part({"alg": "RS256", "kid": "1"})
    ours: dict[str, object] = {"iat": 1, "nbf": 1, "gen": 1}
    assert found(f"{header}.{part(ours)}.{'a' * 86}") == ["signed-token"]
    for claims in ({"iat": 1, "exp": 9, "sub": "x"}, {**ours, "gen": "1"}, {**ours, "nbf": 2}):
        assert found(f"{header}.{part(claims)}.{'a' * 86}") == []
    assert found(f"{part({'alg': 'RS256'})}.{part(ours)}.{'a' * 86}") == []


# what is told beside


def test_a_token_tells_its_id_and_its_end_and_a_secret_the_token_that_is_named_beside_it() -> None:
    (one,) = scan([signed("JWTToken").encode()])
    assert (one.leak.token, one.leak.ends) == (TOKEN, 1_780_000_000 + 90 * 86_400)
    secret = keys.secret_id(secrets.token_bytes).open()
    fields = {"secret_id": secret, "token_id": TOKEN}
    for text in (f"token_id: {TOKEN}\nsecret_id: {secret}\n", json.dumps(fields)):
        for data in (text.encode(), base64.b64encode(text.encode())):
            assert [one.leak.token for one in scan([data])] == [TOKEN]
    (alone,) = scan([secret.encode()])
    assert alone.leak.token is None


def test_a_private_key_tells_its_public_half() -> None:
    public = rsa_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    der = rsa_key().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    for data in (pem(rsa_key()).encode(), der):
        assert [one.leak.public for one in scan([data])] == [fingerprint(public)]


def test_a_leak_shows_no_part_of_the_secret() -> None:
    for _, make in CANARIES.values():
        secret = make()
        for one in scan([secret.encode()]):
            assert not any(line in repr(one) for line in secret.splitlines() if len(line) > 12)


@pytest.mark.parametrize("what", ["secret id", "JWT", "age"])
def test_names_are_shown_without_the_secrets_in_them(what: str) -> None:
    secret = CANARIES[what][1]()
    assert masked(f"notes about {secret}/x.txt") == "notes about ***/x.txt"
    assert secret not in masked(f"a/{base64.b64encode(secret.encode()).decode()}/b")
    assert masked("plain/name") == "plain/name"


# however it comes


COATS = ["ascii", "base64", "utf-16-le"]
SECRETS = [make() for _, make in CANARIES.values()]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(SECRETS), st.integers(0, 3_000), st.sampled_from(COATS)),
        min_size=1,
        max_size=4,
        unique_by=lambda one: one[0],
    ),
    st.lists(st.integers(1, 90_000), min_size=1, max_size=20),
    st.integers(20_000, 90_000),
)
def test_it_makes_no_difference_where_chunks_and_windows_end(
    planted: list[tuple[str, int, str]], cuts: list[int], window: int
) -> None:
    data = b""
    for secret, gap, coat in planted:
        # Far enough from another that no window holds both.
        base = coat == "base64"
        text = base64.b64encode(secret.encode()) if base else secret.encode(coat)
        data += b"x \n" * gap + b" " * LONGEST + text + b"\n"
    data += b" " * (LONGEST + NEAR)
    whole = [(one.detector.name, one.line, one.leak.same) for one in scan([data])]
    chunks, place, turn = [], 0, 0
    while place < len(data):
        step = cuts[turn % len(cuts)]
        chunks.append(data[place : place + step])
        place, turn = place + step, turn + 1
    parts = [(one.detector.name, one.line, one.leak.same) for one in scan(chunks, window)]
    assert sorted(parts) == sorted(whole)
    bare = [secret for secret, _, coat in planted if coat != "base64" or "-----" in secret]
    expected = {one.leak.same for secret in bare for one in scan([b" " + secret.encode() + b"\n"])}
    assert expected <= {same for _, _, same in whole}


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=8))
def test_no_bytes_are_too_strange(chunks: list[bytes]) -> None:
    """Nothing fails, and what might be found stands in what was given."""
    lines = b"".join(chunks).count(b"\n") + 1
    assert all(1 <= one.line <= lines for one in scan(chunks, window=1))


@pytest.mark.parametrize(
    "text",
    [
        b"-----BEGIN PRIVATE KEY-----" * 40_000,
        b"eyJ" * 400_000,
        b"eyJaaaaaaaaaaa.eyJ" * 60_000,
        b"rcn_" * 300_000,
        b"AGE-SECRET-KEY-1" * 70_000,
        b"AGE-SECRET-KEY-1" + b"Q" * 1_000_000,
        b"PuTTY-User-Key-File-3:" * 50_000,
        b"LS0tLS1CRUdJTiBQUklWQVRFIEtFW" * 40_000,
        b"MIIE" * 300_000,
        b"MIIEvQIBADAN" * 100_000,
        b"token_id:rcn_" * 90_000,
        b"ZXlK" * 300_000,
    ],
)
def test_a_text_that_is_made_to_cost_time_costs_little(text: bytes) -> None:
    """A megabyte of nothing but what is looked for closer: minutes, if anything of it were quadratic."""
    import time

    began = time.process_time()
    list(scan([text]))
    assert time.process_time() - began < 20
