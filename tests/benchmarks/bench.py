"""What every measurement is given: its scale, a folder, and the large workspace that some share."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from reconciler import memo
from tests.benchmarks import fleet, trees
from tests.benchmarks.measure import Run, environment, process
from tests.benchmarks.peers import reconcile
from tests.benchmarks.trees import Tree

PENDING = 2
LARGE = 100_000
NO_STORE = "sqlite:///.reconciler/none.db"
"""A live store that is not there: it reads as empty."""


@dataclass
class Bench:
    """One call of `python -m tests.benchmarks`."""

    folder: Path
    scale: float = 1.0
    given_runs: int | None = None
    rsa_bits: int = 2048

    def scaled(self, count: int) -> int:
        """So many, at this scale; never less than two."""
        return max(2, round(count * self.scale))

    def runs(self, default: int) -> int:
        """How often each side runs."""
        return self.given_runs or default

    def place(self, name: str) -> Path:
        """A new folder to work in."""
        folder = self.folder / name
        folder.mkdir()
        return folder

    @cached_property
    def large(self) -> Tree:
        """100,000 specs, one file each, every one live with its artifact in the tree."""
        tree = trees.workspace(self.folder / "large", self.scaled(LARGE))
        fleet.make_live(tree.root)
        return tree

    def cold_plan(self, root: Path) -> Run:
        """One `reconcile plan` of a workspace with no live store, of which nothing is known from before; it
        checks that there is something to do.
        """
        shutil.rmtree(root / memo.FOLDER, ignore_errors=True)
        return self._plan(root, ["--store", NO_STORE], code=PENDING)

    def warm_plan(self, root: Path) -> Run:
        """One `reconcile plan` of a workspace that is live; it checks that there is nothing to do."""
        return self._plan(root, ["--store", fleet.STORE], code=0)

    def plan_of_a_change(self, root: Path) -> Run:
        """The same, of a workspace in which a spec was edited; it checks that there is something to do."""
        return self._plan(root, ["--store", fleet.STORE], code=PENDING)

    def apply(self, root: Path) -> Run:
        """One `reconcile apply --yes` of a workspace in which nothing is live yet."""
        for name in ("artifacts", ".reconciler"):
            shutil.rmtree(root / name, ignore_errors=True)
        command = [reconcile(), "--store", fleet.STORE, "apply", "--yes"]
        return process(command, root, environment(self.folder))

    def _plan(self, root: Path, options: list[str], *, code: int) -> Run:
        command = [reconcile(), *options, "plan", "--detailed-exitcode"]
        return process(command, root, environment(self.folder), code=code)
