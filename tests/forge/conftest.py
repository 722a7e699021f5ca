"""A pipeline for a pull request, on each forge."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.forge.kit import Pipeline, environ
from tests.forge.standins import standing_in


@pytest.fixture(params=["github", "gitlab"])
def job(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Pipeline]:
    """A pipeline for a pull request on each forge."""
    with standing_in(request.param) as forge:
        yield Pipeline(forge, environ(forge, tmp_path), capsys, monkeypatch)


@pytest.fixture
def github(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Pipeline]:
    with standing_in("github") as forge:
        yield Pipeline(forge, environ(forge, tmp_path), capsys, monkeypatch)
