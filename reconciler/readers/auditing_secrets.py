"""Goes through all that a repository ever held, for `audit secrets`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain

from reconciler.audit.leaks.finding import Finding, Found, Gathered, Known, Stands, finding
from reconciler.audit.leaks.scanning import masked, scan
from reconciler.errors import RecordUnreadable
from reconciler.git.contents import Contents
from reconciler.git.logs import resolved, steps
from reconciler.git.objects import Content, Place, branches, contents, cut, places, tips
from reconciler.git.repository import Repository, repository
from reconciler.git.trees import FILES, LINK, listed
from reconciler.kinds.ownkeys import fingerprint
from reconciler.readers.auditing import Auditing, no_commit
from reconciler.records.chain import is_record
from reconciler.records.envelope import LARGEST, read
from reconciler.workspace import Workspace

LIMIT = 1 << 30
"""Bytes of one content that are read."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A content that was not read, or not to its end."""

    path: str | None
    commit: str
    why: str
    begun: bool


@dataclass(slots=True)
class Searched:
    """What was gone through, and what came of it."""

    findings: list[Finding] = field(default_factory=list)
    commits: int = 0
    contents: int = 0
    bytes: int = 0
    unread: list[Unread] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)
    """Commits before which this clone has nothing."""

    @property
    def whole(self) -> bool:
        """Whether nothing was left out of what was asked."""
        return not self.unread and not self.cut


def search(workspace: Workspace, revisions: Sequence[str], limit: int = LIMIT) -> Searched:
    """Every secret in the clear of all refs, or of the revisions and ranges named. Raises GitFailed."""
    where = repository(workspace.root, workspace.around.environ)
    asked = [one for text in revisions for one in _bounds(where, text)]
    gathered, searched = Gathered(), Searched()
    wanted = _Wanted(searched, gathered, cut(where.git))
    all_places = chain(places(where.git, asked or ["--all"]), () if asked else tips(where.git))
    for content in contents(where.git, wanted.new(all_places)):
        _look(content, gathered, searched, limit)
    if not (asked or searched.commits or searched.contents):
        raise no_commit()
    searched.findings = _told(workspace, where, list(gathered.found.values()))
    return searched


def _bounds(where: Repository, text: str) -> Iterator[str]:
    """A revision, or a range A..B, as ids. Raises GitFailed."""
    one, dots, other = text.partition("..")
    if dots:
        yield f"^{where.commit(one or 'HEAD')}"
        yield where.commit(other or "HEAD")
    else:
        yield where.commit(text)


@dataclass(slots=True)
class _Wanted:
    """Lets each content through once, and looks at names on the way."""

    searched: Searched
    gathered: Gathered
    ends: frozenset[str]
    _seen: set[bytes] = field(default_factory=set)
    _names: set[str] = field(default_factory=set)

    def new(self, found: Iterator[Place]) -> Iterator[Place]:
        for place in found:
            if place.path is None and place.id in self.ends:
                self.searched.cut.append(place.id)
            if place.path is not None and place.path not in self._names:
                self._names.add(place.path)
                self._look_at_name(place)
            key = bytes.fromhex(place.id)
            if key not in self._seen:
                self._seen.add(key)
                yield place

    def _look_at_name(self, place: Place) -> None:
        for sighting in scan([os.fsencode(place.path or "")]):
            self.gathered.add(sighting, place)


def _look(content: Content, gathered: Gathered, searched: Searched, limit: int) -> None:
    place = content.place
    searched.contents += place.path is not None
    searched.commits += place.path is None
    if content.size is None:
        searched.unread.append(Unread(_shown(place.path), place.commit, "this clone lacks it", begun=False))
        return
    if content.size > limit:
        why = f"it has {content.size} bytes, of which {limit} were read"
        searched.unread.append(Unread(_shown(place.path), place.commit, why, begun=True))
    searched.bytes += min(content.size, limit)
    for sighting in scan(_up_to(content.chunks, limit)):
        gathered.add(sighting, place)


def _up_to(chunks: Iterator[bytes], limit: int) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk[:limit]
        limit -= len(chunk)
        if limit <= 0:
            return


def _told(workspace: Workspace, where: Repository, found: list[Found]) -> list[Finding]:
    """With what HEAD and the records know of them, in the order of places."""
    if not found:
        return []
    head = where.head()
    folder = "" if head is None else f"{where.prefix}{Auditing(workspace).records_folder(head)}"
    sought = {ident for one in found for ident in one.objects}
    still: dict[str, list[str]] = {}
    records: list[tuple[str, str]] = []
    for path, entry in () if head is None else listed(where.git, head, "", "-r"):
        if entry.id in sought:
            still.setdefault(entry.id, []).append(_shown(path) or "")
        if entry.is_file and is_record(path, folder):
            records.append((path, entry.id))
    tokens = {one.leak.token for one in found if one.leak.token is not None}
    known = Known(_names(where, tokens, records), _own_keys(workspace))
    held = _held_by(where, head, sought)
    findings = []
    for one in found:
        paths = sorted({path for ident in one.objects for path in still.get(ident, ())})
        tips = sorted({name for ident in one.objects for name in held.get(ident, ())})
        place = None if one.file is None else _shown(one.file.path)
        findings.append(finding(one, place, Stands(tuple(paths), tuple(tips)), known))
    return sorted(findings, key=lambda one: (one.path or "", one.line or 0, one.rule, one.commit))


def _held_by(where: Repository, head: str | None, sought: set[str]) -> dict[str, set[str]]:
    """Content → the branches whose newest commit has it, those left out that are where HEAD is."""
    tips = {commit: names for commit, names in branches(where.git).items() if commit != head}
    trees = resolved(where.git, [f"{tip}^{{tree}}" for tip in tips])
    known = [(one[0], names) for one, names in zip(trees, tips.values(), strict=True) if one is not None]
    there: dict[str, str] = {}
    found: dict[str, set[str]] = {}
    moves = steps(where.git, [tree for tree, _ in known], (*FILES, LINK))
    for (_, names), moved in zip(known, moves, strict=True):
        for one in moved:
            there.pop(one.path, None)
            if one.blob is not None and one.blob in sought:
                there[one.path] = one.blob
        for ident in there.values():
            found.setdefault(ident, set()).update(_shown(name) or "" for name in names)
    return found


def _names(where: Repository, tokens: set[str], records: list[tuple[str, str]]) -> dict[str, str]:
    """Id → newest name, of tokens, as the records of HEAD tell; one that cannot be read tells nothing, and
    neither does a change that was not done.
    """
    names: dict[str, str] = {}
    with closing(Contents(where.git)) as reader:
        for _, ident in sorted(records, reverse=True):
            if not tokens - names.keys():
                break
            try:
                body = read(reader.read(ident, LARGEST)).body
            except RecordUnreadable:
                continue
            for change in body.done:
                if change.token in tokens:
                    names.setdefault(change.token or "", change.name)
    return names


def _own_keys(workspace: Workspace) -> dict[str, str]:
    """Fingerprints of the public keys that owners brought, as the checkout declares them."""
    specs, _ = workspace.examine()
    tokens = () if specs is None else specs.tokens
    return {fingerprint(key): one.name for one in tokens if (key := one.own_key) is not None}


def _shown(path: str | None) -> str | None:
    """A path without the secrets that stand in it, and without bytes that are no UTF-8."""
    return None if path is None else masked(path).encode(errors="surrogateescape").decode(errors="replace")
