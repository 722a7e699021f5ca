"""Opens what `specs/` names. The only module that knows a concrete store, sealer or publisher."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler import __version__
from reconciler.apply.observe import observed
from reconciler.artifacts import rules
from reconciler.artifacts.identities import Identities, find
from reconciler.artifacts.process import Program
from reconciler.artifacts.process import find as find_program
from reconciler.canonical import canonical, digest
from reconciler.errors import NoRecipients, SettingsError
from reconciler.kinds.fields import parse_duration
from reconciler.kinds.interface import Entropy
from reconciler.live.interface import LiveStore, LiveToken, Run
from reconciler.live.opening import open_store
from reconciler.plan.brakes import Block, Fleet, Overrides, blocks
from reconciler.plan.change import Action, Change
from reconciler.plan.diff import ArtifactState, Inputs, difference
from reconciler.plan.document import Bound, Plan
from reconciler.secret import Secret
from reconciler.specs.load import Specs, load

# What only an apply or a reader of artifacts needs is imported where it is used: `validate` and `plan`
# are run often, and start in half the time.
if TYPE_CHECKING:
    from reconciler.apply.interface import Ports, Progress, Result
    from reconciler.apply.session import Approved
    from reconciler.artifacts.opener import FileOpener
    from reconciler.artifacts.sealing import RuleSealer

SPECS = "specs"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a run takes from the machine, as values: a test gives its own."""

    environ: Mapping[str, str]
    home: Path
    platform: str
    """As `sys.platform`."""
    clock: Callable[[], int]
    """Epoch seconds."""
    sleep: Callable[[float], None]
    entropy: Entropy
    commit: Callable[[Path], str | None]
    """Workspace folder → the commit that is checked out there, if it is a git repository."""


def find_root(start: Path) -> Path:
    """The workspace that a folder lies in: the nearest with `specs/`, else the folder itself."""
    for folder in (start, *start.parents):
        if (folder / SPECS).is_dir():
            return folder
    return start


class Workspace:
    """A workspace on this machine: its specs, its live store, its artifacts."""

    def __init__(self, root: Path, surroundings: Surroundings, store: str | None = None) -> None:
        self.root = root
        self.around = surroundings
        self._store = store

    @cached_property
    def specs(self) -> Specs:
        """What is declared. Raises SpecsInvalid."""
        return load(self.root, SPECS)

    @property
    def store_url(self) -> str:
        """Flag over environment over Workspace document; a SQLite path is relative to the workspace."""
        url = self._store or self.around.environ.get("RECONCILER_STORE") or self.specs.settings.store
        prefix = "sqlite:///"
        if url.startswith(prefix):
            return prefix + str(self.root / url.removeprefix(prefix))
        if not self.specs.named:
            raise SettingsError(
                "this workspace has no name, and a store that others may share needs one",
                hint="add a Workspace document to specs/ with metadata.name",
            )
        return url

    @property
    def shown_store(self) -> str:
        """The store as messages show it: relative to the workspace, without any password."""
        url = self.store_url
        if url.startswith("sqlite"):
            return url.replace(f"sqlite:///{self.root}/", "sqlite:")
        from reconciler.live import address

        return address.parse(url).shown

    @contextmanager
    def live(self, *, create: bool = False) -> Iterator[LiveStore]:
        """The live store. Without `create`, one that does not exist reads as empty, and is not made."""
        store = open_store(self.store_url, self.specs.name, create=create)
        try:
            yield store
        finally:
            store.close()

    def plan(self, store: LiveStore, now: int, overrides: Overrides) -> Plan:
        """What would change, from one consistent read. Nothing is written."""
        state = store.state()
        counted = _Counted(observed(self.root, store.tokens()))
        changes = difference(Inputs(self.specs.tokens, counted, now))
        if store.state().revision != state.revision:
            return self.plan(store, now, overrides)
        settings = self.specs.settings
        fleet = Fleet(counted.live, counted.protected, len(self.specs.tokens))
        return Plan(
            bound=Bound(
                workspace=self.specs.name,
                store=state.store_id if state.revision else "",
                specs=self.specs.digest,
                policy=digest(canonical(settings.brakes.model_dump(mode="json"))),
                tool=__version__,
            ),
            changes=changes,
            blocked=(*blocks(changes, fleet, settings.brakes, overrides), *self._unsealable(changes)),
            overrides=overrides,
            revision=state.revision,
            commit=self.around.commit(self.root),
            planned_at=now,
            expires_at=now + parse_duration(settings.planValidFor),
        )

    def _unsealable(self, changes: tuple[Change, ...]) -> Iterator[Block]:
        """Artifacts that no creation rule says how to seal: better known before anything is done."""
        minted = {change.name for change in changes if change.action in (Action.ISSUE, Action.ROTATE)}
        if not minted:
            return
        said: set[str] = set()
        folder = self.specs.settings.artifacts
        for declared in self.specs.tokens:
            if declared.name not in minted:
                continue
            try:
                self.rules.match(declared.artifact_path(folder))
            except NoRecipients as error:
                if str(error) not in said:
                    said.add(str(error))
                    yield Block("recipients", str(error), error.hint)

    def apply(
        self, store: LiveStore, plan: Plan, approved: Approved, *, patience: int, progress: Progress
    ) -> Result:
        """Applies a plan as approved. `patience` is how many seconds to wait for another's lease."""
        from reconciler.apply.lease import Waiting, holder
        from reconciler.apply.session import Session, apply

        around = self.around
        now = around.clock()
        session = Session(
            specs=self.specs,
            ports=self.ports(store, progress),
            approved=approved,
            plan=lambda: self.plan(store, plan.planned_at, plan.overrides),
            run=Run(
                id=around.entropy(8).hex(),
                plan_digest=approved.digest,
                started_at=now,
                actor=actor(around.environ),
                commit=plan.commit,
            ),
            workers=os.cpu_count() or 1,
            waiting=Waiting(around.clock, patience, around.sleep, holder()),
        )
        return apply(session)

    def ports(self, store: LiveStore, progress: Progress) -> Ports:
        """Every effect of an apply, as this workspace is set up."""
        from reconciler.apply.folder import FolderPublisher
        from reconciler.apply.interface import Ports
        from reconciler.audit.record import record

        return Ports(
            store=store,
            sealer=self.sealer,
            publisher=FolderPublisher(self.root, self.specs.settings.artifacts),
            seal_for_verifier=self._seal_for_verifier,
            entropy=self.around.entropy,
            recorder=record,
            progress=progress,
        )

    def _seal_for_verifier(self, secret: Secret) -> str | None:
        from reconciler.artifacts import age

        recipients = self.specs.settings.verifier.recipients
        return age.seal_text(recipients, secret) if recipients else None

    @cached_property
    def rules(self) -> rules.Config:
        """The creation rules of `.sops.yaml`. Raises NoRecipients where there is none."""
        return rules.load(self.root)

    @cached_property
    def sealer(self) -> RuleSealer:
        """Seals by the creation rules of `.sops.yaml`. Raises NoRecipients where there is none."""
        from reconciler.artifacts import age
        from reconciler.artifacts.program import ProgramSealer
        from reconciler.artifacts.sealing import RuleSealer

        return RuleSealer(
            self.rules,
            age.NativeSealer(self.around.entropy),
            ProgramSealer(self.program),
        )

    @cached_property
    def identities(self) -> Identities:
        """The reader's own identities, where sops finds them."""
        return find(self.around.environ, self.around.home, self.around.platform)

    @property
    def opener(self) -> FileOpener:
        """Opens artifacts with the reader's own identities."""
        from reconciler.artifacts.opener import FileOpener
        from reconciler.artifacts.program import ProgramOpener

        return FileOpener(self.identities, ProgramOpener(self.program))

    @property
    def program(self) -> Program:
        """The `sops` program, wherever it is."""
        environ = self.around.environ
        return Program(find_program(environ.get("RECONCILER_SOPS"), environ.get("PATH")), environ)


class _Counted:
    """Live tokens as they stream by, counted."""

    def __init__(self, found: Iterator[tuple[LiveToken, ArtifactState]]) -> None:
        self._found = found
        self.live = 0
        self.protected: list[str] = []

    def __iter__(self) -> Iterator[tuple[LiveToken, ArtifactState]]:
        for token, artifact in self._found:
            self.live += 1
            if token.protect:
                self.protected.append(token.name)
            yield token, artifact


def actor(environ: Mapping[str, str]) -> str:
    """Who runs this, for the record: as the pipeline says, else the user of the machine."""
    for name in ("RECONCILER_ACTOR", "GITHUB_ACTOR", "GITLAB_USER_LOGIN", "USER", "LOGNAME"):
        if environ.get(name):
            return environ[name]
    return "unknown"
