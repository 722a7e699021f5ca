"""Public keys to bring: right ones, and every sort that must be refused."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import cache
from hashlib import shake_256
from itertools import count
from math import gcd, prod

from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

RSA_ID = bytes.fromhex("300d06092a864886f70d0101010500")


def tlv(tag: int, content: bytes) -> bytes:
    """A DER value."""
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    long = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 128 + len(long)]) + long + content


def integer(number: int) -> bytes:
    """A DER INTEGER."""
    return tlv(2, number.to_bytes(number.bit_length() // 8 + 1, signed=True))


def bare(modulus: int, exponent: int = 65537) -> bytes:
    """An RSAPublicKey (RFC 8017)."""
    return tlv(0x30, integer(modulus) + integer(exponent))


def spki(modulus: int, exponent: int = 65537) -> bytes:
    """An RSA key as SubjectPublicKeyInfo."""
    return tlv(0x30, RSA_ID + tlv(3, b"\0" + bare(modulus, exponent)))


def pem(der: bytes, label: str = "PUBLIC KEY") -> str:
    """PEM text as OpenSSL writes it."""
    body = base64.b64encode(der).decode()
    lines = [body[at : at + 64] for at in range(0, len(body), 64)]
    return "\n".join((f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""))


def pem_of(key: PublicKeyTypes) -> str:
    """PEM text of a key."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def rsa_private(number: int = 0, bits: int = 2048) -> rsa.RSAPrivateKey:
    """The n-th RSA key of so many bits; made once."""
    return _rsa(number, bits)


@cache
def _rsa(number: int, bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def ec_private(curve: str = "secp256r1", number: int = 0) -> ec.EllipticCurvePrivateKey:
    """The n-th key on a curve; made once."""
    return _ec(curve, number)


@cache
def _ec(curve: str, number: int) -> ec.EllipticCurvePrivateKey:
    curves: dict[str, Callable[[], ec.EllipticCurve]] = {
        "secp256r1": ec.SECP256R1,
        "secp384r1": ec.SECP384R1,
        "secp521r1": ec.SECP521R1,
        "secp256k1": ec.SECP256K1,
    }
    return ec.generate_private_key(curves[curve]())


def rsa_pem(number: int = 0, bits: int = 2048) -> str:
    """The public half of the n-th RSA key."""
    return pem_of(rsa_private(number, bits).public_key())


def ec_pem(curve: str = "secp256r1", number: int = 0) -> str:
    """The public half of the n-th key on a curve."""
    return pem_of(ec_private(curve, number).public_key())


@cache
def other_pem(kind: str) -> str:
    """The public half of a key of a type that nothing here signs with."""
    match kind:
        case "Ed25519":
            return pem_of(ed25519.Ed25519PrivateKey.generate().public_key())
        case "Ed448":
            return pem_of(ed448.Ed448PrivateKey.generate().public_key())
        case "X25519":
            return pem_of(x25519.X25519PrivateKey.generate().public_key())
        case _:
            return pem_of(dsa.generate_private_key(2048).public_key())


def is_prime(number: int) -> bool:
    """By Miller and Rabin, to a few bases: these numbers were not made to deceive."""
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    return all(_passes(number, base, odd, twos) for base in (2, 3, 5, 7, 11))


def _passes(number: int, base: int, odd: int, twos: int) -> bool:
    power = pow(base, odd, number)
    if power in (1, number - 1):
        return True
    for _ in range(twos - 1):
        power = power * power % number
        if power == number - 1:
            return True
    return False


def digits(seed: str, bits: int) -> int:
    """A number of up to so many bits, the same for the same seed."""
    return int.from_bytes(shake_256(seed.encode()).digest(bits // 8 + 1)) % (1 << bits)


def next_prime(number: int) -> int:
    """The first prime from an odd number on."""
    number |= 1
    while gcd(number, SMALL) != 1 or not is_prime(number):
        number += 2
    return number


FIRST = [
    number for number in range(2, 702) if all(number % prime for prime in range(2, int(number**0.5) + 1))
]
SMALL = prod(FIRST)


@cache
def close_primes() -> int:
    """A modulus of a generator that searched for the second prime from the first (CVE-2022-26320)."""
    first = next_prime(digits("close", 1024) | 3 << 1022)
    return first * next_prime(first + (1 << 400))


@cache
def roca(bits: int = 2048) -> int:
    """A modulus of CVE-2017-15361: primes `k M + (65537^a mod M)`, M the product of 126 primes."""
    return prod(_roca_prime(which, bits // 2) for which in "pq")


def _roca_prime(which: str, bits: int) -> int:
    product = prod(FIRST[:126])
    for number in count():
        top = (3 << bits - 2) + digits(f"{which} {number}", bits - 3)
        made = top // product * product + pow(65537, digits(f"a {which} {number}", 200), product)
        if made.bit_length() == bits and is_prime(made):
            return made
    raise AssertionError
