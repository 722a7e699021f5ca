"""What an audit reads of a clone: records, artifacts, specs and commits at one revision, each blob once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

from reconciler.artifacts.opener import still_sealed
from reconciler.artifacts.tree import MAX_BYTES
from reconciler.audit.files import Files
from reconciler.audit.history import Touched, named_as_spec
from reconciler.audit.meanings import Meanings, meanings
from reconciler.audit.verifying.resealed import Sealed
from reconciler.audit.verifying.sealed import AtCommit, Stands
from reconciler.audit.verifying.signing import Move
from reconciler.canonical import digest
from reconciler.errors import ArtifactTampered
from reconciler.git import trees
from reconciler.git.contents import Contents
from reconciler.git.logs import LONG, Moved, Touch, graph, literal, parted, resolved, steps, touches
from reconciler.readers.auditing import Auditing, may_be_workspace
from reconciler.records.chain import RecordFile
from reconciler.records.envelope import LARGEST
from reconciler.specs.auditing import AuditSettings
from reconciler.specs.files import MAX_BYTES as SPEC_BYTES
from reconciler.specs.layout import RECORDS
from reconciler.specs.settings import DEFAULT_NAME, Settings
from reconciler.surroundings import SPECS

FILE = trees.FILES[0]
SHORT = 4096
"""Bytes that a file of git's own among the artifacts may have, without a record that tells of it."""


@dataclass(slots=True, weakref_slot=True)
class _Digests:
    """Digests of blobs, each read once."""

    contents: Contents
    known: dict[str, str] = field(default_factory=dict)

    def of(self, blob: str) -> str:
        if blob not in self.known:
            self.known[blob] = digest(self.contents.read(blob))
        return self.known[blob]


class Clone:
    """One revision of a repository, and all that it follows. Everything here raises GitFailed."""

    def __init__(self, auditing: Auditing, revision: str | None) -> None:
        self.auditing = auditing
        self.repository = auditing.repository
        self.git = self.repository.git
        self.prefix = self.repository.prefix
        self.commit = auditing.commit(revision)
        self._contents = Contents(self.git)
        self._digests = _Digests(self._contents)

    def close(self) -> None:
        """Ends what reads."""
        self._contents.close()

    @cached_property
    def line(self) -> Sequence[tuple[str, int, tuple[str, ...]]]:
        """Every commit that the revision holds, its time, and those that it follows; oldest first."""
        return list(graph(self.git, self.commit))

    @property
    def fault(self) -> str | None:
        """What is wrong with the specs of the revision, so that they tell less than they might."""
        places = [one.file for one in self.auditing.documents(self.commit)]
        if len(places) > 1:
            return f"{places[0]} and {places[1]} both have a Workspace document"
        return next((files.unread for _, files in self.declared([self.commit])), None)

    @property
    def name(self) -> str:
        """Of the workspace."""
        documents = self.auditing.documents(self.commit)
        return documents[0].document.metadata.name if documents else DEFAULT_NAME

    @property
    def settings(self) -> Settings:
        """Of the revision."""
        return self.auditing.settings(self.commit)

    @property
    def records(self) -> str:
        """Where the records stand, from the workspace."""
        return self.auditing.records_folder(self.commit)

    @cached_property
    def artifacts(self) -> Mapping[str, trees.Entry]:
        """All that stands in the artifacts folder and is no folder, by path from the workspace."""
        found = trees.entries(self.git, self.commit, f"{self.prefix}{self.settings.artifacts}")
        return {path.removeprefix(self.prefix): one for path, one in found.items() if not one.is_folder}

    def uncommitted(self) -> int:
        """How many files of the artifacts folder differ, as they are checked out, from what is committed."""
        asked = ("status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all", "--")
        folder = f"{self.prefix}{self.settings.artifacts}"
        return self.git.must(*asked, folder, timeout=LONG, more=trees.LITERAL).out.count(b"\0")

    def record_files(self) -> tuple[list[RecordFile], dict[str, str]]:
        """The files among the records, and name → blob of each."""
        found, below = self.auditing.among_records(self.commit), f"{self.records}/"
        return [file for file, _ in found], {file.path.removeprefix(below): blob.id for file, blob in found}

    def content(self, blob: str) -> bytes:
        """What a record ever was; a byte more than one may have at most."""
        return self._contents.read(blob, LARGEST + 1)

    def homes(self, commits: Iterable[str]) -> dict[str, tuple[str, str]]:
        """Where records belong: by the specs of each commit, and of the revision."""
        asked = list(dict.fromkeys(commits))
        found = dict.fromkeys(asked, (self.records, self.records))
        for commit, files in self.declared(asked):
            settings = Settings() if files.workspace is None else files.workspace.spec
            found[commit] = (f"{settings.artifacts}/{RECORDS}", self.records)
        return found

    def stands(self) -> dict[str, Stands]:
        """What stands among the artifacts, the records left out."""
        below = f"{self.records}/"
        return {
            path: Stands(
                self._digests.of(one.id) if one.is_file else None,
                partial(self._sealed, path, one.id) if one.is_file else lambda: None,
                partial(self._plain, one.id) if one.is_file else lambda: False,
            )
            for path, one in self.artifacts.items()
            if not path.startswith(below)
        }

    def _plain(self, blob: str) -> bool:
        data = self._contents.read(blob, SHORT + 1)
        try:
            text = data.decode()
        except UnicodeDecodeError:
            return False
        return len(data) <= SHORT and "\0" not in text

    def recorded(self, commit: str, path: str, expected: str) -> Sealed | None:
        """What stands at a path of a commit, if it has that digest and is an artifact."""
        (found,) = resolved(self.git, [f"{commit}:{self.prefix}{path}"])
        if found is None or found[1] != "blob" or self._digests.of(found[0]) != expected:
            return None
        return self._sealed(path, found[0])

    def _sealed(self, path: str, blob: str) -> Sealed | None:
        try:
            form, document = still_sealed(self._contents.read(blob, MAX_BYTES), path)
            return Sealed(form, document, form.header(document.tree))
        except ArtifactTampered:
            return None

    def digests(self, looks: Sequence[AtCommit]) -> list[str | None]:
        """The digest of what stands at a path of a commit, of each; None where no file does."""
        found = resolved(self.git, [f"{one.commit}:{self.prefix}{one.path}" for one in looks])
        return [self._digests.of(one[0]) if one is not None and one[1] == "blob" else None for one in found]

    def spec_touches(self) -> list[Touch]:
        """What every commit did to the specs; paths are from the workspace."""
        return self._touches(f"{SPECS}/**")

    def record_touches(self, folders: Iterable[str]) -> list[Touch]:
        """What every commit did to the records, in whatever folder they stood."""
        return self._touches(*(f"{literal(folder)}/{RECORDS}/*" for folder in folders))

    def _touches(self, *patterns: str) -> list[Touch]:
        below = len(self.prefix)
        found = touches(self.git, self.commit, [f"{literal(self.prefix)}{one}" for one in patterns])
        return [replace(one, path=one.path[below:]) for one in found]

    def documents(self, touched: Sequence[Touch]) -> dict[str, Settings]:
        """Blob → the settings that it makes, of those that the specs ever had."""
        blobs = dict.fromkeys(
            blob
            for one in touched
            if named_as_spec(one.path)
            for blob in (*one.before, one.after)
            if blob.strip("0") and may_be_workspace(self._contents.read(blob, SPEC_BYTES + 1))
        )
        read = meanings(self.repository, blobs, self.auditing.memo)
        return {
            blob: one.workspaces[0].document.spec for blob, one in read.items() if len(one.workspaces) > 0
        }

    def merges(self, touched: Sequence[Touch], asked: Mapping[str, AuditSettings]) -> Iterator[Move]:
        """What merges made of what the Workspace documents ask for, where that is not the same all around.

        A merge may take any side's file as it is, and then no touch tells of it.
        """
        paths = sorted({one.path for one in touched if asked.keys() & {*one.before, one.after}})
        found = [(commit, parents) for commit, _, parents in self.line if len(parents) > 1]
        at = self._at({one for commit, parents in found for one in (commit, *parents)}, paths)

        def read(commit: str) -> list[AuditSettings]:
            return [asked[blob] for blob in at[commit] if blob in asked]

        for commit, parents in found:
            if any(at[one] != at[commit] for one in parents):
                bases = parted(self.git, parents)
                at |= self._at(bases, paths)
                yield Move(commit, read(commit), tuple(map(read, parents)), tuple(map(read, bases)))

    def _at(self, commits: Iterable[str], paths: Iterable[str]) -> dict[str, list[str]]:
        """Commit → what stands there at some paths."""
        found: dict[str, list[str]] = {commit: [] for commit in commits}
        named = [(commit, path) for commit in found for path in paths]
        there = resolved(self.git, [f"{commit}:{self.prefix}{path}" for commit, path in named])
        for (commit, _), one in zip(named, there, strict=True):
            found[commit] += [one[0]] if one is not None else []
        return found

    def there(self, commits: Iterable[str]) -> dict[str, str | None]:
        """Commits that this clone has → the tree of their specs; None of one that has none."""
        asked = list(dict.fromkeys(commits))
        are = resolved(self.git, asked)
        own = [
            one for one, found in zip(asked, are, strict=True) if found is not None and found[1] == "commit"
        ]
        found = resolved(self.git, [f"{one}:{self.prefix}{SPECS}" for one in own])
        return {
            one: tree[0] if tree is not None and tree[1] == "tree" else None
            for one, tree in zip(own, found, strict=True)
        }

    def declared(self, commits: Sequence[str]) -> Iterator[tuple[str, Files]]:
        """What each of some commits declares, in their order: the same files, which move on with the next.

        Commits without specs, and those that are not here, are left out.
        """
        trees_of = self.there(commits)
        known = [(commit, tree) for commit in commits if (tree := trees_of.get(commit)) is not None]
        moves = list(steps(self.git, [tree for _, tree in known]))
        files = Files(self._meanings(moves))
        for (commit, _), moved in zip(known, moves, strict=False):
            files.changed([Touched(f"{SPECS}/{one.path}", one.blob and FILE, one.blob) for one in moved])
            yield commit, files

    def _meanings(self, moves: Iterable[Sequence[Moved]]) -> Meanings:
        found = (one for moved in moves for one in moved if one.blob is not None)
        blobs = [str(one.blob) for one in found if named_as_spec(f"{SPECS}/{one.path}")]
        return meanings(self.repository, blobs, self.auditing.memo)
