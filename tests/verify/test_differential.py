"""Whatever the check accepts, PyJWT accepts, and both read the same in it."""

from __future__ import annotations

import json
from collections import Counter

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.kinds.checking import Reason
from reconciler.verify.reading import Signed, read
from tests.verify.attacks import unb64
from tests.verify.kit import Owned
from tests.verify.near import by_pyjwt, good, judged, near_tokens, pool, spoilt


def test_what_is_right_is_accepted_by_both() -> None:
    for of in pool():
        assert judged(of, good(of)).reason is Reason.ACCEPTED
        assert by_pyjwt(of, good(of))["exp"]


def test_of_near_tokens_pyjwt_accepts_every_one_that_the_check_accepts() -> None:
    """Whatever is read, accepted or not, is what `json` and PyJWT read: the reader changes no meaning.

    And enough are accepted, and refused for enough reasons, for that to say something.
    """
    seen, read_so_far = Counter[Reason](), Counter[bool]()

    @settings(max_examples=600, deadline=None, derandomize=True, database=None)
    @given(near_tokens())
    def held_together(case: tuple[Owned, str]) -> None:
        of, text = case
        verdict, found = judged(of, text), read(text)
        seen[verdict.reason] += 1
        read_so_far[isinstance(found, Signed)] += 1
        if isinstance(found, Signed):
            read_alike(found, text)
        if verdict.active:
            assert isinstance(found, Signed)
            assert found.claims == by_pyjwt(of, text)

    held_together()
    assert seen[Reason.ACCEPTED] > 50
    assert len(seen) > 15
    assert min(read_so_far[True], read_so_far[False]) > 50


def read_alike(found: Signed, text: str) -> None:
    header, claims, signature = text.split(".")
    assert found.claims == json.loads(unb64(claims))
    whole = json.loads(unb64(header))
    assert (found.algorithm, found.kid, found.typ) == (whole["alg"], whole.get("kid"), whole.get("typ"))
    assert found.checked == (f"{header}.{claims}".encode(), unb64(signature))
    assert jwt.get_unverified_header(text) == whole


@pytest.mark.parametrize("number", range(len(pool())))
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_text_that_differs_from_a_good_one_by_some_characters_is_never_accepted(
    number: int, data: st.DataObject
) -> None:
    """So a token has one text: and what PyJWT takes for the same token as well is refused."""
    of = pool()[number]
    text = good(of)
    changed = data.draw(spoilt(text.encode())).decode("latin-1")
    if changed != text:
        assert not judged(of, changed).active
