"""Fuzzes the check by coverage: `python -m tests.verify.fuzzing FOLDER -runs=20000` (libFuzzer's options).

An input is a presented text; or, behind a number, header and claims in two lines, which are signed by the
right key, so that the fuzzer comes behind the signature too; a third line spoils the signature.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from functools import cache
from itertools import zip_longest
from pathlib import Path
from types import FrameType

import atheris

with atheris.instrument_imports(include=["reconciler.verify", "reconciler.kinds"]):
    from reconciler.verify.check import check, sign_in

from reconciler.kinds.checking import Call
from reconciler.secret import Secret
from reconciler.verify.check import Against
from reconciler.verify.interface import Verdict
from tests.verify.attacks import exactly, signature_of, with_signature
from tests.verify.kit import NOW, Owned
from tests.verify.near import CALL, by_pyjwt, claims_of, desk, good, header_of, named, pool

WORDS = (
    *(
        "alg",
        "kid",
        "typ",
        "crit",
        "b64",
        "jwk",
        "cty",
        "exp",
        "iat",
        "nbf",
        "aud",
        "iss",
        "sub",
        "jti",
        "gen",
    ),
    *(
        "none",
        "RS256",
        "PS256",
        "ES256",
        "EdDSA",
        "HS256",
        "at+jwt",
        "JWT",
        "rcn_",
        "eyJ",
        "NaN",
        "null",
        "true",
    ),
    *(str(NOW), str(2**53), "\\\\u0061", "1e9", "-0", "[[", "}{"),
)


MOST_CALLS = 400
"""Of functions of Python, in three checks of a short text."""


def presented(data: bytes) -> str:
    """What an input stands for."""
    if data and data[0] < len(pool()):
        header, claims, mask = (*data[1:].split(b"\n", 2), b"", b"")[:3]
        text = exactly(pool()[data[0]], header, claims)
        return with_signature(text, spoilt(signature_of(text), mask)) if mask else text
    return data.decode("latin-1")


def spoilt(signature: bytes, mask: bytes) -> bytes:
    """With the bits of the mask turned, and as much longer as it is."""
    return bytes(one ^ other for one, other in zip_longest(signature, mask, fillvalue=0))


def calls(do: Callable[[], object]) -> int:
    """How many functions of Python it calls."""
    count = 0

    def counted(_: FrameType, event: str, __: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(counted)
    try:
        do()
    finally:
        sys.setprofile(None)
    return count


def asked() -> Against:
    return Against(desk().book, Call(**CALL), desk().rules, NOW)


def verdicts(text: str) -> Iterator[tuple[Owned, Verdict]]:
    """As a bearer, and as a sign-in at every application."""
    bearer = check(Secret(text), asked())
    for of in pool():
        if of.live.kind == "TokenAuth":
            yield of, sign_in(named(of).live.name, Secret(text), asked())
        elif bearer.token is not None and bearer.token.id == of.id:
            yield of, bearer


def once(data: bytes) -> None:
    """No exception; bounded work; nothing accepted that is neither known to be good nor good to PyJWT."""
    text = presented(data)
    found: list[tuple[Owned, Verdict]] = []
    assert calls(lambda: found.extend(verdicts(text))) < MOST_CALLS + len(text), len(text)
    for of, verdict in found:
        if verdict.active and text not in known():
            by_pyjwt(of, text)


@cache
def known() -> frozenset[str]:
    """What is right of each token."""
    secret_ids = (of.secret.get("secret_id") for of in pool())
    return frozenset({*map(good, pool()), *filter(None, secret_ids)})


def seeds() -> Iterator[bytes]:
    """What is right, whole and unsigned, and what is almost."""
    for number, of in enumerate(pool()):
        header, claims = (json.dumps(part).encode() for part in (header_of(of), claims_of(of)))
        yield bytes([number]) + header + b"\n" + claims
        yield bytes([number]) + header + b"\n" + claims + b"\n\1"
        yield bytes([number]) + header + b"\n" + claims + b"\n" + signature_of(good(of))
        yield bytes([number]) + header + b"\n" + claims.replace(b"}", b',"note":[{"a":1.5},"\\u674e"]}')
    yield from (text.encode() for text in sorted(known()))


def laid_out(folder: Path) -> Path:
    """The seeds, in a folder; and beside it the dictionary."""
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)
    words = (word.replace('"', '\\"') for word in WORDS)
    (folder / "words.dict").write_text("".join(f'"{word}"\n' for word in words))
    return corpus


def main() -> None:
    """Keys are made anew in each process, so that the seeds are, too."""
    folder = Path(sys.argv[1])
    corpus = laid_out(folder)
    for seed in seeds():
        once(seed)
    atheris.Setup([sys.argv[0], f"-dict={folder / 'words.dict'}", *sys.argv[2:], str(corpus)], once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
