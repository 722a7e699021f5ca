"""What is read of a history agrees with what was done to make it: at random dates, declared and live."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.audit.applied import applied
from reconciler.audit.chain import bodies
from reconciler.audit.declared import blobs, declared
from reconciler.audit.history import line
from reconciler.audit.meanings import meanings
from reconciler.audit.record import RecordFile
from reconciler.audit.spans import Span
from tests.audit.declaring import Truth
from tests.audit.histories import Made, history

SEEDS = range(6)


def as_told(span: Span) -> tuple[object, ...]:
    """What a span says of its token."""
    grants = tuple((name, tuple(sorted(names))) for name, names in span.grants.items())
    return span.name, span.kind, span.owner, grants, span.enabled, span.ends


def as_true(truth: Truth) -> tuple[object, ...]:
    """The same of the model."""
    return truth.name, truth.kind, truth.owner, truth.grants, truth.enabled, truth.ends


def at(spans: tuple[Span, ...], moment: int) -> set[tuple[object, ...]]:
    """What spans say of one moment."""
    return {
        as_told(one) for one in spans if one.since.at <= moment and (one.over is None or moment < one.over)
    }


def declared_spans(made: Made) -> tuple[Span, ...]:
    """As the package reads them."""
    repository = made.repo.opened(made.prefix)
    found = line(repository, made.head, ("specs",))
    return declared(found, meanings(repository, blobs(found))).spans


def agrees(made: Made, rng: Random) -> None:
    """At random dates, and at each moment at which something changed."""
    found = declared_spans(made)
    ids = [(made.told.steps.index((one.commit, one.since)), as_true(one.truth)) for one in made.told.spans]
    assert len(found) == len(ids)
    moments = {rng.randrange(made.told.steps[0][1] - 10, made.end) for _ in range(50)}
    moments |= {one.since for one in made.told.spans}
    for moment in sorted(moments):
        assert at(found, moment) == {as_true(one) for _, one in made.told.at(moment)}
    files = [RecordFile(name, data) for name, data in made.store.files.items()]
    lived = applied(bodies(files)).spans
    for moment in sorted(moments | {one.since for one in made.store.spans}):
        assert at(lived, moment) == {as_true(one) for _, one in made.store.at(moment)}


@pytest.mark.parametrize("seed", SEEDS)
def test_spans_agree_with_the_truth_at_random_dates(tmp_path: Path, seed: int) -> None:
    """Small histories, of many kinds."""
    made = history(tmp_path / "it", seed, 120, prefix="deep/down/" if seed % 2 else "")
    agrees(made, Random(seed))
