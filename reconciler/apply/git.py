"""Publishing to git: artifacts and record in one commit, which is pushed before anything becomes live.

What the remote branch holds is published, and nothing else is: a run that died is settled by what is there,
on whatever machine. The commit is made of objects on top of the newest commit of the remote, so neither the
user's branch nor index nor files are needed for it; they move along afterwards where that is safe.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.apply.checking import check_records, check_room, check_same
from reconciler.apply.checkout import follow
from reconciler.apply.folder import FolderPublisher
from reconciler.apply.interface import Publication, Published
from reconciler.apply.message import GIVES_UP, given_up, merging, told
from reconciler.apply.upstream import Upstream
from reconciler.canonical import digest
from reconciler.errors import GitFailed, PublishFailed
from reconciler.git.committing import Authored, Edit, committed, edited, stored
from reconciler.git.pushing import Answer, Pushed, push
from reconciler.records.chain import file_name
from reconciler.records.envelope import LARGEST
from reconciler.specs.layout import RECORDS

PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each further try, where somebody else pushed meanwhile or the answer was lost."""
LOOKED_BACK = 500
"""Commits in which a run looks for the one that gives it up."""


@dataclass(frozen=True, slots=True)
class Habits:
    """What publishing needs from outside: ways to look, to wait and to tell, as values."""

    look: Callable[[], Upstream]
    """A new look at the remote."""
    sleep: Callable[[float], None]
    """Waits for seconds."""
    note: Callable[[str], None]
    """Tells a person something."""
    now: int
    """Epoch seconds."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a publication makes of the branch; paths are from the top of the repository."""

    run: str
    edit: Edit
    records: tuple[str, ...]
    folder: str
    """Of the records."""
    authored: Authored


@dataclass(slots=True)
class GitPublisher:
    """Artifacts on a branch of a remote. What is not published yet is staged as for a folder."""

    folder: FolderPublisher
    habits: Habits
    _looks: list[Upstream] = field(default_factory=list, init=False)
    """Those that were made since the last push: what is being published was made on the first."""
    _taken: dict[str, bytes] = field(default_factory=dict, init=False)
    """Artifacts that stand in the work tree and are to be published as they are."""

    def ready(self) -> None:
        """Whether the remote can be read, and has the branch that is published on."""
        with self._looking() as upstream:
            upstream.check_mergeable()

    def stage(self, run: str, path: str, data: bytes) -> None:
        """As for a folder."""
        self.folder.stage(run, path, data)

    def take(self, path: str) -> bytes | None:
        """The artifact that is there by checkout and remote together; the next publish makes it durable."""
        here = self.folder.take(path)
        with self._looking() as upstream:
            data = upstream.read(path, here)
            if data is not None and data != upstream.published(path):
                self._taken[path] = data
        return data

    def published(self, path: str) -> str | None:
        """Digest of what the remote branch holds at a path."""
        with self._looking() as upstream:
            data = upstream.published(path)
        return None if data is None else digest(data)

    def record(self, name: str) -> bytes | None:
        """The file of a record, as the remote branch has it."""
        with self._looking() as upstream:
            return upstream.published(f"{self.folder.folder}/{RECORDS}/{name}", LARGEST)

    def discard(self) -> None:
        """As for a folder. Objects that no branch holds are git's to drop."""
        self._taken.clear()
        self.folder.discard()

    def publish(self, publication: Publication) -> Published:
        """Commits, pushes, and moves the checkout along. A push that lost a race is made anew, on what won.

        What was pushed is durable whatever becomes of the checkout.
        """
        with self._looking() as upstream:
            wanted = self._wanted(upstream, publication)
        upstream, commit = self._until_taken(lambda now: self._made(now, wanted))
        with self._reading(upstream):
            if upstream.direct:
                self._move_along(upstream, commit, publication.run)
            waits = not upstream.direct and commit != upstream.main
            branch = upstream.target if waits else upstream.branch
            return Published(upstream.settings.remote, branch, commit, upstream.branch if waits else None)

    def _move_along(self, upstream: Upstream, commit: str, run: str) -> None:
        """The checkout follows if it can. What was pushed is published, whatever becomes of that."""
        try:
            if follow(upstream, self.folder, commit, run):
                return
            said = ""
        except (GitFailed, PublishFailed) as error:
            said = f" ({error})"
        brings = f"git pull brings {commit[:10]}"
        self.habits.note(f"published; this checkout stays as it is{said}: {brings}")

    def fence(self, run: str) -> None:
        """Moves the branch on by an empty commit: a push of that run which is still on its way fails then.

        A remote that refuses it refuses that push too.
        """
        with self._looking() as upstream:
            if _gave_up(upstream, run):
                return
        try:
            self._until_taken(lambda now: self._fence(now, run))
        except _Refused:
            self._looks.clear()

    def _fence(self, upstream: Upstream, run: str) -> str | None:
        if _gave_up(upstream, run):
            return None
        authored = given_up(run, self.habits.now, quiet=upstream.direct)
        parent = self._parent(upstream, authored.at)
        return committed(upstream.repository.git, f"{parent}^{{tree}}", [parent], authored)

    def _wanted(self, upstream: Upstream, publication: Publication) -> _Wanted:
        """What is to be published, stored as objects."""
        run = publication.run or "settled"
        files = {path: self.folder.staged(run, path) for path in publication.paths}
        removed = [path for path in dict.fromkeys(publication.removed) if path not in files]
        records = {
            f"{self.folder.folder}/{RECORDS}/{file_name(one.sequence, one.run)}": one.body.encode()
            for one in publication.records
        }
        taken = {path: data for path, data in self._taken.items() if path not in (*files, *removed)}
        for path, data in {**taken, **records}.items():
            self.folder.stage(f"{run}.more", path, data)
            files[path] = self.folder.staged(f"{run}.more", path)
        blobs = _stored(upstream, files)
        return _Wanted(
            publication.run,
            Edit(
                {upstream.place(path): blob for path, blob in zip(files, blobs, strict=True)},
                [upstream.place(path) for path in removed],
            ),
            tuple(map(upstream.place, records)),
            upstream.place(f"{self.folder.folder}/{RECORDS}"),
            told(publication.records, quiet=upstream.direct),
        )

    def _made(self, upstream: Upstream, wanted: _Wanted) -> str | None:
        """The commit to be pushed; None where the branch holds all of it. Raises PublishFailed."""
        first, now = self._looks[0].listing, upstream.listing
        if wanted.run and _gave_up(upstream, wanted.run):
            raise PublishFailed(
                "another apply took this run for dead, and gave it up", hint="run apply again"
            )
        check_room(now, wanted.edit.placed, wanted.edit.removed)
        check_records(now, wanted.folder, wanted.records)
        check_same(first, now, wanted.edit.placed, wanted.edit.removed)
        edit = _left(upstream, wanted.edit)
        if not edit.placed and not edit.removed:
            return None
        git, parent = upstream.repository.git, self._parent(upstream, wanted.authored.at)
        index = self.folder.staged("index", "index")
        index.unlink(missing_ok=True)
        return committed(git, edited(git, parent, edit, index), [parent], wanted.authored)

    def _parent(self, upstream: Upstream, at: int) -> str:
        """The commit that the next one follows; a merge, where the branch has to take in another first."""
        ground = upstream.ground
        upstream.check_mergeable()
        if len(ground.parents) == 1:
            return ground.parents[0]
        authored = merging(upstream.branch, at)
        return committed(upstream.repository.git, ground.tree, ground.parents, authored)

    def _until_taken(self, make: Callable[[Upstream], str | None]) -> tuple[Upstream, str]:
        """Makes a commit on what is newest and pushes it, until the remote has it.

        Returns the look that it was made on, and the head of the branch.

        Raises PublishFailed: the remote refuses it, cannot be reached, or others are quicker each time.
        """
        last, where = Pushed(Answer.UNKNOWN, ""), ""
        for pause in (*PAUSES, None):
            with self._looking() as upstream:
                commit = make(upstream)
                if commit is None:
                    return upstream, upstream.ground.parents[0]
                last = push(upstream.remote, commit, upstream.target)
                where = f"{upstream.settings.remote}/{upstream.target}"
            self._looks.append(self.habits.look())
            if last.answer is Answer.TAKEN:
                self._looks = [self._looks[-1]]
                return upstream, commit
            if last.answer is Answer.REFUSED:
                raise _Refused(
                    f"{where} refused the push: {last.said}",
                    hint="let this user push there; for a protected branch, name another in spec.git.push of"
                    " the Workspace document, and run apply again",
                )
            if pause is not None:
                self.habits.sleep(pause)
        raise PublishFailed(
            f"{where} did not take the push in {len(PAUSES) + 1} tries: {last.said}",
            hint="see that the remote can be reached and is quiet for a moment, and run apply again",
        )

    @contextmanager
    def _looking(self) -> Iterator[Upstream]:
        """The newest look. What git cannot do is a publish that failed."""
        if not self._looks:
            self._looks.append(self.habits.look())
        with self._reading(self._looks[-1]) as upstream:
            yield upstream

    @contextmanager
    def _reading(self, upstream: Upstream) -> Iterator[Upstream]:
        try:
            yield upstream
        except GitFailed as error:
            self._looks.clear()
            raise PublishFailed(str(error), hint=error.hint) from error
        finally:
            upstream.close()


class _Refused(PublishFailed):
    """The remote does not want it."""


def _stored(upstream: Upstream, files: Mapping[str, Path]) -> Sequence[str]:
    for path, file in files.items():
        if not file.is_file():
            raise PublishFailed(
                f"{path} could not be written: it is not staged any more",
                hint="another apply took this run for dead: run apply again",
            )
    return stored(upstream.repository.git, list(files.values())) if files else ()


def _left(upstream: Upstream, edit: Edit) -> Edit:
    """What of an edit is not so yet."""
    at = upstream.listing.at
    placed = {
        path: blob
        for path, blob in edit.placed.items()
        if (entry := at(path)) is None or not entry.is_file or entry.id != blob
    }
    return Edit(placed, [path for path in edit.removed if at(path) is not None])


def _gave_up(upstream: Upstream, run: str) -> bool:
    """Whether a commit of the branch gives a run up."""
    form = f"--format=%(trailers:key={GIVES_UP},valueonly)"
    for commit in upstream.ground.parents:
        listed = upstream.repository.git.must("log", f"--max-count={LOOKED_BACK}", form, commit)
        if run in listed.text.split():
            return True
    return False
