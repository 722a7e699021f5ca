"""Breaks a publish at any of its steps: by an error before or after it, or by the death of the process."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

import pytest

from reconciler.apply.interface import Ports, Publication, Published
from reconciler.errors import GitFailed, ReconcilerError
from reconciler.git.running import Git, Ran
from tests.apply.breaking import DIED, BreakingPublisher, BreakingStore, Fuse, How, P, R
from tests.apply.kit import House

LOOKING = (
    "config",
    "rev-parse",
    "symbolic-ref",
    "ls-tree",
    "log",
    "cat-file",
    "merge-base",
    "diff-tree",
    "ls-files",
)
"""Commands of git that change nothing: whoever dies there is as one who dies before the next that does."""


@dataclass
class Late(Fuse):
    """A fuse that counts from when it is lit."""

    lit: bool = False
    only: str = ""
    """The steps that it counts, by name; empty for all."""

    def through(
        self, name: str, error: Callable[[], BaseException], effect: Callable[P, R]
    ) -> Callable[P, R]:
        """The effect, which may blow once the fuse is lit."""
        guarded = super().through(name, error, effect)

        def late(*args: P.args, **kwargs: P.kwargs) -> R:
            counts = self.lit and self.only in ("", name)
            return guarded(*args, **kwargs) if counts else effect(*args, **kwargs)

        return late


class Lighting(BreakingPublisher):
    """A publisher that lights the fuse when it is to publish."""

    def __init__(self, ports: Ports, fuse: Late) -> None:
        super().__init__(ports, fuse)
        self._late = fuse

    def publish(self, publication: Publication) -> Published | None:
        self._late.lit = True
        return super().publish(publication)


class Committing(BreakingStore):
    """A store of which only commits may blow."""

    def _do(self, name: str, effect: Callable[P, R]) -> Callable[P, R]:
        return super()._do(name, effect) if name == "commit" else effect


@contextmanager
def breaking(fuse: Late) -> Iterator[Callable[[Ports], Ports]]:
    """Ports that may blow; while the block lasts, git and the disk may too."""
    real = Git.run

    def run(self: Git, *arguments: str, **more: object) -> Ran:
        name = next(one for one in arguments if not one.startswith("-") and "=" not in one)
        call = real if name in LOOKING else fuse.through(f"git {name}", _no_git, real)
        return call(self, *arguments, **more)  # type: ignore[arg-type]  # as they were given

    def wrap(ports: Ports) -> Ports:
        return replace(ports, store=Committing(ports.store, fuse), publisher=Lighting(ports, fuse))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Git, "run", run)
        for name in ("replace", "unlink"):
            patch.setattr(os, name, fuse.through(f"os.{name}", _no_disk, getattr(os, name)))
        yield wrap


def _no_git() -> GitFailed:
    return GitFailed("broken here")


def _no_disk() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def run_broken(house: House, fuse: Late) -> None:
    """One apply that may blow; the process that dies is a child."""
    if fuse.how is not How.DEATH:
        with breaking(fuse) as wrap, suppress(ReconcilerError):
            house.apply(wrap)
        return
    house.close()
    child = os.fork()
    if child == 0:
        try:
            with breaking(fuse) as wrap:
                house.apply(wrap)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    fuse.blown = "death" if os.waitstatus_to_exitcode(status) == DIED else None
