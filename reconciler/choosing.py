"""Which live store a workspace uses, and which one a pull request must not make it use."""

from __future__ import annotations

import os
from pathlib import Path

from reconciler.errors import SettingsError
from reconciler.specs.load import Specs
from reconciler.surroundings import Surroundings

SQLITE = "sqlite:///"
JOURNALS = ("-journal", "-wal", "-shm")
"""What SQLite plays into a file when it opens it, if it lies beside it."""


def store_url(root: Path, specs: Specs, around: Surroundings, chosen: str | None) -> str:
    """Flag over environment over Workspace document; a SQLite path is relative to the workspace.

    `chosen` is what the user named, if anything. Raises SettingsError for one that a pull request must not
    choose, and for a workspace that would share a store without a name.
    """
    url = chosen or specs.settings.store
    if not url.startswith(SQLITE):
        if url.startswith("postgres"):
            _check_shared(specs, around, by_specs=chosen is None)
        return url
    file = root / url.removeprefix(SQLITE)
    inside = file.parent.resolve().is_relative_to(root.resolve())
    if not inside and chosen is None:
        raise SettingsError(
            f"the folder of the live store, {file.parent}, is a link out of the workspace",
            hint="make it a folder again, or name the store with --store or RECONCILER_STORE",
        )
    if not inside:
        _check_shared(specs, around, by_specs=False)
    return SQLITE + str(file)


def _check_shared(specs: Specs, around: Surroundings, *, by_specs: bool) -> None:
    """A store that others may share: it needs a name, and no password goes where specs point."""
    if not specs.named:
        raise SettingsError(
            "this workspace has no name, and a store that others may share needs one",
            hint="add a Workspace document to specs/ with metadata.name",
        )
    if by_specs and around.environ.get("PGPASSWORD"):
        raise SettingsError(
            "PGPASSWORD is set, and the host of the store stands in specs/, where a pull request may"
            " change it",
            hint="name the store in RECONCILER_STORE, or keep the password in a PGPASSFILE",
        )


def check_untracked(root: Path, around: Surroundings, url: str) -> None:
    """A store that came with a commit says what a pull request wants it to. Raises SettingsError."""
    if not url.startswith(SQLITE):
        return
    named = Path(url.removeprefix(SQLITE))
    # Neither loops nor what is not there stop `realpath`.
    file, top = os.path.realpath(named), os.path.realpath(root)
    link = Path(os.path.realpath(named.parent), named.name)
    for place in dict.fromkeys((link, Path(file), *(Path(file + end) for end in JOURNALS))):
        if place.is_relative_to(top) and os.path.lexists(place) and around.tracked(place):
            shown = place.relative_to(top).as_posix()
            raise SettingsError(
                f"git tracks {shown}, so whoever may change this branch has chosen what is live",
                hint=f"if it is your own, git rm --cached {shown}; else delete it, or name the true store"
                " with --store or RECONCILER_STORE",
            )
