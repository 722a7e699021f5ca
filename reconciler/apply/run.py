"""One apply: take away, mint, seal, journal, publish, activate, retire. In that order, always.

The steps may stop anywhere, by an error or by the death of the process. What is true in the store
then is what the next run starts from (`resume`): there is one path for both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from itertools import islice

from reconciler.apply.approval import undone
from reconciler.apply.interface import Job, Ports, Publication, Published, Result
from reconciler.apply.leaving import leaving
from reconciler.apply.mint import Failed, Order, Sealed, is_minted, sealed_credentials
from reconciler.apply.outcome import NOT_TRIED, as_done, cut_off
from reconciler.apply.recording import given_up, kept, recorded, story_of
from reconciler.apply.stopping import code_of, partly
from reconciler.artifacts.names import once
from reconciler.artifacts.opener import metadata_of
from reconciler.canonical import digest
from reconciler.errors import NoRecipients, PlanStale, ReconcilerError, StoreError
from reconciler.live.interface import Batch, Finish, Intent, Lease, LiveToken
from reconciler.plan import transition
from reconciler.plan.change import DONE, Action, Change, Done
from reconciler.plan.transition import Circumstances, SealedArtifact
from reconciler.specs.model import AnyTokenSpec
from reconciler.specs.reader import Declared

CHUNK = 128
"""Intents in one journal write."""
GIVE_UP = 5
"""Credentials of one creation rule in a row that could not be made, after which no more of it are tried."""


@dataclass(slots=True)
class _Apply:
    """One run and what it has done so far."""

    job: Job
    ports: Ports
    lease: Lease
    under: Circumstances
    declared: Mapping[str, Declared]
    live: dict[str, LiveToken]
    """The live tokens that the plan touches, by name, as far as the run has brought them."""
    asked: bool = False
    """Whether the store was asked to take something away, and may have done so."""
    changed: bool = False
    """Whether something outside this process is no longer as it was."""
    done: list[Done] = field(default_factory=list)
    published: Published | None = None
    failed: list[Failed] = field(default_factory=list)
    """Credentials that could not be made: the others are."""
    down: set[int] = field(default_factory=set)
    """Creation rules by which no more credentials are tried."""

    def why(self, number: int) -> str | None:
        """What went wrong with a change, in words."""
        return next((str(one.error) for one in self.failed if one.error and one.order.number == number), None)


def run(job: Job, ports: Ports, lease: Lease, live: Mapping[str, LiveToken]) -> Result:
    """Carries out the plan of a job under a lease, and returns what was done.

    `live` holds the tokens that the plan touches. Raises PartlyApplied when it stopped after
    something had changed, and the error itself when nothing had.
    """
    doing = _Apply(
        job=job,
        ports=ports,
        lease=lease,
        under=Circumstances(job.run.started_at, job.run.commit),
        declared=_wanted(job),
        live=dict(live),
    )
    ports.signer.ready()
    try:
        _take_away(doing)
        _take_up(doing)
        _mint(doing)
        _check_worth_publishing(doing)
        _publish_and_activate(doing)
    except (Exception, KeyboardInterrupt) as error:
        if not _has_changed(doing):
            _give_up(doing, error)
            raise
        # The next run settles this one, and its record says why.
        with suppress(ReconcilerError):
            ports.store.commit(lease, Batch(stopped=code_of(error)))
        so_far = "the plan was applied in part" if doing.asked else "nothing of the plan is live yet"
        raise partly(so_far, error) from error
    return Result(job.run.id, tuple(doing.done), published=doing.published)


def _check_worth_publishing(doing: _Apply) -> None:
    """Raises what went wrong, where nothing went right and nothing has changed."""
    errors = [one.error for one in doing.failed if one.error is not None]
    if errors and not doing.changed and all(one.outcome != DONE for one in doing.done):
        raise errors[0]


def _give_up(doing: _Apply, error: BaseException) -> None:
    """Records that nothing came of the run, so that the next has nothing to settle. As well as it can.

    One that never began has nothing to end.
    """
    numbers, run = frozenset(range(len(doing.job.plan.changes))), doing.job.run
    try:
        opened = doing.ports.store.state().run
        began = opened is not None and opened.id == run.id
        batch = Batch(finish=Finish(run.id, numbers) if began else None, approval=doing.job.kept or "")
        kept(doing.ports, doing.lease, given_up(doing.ports, run, code_of(error)), batch)
    except ReconcilerError as unrecorded:
        doing.ports.progress.note(f"that nothing came of this run is not recorded: {unrecorded}")


def _set_back(doing: _Apply, intents: Iterable[Intent]) -> tuple[LiveToken, ...]:
    """The tokens for which no credential could be made, each with when it is tried again."""
    changes, after = doing.job.plan.changes, list[LiveToken]()
    for change in (changes[one.number] for one in intents if one.failed not in (None, NOT_TRIED)):
        if change.action is Action.ROTATE:
            name, declared = change.live_name, doing.declared[change.name]
            doing.live[name] = transition.set_back(doing.live[name], declared, doing.under)
            after.append(doing.live[name])
    return tuple(after)


def _has_changed(doing: _Apply) -> bool:
    """Whether something outside this process is no longer as it was.

    A commit that broke off may have happened: the store is asked, and if it is silent, it has.
    """
    if doing.changed or not doing.asked:
        return doing.changed
    try:
        state = doing.ports.store.state()
    except StoreError:
        return True
    return doing.job.run.id in (state.run and state.run.id, state.head and state.head.run)


def _wanted(job: Job) -> Mapping[str, Declared]:
    names = {change.name for change in job.plan.changes}
    return {declared.name: declared for declared in job.specs.tokens if declared.name in names}


def _take_away(doing: _Apply) -> None:
    """Deletes, retires, disables and narrows, in one transaction, before anything is given.

    What else is to be done is journaled with it as not come to: whatever becomes of the run, its record can
    tell of all of it, and of every token that lost something.
    """
    tokens: dict[str, LiveToken] = {}
    intents: list[Intent] = []
    waiting: list[Intent] = []
    for number, change in enumerate(doing.job.plan.changes):
        if change.action is Action.ISSUE:
            waiting.append(_waiting(doing, number, change, None))
            continue
        before = doing.live[change.live_name]
        after = _taken(doing, change, before)
        if after is not None:
            tokens[before.id] = doing.live[change.live_name] = after
        if not is_minted(change) and change.artifact is None:
            intents.append(_intent(doing, number, change, before))
        else:
            waiting.append(_waiting(doing, number, change, before))
    doing.asked = bool(tokens)
    doing.ports.store.commit(
        doing.lease,
        Batch(
            begin=doing.job.run,
            approval=doing.job.approval,
            tokens=tuple(tokens.values()),
            journal=(*intents, *waiting),
        ),
    )
    doing.changed = doing.asked
    doing.done.extend(_done(doing, intent) for intent in intents)


def _entry(doing: _Apply, number: int, change: Change, token_id: str, generation: int) -> Intent:
    """What every journal entry of a change says."""
    action = change.action.value
    return Intent(doing.job.run.id, number, action, change.kind, change.name, token_id, generation)


def _waiting(doing: _Apply, number: int, change: Change, before: LiveToken | None) -> Intent:
    """The journal entry of a change until it is carried out, or fails."""
    token_id, generation = (before.id, before.generation) if before else ("", 0)
    return cut_off(_entry(doing, number, change, token_id, generation))


def _taken(doing: _Apply, change: Change, token: LiveToken) -> LiveToken | None:
    """The token without what the change takes away; None where it takes nothing."""
    match change.action:
        case Action.DELETE:
            return transition.deleted(token, doing.under)
        case Action.RETIRE:
            return transition.retired(token, change.generations, doing.under)
        case Action.MODIFY | Action.RENAME | Action.ROTATE:
            return transition.narrowed(token, doing.declared[change.name], doing.under)
        case _:
            return None


def _intent(doing: _Apply, number: int, change: Change, before: LiveToken) -> Intent:
    """The journal entry of a change, as far as no artifact goes into place by it."""
    generation = change.generations[0] if change.generations else before.generation
    intent = _entry(doing, number, change, before.id, generation)
    now = doing.live[change.live_name]
    match change.action:
        case Action.DELETE:
            return replace(intent, path=before.artifact_path)
        case Action.MODIFY | Action.RENAME:
            return replace(intent, after=transition.modified(now, doing.declared[change.name], doing.under))
        case _:
            return intent


def _take_up(doing: _Apply) -> None:
    """Journals the artifacts in the tree that are taken as they are: moved, or encrypted anew."""
    taken = (
        _taken_up(doing, number, change, change.artifact)
        for number, change in enumerate(doing.job.plan.changes)
        if change.artifact is not None
    )
    while chunk := tuple(islice(taken, CHUNK)):
        doing.ports.store.commit(doing.lease, Batch(journal=chunk))
        doing.done.extend(_done(doing, intent) for intent in chunk)


def _taken_up(doing: _Apply, number: int, change: Change, path: str) -> Intent:
    token = doing.live[change.live_name]
    intent = _intent(doing, number, change, token)
    artifact = _artifact(doing, token.artifact_path or "", path)
    after = transition.resealed(intent.after or token, artifact, doing.under)
    return replace(intent, path=artifact.path, digest=artifact.digest, after=after)


def _artifact(doing: _Apply, found: str, path: str) -> SealedArtifact:
    """The artifact that stands at `found`, or was moved to `path` by hand, on its way to `path`.

    Raises PlanStale when it is gone.
    """
    ports = doing.ports
    data = ports.publisher.take(found)
    if data is None and found != path:
        data = ports.publisher.take(path)
    if data is None:
        raise PlanStale(
            f"the artifact {found} is gone since this plan was made", hint="plan again, and apply that"
        )
    if found != path:
        ports.publisher.stage(doing.job.run.id, path, data)
    # Whoever the file is sealed to has seen the secret, be they named by the rule or not.
    recipients = (*ports.sealer.recipients(path).names, *metadata_of(data, path).recipients)
    return SealedArtifact(path, digest(data), once(recipients))


def _mint(doing: _Apply) -> None:
    """Makes and seals every new credential, and journals what is about to become live."""
    total = sum(map(is_minted, doing.job.plan.changes))
    if not total:
        return
    doing.ports.publisher.ready()
    doing.ports.progress.start("minting and sealing", total)
    sealed = sealed_credentials(_orders(doing), doing.job, doing.ports, doing.down)
    with closing(sealed):
        intents = _journaling(doing, sealed)
        while chunk := tuple(islice(intents, CHUNK)):
            doing.ports.store.commit(doing.lease, Batch(tokens=_set_back(doing, chunk), journal=chunk))
            doing.done.extend(_done(doing, intent) for intent in chunk)


def _journaling(doing: _Apply, made: Iterable[Sealed | Failed]) -> Iterator[Intent]:
    """A journal entry for each credential, whether it was made or not.

    Where too many of one creation rule fail in a row, no more of that rule are tried: what it needs is down.
    """
    in_a_row = Counter[int | None]()
    for one in made:
        doing.ports.progress.advance()
        rule = one.order.rule
        if isinstance(one, Failed):
            doing.failed.append(one)
            in_a_row[rule] += 1
            if rule is not None and in_a_row[rule] >= GIVE_UP:
                doing.down.add(rule)
            yield _not_made(doing, one)
        else:
            in_a_row[rule] = 0
            yield _journaled(doing, one)


def _not_made(doing: _Apply, failed: Failed) -> Intent:
    """The journal entry of a credential that could not be made: by its code, as messages stay out of git."""
    order = failed.order
    waiting = _waiting(doing, order.number, order.change, order.token)
    return replace(waiting, failed=failed.error.code if failed.error else NOT_TRIED)


def _orders(doing: _Apply) -> Iterator[Order]:
    """What is to be minted, made as it is asked for: a spec is large."""
    for number, change in enumerate(doing.job.plan.changes):
        if is_minted(change):
            spec = doing.declared[change.name].spec()
            yield Order(number, change, spec, _rotating(doing, change), _rule(doing, spec))


def _rule(doing: _Apply, spec: AnyTokenSpec) -> int | None:
    """The creation rule that an artifact is sealed by, if there is an artifact and a rule."""
    path = spec.artifact_path(doing.job.specs.settings.layout)
    try:
        return None if path is None else doing.ports.sealer.recipients(path).rule
    except NoRecipients:
        return None


def _done(doing: _Apply, intent: Intent) -> Done:
    change = doing.job.plan.changes[intent.number]
    before = None if change.action is Action.ISSUE else doing.live[change.live_name]
    return replace(as_done(intent, before), why=doing.why(intent.number))


def _rotating(doing: _Apply, change: Change) -> LiveToken | None:
    return doing.live[change.live_name] if change.action is Action.ROTATE else None


def _journaled(doing: _Apply, sealed: Sealed) -> Intent:
    """The journal entry of a new credential: public halves and a digest, never a secret."""
    change, declared = sealed.order.change, doing.declared[sealed.order.change.name]
    token, credential, artifact = sealed.order.token, sealed.credential, sealed.artifact
    if token is None:
        after = transition.issued(declared, sealed.token_id, credential, artifact, doing.under)
    else:
        after = transition.rotated(token, declared, credential, artifact, doing.under)
    entry = _entry(doing, sealed.order.number, change, sealed.token_id, credential.generation)
    if artifact is None:
        return replace(entry, after=after)
    return replace(entry, path=artifact.path, digest=artifact.digest, after=after)


def _publish_and_activate(doing: _Apply) -> None:
    """Makes artifacts and record durable; then, in one transaction, makes all of it live."""
    ports, state = doing.ports, doing.ports.store.state()
    done = sorted(doing.done, key=lambda one: one.number)
    by_id = {token.id: token for token in doing.live.values()}
    record = recorded(ports, story_of(doing.job.run, done, by_id.get), state.head)
    paths = [one.path for one in done if one.path is not None and one.staged]
    removed = leaving(done, state.unpublished, set(paths), ports.store.token)
    becomes_live = any(intent.after is not None for intent in ports.store.intents())
    doing.changed = doing.changed or bool(paths or removed) or becomes_live
    doing.published = ports.publisher.publish(
        Publication(doing.job.run.id, paths, removed, paths, (*state.unpublished, record))
    )
    ports.publisher.discard()
    ports.store.commit(
        doing.lease,
        Batch(
            finish=Finish(doing.job.run.id),
            record=replace(record, published=True),
            published=[one.sequence for one in state.unpublished],
            approval=undone(doing.job.approval, done),
        ),
    )
    doing.done = done
