"""`audit verify`: reads a clone, and the live store where that is asked, and has everything judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePosixPath

from reconciler.audit.files import Files
from reconciler.audit.verifying import asking, chain, commits, filing, living, sealed, signing
from reconciler.audit.verifying.chain import Link
from reconciler.audit.verifying.finding import Check, Finding
from reconciler.audit.verifying.resealed import Sealed
from reconciler.audit.verifying.verified import Verified
from reconciler.errors import StoreError, UsageError
from reconciler.git.logs import Touch, literal, signatures
from reconciler.git.repository import WHOLE_ID
from reconciler.git.shallow import DEEPEN
from reconciler.plan.change import DONE
from reconciler.readers.auditing import Auditing
from reconciler.readers.auditing_clone import Clone
from reconciler.readers.auditing_live import looked
from reconciler.readers.comparing import configs
from reconciler.records.keys import PublicKey, read_keys
from reconciler.specs.settings import Settings
from reconciler.surroundings import SPECS
from reconciler.times import seconds_of
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
    commits_since: str | None = None
    """A day or time from which on that holds; None for always, or, where the clone is asked, for its own."""
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
        self.told = Verified(clone.name, clone.commit, clone.records)
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
        self.links: list[Link] = chain.linked(files, self.told.found, clone.records, self.past.outsider)

    def report(self) -> Verified:
        if self.asked.commits_since is not None and not self.commits_signed:
            raise UsageError(
                "--commits-since says from when on commits must be signed, and they need not be",
                hint="add --commits signed",
            )
        self._whole()
        self._checkout()
        self._chain()
        self._filed()
        self._signatures(self.specs)
        self._artifacts(self.touched)
        self._declared()
        self._commits()
        self._live()
        return self.told

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

    def _whole(self) -> None:
        """Whether the clone has all of the history."""
        if self.clone.repository.is_shallow():
            told = "this clone is shallow: what was before its oldest commit, nobody can check here"
            self.told.found.append(Finding(Check.HISTORY_CUT, "this clone", told, DEEPEN))
        if (fault := self.clone.fault) is not None:
            hint = "see it with: reconcile validate; settings that cannot be read are taken as not made"
            self.told.found.append(
                Finding(Check.SPECS_UNREADABLE, f"commit {self.clone.commit[:10]}", fault, hint)
            )

    def _checkout(self) -> None:
        """What is checked out counts for nothing; a commit that was named has nothing to do with it."""
        if self.asked.revision is None and (count := self.clone.uncommitted()):
            told = f"{_counted(count, 'file')} below {self.settings.artifacts}/"
            self.told.unchecked.append(f"{told}: what is checked out there is not what the commit has")

    def _chain(self) -> None:
        links, folder = self.links, self.told.folder
        found = [
            *chain.chain(links, folder),
            *chain.late(links, self.workspace.around.clock()),
            *chain.anchored(links, self.asked.anchors, folder),
            *asking.overridden(links),
        ]
        self.told.head = links[-1].digest if links else None
        self.told.add("records", _counted(len(links), "record"), found)

    def _filed(self) -> None:
        """What commits did to records."""
        sound = {link.name for link in self.links if link.body is not None}
        changed = len({one.commit for one in self.touched})
        told = f"{_counted(changed, 'commit')} that touched records"
        found = filing.filed(
            self.touched,
            self.blobs,
            self.clone.homes(commit for commit, _ in filing.moves(self.touched)),
            lambda name: name not in sound and self.past.outsider(name),
        )
        self.told.add("history of records", told, found)

    def _signatures(self, touched: Sequence[Touch]) -> None:
        brought = self.asked.keys is not None
        lines = self.settings.audit.keys if self.asked.keys is None else self.asked.keys
        keys: tuple[PublicKey, ...] = read_keys(lines)
        tally = signing.Tally()
        found = list(signing.signatures(self.links, keys, tally, required=self.signed))
        asked = {blob: one.audit for blob, one in self.documents.items()}
        found += signing.key_changes(touched, asked)
        found += signing.policy_changes(touched, asked)
        self.told.add("signatures of records", _signed(tally), found)
        if tally.unchecked:
            self.told.unchecked.append("who signed the records: no key is given; bring them with --keys FILE")
        elif not brought and tally.by_key:
            self.told.unchecked.append(
                "whether the keys are the right ones: they came with the clone; bring yours with --keys FILE"
            )

    def _artifacts(self, touched: Sequence[Touch]) -> None:
        brought = {name: one.commit for name, one in filing.brought(touched).items()}
        looks, found = sealed.to_look_at(self.links, brought)
        self.told.add(
            "artifacts when recorded",
            _counted(len(looks), "artifact"),
            [*found, *sealed.at_commits(looks, self.clone.digests(looks))],
        )
        placed = sealed.in_place(self.links)

        def recorded(path: str, one: sealed.Placed) -> Sealed | None:
            commit = brought.get(PurePosixPath(one.record).name)
            return self.clone.recorded(commit, path, one.digest) if commit and sealed.is_path(path) else None

        there = sealed.now_there(placed, self.clone.stands(), recorded)
        self.told.add("artifacts in place", _counted(len(placed), "artifact"), there)

    def _declared(self) -> None:
        found = list(self._judged())
        count = sum(one.outcome == DONE for link in self.links if link.body for one in link.body.changes)
        asked = {link.body.commit for link in self.links if link.body and link.body.commit}
        told = f"{_counted(count, 'change')} against the specs of {_counted(len(asked), 'commit')}"
        self.told.add("changes", told, found)

    def _judged(self) -> Iterator[Finding]:
        named = [(link, link.body.commit) for link in self.links if link.body is not None]
        ids = [one for _, one in named if one is not None and WHOLE_ID.fullmatch(one)]
        there, line = self.clone.there(ids), {commit for commit, _, _ in self.clone.line}
        # A commit that follows itself is read once: records of one commit stand side by side.
        moving = self.clone.declared([one for one in _runs(ids) if there.get(one)])
        at, files, lives = "", Files({}), asking.Lives()
        for link, commit in named:
            lost = _lost(link, commit, there, line)
            if lost is not None:
                yield lost
            if commit in there and there[commit] is not None:
                while at != commit:
                    at, files = next(moving)
                yield from asking.judged(link, files, lives)
            yield from lives.follow(link)

    def _commits(self) -> None:
        if not self.commits_signed:
            self.told.unchecked.append("signatures of commits: nobody asked; pass --commits signed")
            return
        since, who = self.asked.commits_since, "was asked"
        if since is None and self.asked.commits is None:
            since, who = self.settings.audit.commitsSince, "the clone asks"
        prefix = literal(self.clone.prefix)
        folders = [f"{prefix}{SPECS}/**", f"{prefix}{literal(self.settings.artifacts)}/**"]
        patterns = [*folders, *map(literal, configs(self.clone.prefix))]
        found = list(signatures(self.clone.git, self.clone.commit, patterns, self.asked.signers))
        exempt = commits.before(self.clone.line, None if since is None else seconds_of(_moment(since)))
        looked = sum(one.commit not in exempt for one in found)
        self.told.add("signatures of commits", _counted(looked, "commit"), commits.unsigned(found, exempt))
        if len(found) > looked:
            left = _counted(len(found) - looked, "commit")
            self.told.unchecked.append(f"signatures of {left} from before {since}, as {who}")

    def _live(self) -> None:
        if not self.asked.live:
            self.told.unchecked.append("the live store: it was not asked; pass --live")
            self._rewritten()
            return
        try:
            with self.workspace.live() as store:
                look, broken = looked(store, self.links)
        except StoreError as error:
            self._unread(error, "the live store: it could not be read")
            self._rewritten()
            return
        if not look.state.store_id:
            self._no_store()
            return
        if broken is not None:
            self._unread(broken, "live tokens that no record tells of: no read brought all of the live store")
        self._lived(look)

    def _unread(self, error: StoreError, gap: str) -> None:
        hint = error.hint or "see that the live store can be reached"
        self.told.found.append(Finding(Check.LIVE_UNREADABLE, "live store", str(error), hint))
        self.told.unchecked.append(gap)

    def _no_store(self) -> None:
        """Before the first apply, there is to be none."""
        told = f"there is none at {self.workspace.shown_store}"
        if self.links:
            hint = "name the one that was applied to, with --store or in RECONCILER_STORE"
            self.told.found.append(Finding(Check.LIVE_UNREADABLE, "live store", told, hint))
        self.told.unchecked.append(f"the live store: {told}")
        self._rewritten()

    def _rewritten(self) -> None:
        """Without the live store, only a digest that was noted tells of another past."""
        if not self.asked.anchors:
            self.told.unchecked.append(
                "whether the whole line was rewritten: pass a digest noted earlier with --anchor, or ask the"
                " live store with --live"
            )

    def _lived(self, look: living.LiveLook) -> None:
        found: list[Finding] = []
        ahead = living.only_there(look.records, self.links, found)
        # The chain goes on in the store: from the last record of the clone.
        found += chain.chain(ahead, "live record", self.links[-1] if self.links else None)
        keys = read_keys(self.settings.audit.keys if self.asked.keys is None else self.asked.keys)
        found += signing.signatures(ahead, keys, signing.Tally(), required=self.signed)
        found += living.compared(look, self.links, ahead, self.told.folder)
        told = (
            f"{_counted(len(look.tokens), 'token')} and tombstones, {_counted(len(look.records), 'record')}"
        )
        self.told.add("live store", told, found)
        if ahead:
            self.told.unchecked.append("records that only the live store has, against specs and artifacts")


def _lost(link: Link, commit: str | None, there: dict[str, str | None], line: set[str]) -> Finding | None:
    """What is wrong with the commit that a record names."""
    hint = "fetch it, if another clone has it; it was force-pushed away, or never merged"
    if link.body is None or not (link.body.changes or commit):
        return None
    if commit is None:
        told = "it names no commit: nobody can tell what was declared"
        return Finding(Check.COMMIT_UNKNOWN, link.path, told, "apply from a checkout of the repository")
    if commit not in there:
        return Finding(Check.COMMIT_LOST, link.path, f"its commit {commit[:10]} is not in this clone", hint)
    if commit not in line:
        told = f"its commit {commit[:10]} is not in the history of what is looked at"
        return Finding(Check.COMMIT_LOST, link.path, told, hint)
    if there[commit] is None:
        told = f"its commit {commit[:10]} has no {SPECS}/ here"
        return Finding(Check.SPECS_UNREADABLE, link.path, told, "see whether the workspace moved since")
    return None


def _runs(ids: Iterable[str]) -> list[str]:
    """Without the repetitions that stand side by side."""
    found = list(ids)
    return found[:1] + [later for earlier, later in pairwise(found) if earlier != later]


def _moment(text: str) -> str:
    return text if "T" in text else f"{text}T00:00:00Z"


def _counted(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _signed(tally: signing.Tally) -> str:
    parts = [f"{count:,} by {key}" for key, count in sorted(tally.by_key.items())]
    parts += [f"{tally.unsigned:,} not signed"] if tally.unsigned else []
    parts += [f"{tally.unchecked:,} not checked"] if tally.unchecked else []
    return ", ".join(parts) or "none"
