"""`audit verify`: reads a clone, and the live store where that is asked, and has everything judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import PurePosixPath

from reconciler.artifacts.rules import places
from reconciler.audit.files import Files
from reconciler.audit.verifying import chain, commits, filing, living, sealed, signing, undeclared
from reconciler.audit.verifying.chain import Link
from reconciler.audit.verifying.finding import Check, Finding
from reconciler.audit.verifying.resealed import Sealed
from reconciler.audit.verifying.verified import Checked, Verified
from reconciler.errors import StoreError, StoreUnreadable, UsageError
from reconciler.git.logs import Touch, literal, signatures
from reconciler.git.repository import WHOLE_ID
from reconciler.git.shallow import DEEPEN
from reconciler.readers.auditing import Auditing
from reconciler.readers.auditing_clone import Clone
from reconciler.readers.auditing_live import looked
from reconciler.records.keys import PublicKey, read_keys
from reconciler.specs.settings import Settings
from reconciler.surroundings import SPECS
from reconciler.times import seconds_of, timestamp
from reconciler.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Asked:
    """What an auditor asks for."""

    revision: str | None = None
    """None for what is checked out."""
    keys: Sequence[str] | None = None
    """Lines of a file that the auditor brings; None for the keys that the clone itself names."""
    records: bool | None = None
    """Whether each record is to be signed; None for yes where the auditor brings keys, else for what the
    clone itself asks: whoever brings keys does not leave it to the clone whether they count."""
    commits: bool | None = None
    """Whether each commit is to be signed; None for what the clone itself asks."""
    commits_since: int | None = None
    """Epoch seconds from which on that holds; None for always, or, where the clone is asked, for its own."""
    signers: str | None = None
    """A file of whom SSH keys are."""
    anchors: Sequence[str] = ()
    live: bool = False


def verify(workspace: Workspace, asked: Asked) -> Verified:
    """Everything that can be checked. Raises GitFailed, SettingsError, UsageError."""
    with closing(Clone(Auditing(workspace), asked.revision)) as clone:
        return _Audit(workspace, asked, clone).report()


class _Audit:
    """One look, with what its parts have in common."""

    def __init__(self, workspace: Workspace, asked: Asked, clone: Clone) -> None:
        self.workspace = workspace
        self.asked = asked
        self.clone = clone
        self.settings: Settings = clone.settings
        files, self.blobs = clone.record_files()
        self.specs: Sequence[Touch] = clone.spec_touches()
        self.documents = clone.documents(self.specs)
        folders = {
            self.settings.artifacts,
            Settings().artifacts,
            *(one.artifacts for one in self.documents.values()),
        }
        self.touched: Sequence[Touch] = clone.record_touches(sorted(folders))
        self.past = filing.Past(self.touched, clone.content)
        self.foreign: list[Finding] = []
        self.links: list[Link] = chain.linked(files, clone.records, self.foreign, self.past.outsider)

    def report(self) -> Verified:
        if self.asked.commits_since is not None and not self.commits_signed:
            raise UsageError(
                "--commits-since says from when on commits must be signed, and they need not be",
                hint="add --commits signed",
            )
        head = self.links[-1].digest if self.links else None
        told = Verified(self.clone.name, self.clone.commit, self.clone.records, head=head)
        for check in (
            self._whole,
            self._checkout,
            self._chain,
            self._filed,
            self._signatures,
            self._artifacts,
            self._declared,
            self._commits,
            self._live,
        ):
            told.add(check())
        return told

    @property
    def signed(self) -> bool:
        """Whether each record is to be signed."""
        if self.asked.records is not None:
            return self.asked.records
        return self.asked.keys is not None or self.settings.audit.records == "signed"

    @property
    def commits_signed(self) -> bool:
        """Whether each commit is to be signed."""
        return self.settings.audit.commits == "signed" if self.asked.commits is None else self.asked.commits

    @cached_property
    def keys(self) -> tuple[PublicKey, ...]:
        """Those that may sign records. Raises SettingsError."""
        return read_keys(self.settings.audit.keys if self.asked.keys is None else self.asked.keys)

    def _whole(self) -> Checked:
        """Whether the clone has all of the history."""
        found = []
        if self.clone.repository.is_shallow():
            told = "this clone is shallow: what was before its oldest commit, nobody can check here"
            found.append(Finding(Check.HISTORY_CUT, "this clone", told, DEEPEN))
        if (fault := self.clone.fault) is not None:
            hint = "see it with: reconcile validate; settings that cannot be read are taken as not made"
            found.append(Finding(Check.SPECS_UNREADABLE, f"commit {self.clone.commit[:10]}", fault, hint))
        return Checked(found)

    def _checkout(self) -> Checked:
        """What is checked out counts for nothing; a commit that was named has nothing to do with it."""
        if self.asked.revision is not None or not (count := self.clone.uncommitted()):
            return Checked()
        told = f"{_counted(count, 'file')} below {self.settings.artifacts}/"
        return Checked(unchecked=[f"{told}: what is checked out there is not what the commit has"])

    def _chain(self) -> Checked:
        links, folder = self.links, self.clone.records
        found = [
            *self.foreign,
            *chain.chain(links, folder),
            *chain.late(links, self.workspace.around.clock()),
            *chain.anchored(links, self.asked.anchors, folder),
            *undeclared.overridden(links),
        ]
        return Checked(found, {"records": _counted(len(links), "record")})

    def _filed(self) -> Checked:
        """What commits did to records."""
        sound = {link.name for link in self.links if link.body is not None}
        changed = len({one.commit for one in self.touched})
        found = filing.filed(
            self.touched,
            self.blobs,
            self.clone.homes(commit for commit, _ in filing.moves(self.touched)),
            lambda name: name not in sound and self.past.outsider(name),
        )
        return Checked(found, {"history of records": f"{_counted(changed, 'commit')} that touched records"})

    def _signatures(self) -> Checked:
        tally = signing.Tally()
        found = list(signing.signatures(self.links, self.keys, tally, required=self.signed))
        asked = {blob: one.audit for blob, one in self.documents.items()}
        moves = [*signing.moves(self.specs, asked), *self.clone.merges(self.specs, asked)]
        found += signing.key_changes(moves)
        found += signing.policy_changes(moves)
        unchecked = []
        if tally.unchecked:
            unchecked.append("who signed the records: no key is given; bring them with --keys FILE")
        elif self.asked.keys is None and tally.by_key:
            unchecked.append(
                "whether the keys are the right ones: they came with the clone; bring yours with --keys FILE"
            )
        return Checked(found, {"signatures of records": _signed(tally)}, unchecked)

    def _artifacts(self) -> Checked:
        brought = {name: one.commit for name, one in filing.brought(self.touched).items()}
        looks, found = sealed.to_look_at(self.links, brought)
        placed = sealed.in_place(self.links)

        def recorded(path: str, one: sealed.Placed) -> Sealed | None:
            commit = brought.get(PurePosixPath(one.record).name)
            return self.clone.recorded(commit, path, one.digest) if commit and sealed.is_path(path) else None

        found += sealed.at_commits(looks, self.clone.digests(looks))
        found += sealed.now_there(placed, self.clone.stands(), recorded)
        looked = {
            "artifacts when recorded": _counted(len(looks), "artifact"),
            "artifacts in place": _counted(len(placed), "artifact"),
        }
        return Checked(found, looked)

    def _declared(self) -> Checked:
        count = sum(len(link.body.done) for link in self.links if link.body)
        asked = {link.body.commit for link in self.links if link.body and link.body.commit}
        told = f"{_counted(count, 'change')} against the specs of {_counted(len(asked), 'commit')}"
        return Checked(self._judged(), {"changes": told})

    def _judged(self) -> Iterator[Finding]:
        named = [(link, link.body.commit) for link in self.links if link.body is not None]
        ids = [one for _, one in named if one is not None and WHOLE_ID.fullmatch(one)]
        there, line = self.clone.there(ids), {commit for commit, _, _ in self.clone.line}
        # A commit that follows itself is read once: records of one commit stand side by side.
        moving = self.clone.declared([one for one in _runs(ids) if there.get(one)])
        at, files, lives = "", Files({}), undeclared.Lives()
        for link, commit in named:
            lost = _lost(link, commit, there, line)
            if lost is not None:
                yield lost
            if commit in there and there[commit] is not None:
                while at != commit:
                    at, files = next(moving)
                yield from undeclared.judged(link, files, lives)
            yield from lives.follow(link)

    def _commits(self) -> Checked:
        if not self.commits_signed:
            return Checked(unchecked=["signatures of commits: nobody asked; pass --commits signed"])
        since, who = self.asked.commits_since, "was asked"
        own = self.settings.audit.commitsSince
        if since is None and self.asked.commits is None and own is not None:
            since, who = seconds_of(own), "the clone asks"
        prefix = literal(self.clone.prefix)
        folders = [f"{prefix}{SPECS}/**", f"{prefix}{literal(self.settings.artifacts)}/**"]
        patterns = [*folders, *map(literal, places(self.clone.prefix))]
        signed = list(signatures(self.clone.git, self.clone.commit, patterns, self.asked.signers))
        exempt = commits.before(self.clone.line, since)
        left = sum(one.commit in exempt for one in signed)
        unchecked = []
        if since is not None and left:
            told = f"signatures of {_counted(left, 'commit')} from before {timestamp(since)}, as {who}"
            unchecked.append(told)
        looked = {"signatures of commits": _counted(len(signed) - left, "commit")}
        return Checked(commits.unsigned(signed, exempt), looked, unchecked)

    def _live(self) -> Checked:
        if not self.asked.live:
            return Checked(unchecked=["the live store: it was not asked; pass --live", *self._rewritten()])
        try:
            with self.workspace.live() as store:
                look, broken = looked(store, self.links)
        except StoreError as error:
            gap = ["the live store: it could not be read", *self._rewritten()]
            return Checked([_unread(error)], unchecked=gap)
        if not look.state.store_id:
            return self._no_store()
        return self._lived(look, broken)

    def _no_store(self) -> Checked:
        """Before the first apply, there is to be none."""
        told = f"there is none at {self.workspace.shown_store}"
        hint = "name the one that was applied to, with --store or in RECONCILER_STORE"
        found = [Finding(Check.LIVE_UNREADABLE, "live store", told, hint)] if self.links else []
        return Checked(found, unchecked=[f"the live store: {told}", *self._rewritten()])

    def _rewritten(self) -> list[str]:
        """Without the live store, only a digest that was noted tells of another past."""
        told = "whether the whole line was rewritten: pass a digest noted earlier with --anchor, or ask the"
        return [] if self.asked.anchors else [f"{told} live store with --live"]

    def _lived(self, look: living.LiveLook, broken: StoreUnreadable | None) -> Checked:
        """What the live store tells; `broken` is why it could not be read as a whole."""
        found = [] if broken is None else [_unread(broken)]
        ahead = living.only_there(look.records, self.links, found)
        # The chain goes on in the store: from the last record of the clone.
        found += chain.chain(ahead, living.RECORD, self.links[-1] if self.links else None)
        found += signing.signatures(ahead, self.keys, signing.Tally(), required=self.signed)
        found += living.compared(look, self.links, ahead, self.clone.records)
        tokens, records = _counted(len(look.tokens), "token"), _counted(len(look.records), "record")
        only = ["records that only the live store has, against specs and artifacts"] if ahead else []
        if broken is not None:
            only.append("live tokens that no record tells of: no read brought all of the live store")
        return Checked(found, {"live store": f"{tokens} and tombstones, {records}"}, only)


def _unread(error: StoreError) -> Finding:
    hint = error.hint or "see that the live store can be reached"
    return Finding(Check.LIVE_UNREADABLE, "live store", str(error), hint)


def _lost(link: Link, commit: str | None, there: dict[str, str | None], line: set[str]) -> Finding | None:
    """What is wrong with the commit that a record names."""
    if link.body is None:
        return None
    idle = not (link.body.done or link.body.live)
    if commit is None and not idle:
        told = "it names no commit: nobody can tell what was declared"
        return Finding(Check.COMMIT_UNKNOWN, link.path, told, "apply from a checkout of the repository")
    if commit is not None and commit not in line:
        place = "the history of what is looked at" if commit in there else "this clone"
        told = f"its commit {commit[:10]} is not in {place}"
        if idle:
            told, hint = f"{told}, and the run changed nothing", "see who ran it: the actor of the record"
            return Finding(Check.COMMIT_ASIDE, link.path, told, hint)
        hint = "fetch it, if another clone has it; it was force-pushed away, or never merged"
        return Finding(Check.COMMIT_LOST, link.path, told, hint)
    if commit is not None and there[commit] is None and not idle:
        told = f"its commit {commit[:10]} has no {SPECS}/ here"
        return Finding(Check.SPECS_UNREADABLE, link.path, told, "see whether the workspace moved since")
    return None


def _runs(ids: Iterable[str]) -> list[str]:
    """Without the repetitions that stand side by side."""
    found = list(ids)
    return found[:1] + [later for earlier, later in pairwise(found) if earlier != later]


def _counted(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _signed(tally: signing.Tally) -> str:
    parts = [f"{count:,} by {key}" for key, count in sorted(tally.by_key.items())]
    parts += [f"{tally.unsigned:,} not signed"] if tally.unsigned else []
    parts += [f"{tally.unchecked:,} not checked"] if tally.unchecked else []
    return ", ".join(parts) or "none"
