"""Canonical JSON is RFC 8785, however it is made."""

from __future__ import annotations

from typing import Any

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.canonical import canonical

NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(codec="utf-8"))
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=20,
)


@given(VALUES)
@example(1.0)
@example([-0.0, 1e21, 1e-7, 5])
@example({"a": [1e3, {"b": -1.5}], "x": 'a":1.5,'})
@example({"\U0001f600": 1, "\ufb33": 2})
@example('\x00\x1f\x7f\n\b\f\t\r"\\/')
def test_every_value_has_the_bytes_of_rfc_8785(value: Any) -> None:
    """The quick way is taken only where it gives the same."""
    assert canonical(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("value", [2**53, -(2**53), [2**70], float("nan"), {"a": float("inf")}])
def test_a_number_that_not_every_reader_can_hold_is_refused(value: Any) -> None:
    with pytest.raises(rfc8785.CanonicalizationError):
        canonical(value)
