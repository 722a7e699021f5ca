"""Two sides of a comparison, read from git and the work tree: no live store is asked, no key is needed."""

from __future__ import annotations

import posixpath
from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass, field, replace

from reconciler.artifacts import rules
from reconciler.compare.document import Comparison, compared
from reconciler.compare.side import Side
from reconciler.errors import NoRecipients, SpecsInvalid
from reconciler.files import read_regular
from reconciler.git.contents import Contents
from reconciler.git.ranges import Range, sides
from reconciler.git.repository import Blob, Repository, repository
from reconciler.git.trees import FILES, LINK
from reconciler.memo import Memo, Reminder
from reconciler.specs.faults import Fault
from reconciler.specs.load import examine, nothing
from reconciler.specs.revision import HOPS, Revision
from reconciler.surroundings import SPECS
from reconciler.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Compared:
    """What was compared, and what came of it."""

    workspace: str
    """Its name, as the newer side has it."""
    place: str
    """Which one it is, where no name tells: `Workspace.place_of`."""
    range: Range
    comparison: Comparison
    notes: tuple[str, ...]
    """What a reader should know."""


def compare(workspace: Workspace, text: str | None) -> Compared:
    """What a range of commits changes in meaning; `text` as in `sides`. Raises GitFailed, SpecsInvalid.

    Every fault of both sides is told at once, and says of which commit it is.
    """
    where = repository(workspace.root, workspace.around.environ)
    looked = sides(where, text)
    reading = Reading(workspace, where)
    if reading.has_specs(looked.base):
        base = reading.side(looked.base)
    else:
        base = reading.without_specs(looked.base)
        which = f"{looked.base[:7]} has no {SPECS}/ here" if looked.base else "there is no commit yet"
        reading.notes.append(f"{which}: everything is new")
    head = reading.side(looked.head)
    reading.check()
    found = compared(base, head, workspace.around.clock())
    name, place = head.specs.name, workspace.place_of(named=head.specs.named)
    return Compared(name, place, looked, found, tuple(reading.notes))


@dataclass(slots=True)
class Reading:
    """Reads sides, and gathers their faults."""

    workspace: Workspace
    repository: Repository
    faults: list[Fault] = field(default_factory=list)
    faulty: set[str | None] = field(default_factory=set)
    """The commits that have them; None stands for the work tree."""
    notes: list[str] = field(default_factory=list)

    def has_specs(self, commit: str | None) -> bool:
        """Whether there is anything at all to be read there: the first pull request comes before that."""
        return commit is not None and Revision(self.repository, commit).has(SPECS)

    def without_specs(self, commit: str | None) -> Side:
        """A side from before there were specs."""
        return Side(nothing(), None if commit is None else self._rules(commit))

    def side(self, commit: str | None) -> Side:
        """A commit, or the work tree. One with faults counts as empty until they are raised."""
        if commit is None:
            specs, faults = self.workspace.examine()
        else:
            with closing(Revision(self.repository, commit)) as tree:
                specs, faults = examine(tree, SPECS, self._read_before)
        if faults:
            self.faulty.add(commit)
        self.faults += (one if commit is None else _of_commit(one, commit) for one in faults)
        return Side(specs or nothing(), self._rules(commit))

    def _read_before(self) -> Memo | None:
        """What the checkout's files mean, most of which a commit has as well."""
        memo = self.workspace.read_before()
        return memo and Reminder(memo.root, memo.path, memo.key, memo.about)

    def check(self) -> None:
        """Raises SpecsInvalid with every fault so far."""
        if self.faults:
            count = f"{len(self.faults)} fault{'s' if len(self.faults) != 1 else ''}"
            first = self.faults[0]
            raise SpecsInvalid(
                f"what is to be compared has {count}, the first at {first.where}: {first.message}",
                hint=_to_do(self.faulty),
                faults=tuple(self.faults),
            )

    def _rules(self, commit: str | None) -> rules.Config | None:
        """The creation rules of a side, of the nearest `.sops.yaml` inside the repository."""
        try:
            for path in rules.places(self.repository.prefix):
                data = self._config(commit, path)
                if data is not None:
                    below = self.repository.prefix.removeprefix(path.removesuffix(rules.CONFIG))
                    return rules.parse(data, path, below)
        except NoRecipients as error:
            self.notes.append(f"{'here' if commit is None else commit[:7]}: {error}")
        return None

    def _config(self, commit: str | None, path: str) -> bytes | None:
        """The bytes of a `.sops.yaml`; None where there is none. Raises NoRecipients, GitFailed."""
        if commit is not None:
            return self._config_of(commit, path)
        try:
            data = read_regular(self.repository.git.folder / path, rules.MAX_BYTES)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise NoRecipients(f"{path} cannot be read: {error.strerror}") from None
        return _bounded(path, data)

    def _config_of(self, commit: str, path: str) -> bytes | None:
        with closing(Contents(self.repository.git)) as contents:
            found, place = self.repository.entry(commit, path), path
            for _ in range(HOPS):
                if found is None or found.mode != LINK:
                    break
                leads = contents.read(found.id, rules.MAX_BYTES).decode(errors="surrogateescape")
                place = posixpath.normpath(posixpath.join(posixpath.dirname(place), leads))
                inside = not place.startswith(("/", ".."))
                found = self.repository.entry(commit, place) if inside else Blob(place, LINK, "")
                if found is None or not inside:
                    raise NoRecipients(f"{path} is a link to what is not in the commit")
            if found is None:
                return None
            if found.mode not in FILES:
                raise NoRecipients(f"{path} is no file")
            return _bounded(path, contents.read(found.id, rules.MAX_BYTES + 1))


def _to_do(faulty: Collection[str | None]) -> str:
    """What is to be done where these commits have faults; None stands for the work tree."""
    here = ("correct the specs that are here",) if None in faulty else ()
    there = ("a commit with faults (COMMIT:FILE) stays as it is: name another",) if {*faulty} - {None} else ()
    return "; ".join((*here, *there))


def _bounded(path: str, data: bytes) -> bytes:
    if len(data) > rules.MAX_BYTES:
        raise NoRecipients(f"{path} is larger than {rules.MAX_BYTES} bytes")
    return data


def _of_commit(fault: Fault, commit: str) -> Fault:
    """The fault with its commit, as git writes a file of one."""
    return replace(fault, file=f"{commit[:7]}:{fault.file}")
