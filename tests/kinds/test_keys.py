"""Ids and secret ids: their alphabets, their lengths, their checksums."""

from __future__ import annotations

import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kinds import all_kinds, keys
from reconciler.kinds.interface import Entropy
from reconciler.secret import Secret


@pytest.mark.parametrize(
    ("number", "length", "text"),
    [
        (0, 1, "0"),
        (0, 6, "000000"),
        (61, 1, "z"),
        (62, 2, "10"),
        (62, 1, "0"),
        (62**6 - 1, 6, "zzzzzz"),
        (35, 2, "0Z"),
        (5, 0, ""),
    ],
)
def test_base62_pads_with_zeros_and_keeps_the_lowest_digits(number: int, length: int, text: str) -> None:
    assert keys.base62(number, length) == text


@given(st.integers(0, 2**256 - 1))
def test_base62_of_256_bits_fits_its_43_letters_and_can_be_read_back(number: int) -> None:
    text = keys.base62(number, keys.SECRET_LENGTH)
    value = 0
    for letter in text:
        value = value * 62 + keys.BASE62.index(letter)
    assert value == number


@pytest.mark.parametrize("entropy", [lambda size: b"\0" * size, lambda size: b"\xff" * size, os.urandom])
def test_ids_have_their_length_and_alphabet_whatever_the_randomness(entropy: Entropy) -> None:
    assert re.fullmatch(r"[a-z2-7]{20}", keys.token_id(entropy))
    assert re.fullmatch(r"[0-9A-Za-z]{8}", keys.short_id(entropy))
    assert re.fullmatch(r"rcn_[0-9A-Za-z]{49}", keys.secret_id(entropy).open())
    assert keys.is_secret_id(keys.secret_id(entropy).open())


def test_a_secret_id_with_any_letter_changed_is_known_to_be_none() -> None:
    text = keys.secret_id(os.urandom).open()
    for at in range(len(text)):
        other = text[:at] + ("a" if text[at] != "a" else "b") + text[at + 1 :]
        assert not keys.is_secret_id(other)


@pytest.mark.parametrize("text", ["", "rcn_", "rcn_" + "a" * 49, "RCN_" + "0" * 49, "x" * 53])
def test_what_is_no_secret_id_is_known(text: str) -> None:
    assert not keys.is_secret_id(text)


@pytest.mark.parametrize("around", [" {}", "{}\n", "{} ", "a{}", "{}0"])
def test_a_secret_id_with_something_around_it_is_none(around: str) -> None:
    assert not keys.is_secret_id(around.format(keys.secret_id(os.urandom).open()))


def test_letters_outside_the_alphabet_are_none_even_with_the_right_checksum() -> None:
    body = "é" * keys.SECRET_LENGTH
    assert not keys.is_secret_id(f"rcn_{body}{keys.checksum(body)}")


def test_the_hash_of_a_secret_id_is_the_plain_sha_256() -> None:
    assert keys.hash_of(Secret("abc")) == (
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


def test_the_kinds_are_found_by_their_files() -> None:
    assert list(all_kinds()) == ["JWTToken", "LoginToken", "RSAToken", "TokenAuth"]
    for name, kind in all_kinds().items():
        assert kind.name == name
        assert kind.summary
        kind.spec.model_validate(kind.example)
