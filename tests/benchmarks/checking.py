"""Claim: checking one presented token, in process, takes at most 1.5 times the bare signature check.

Ours reads the token strictly, finds the live record among others, checks the signature, the life of
credential and token, the claims and the grants, and makes a verdict. The peer is `verify` of `cryptography`
over the same bytes with a key that is parsed already: no token is read, and nothing else is looked at.

A verifier remembers which signatures held. So there are two rows for each algorithm: a token that is
presented for the first time, and one that is presented again; the peer checks the signature each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt.utils import raw_to_der_signature

from reconciler.kinds.checking import Call, Reason
from reconciler.secret import Secret
from reconciler.verify.check import Against, Rules, check
from reconciler.verify.reading import Signed, read
from reconciler.verify.remembering import remembering
from tests.benchmarks.bench import Bench
from tests.benchmarks.measure import MeasurementError, alternate, in_process
from tests.benchmarks.rows import Row, Target, compared
from tests.verify.kit import AUDIENCE, NOW, Desk, Owned, owned

TARGET = Target(1.5)
TIMES, RUNS = 2_000, 9
RULES = Rules(AUDIENCE)


@dataclass(frozen=True, slots=True)
class Case:
    """One algorithm: a token, what its bearer presents, and the call."""

    name: str
    token: Owned
    presented: str
    call: Call


def measure(bench: Bench) -> Iterator[Row]:
    """Two rows for each algorithm that is a default, and for the cheapest signature there is."""
    for case in cases():
        for again, rules in ("", RULES), (" again", replace(RULES, holds=remembering())):
            functions = _check(case, rules), _bare(case)
            ours, bare = (partial(in_process, one, bench.scaled(TIMES)) for one in functions)
            sides = alternate(bench.runs(RUNS), ours, bare)
            yield compared(f"check one token{again}, {case.name}", "bare verify", sides, TARGET)


def cases() -> Iterator[Case]:
    """What is measured."""
    call = Call(api="device.read", project="plant-a")
    for bits in (3072, 2048):
        rsa = owned("RSAToken", keySize=bits)
        yield Case(f"RS256 {bits}", rsa, rsa.signed(), call)
    call = Call(api="telemetry.write", user="svc-mes")
    for algorithm in ("EdDSA", "ES256"):
        jwt = owned("JWTToken", algorithm=algorithm)
        yield Case(algorithm, jwt, jwt.secret["jwt"], call)


def _check(case: Case, rules: Rules) -> Callable[[int], object]:
    desk = Desk([case.token, *(owned("JWTToken", f"other-{number}") for number in range(3))])
    asked, presented = Against(desk.book, case.call, rules, NOW), Secret(case.presented)
    if (reason := check(presented, asked).reason) is not Reason.ACCEPTED:
        raise MeasurementError(f"{case.name}: {reason}")
    return lambda _: check(presented, asked)


def _bare(case: Case) -> Callable[[int], object]:
    signed = read(case.presented)
    assert isinstance(signed, Signed)
    message, signature = signed.checked
    key: Any = load_pem_public_key((case.token.live.credentials[0].public_key or "").encode())
    match signed.algorithm:
        case "EdDSA":
            return lambda _: key.verify(signature, message)
        case "ES256":
            der = raw_to_der_signature(signature, key.curve)
            return lambda _: key.verify(der, message, ec.ECDSA(hashes.SHA256()))
        case _:
            return lambda _: key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
