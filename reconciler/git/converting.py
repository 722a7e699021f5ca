"""Files of a checkout that say something else than the commit, although git calls them unchanged.

`.gitattributes` may have git write other text than it keeps (working-tree-encoding, filter, ident): a
reviewer reads the one, and whoever applies reads the other.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from reconciler.files import NotRegularError, read_regular
from reconciler.git.repository import Repository
from reconciler.git.repository import repository as opened
from reconciler.git.running import find_top
from reconciler.git.trees import LITERAL, Listing, blob_id

LARGEST = 1 << 20
"""Bytes of a file that is compared; no spec file is larger."""


def converted(root: Path, environ: Mapping[str, str], folder: str, paths: Sequence[str]) -> Sequence[str]:
    """Those of the paths, all below a folder of a workspace, that were converted.

    Ends of lines alone do not count. None is, where nothing is committed. Raises GitFailed.
    """
    if not paths or find_top(root.resolve()) is None:
        return ()
    repository = opened(root, environ)
    head = repository.head()
    if head is None:
        return ()
    listing = Listing(repository.git, head, f"{repository.prefix}{folder}")
    others = [path for path in paths if _differs(repository, listing, f"{repository.prefix}{path}")]
    changed = edited(repository, [f"{repository.prefix}{path}" for path in others]) if others else set()
    return [path for path in others if f"{repository.prefix}{path}" not in changed]


def _differs(repository: Repository, listing: Listing, path: str) -> bool:
    """Whether a file that is committed has other bytes than the commit has."""
    committed = listing.at(path)
    if committed is None:
        return False
    try:
        data = read_regular(repository.git.folder / path, LARGEST)
    except (OSError, NotRegularError):
        return False
    forms = (data, data.replace(b"\r\n", b"\n"))
    return all(blob_id(form, committed.id) != committed.id for form in forms)


def edited(repository: Repository, paths: Iterable[str]) -> set[str]:
    """Files at or below the paths, all from the top, that git calls changed or new. Raises GitFailed."""
    asked = ("status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all", "--ignored", "--")
    said = repository.git.must(*asked, *paths, more=LITERAL).out
    return {os.fsdecode(line[3:]) for line in said.split(b"\0") if line}
