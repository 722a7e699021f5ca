"""The checkout moves along to what was pushed: files, index and branch together, or nothing at all.

A commit that is in the remote and half in the work tree would stand in the way of the next `git pull`. So
a checkout stays where it is unless all of this is so: it is of the branch that was pushed to, or of none;
its commit is one that the pushed one follows; between the two, nothing but artifacts and records changed;
and none of those was edited here. The index comes first, so whoever dies in between leaves what git takes
for a change that is staged, and the next run goes on with it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.apply.folder import FolderPublisher
from reconciler.apply.interface import Publication
from reconciler.apply.upstream import Upstream
from reconciler.files import LinkedError, inside
from reconciler.git.committing import Edit
from reconciler.git.lines import is_ancestor
from reconciler.git.remote import HEADS
from reconciler.git.trees import Entry, Listing, blob_id

OURS = "100644"
"""The mode of what an apply publishes."""


@dataclass(frozen=True, slots=True)
class _Step:
    """The way from what is checked out to what was pushed."""

    before: Listing
    after: Listing
    paths: tuple[str, ...]
    """From the top of the repository."""


def follow(upstream: Upstream, folder: FolderPublisher, commit: str, run: str) -> bool:
    """Whether the checkout is at a commit that was pushed, or was moved there.

    Raises GitFailed, or PublishFailed where a file cannot be written.
    """
    repository = upstream.repository
    head = repository.head()
    if head == commit:
        return True
    step = None if head is None else _step(upstream, head, commit)
    if head is None or step is None or not _untouched(upstream, folder, step):
        return False
    git, edit = repository.git, _edit(step)
    if git.run("update-index", "-z", "--index-info", given=edit.lines("0" * len(commit))).code != 0:
        return False
    _put(upstream, folder, edit, run)
    return git.run("update-ref", "-m", "reconcile: published", "HEAD", commit, head).code == 0


def _step(upstream: Upstream, head: str, commit: str) -> _Step | None:
    """What is to be done; None where the checkout is not to be moved."""
    git = upstream.repository.git
    attached = git.run("symbolic-ref", "--quiet", "HEAD").text
    if attached not in ("", f"{HEADS}{upstream.branch}") or not is_ancestor(git, head, commit):
        return None
    listed = git.must("diff-tree", "-r", "-z", "--no-renames", "--name-only", head, commit).out
    paths = tuple(path.decode(errors="surrogateescape") for path in listed.split(b"\0") if path)
    top = upstream.listing.folder
    if not all(path.startswith(f"{top}/") for path in paths):
        return None
    return _Step(Listing(git, head, top), Listing(git, commit, top), paths)


def _untouched(upstream: Upstream, folder: FolderPublisher, step: _Step) -> bool:
    """Whether all that is to change is, in index and work tree, as it was or as it is to be."""
    index = _index(upstream, step.before.folder)
    for path in step.paths:
        known = (step.before.at(path), step.after.at(path))
        if any(entry is not None and entry.mode != OURS for entry in known):
            return False
        here = _blob(upstream, folder, path, step.before.tree)
        if index.get(path) not in known or here not in (None, *(entry.id for entry in known if entry)):
            return False
    return True


def _blob(upstream: Upstream, folder: FolderPublisher, place: str, like: str) -> str | None:
    """The id of the file in the work tree; None where nothing stands there. What is no file has no id."""
    path = place.removeprefix(upstream.repository.prefix)
    data = folder.take(path)
    if data is not None:
        return blob_id(data, like)
    try:
        return "" if os.path.lexists(inside(folder.root, path)) else None
    except LinkedError:
        return ""


def _index(upstream: Upstream, top: str) -> Mapping[str, Entry]:
    """What the index has below a folder; what is in conflict, or left out of the work tree, has no mode."""
    listed = upstream.repository.git.must("ls-files", "-s", "-t", "-z", "--", top).out
    return dict(_entries(listed.split(b"\0")))


def _entries(lines: Iterable[bytes]) -> Iterable[tuple[str, Entry]]:
    for line in lines:
        if line:
            about, _, path = line.partition(b"\t")
            tag, mode, ident, _ = about.decode().split(" ")
            yield path.decode(errors="surrogateescape"), Entry(mode if tag == "H" else "", ident)


def _edit(step: _Step) -> Edit:
    after = {path: step.after.at(path) for path in step.paths}
    return Edit(
        {path: entry.id for path, entry in after.items() if entry is not None},
        [path for path, entry in after.items() if entry is None],
    )


def _put(upstream: Upstream, folder: FolderPublisher, edit: Edit, run: str) -> None:
    """Files go into place as a folder's artifacts do: aside, synced, and then renamed."""
    prefix, name = upstream.repository.prefix, f"{run or 'settled'}.pushed"
    paths = []
    for place, blob in edit.placed.items():
        path = place.removeprefix(prefix)
        folder.stage(name, path, upstream.contents.read(blob))
        paths.append(path)
    removed = [place.removeprefix(prefix) for place in edit.removed]
    folder.publish(Publication(name, paths, removed, paths))
