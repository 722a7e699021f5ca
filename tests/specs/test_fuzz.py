"""Whatever the bytes are, reading them ends, raises nothing, and every fault lies inside the file."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.specs.catalog import Entry
from reconciler.specs.faults import Fault
from reconciler.specs.reader import catalog_faults, read_file
from tests.specs.samples import FULL
from tests.specs.sections import section_of

SEEDS = [text.encode() for text in FULL.values()]
SEEDS.append("---\n".join(FULL.values()).encode())
PIECES = [
    *(letter.encode() for letter in "\n\r\t[]{}'\"#|>\0*~,\\工\u2028\x85\ufeff"),
    *b"\r\n @   @: @- @? @ #@&a @*a@!t @---\n@...\n@%TAG@~@0x1F@1e5@\xff@kind: Catalog\n@pwd: x\n".split(
        b"@"
    ),
]

places = st.integers(0, 3000)
edits = st.lists(
    st.one_of(
        st.tuples(st.just("put"), places, st.sampled_from(PIECES)),
        st.tuples(st.just("cut"), places, st.integers(1, 40).map(bytes)),
        st.tuples(st.just("copy"), places, st.integers(1, 80).map(bytes)),
    ),
    min_size=1,
    max_size=8,
)


def edited(data: bytes, changes: list[tuple[str, int, bytes]]) -> bytes:
    for what, place, piece in changes:
        at = place % (len(data) + 1)
        match what:
            case "put":
                data = data[:at] + piece + data[at:]
            case "cut":
                data = data[:at] + data[at + len(piece) :]
            case _:
                data = data[:at] + data[at : at + len(piece)] + data[at:]
    return data


def assert_inside(fault: Fault, data: bytes) -> None:
    text = data.decode("utf-8-sig", "replace")
    lines = text.split("\n")
    assert 1 <= fault.line <= len(lines)
    assert 1 <= fault.column <= len(lines[fault.line - 1]) + 1
    assert fault.source in ("", lines[fault.line - 1], lines[fault.line - 1].removesuffix("\r"))
    assert fault.rule
    assert fault.message
    assert fault.hint
    assert fault.message.isprintable()
    assert fault.hint.isprintable()
    assert fault.width >= 1


@settings(max_examples=500, deadline=None)
@given(seed=st.sampled_from(SEEDS), changes=edits)
def test_a_mutated_spec_is_read_to_its_end(seed: bytes, changes: list[tuple[str, int, bytes]]) -> None:
    data = edited(seed, changes)
    found = read_file("f", data)
    for fault in found.faults:
        assert_inside(fault, data)
    for token in found.tokens:
        assert token.spec().normal_form() == token.normal
    if not found.faults:
        catalog_faults("f", data, {"apis": section_of([Entry(name="x")]), "roles": section_of([])})


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_read_to_their_end(data: bytes) -> None:
    faults = read_file("f", data).faults
    assert all(fault.file == "f" and fault.rule and fault.message for fault in faults)
    for fault in faults:
        assert_inside(fault, data)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_samples_themselves_have_no_fault(seed: bytes) -> None:
    assert read_file("f", seed).faults == []
