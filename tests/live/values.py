"""Values to put into a store: small ones by hand, and all sorts of them generated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from hypothesis import strategies as st

from reconciler.live.interface import (
    Batch,
    Credential,
    CredentialState,
    Intent,
    Lease,
    LiveStore,
    LiveToken,
    Record,
    Run,
    Setback,
    TokenState,
)

NOW = 1_800_000_000


class Opener(Protocol):
    """Opens a store that the test need not close."""

    def __call__(self, url: str, workspace: str = "acme", *, create: bool = True) -> LiveStore: ...


def credential(generation: int = 1, state: CredentialState = CredentialState.ACTIVE) -> Credential:
    return Credential(generation, state, "RS256", NOW, None, public_key=f"public {generation}")


def token(
    name: str,
    id_: str | None = None,
    state: TokenState = TokenState.ACTIVE,
    credentials: tuple[Credential, ...] = (credential(),),
) -> LiveToken:
    return LiveToken(
        id=id_ or f"id-{name}",
        name=name,
        kind="RSAToken",
        state=state,
        grants={"apis": ("device.read", "device.list"), "projects": ("plant-a",)},
        declared='{"kind":"RSAToken"}',
        spec_digest="sha256:5e1c",
        commit="3f2c1a9",
        created_at=NOW,
        changed_at=NOW + 1,
        expires_at=None,
        protect=False,
        artifact_path=f"artifacts/rsa/{name}.yaml",
        artifact_digest="sha256:90ab",
        deleted_at=NOW + 2 if state is TokenState.DELETED else None,
        last_generation=max((one.generation for one in credentials), default=0),
        credentials=credentials,
    )


def deleted(name: str, id_: str | None = None) -> LiveToken:
    return token(name, id_, TokenState.DELETED)


def run(id_: str = "run-1") -> Run:
    let_go, why = {"max_delete": 3}, (("brake-delete", "3 of 4 tokens"),)
    return Run(id_, "sha256:plan", NOW, "ci-runner-7", "3f2c1a9", let_go, why, "the fair is over")


def record(sequence: int, *, published: bool = False) -> Record:
    return Record(sequence, f"run-{sequence}", f'{{"n":{sequence}}}', f"sha256:{sequence}", published)


def intent(number: int, after: LiveToken | None, run_id: str = "run-1", name: str = "gone") -> Intent:
    return Intent(
        run=run_id,
        number=number,
        action="issue" if after else "delete",
        kind="RSAToken",
        name=after.name if after else name,
        token_id=after.id if after else f"id-{name}",
        generation=1,
        path=f"artifacts/rsa/{number}.yaml",
        digest="sha256:90ab" if after else None,
        after=after,
    )


def lease_of(store: LiveStore, holder: str = "ci-runner-7", now: int = NOW) -> Lease:
    """The lease, for five minutes."""
    return store.acquire(holder, f"run of {holder}", now, 300)


def write(store: LiveStore, *batches: Batch) -> int:
    """Commits batches under a lease of their own; gives the last revision."""
    lease = lease_of(store)
    try:
        return [store.commit(lease, batch) for batch in batches][-1]
    finally:
        store.release(lease)


def put(store: LiveStore, *tokens: LiveToken) -> int:
    return write(store, Batch(tokens=tokens))


def names(store: LiveStore) -> list[str]:
    return [each.name for each in store.tokens()]


def everything(store: LiveStore) -> tuple[object, ...]:
    """All that can be read of a workspace, but for its lease."""
    state = replace(store.state(), lease=None)
    tokens = list(store.tokens()), list(store.graveyard())
    return state, *tokens, list(store.intents()), list(store.records())


def as_stored(value: LiveToken, revision: int) -> LiveToken:
    """What a token reads as after it was written once, to an empty place."""
    dead = value.state is TokenState.DELETED
    halves = sorted(value.credentials, key=lambda half: -half.generation)
    if dead:
        halves = [replace(half, state=CredentialState.RETIRED) for half in halves]
    kept = tuple(half for half in halves if dead or half.state is not CredentialState.RETIRED)
    return replace(value, revision=revision, last_generation=value.generation, credentials=kept)


# Any text but what PostgreSQL cannot hold (NUL) and what is not text (half a surrogate pair).
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
optional_texts = st.none() | texts
integers = st.integers(-(2**63), 2**63 - 1)
optional_integers = st.none() | integers
flags = st.booleans()

credentials = st.builds(
    Credential,
    generation=integers,
    state=st.sampled_from(CredentialState),
    algorithm=texts,
    not_before=integers,
    not_after=optional_integers,
    public_key=optional_texts,
    secret_hash=optional_texts,
    sealed_secret=optional_texts,
)


def _unique(key: Callable[[Credential], object]) -> st.SearchStrategy[tuple[Credential, ...]]:
    return st.lists(credentials, max_size=3, unique_by=key).map(tuple)


tokens = st.builds(
    LiveToken,
    id=texts,
    name=texts,
    kind=texts,
    state=st.sampled_from([TokenState.ACTIVE, TokenState.DISABLED, TokenState.DELETED]),
    grants=st.dictionaries(texts, st.lists(texts, max_size=3).map(tuple), max_size=3),
    declared=texts,
    spec_digest=texts,
    commit=optional_texts,
    created_at=integers,
    changed_at=integers,
    expires_at=optional_integers,
    protect=flags,
    artifact_path=optional_texts,
    artifact_digest=optional_texts,
    revision=integers,
    deleted_at=optional_integers,
    due_at=optional_integers,
    artifact_contents=optional_texts,
    artifact_recipients=st.none() | st.lists(texts, max_size=3).map(tuple),
    last_generation=integers,
    setback=st.none() | st.builds(Setback, count=integers, retry_at=integers, spec=texts),
    credentials=_unique(lambda half: half.generation),
)

token_lists = st.lists(tokens, max_size=6, unique_by=(lambda each: each.id, lambda each: each.name))

runs = st.builds(
    Run,
    id=texts,
    plan_digest=texts,
    started_at=integers,
    actor=texts,
    commit=optional_texts,
    overrides=st.dictionaries(texts, st.integers(0, 9) | flags, max_size=2),
)

bodies = st.builds(Record, sequence=st.just(1), run=texts, body=texts, digest=texts, published=flags)


def intents_of(run_id: str, values: list[LiveToken | None]) -> st.SearchStrategy[list[Intent]]:
    """One intent for each value, with generated particulars."""
    return st.tuples(
        *(
            st.builds(
                Intent,
                run=st.just(run_id),
                number=st.just(number),
                action=texts,
                kind=texts,
                name=texts,
                token_id=texts if after is None else st.just(after.id),
                generation=integers,
                path=optional_texts,
                digest=optional_texts,
                after=st.just(after),
            )
            for number, after in enumerate(values)
        )
    ).map(list)
