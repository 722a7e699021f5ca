"""Opens what `specs/` names. The only module that knows a concrete store, sealer or publisher."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler import __version__
from reconciler.apply.census import Census
from reconciler.apply.holding import reused_keys
from reconciler.apply.observe import Observer, observed
from reconciler.apply.obstacles import Ground
from reconciler.apply.opening import Place
from reconciler.apply.untouched import ABOUT, WORTH_KEEPING, Untouched
from reconciler.apply.verdict import Look, verdict
from reconciler.artifacts import rules
from reconciler.artifacts.identities import Identities, find
from reconciler.artifacts.names import normal
from reconciler.artifacts.process import Program
from reconciler.artifacts.process import find as find_program
from reconciler.canonical import digest
from reconciler.choosing import check_untracked, store_url
from reconciler.errors import NoRecipients, ReconcilerError, StoreUnreadable
from reconciler.git.converting import converted
from reconciler.git.running import find_prefix
from reconciler.kinds.fields import parse_duration
from reconciler.live.interface import LiveStore, Run
from reconciler.live.opening import open_store
from reconciler.memo import Memo
from reconciler.plan.brakes import Overrides
from reconciler.plan.diff import Inputs, difference
from reconciler.plan.document import Bound, Plan
from reconciler.plan.observed import Delivery
from reconciler.plan.policy import limits
from reconciler.secret import Secret
from reconciler.specs.faults import Fault
from reconciler.specs.layout import RECORDS
from reconciler.specs.load import Specs, examine, load
from reconciler.surroundings import SPECS, Surroundings, actor

# What only an apply or a reader of artifacts needs is imported where it is used: `validate` and `plan`
# are run often, and start in half the time.
if TYPE_CHECKING:
    from reconciler.apply.approval import Approved
    from reconciler.apply.interface import Ports, Progress, Result
    from reconciler.apply.lease import Waiting
    from reconciler.apply.upstream import Upstream
    from reconciler.artifacts.opener import FileOpener
    from reconciler.artifacts.resealing import Resealer
    from reconciler.artifacts.sealing import RuleSealer
    from reconciler.records.signing.interface import Signer

TRIES = 5
"""Times that a plan is made anew because somebody applied meanwhile."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How somebody runs an apply."""

    progress: Progress
    patience: int = 0
    """Seconds to wait for another's lease."""
    reason: str | None = None
    """Why, for the record."""


class Workspace:
    """A workspace on this machine: its specs, its live store, its artifacts."""

    def __init__(
        self,
        root: Path,
        surroundings: Surroundings,
        store: str | None = None,
        specs: Specs | None = None,
    ) -> None:
        self.root = root
        self.around = surroundings
        self._store = store
        self._specs = specs
        """What is declared, where somebody has read it already; else it is read when it is asked for."""
        self._named_by: dict[int, frozenset[str]] = {}
        """Who is named by a creation rule, in normal form: asked for once a token."""

    @cached_property
    def specs(self) -> Specs:
        """What is declared. Raises SpecsInvalid."""
        return self._specs or load(self.root, SPECS, self.read_before)

    def examine(self) -> tuple[Specs | None, list[Fault]]:
        """What is declared, or every fault in it."""
        return examine(self.root, SPECS, self.read_before)

    def read_before(self) -> Memo | None:
        """The memo of the spec files that were read before on this machine."""
        from reconciler.specs.recalling import reader

        return self.around.memo(self.root, "specs", reader())

    def place_of(self, *, named: bool) -> str:
        """The way to the workspace from the top of its repository, where specs give it no name.

        Empty where they do, and at the top.
        """
        return "" if named else find_prefix(self.root).rstrip("/")

    @property
    def named_store(self) -> str | None:
        """The store that the user named; None where specs choose, and so a pull request may."""
        return self._store or self.around.environ.get("RECONCILER_STORE") or None

    @property
    def store_url(self) -> str:
        """As `choosing.store_url`. Raises SettingsError."""
        return store_url(self.root, self.specs, self.around, self.named_store)

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
        url = self.store_url
        check_untracked(self.root, self.around, url)
        store = open_store(url, self.specs.name, create=create)
        try:
            yield store
        finally:
            store.close()

    def opening(self) -> Callable[[], LiveStore]:
        """Opens the live store anew each time, for those who follow it; one that is not there reads as empty.

        Raises SettingsError for one that a pull request must not choose.
        """
        url, name = self.store_url, self.specs.name
        check_untracked(self.root, self.around, url)
        return lambda: open_store(url, name, create=False)

    def plan(self, store: LiveStore, now: int, overrides: Overrides) -> Plan:
        """What would change, from one consistent read. Nothing is written.

        Raises StoreUnreadable when the store changes faster than it can be read.
        """
        for _ in range(TRIES):
            with self.upstream() as upstream:
                state = store.state()
                observer = Observer(self.root, self.specs.place, upstream, self._untouched())
                found = observed(store.tokens(), observer)
                census = Census(found, self._named, now)
                inputs = Inputs(self.specs.tokens, census, self._delivery, now, overrides.retry)
                compared = difference(inputs)
                reused = reused_keys(self.specs, store, compared.changes)
                if store.state().revision == state.revision:
                    look = Look(state, census, compared, reused, now)
                    return self._planned(look, overrides, upstream)
        raise StoreUnreadable(
            "the live store changes while it is read", hint="wait for the other apply to end"
        )

    def upstream(self) -> AbstractContextManager[Upstream | None]:
        """A new look at the branches that artifacts are pushed to; None where they are not pushed."""
        return self._place.looking()

    def published(self, path: str, here: bytes | None) -> bytes | None:
        """What is published at a path, given what stands in the work tree; the remote is looked at once.

        Raises GitFailed where that cannot be told.
        """
        if not self._place.by_git:
            return here
        try:
            return self._upstream.read(path, here)
        finally:
            self._upstream.close()

    @cached_property
    def _upstream(self) -> Upstream:
        return self._place.look()

    @property
    def _place(self) -> Place:
        return Place(self.root, self.specs.settings, self.around.environ)

    def _untouched(self) -> Untouched:
        many = len(self.specs.tokens) >= WORTH_KEEPING
        return Untouched(self.root, self.around.memo(self.root, "artifacts", ABOUT) if many else None)

    @property
    def _delivery(self) -> Delivery:
        """How artifacts are delivered now, for a plan."""
        layout = self.specs.settings.layout
        return Delivery(lambda declared: declared.artifact_path(layout), self._named)

    def _rule(self, path: str) -> rules.Rule:
        return self.rules.match(path)

    def _named(self, path: str) -> frozenset[str] | None:
        try:
            recipients = self.rules.match(path).recipients
        except NoRecipients:
            return None
        if recipients.rule not in self._named_by:
            self._named_by[recipients.rule] = frozenset(map(normal, recipients.names))
        return self._named_by[recipients.rule]

    def _planned(self, look: Look, overrides: Overrides, upstream: Upstream | None) -> Plan:
        settings, state = self.specs.settings, look.state
        converts = partial(converted, self.root, self.around.environ, SPECS)
        ground = Ground(self.root, self.records, self.specs, self.shown_store, self._rule, upstream, converts)
        found = verdict(ground, look, overrides)
        return Plan(
            bound=Bound(
                workspace=self.specs.name,
                store=state.store_id if state.revision else "",
                settings=settings.digest,
                policy=limits(settings.brakes, self.specs.policies),
                rules=self._rules_digest(),
                tool=__version__,
            ),
            changes=look.compared.changes,
            blocked=found.blocked,
            overrides=overrides,
            revision=state.revision,
            commit=self.around.commit(self.root),
            planned_at=look.now,
            expires_at=look.now + self.valid_for,
            warnings=found.warnings,
            released=found.released,
        )

    def spec_digest(self, name: str) -> str | None:
        """Digest of the spec of a token; None where none declares it."""
        declared = self.specs.token(name)
        return None if declared is None else declared.digest

    @property
    def valid_for(self) -> int:
        """Seconds for which a saved plan may be applied."""
        return parse_duration(self.specs.settings.planValidFor)

    def _rules_digest(self) -> str:
        """Over the creation rules: a plan that was approved is sealed to whom it was approved for."""
        try:
            return digest(repr(self.rules.rules).encode())
        except NoRecipients:
            return ""

    @property
    def records(self) -> Path:
        """Where the records of applies stand."""
        return self.root / self.specs.settings.artifacts / RECORDS

    def settle(self, store: LiveStore, manner: Manner) -> str | None:
        """Settles a run that was interrupted, if there is one, and returns its id."""
        from reconciler.apply.session import settle

        if not store.state().unsettled:
            return None
        run = self._run("", None, manner)
        return settle(self.ports(store, manner.progress), run, self._waiting(manner.patience))

    def _waiting(self, patience: int) -> Waiting:
        from reconciler.apply.lease import Waiting, holder

        return Waiting(self.around.clock, patience, self.around.sleep, holder())

    def hold_back(self, store: LiveStore, plan: Plan, manner: Manner) -> None:
        """Records that a plan was to be applied and is blocked; where that cannot be, it is told."""
        from reconciler.apply.recording import NOT_RECORDED
        from reconciler.apply.session import held_back

        try:
            ports, run = self.ports(store, manner.progress), self._run(plan.digest, plan.commit, manner)
            held_back(ports, run, plan, self._waiting(manner.patience))
        except ReconcilerError as error:
            manner.progress.note(f"{NOT_RECORDED}: {error}")

    def _run(self, plan: str, commit: str | None, manner: Manner) -> Run:
        """A run of the plan with this digest, from here and now."""
        around = self.around
        who, ident = actor(around.environ), around.entropy(8).hex()
        return Run(ident, plan, around.clock(), who, commit, reason=manner.reason)

    def apply(self, store: LiveStore, plan: Plan, approved: Approved | None, manner: Manner) -> Result:
        """Applies a plan as approved; with None, whatever is planned once the lease is held."""
        from reconciler.apply.session import Session, apply

        session = Session(
            specs=self.specs,
            ports=self.ports(store, manner.progress),
            approved=approved,
            plan=lambda: self.plan_again(store, plan),
            run=self._run(plan.digest, plan.commit, manner),
            workers=os.cpu_count() or 1,
            waiting=self._waiting(manner.patience),
        )
        return apply(session)

    def plan_again(self, store: LiveStore, plan: Plan) -> Plan:
        """The plan as it is once the lease is held; where artifacts are pushed, the branch has a say too."""
        from reconciler.apply.behind import held_behind

        found = self.plan(store, plan.planned_at, plan.overrides)
        with self.upstream() as upstream:
            return found if upstream is None else held_behind(found, self.specs, upstream)

    def ports(self, store: LiveStore, progress: Progress) -> Ports:
        """Every effect of an apply, as this workspace is set up."""
        from reconciler.apply.interface import Ports

        around = self.around
        return Ports(
            store=store,
            sealer=self.sealer,
            publisher=self._place.publisher(around.sleep, progress.note, around.clock()),
            seal_for_verifier=self._seal_for_verifier,
            entropy=around.entropy,
            signer=self.signer,
            progress=progress,
        )

    @cached_property
    def signer(self) -> Signer:
        """Signs records with the key that the environment names, if it names one."""
        from reconciler.records.signing import signer

        return signer(self.around.environ, self.around.exchange, self.specs.settings.audit)

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
        """Seals by the creation rules of `.sops.yaml`; where there is none, it raises NoRecipients."""
        from reconciler.artifacts import age
        from reconciler.artifacts.program import ProgramSealer
        from reconciler.artifacts.sealing import RuleSealer

        return RuleSealer(
            self._rule,
            age.NativeSealer(self.around.entropy),
            ProgramSealer(self.program),
        )

    @property
    def resealer(self) -> Resealer:
        """Encrypts artifacts anew, with the reader's own identities."""
        from reconciler.artifacts.program import ProgramSealer
        from reconciler.artifacts.resealing import Resealer

        return Resealer(self.opener, self.sealer, ProgramSealer(self.program))

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

    @cached_property
    def program(self) -> Program:
        """The `sops` program, wherever it is."""
        environ = self.around.environ
        return Program(find_program(environ.get("RECONCILER_SOPS"), environ.get("PATH")), environ)
