"""A workspace whose Workspace document is lost: the live store knows its name."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from reconciler.errors import UsageError
from reconciler.specs.load import Specs, load
from reconciler.specs.settings import DEFAULT_NAME
from reconciler.workspace import SPECS, Workspace


class LostWorkspace(Workspace):
    """A workspace that is called as somebody says, and has the specs that are left."""

    def __init__(self, left: Workspace, name: str) -> None:
        super().__init__(left.root, left.around, left.named_store)
        self._name = name

    @cached_property
    def specs(self) -> Specs:
        """What is declared, under the name. Raises SpecsInvalid."""
        return replace(_specs_left(self.root), name=self._name, named=True)


def found_again(workspace: Workspace, name: str | None) -> Workspace:
    """The workspace, by the name that its document, the user or else the live store says.

    Raises UsageError where they do not agree, or the store holds several. Raises SpecsInvalid.
    """
    specs = _specs_left(workspace.root)
    if specs.named:
        if name not in (None, specs.name):
            raise UsageError(
                f"the Workspace document in {SPECS}/ says that this is {specs.name}", hint="leave out --name"
            )
        return workspace
    return LostWorkspace(workspace, name or _name_in_store(workspace))


def _specs_left(root: Path) -> Specs:
    """What is declared; nothing where the folder is gone."""
    if os.path.lexists(root / SPECS):
        return load(root, SPECS)
    with tempfile.TemporaryDirectory() as empty:
        return load(Path(empty), ".")


def _name_in_store(workspace: Workspace) -> str:
    with LostWorkspace(workspace, DEFAULT_NAME).live() as store:
        names = store.workspaces()
    if len(names) > 1:
        raise UsageError(
            f"no Workspace document says which workspace this is; the live store holds {', '.join(names)}",
            hint="name one of them with --name",
        )
    return names[0] if names else DEFAULT_NAME
