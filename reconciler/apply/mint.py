"""Minting and sealing, on all cores: what comes out is journaled, and no secret outlives its turn."""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from reconciler.apply.interface import Job, Ports
from reconciler.artifacts.contents import contents_digest
from reconciler.artifacts.interface import Header, Parcel
from reconciler.canonical import digest
from reconciler.errors import ArtifactError, SealFailed
from reconciler.kinds.interface import Draft, Minted
from reconciler.live.interface import Credential, CredentialState, LiveToken
from reconciler.plan.change import Action, Change
from reconciler.plan.transition import SealedArtifact
from reconciler.specs.model import AnyTokenSpec


@dataclass(frozen=True, slots=True)
class Order:
    """A credential to be made."""

    number: int
    """Position in the plan."""
    change: Change
    spec: AnyTokenSpec
    token: LiveToken | None
    """The live token that is rotated; None for an issue."""
    rule: int | None
    """The creation rule that its artifact is sealed by; None where it has no artifact, or no rule has it."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A new credential whose secret, if it has one, is sealed and staged."""

    order: Order
    token_id: str
    credential: Credential
    artifact: SealedArtifact | None
    """None where its owner brought the key: nothing is sealed."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A credential that could not be made or sealed, and why."""

    order: Order
    error: ArtifactError | None
    """None where it was not tried."""


def sealed_credentials(
    orders: Iterable[Order], job: Job, ports: Ports, down: Container[int | None]
) -> Generator[Sealed | Failed]:
    """Every credential, or why there is none, in the order of the plan, as it is ready.

    A few more than there are workers are under way at a time, so memory does not grow with the plan.
    One that cannot be sealed stops no other. `down` are the creation rules by which none is tried any more:
    it may grow meanwhile. Raises what staging raises; then nothing more is started.
    """
    waiting: deque[Future[Sealed | Failed]] = deque()
    with ThreadPoolExecutor(job.workers, thread_name_prefix="mint") as pool:
        try:
            for order in orders:
                waiting.append(pool.submit(_seal, order, job, ports, down))
                if len(waiting) > 4 * job.workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _seal(order: Order, job: Job, ports: Ports, down: Container[int | None]) -> Sealed | Failed:
    """One credential, minted, sealed and staged. Raises PublishFailed."""
    if order.rule in down:
        return Failed(order, None)
    try:
        return _sealed(order, job, ports)
    except ArtifactError as error:
        return Failed(order, error)
    except OSError as error:
        why = error.strerror or "the system refused"
        said = f"no credential can be made for {order.change.name}: {why}"
        hint = "see that this machine gives random bytes and can start programs"
        return Failed(order, SealFailed(said, hint=hint))


def _sealed(order: Order, job: Job, ports: Ports) -> Sealed:
    spec, now = order.spec, job.run.started_at
    kind = spec.what
    token_id = order.token.id if order.token else kind.new_id(ports.entropy)
    generation = order.token.generation + 1 if order.token else 1
    created_at = order.token.created_at if order.token else now
    draft = Draft(token_id, generation, now, spec.expires_at(created_at), ports.entropy)
    minted = kind.mint(spec.spec, draft)
    return Sealed(
        order, token_id, _credential(minted, draft, ports), _staged(minted, order, draft, job, ports)
    )


def _staged(minted: Minted, order: Order, draft: Draft, job: Job, ports: Ports) -> SealedArtifact | None:
    spec = order.spec
    path = spec.artifact_path(job.specs.settings.layout)
    if path is None:
        return None
    parcel = Parcel(
        Header(spec.kind, draft.token_id, draft.generation),
        minted.secret,
        path,
        spec.deliver.format,
        draft.now,
        spec.delivery_options(),
    )
    data = ports.sealer.seal(parcel)
    ports.publisher.stage(job.run.id, parcel.path, data)
    return SealedArtifact(
        parcel.path,
        digest(data),
        ports.sealer.recipients(parcel.path).names,
        contents_digest(parcel.header, parcel.fields),
    )


def _credential(minted: Minted, draft: Draft, ports: Ports) -> Credential:
    return Credential(
        generation=draft.generation,
        state=CredentialState.ACTIVE,
        algorithm=minted.algorithm,
        not_before=draft.now,
        not_after=minted.not_after,
        public_key=minted.public_key,
        secret_hash=minted.secret_hash,
        sealed_secret=ports.seal_for_verifier(minted.shared) if minted.shared is not None else None,
    )


def is_minted(change: Change) -> bool:
    """Whether a change needs a new credential."""
    return change.action in (Action.ISSUE, Action.ROTATE)
