"""Why an RSA public key protects nothing, as far as its numbers tell. Pure."""

from __future__ import annotations

from functools import cache
from math import gcd, isqrt, prod
from typing import TypeAlias

Reason: TypeAlias = tuple[str, str]
"""What is wrong, as in `publicKey …`, and what to do."""

LEAST_BITS, MOST_BITS = 2048, 8192
EXPONENT = 65537
MOST_EXPONENT_BITS = 64
"""What checks signatures takes no larger one with a long modulus (OPENSSL_RSA_MAX_PUBEXP_BITS)."""
SMALL = 10_000
"""Primes below this are tried as factors."""
ROUNDS = 100
"""Of Fermat's method; keys of the broken generator fall in the first."""
ROCA_PRIMES_BELOW = 168
SQUARES = frozenset(number * number % 256 for number in range(256))
"""What a square can leave when it is divided by 256: a sixth of all numbers."""
ANEW = "make a new key pair, with openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out key.pem"
DEVICE = f"what made it is broken: {ANEW}"


def weakness(modulus: int, exponent: int) -> Reason | None:
    """Why a key of these numbers is refused; None where nothing speaks against it."""
    bits = modulus.bit_length()
    if bits < LEAST_BITS:
        return f"is an RSA key of {bits} bits, and {LEAST_BITS} are the least", ANEW
    if bits > MOST_BITS:
        return (
            f"is an RSA key of {bits} bits, and {MOST_BITS} are the most",
            f"each check of a signature would take long: {ANEW}",
        )
    if exponent < EXPONENT or exponent % 2 == 0 or exponent.bit_length() > MOST_EXPONENT_BITS:
        return (
            f"is an RSA key with the exponent {_shown(exponent)}",
            f"it is odd, {EXPONENT} or more, and of {MOST_EXPONENT_BITS} bits or fewer: {ANEW}",
        )
    return _factors(modulus)


def _shown(number: int) -> str:
    bits = number.bit_length()
    return str(number) if bits <= MOST_EXPONENT_BITS else f"of {bits} bits"


def _factors(modulus: int) -> Reason | None:
    if gcd(modulus, _primorial()) != 1:
        return (
            "is an RSA key whose modulus has a small factor, so anybody can compute its private half",
            DEVICE,
        )
    if _is_near_square(modulus):
        return (
            "is an RSA key whose primes are so close that anybody can find them (Fermat, CVE-2022-26320)",
            DEVICE,
        )
    if _is_roca(modulus):
        return (
            "is an RSA key of an Infineon chip or library whose keys can be factored (ROCA, CVE-2017-15361)",
            f"make it outside that chip, or update its firmware first: {ANEW}",
        )
    return None


@cache
def _primes(below: int) -> tuple[int, ...]:
    sieve = bytearray([1]) * below
    for number in range(2, isqrt(below) + 1):
        sieve[number * number :: number] = bytes(len(range(number * number, below, number)))
    return tuple(number for number in range(2, below) if sieve[number])


@cache
def _primorial() -> int:
    return prod(_primes(SMALL))


def _is_near_square(modulus: int) -> bool:
    """Whether Fermat's method finds the factors in a few rounds: n = a² - b² with a near the root of n."""
    root = isqrt(modulus)
    root += root * root < modulus
    rest = root * root - modulus
    for _ in range(ROUNDS):
        if rest % 256 in SQUARES and isqrt(rest) ** 2 == rest:
            return True
        rest += 2 * root + 1
        root += 1
    return False


@cache
def _roca_residues() -> tuple[tuple[int, frozenset[int]], ...]:
    """For each small prime, what a modulus of the broken generator can leave: the powers of 65537."""
    return tuple(
        (prime, frozenset(pow(EXPONENT, power, prime) for power in range(prime)))
        for prime in _primes(ROCA_PRIMES_BELOW)
    )


def _is_roca(modulus: int) -> bool:
    """Whether both primes are `k * M + 65537^a mod M`, M a product of small primes; few others look so."""
    return all(modulus % prime in residues for prime, residues in _roca_residues())
