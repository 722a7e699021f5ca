"""A forge with a new workspace on it, and one on which it was applied."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.workflows.situation import APPLY, Forge


@pytest.fixture(scope="session")
def new_forge(tmp_path_factory: pytest.TempPathFactory) -> Forge:
    """Made once, to be copied."""
    return Forge.made(tmp_path_factory.mktemp("forge"), "github")


@pytest.fixture(scope="session")
def applied_forge(new_forge: Forge, tmp_path_factory: pytest.TempPathFactory) -> Forge:
    """The same, after the run that its first push starts."""
    forge = new_forge.copy(tmp_path_factory.mktemp("applied"))
    jobs = forge.run("push").workflow(APPLY)
    assert jobs["apply"].result == "success", {name: job.log for name, job in jobs.items()}
    forge.pull()
    return forge


@pytest.fixture
def forge(new_forge: Forge, tmp_path: Path) -> Forge:
    """A repository that `init --ci github` made and somebody pushed."""
    return new_forge.copy(tmp_path)


@pytest.fixture
def running(applied_forge: Forge, tmp_path: Path) -> Forge:
    """The same, with all its tokens live."""
    return applied_forge.copy(tmp_path)
