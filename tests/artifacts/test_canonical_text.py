"""What is bound and digested is canonical JSON, whichever encoder wrote it."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from reconciler.artifacts.text.canonical import Plain, canonical_text
from reconciler.canonical import canonical

from .kit import AWKWARD

KEYS = st.text(st.characters(max_codepoint=127), max_size=8)
PLAIN: st.SearchStrategy[Plain] = st.recursive(
    st.text() | st.sampled_from(AWKWARD[:4] + AWKWARD[5:]) | st.integers(0, 10**15),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(PLAIN)
def test_it_is_what_the_general_encoder_writes(value: Plain) -> None:
    """Texts, whole numbers, lists and maps with ASCII keys: byte for byte, and they read back."""
    assert canonical_text(value).encode() == canonical(value)
    assert json.loads(canonical_text(value)) == value


def test_every_control_character_is_escaped_as_the_rfc_says() -> None:
    """Each of the first 160 code points, and those that JavaScript once took for line ends."""
    text = "".join(map(chr, range(160))) + "\u2028\u2029\ufeff😀"
    assert canonical_text(text).encode() == canonical(text)
