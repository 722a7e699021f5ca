"""Signatures that hold are checked once; those that do not, each time; and no key stands for another."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.kinds.checking import Reason
from reconciler.verify import remembering as module
from reconciler.verify import signatures
from reconciler.verify.reading import Signed, read
from reconciler.verify.remembering import remembering
from reconciler.verify.signatures import Key
from tests.verify.kit import NOW, Desk, Owned, owned


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The signatures that were really checked."""
    seen: list[bytes] = []

    def watched(key: Key, signing_input: bytes, signature: bytes) -> Reason | None:
        seen.append(signature)
        return signatures.refused(key, signing_input, signature)

    monkeypatch.setattr(module, "refused", watched)
    return seen


def parts(token: Owned, text: str) -> tuple[Key, bytes, bytes]:
    """The key on record, and what was presented."""
    credential = token.live.credentials[0]
    key = signatures.public(credential.algorithm, str(credential.public_key))
    signed = read(text)
    assert isinstance(key, Key)
    assert isinstance(signed, Signed)
    return key, *signed.checked


def test_a_good_signature_is_checked_once_and_a_bad_one_each_time(calls: list[bytes]) -> None:
    token = owned("JWTToken")
    key, data, signature = parts(token, token.secret["jwt"])
    holds = remembering()
    assert [holds(key, data, signature) for _ in range(3)] == [None] * 3
    assert len(calls) == 1
    bad = signature[:-8] + bytes(8)
    assert [holds(key, data, bad) for _ in range(3)] == [Reason.SIGNATURE] * 3
    assert len(calls) == 4


def test_what_held_for_one_key_does_not_hold_for_another(calls: list[bytes]) -> None:
    one, other = owned("JWTToken"), owned("JWTToken")
    key, data, signature = parts(one, one.secret["jwt"])
    stranger, _, _ = parts(other, other.secret["jwt"])
    holds = remembering()
    assert holds(key, data, signature) is None
    assert holds(stranger, data, signature) is Reason.SIGNATURE
    assert holds(key, data + b"x", signature) is Reason.SIGNATURE
    assert holds(key, data[:-1], data[-1:] + signature) is Reason.SIGNATURE_LENGTH


def test_shared_secrets_are_never_remembered(calls: list[bytes]) -> None:
    key = signatures.shared("HS256", b"k" * 32)
    assert isinstance(key, Key)
    holds = remembering()
    for _ in range(2):
        holds(key, b"a.b", bytes(32))
    assert len(calls) == 2


def test_no_more_is_kept_than_was_said_and_what_is_in_use_stays(calls: list[bytes]) -> None:
    token = owned("RSAToken")
    holds = remembering(4)
    often = parts(token, token.signed())
    for number in range(40):
        assert holds(*parts(token, token.signed({"jti": str(number)}))) is None
        assert holds(*often) is None
    assert calls.count(often[2]) == 1
    assert len(calls) == 41


def test_a_remembered_signature_is_still_checked_for_everything_else() -> None:
    """Life, claims and grants are those of now."""
    token = owned("RSAToken")
    desk = Desk([token])
    desk.rules = replace(desk.rules, holds=remembering())
    text = token.signed()
    assert desk.check(text, api="device.read").active
    assert desk.check(text, api="other").reason is Reason.API
    desk.now = NOW + 301
    assert desk.check(text, api="device.read").reason is Reason.EXP
    desk.now = NOW
    desk.book = desk.book.changed([token.with_(expires_at=NOW).live], 2)
    assert desk.check(text, api="device.read").reason is Reason.EXPIRED
