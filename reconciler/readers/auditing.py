"""What an auditor reads of a clone: the line of a revision, what it declared, and its records.

From git alone: no live store is asked, no key is needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property

from reconciler.audit.declared import History, blobs, declared
from reconciler.audit.history import Line, line, named_as_spec
from reconciler.audit.meanings import Meanings, meanings
from reconciler.audit.recorded import Recorded, in_order
from reconciler.audit.window import WRITE
from reconciler.errors import GitFailed
from reconciler.git.contents import Contents
from reconciler.git.lines import is_ancestor
from reconciler.git.repository import WHOLE_ID, Blob, Repository, repository
from reconciler.git.trees import FILES
from reconciler.memo import Memo
from reconciler.readers.placing import check_place
from reconciler.records.chain import RecordFile, is_record
from reconciler.records.envelope import LARGEST
from reconciler.records.keys import PublicKey, read_keys
from reconciler.specs.files import MAX_BYTES
from reconciler.specs.layout import RECORDS
from reconciler.specs.reader import FileRead, FoundWorkspace, read_file
from reconciler.specs.reading import no_collection
from reconciler.specs.settings import Settings
from reconciler.surroundings import SPECS
from reconciler.workspace import Workspace

MEMO = "history"
"""The memo of what the blobs of a history mean."""


@dataclass
class Auditing:
    """The clone that a workspace lies in. What commits say never changes, so each is read once."""

    workspace: Workspace
    _placed: set[str] = field(default_factory=set, init=False, repr=False)
    """Commits that know of the workspace."""
    _lines: dict[str, Line] = field(default_factory=dict, init=False, repr=False)
    _documents: dict[str, list[FoundWorkspace]] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def repository(self) -> Repository:
        """Its repository. Raises GitFailed where it lies in none."""
        return repository(self.workspace.root, self.workspace.around.environ)

    def commit(self, revision: str | None) -> str:
        """The commit that a revision names; the one that is checked out where none is named.

        Raises GitFailed, also where it knows nothing of the workspace.
        """
        head = revision in (None, "HEAD")
        found = self.repository.head() if head else self.repository.commit(str(revision))
        if found is None:
            raise no_commit()
        if found not in self._placed:
            check_place(self.repository, found)
            self._placed.add(found)
        return found

    def commit_or_time(self, text: str) -> str:
        """The commit that a text names which is no time, where either may stand. Raises GitFailed."""
        try:
            return self.commit(text)
        except GitFailed as error:
            raise GitFailed(str(error), hint=f"{WRITE}; {error.hint}") from None

    def line(self, commit: str) -> Line:
        """The line of a commit, with what it did to specs. Raises GitFailed."""
        if commit not in self._lines:
            self._lines[commit] = line(self.repository, commit, (SPECS,), self.workspace.around.clock())
        return self._lines[commit]

    def history(self, found: Line) -> History:
        """What a line declared. Raises GitFailed, SpecsInvalid."""
        return self.declared(found)[0]

    def declared(self, found: Line, more: Sequence[str] = ()) -> tuple[History, Meanings]:
        """What a line declared, and what its blobs mean, and `more` of what it follows.

        Raises GitFailed, SpecsInvalid.
        """
        walk = "--full-history" if more else "--first-parent"
        with closing(Contents(self.repository.git)) as contents:
            contents.bring(found.commit, f"{self.repository.prefix}{SPECS}", walk)
        with no_collection():
            known = meanings(self.repository, [*blobs(found), *more], self.memo)
            return declared(found, known), known

    def documents(self, commit: str) -> Sequence[FoundWorkspace]:
        """The Workspace documents of a commit: one, or none; more are a fault, and the first counts.

        Only files that may hold one are parsed, and one that has a fault holds none. Raises GitFailed.
        """
        if commit not in self._documents:
            self._documents[commit] = self._read_documents(commit)
        return self._documents[commit]

    def settings(self, commit: str) -> Settings:
        """The settings of a workspace as a commit has them; the defaults where it has none.

        Raises GitFailed.
        """
        found = self.documents(commit)
        return found[0].document.spec if found else Settings()

    def _read_documents(self, commit: str) -> list[FoundWorkspace]:
        documents: list[FoundWorkspace] = []
        with closing(Contents(self.repository.git)) as contents:
            contents.bring(commit, f"{self.repository.prefix}{SPECS}")
            for blob in self.repository.blobs(commit, SPECS):
                if blob.mode in FILES and named_as_spec(self._inside(blob)):
                    data = contents.read(blob.id, MAX_BYTES + 1)
                    read = read_file(self._inside(blob), data) if may_be_workspace(data) else FileRead()
                    documents += () if read.faults else read.workspaces
        return documents

    def records_folder(self, commit: str) -> str:
        """Where a workspace keeps its records, as a commit has it. Raises GitFailed."""
        return f"{self.settings(commit).artifacts}/{RECORDS}"

    def record_files(self, commit: str) -> list[RecordFile]:
        """The records that a commit has, as they stand there. Raises GitFailed."""
        found, folder = self.among_records(commit), self.records_folder(commit)
        return [file for file, blob in found if blob.mode in FILES and is_record(file.path, folder)]

    def among_records(self, commit: str) -> list[tuple[RecordFile, Blob]]:
        """All that stands where a commit has its records; what is no file has no bytes here.

        A byte more than a record may have is read at most. Raises GitFailed.
        """
        folder = self.records_folder(commit)
        with closing(Contents(self.repository.git)) as contents:
            contents.bring(commit, f"{self.repository.prefix}{folder}")
            found = [
                (blob, contents.read(blob.id, LARGEST + 1) if blob.mode in FILES else b"")
                for blob in self.repository.blobs(commit, folder)
            ]
        return [(RecordFile(self._inside(blob), data), blob) for blob, data in found]

    def records(self, commit: str) -> list[Recorded]:
        """The records of a commit, oldest first. Where its settings say that each is to be signed, by a key
        that they name, one that is not tells nothing. Raises GitFailed, RecordUnreadable.
        """
        now = self.workspace.around.clock()
        return in_order(self.record_files(commit), self._keys(commit), now)

    def _keys(self, commit: str) -> Sequence[PublicKey] | None:
        """Who may sign the records of a commit; None where anybody may write them."""
        audit = self.settings(commit).audit
        return read_keys(audit.keys) if audit.records == "signed" else None

    def came(self, commit: str, onto: str) -> int:
        """When a commit came to the line of another: when itself or the merge that brought it counts as made.

        Raises GitFailed where the other does not follow it.
        """
        self.check_follows(onto, commit)
        trunk = self.line(onto).whole
        if commit not in trunk:
            told = self.repository.git.must("rev-list", "--ancestry-path", f"{commit}..{onto}").text
            after = set(told.split())
            commit = next(one for one in trunk if one in after)
        return trunk[commit]

    def check_follows(self, later: str, commit: str) -> None:
        """Raises GitFailed where a commit is not in the history of a later one."""
        if not is_ancestor(self.repository.git, commit, later):
            raise GitFailed(
                f"{commit[:7]} is not in the history of {later[:7]}",
                hint="name a commit of this line, or a time; in a shallow clone: git fetch --unshallow",
            )

    def missing(self, commits: Iterable[str]) -> list[str]:
        """The commits that this clone does not have, or that are none. Raises GitFailed."""
        wanted = list(dict.fromkeys(commits))
        asked = [one for one in wanted if WHOLE_ID.fullmatch(one)]
        given = "".join(f"{one}^{{commit}}\n" for one in asked).encode()
        told = self.repository.git.must("cat-file", "--batch-check=%(objecttype)", given=given).text
        here = {one for one, said in zip(asked, told.splitlines(), strict=True) if said == "commit"}
        return [one for one in wanted if one not in here]

    def _inside(self, blob: Blob) -> str:
        return blob.path.removeprefix(self.repository.prefix)

    def memo(self) -> Memo | None:
        """What the blobs of a history were found to mean before; None where nothing is kept."""
        from reconciler.specs.recalling import reader

        return self.workspace.around.memo(self.workspace.root, MEMO, f"{MEMO} {reader()}")


def no_commit() -> GitFailed:
    """There is nothing to ask."""
    return GitFailed("there is no commit here yet", hint="commit the specs, or name a revision")


def may_be_workspace(data: bytes) -> bool:
    """Whether a Workspace document may stand in a file: that word stands there, or a backslash hides it."""
    return b"Workspace" in data or b"\\" in data
