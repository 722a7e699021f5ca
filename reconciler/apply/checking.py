"""Whether a publication fits what a branch holds: nothing of anybody else's is lost by it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from reconciler.errors import PublishFailed
from reconciler.git.trees import LINK, SUBMODULE, Entry, Listing

MEND = "somebody changed it in git: look at what they did, mend it there, and run apply again"


def check_room(listing: Listing, placed: Collection[str], removed: Collection[str]) -> None:
    """Raises PublishFailed where a path cannot be what the publication wants, naming it.

    A folder on its way is a file, a link or a submodule; a folder or a submodule stands in its place; or
    there is a file of the same name in other letters, so that a disk that does not tell upper from lower
    case has room for one of them.
    """
    for path in placed:
        for above, entry in listing.folders_above(path):
            if entry is not None and not entry.is_folder:
                raise PublishFailed(f"in the branch, {above} is no folder but {_what(entry)}", hint=MEND)
        entry = listing.at(path)
        if entry is not None and (entry.is_folder or entry.mode == SUBMODULE):
            raise PublishFailed(f"in the branch, {path} is {_what(entry)}", hint=MEND)
    names = {path.casefold(): path for path in placed}
    for path in listing.inside:
        twin = names.get(path.casefold(), path)
        if twin != path and path not in removed:
            raise PublishFailed(f"in the branch, {path} is {twin} in other letters", hint=MEND)


def check_same(before: Listing, now: Listing, placed: Mapping[str, str], removed: Collection[str]) -> None:
    """Raises PublishFailed where somebody changed what the publication places or removes, naming the path.

    `before` is what the publication was made on. What is there as it is to be, is no fault.
    """
    for path in (*placed, *removed):
        was, entry = before.at(path), now.at(path)
        if entry != was and (None if entry is None else entry.id) != placed.get(path):
            raise PublishFailed(f"{path} was changed in the branch while it was published", hint=MEND)


def check_records(listing: Listing, folder: str, records: Collection[str]) -> None:
    """Raises PublishFailed where the branch has another record of the same number, naming it.

    `records` are the paths of those that are published, in `folder`.
    """
    numbers = {_number(path): path for path in records}
    for path in listing.inside:
        if path.startswith(f"{folder}/") and numbers.get(_number(path), path) != path:
            number = int(_number(path))
            raise PublishFailed(
                f"the branch holds another record {number}: {path}",
                hint="the live store was restored or replaced: restore records and store from the same time;"
                " or somebody planted that file: see git log, and remove it",
            )


def _number(path: str) -> str:
    return path.rpartition("/")[2].partition("-")[0]


def _what(entry: Entry) -> str:
    kinds = {SUBMODULE: "a submodule", LINK: "a link", "040000": "a folder"}
    return kinds.get(entry.mode, "a file")
