"""A live store in which every spec of a workspace is live, with its artifact in the tree.

It is what `reconcile apply` would leave, through the same code: each token has an id and a record of its
own, and an artifact sealed under a data key of its own. One thing is shared, so that 100,000 tokens take
a minute and not an hour: all tokens of one kind have the same key, minted once. No plan looks at keys.
"""

from __future__ import annotations

import time
from pathlib import Path
from secrets import token_bytes

from reconciler.apply.folder import write_new
from reconciler.artifacts.contents import contents_digest
from reconciler.artifacts.interface import Header, Parcel
from reconciler.canonical import digest
from reconciler.cli.context import surroundings
from reconciler.kinds.interface import Draft, Minted
from reconciler.live.interface import Batch, Credential, CredentialState, LiveToken
from reconciler.plan.transition import Circumstances, SealedArtifact, issued
from reconciler.specs.reader import Declared
from reconciler.workspace import Workspace
from tests.benchmarks.trees import chunks

BATCH = 1000
LEASE = 3600
STORE = "sqlite:///.reconciler/live.db"


def make_live(root: Path) -> None:
    """Makes every spec of a workspace live."""
    workspace = Workspace(root, surroundings(), STORE)
    under = Circumstances(int(time.time()), None)
    tokens = workspace.specs.tokens
    keys: dict[str, Minted] = {}
    with workspace.live(create=True) as store:
        lease = store.acquire("benchmark", "fill", under.now, LEASE)
        for numbers in chunks(range(len(tokens)), BATCH):
            made = tuple(_live(workspace, tokens[number], under, keys) for number in numbers)
            store.commit(lease, Batch(tokens=made))
        store.release(lease)


def _live(
    workspace: Workspace, declared: Declared, under: Circumstances, keys: dict[str, Minted]
) -> LiveToken:
    spec = declared.spec()
    token_id = spec.what.new_id(token_bytes)
    if declared.kind not in keys:
        keys[declared.kind] = spec.what.mint(spec.spec, Draft(token_id, 1, under.now, None, token_bytes))
    minted = keys[declared.kind]
    parcel = Parcel(
        Header(declared.kind, token_id, 1),
        {**minted.secret, "token_id": token_id},
        str(spec.artifact_path(workspace.specs.settings.layout)),
        spec.deliver.format,
        under.now,
        spec.delivery_options(),
    )
    artifact = _written(workspace, parcel)
    return issued(declared, token_id, _credential(minted, under.now), artifact, under)


def _written(workspace: Workspace, parcel: Parcel) -> SealedArtifact:
    data = workspace.sealer.seal(parcel)
    place = workspace.root / parcel.path
    place.parent.mkdir(parents=True, exist_ok=True)
    write_new(place, data)
    recipients = workspace.sealer.recipients(parcel.path).names
    return SealedArtifact(
        parcel.path, digest(data), recipients, contents_digest(parcel.header, parcel.fields)
    )


def _credential(minted: Minted, now: int) -> Credential:
    return Credential(
        generation=1,
        state=CredentialState.ACTIVE,
        algorithm=minted.algorithm,
        not_before=now,
        not_after=minted.not_after,
        public_key=minted.public_key,
        secret_hash=minted.secret_hash,
    )
