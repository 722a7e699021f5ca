"""A workspace whose Workspace document is lost: the live store knows its name."""

from __future__ import annotations

import os
from dataclasses import replace

from reconciler.errors import UsageError
from reconciler.specs.load import Specs, load, nothing
from reconciler.specs.settings import DEFAULT_NAME
from reconciler.surroundings import SPECS
from reconciler.workspace import Workspace


def found_again(workspace: Workspace, name: str | None) -> Workspace:
    """The workspace, by the name that its document, the user or else the live store says.

    Raises UsageError where they do not agree, or the store holds several. Raises SpecsInvalid.
    """
    root = workspace.root
    left = load(root, SPECS) if os.path.lexists(root / SPECS) else nothing()
    if left.named:
        if name not in (None, left.name):
            raise UsageError(
                f"the Workspace document in {SPECS}/ says that this is {left.name}", hint="leave out --name"
            )
        return workspace
    return _called(workspace, left, name or _name_in_store(_called(workspace, left, DEFAULT_NAME)))


def _called(workspace: Workspace, left: Specs, name: str) -> Workspace:
    """The workspace with the specs that are left, under a name."""
    specs = replace(left, name=name, named=True)
    return Workspace(workspace.root, workspace.around, workspace.named_store, specs)


def _name_in_store(workspace: Workspace) -> str:
    with workspace.live() as store:
        names = store.workspaces()
    if len(names) > 1:
        raise UsageError(
            f"no Workspace document says which workspace this is; the live store holds {', '.join(names)}",
            hint="name one of them with --name",
        )
    return names[0] if names else DEFAULT_NAME
