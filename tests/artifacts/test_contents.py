"""The digest of what was sealed: the same however it is sealed, another for anything else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings

from reconciler.artifacts.contents import contents_digest
from reconciler.artifacts.interface import Expected
from reconciler.errors import ArtifactTampered
from reconciler.secret import Secret

from .kit import FORMATS, HEADER, Bench, fields, parcel


@pytest.mark.parametrize("form", FORMATS)
def test_it_survives_every_way_of_encrypting_anew(bench: Bench, form: str) -> None:
    """Sealed by us, opened by either; then given a new data key by sops: the digest stays."""
    one = parcel(form)
    expected = Expected(HEADER, contents_digest(HEADER, one.fields))
    place = bench.write(one.path, bench.seal(one))
    bench.rules(f"creation_rules: [{{age: {bench.recipient}}}]")
    bench.opener().open(place.read_bytes(), one.path, expected)
    bench.program_opener().open(place.read_bytes(), one.path, expected)
    assert bench.sops("rotate", "-i", one.path).returncode == 0
    bench.opener().open(place.read_bytes(), one.path, expected)


@given(fields())
@settings(max_examples=50, deadline=None)
def test_order_and_wrapping_mean_nothing(contents: dict[str, str | Secret]) -> None:
    """Fields in another order, or hidden or not, have the same digest; one letter more has another."""
    opened = {name: one.open() if isinstance(one, Secret) else one for name, one in contents.items()}
    turned = dict(reversed(opened.items()))
    first = contents_digest(HEADER, contents)
    assert first == contents_digest(HEADER, turned)
    assert first != contents_digest(HEADER, {**opened, "private_key": opened["private_key"] + "x"})
    assert first != contents_digest(HEADER, {**opened, "one_more_field": ""})
    assert first != contents_digest(replace(HEADER, generation=4), contents)


@pytest.mark.parametrize("form", FORMATS)
def test_a_forgery_and_an_edit_are_refused(bench: Bench, form: str) -> None:
    """Sealed to the same public recipients under the true header, is not what was sealed."""
    one = parcel(form)
    expected = Expected(HEADER, contents_digest(HEADER, one.fields))
    forged = bench.seal(parcel(form, {**one.fields, "private_key": Secret("of the forger")}))
    place = bench.write(one.path, forged)
    assert bench.sops("decrypt", one.path).returncode == 0
    bench.opener().open(place.read_bytes(), one.path, Expected(HEADER))
    for opener in (bench.opener(), bench.program_opener()):
        with pytest.raises(ArtifactTampered, match="does not hold what was sealed for it") as caught:
            opener.open(forged, one.path, expected)
        assert "of the forger" not in str(caught.value)
