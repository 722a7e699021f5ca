"""Whether a commit knows of the workspace that is asked about: in a wrong folder, nothing is ever found."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from reconciler.audit.history import named_as_spec
from reconciler.errors import GitFailed
from reconciler.git.logs import LONG
from reconciler.git.repository import Repository
from reconciler.git.trees import LITERAL, entry, listed
from reconciler.records.chain import FILE_NAME
from reconciler.specs.layout import RECORDS
from reconciler.specs.settings import Settings
from reconciler.surroundings import SPECS

MOST = 5
"""Folders that a message has room for."""


def check_place(where: Repository, commit: str) -> None:
    """Raises GitFailed where neither a commit nor any that it follows has specs or records of a workspace."""
    records = f"{Settings().artifacts}/{RECORDS}"
    paths = [f"{where.prefix}{folder}" for folder in (SPECS, records)]
    if any(entry(where.git, commit, path) for path in paths):
        return
    asked = ("rev-list", "--max-count=1", "--full-history", commit, "--", *paths)
    if where.git.must(*asked, timeout=LONG, more=LITERAL).text:
        return
    found = list(islice(_workspaces(where, commit, records), MOST + 1))
    named = f"{', '.join(found[:MOST])}{' …' * (len(found) > MOST)}"
    raise GitFailed(
        f"{commit[:7]} has neither {SPECS}/ nor records in {where.git.folder / where.prefix}, and no commit"
        " before it had",
        hint=f"ask in a folder of the repository that has them, or name it with -C: {named}"
        if found
        else "commit the specs, name the folder that has them with -C, or name a later commit or time",
    )


def _workspaces(where: Repository, commit: str, records: str) -> Iterator[str]:
    """The folders of a commit, from the top, that have specs or records; each once."""
    told = set[str]()
    for path, _ in listed(where.git, commit, "", "-r"):
        above, _, name = path.rpartition(f"/{SPECS}/" if f"/{SPECS}/" in path else f"/{records}/")
        if above not in told and (named_as_spec(name) or FILE_NAME.fullmatch(name)):
            told.add(above)
            if above:
                yield above
