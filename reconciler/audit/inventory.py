"""Live tokens as people and machines list them, and the search over them. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass

from rapidfuzz import fuzz, utils

from reconciler.canonical import Json
from reconciler.kinds.ownkeys import FIELD, fingerprint
from reconciler.live.interface import LiveToken
from reconciler.times import timestamp

NEAR = 80
"""Of 100: how alike a query and a field must be."""
FUZZY = 4
"""Letters from which on a misspelt word can still be told."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One live token as it is listed. It holds no secret."""

    name: str
    kind: str
    id: str
    state: str
    generation: int
    title: str | None
    owner: str | None
    labels: Mapping[str, str]
    previously: tuple[str, ...]
    """Names that it had before."""
    artifact: str | None
    own_key: str | None
    """Fingerprint of the public key that its owner brought; then there is no artifact."""
    grants: Mapping[str, tuple[str, ...]]
    created: str
    changed: str
    expires: str | None
    due: str | None
    """When its credential is to be rotated."""
    retry: str | None
    """When a new credential is tried again, after it could not be made."""
    deleted: str | None
    protect: bool
    commit: str | None
    credentials: tuple[Mapping[str, Json], ...]

    def to_json(self) -> Mapping[str, object]:
        """As in `reconciler/tokens/v1`."""
        return asdict(self)


def entry(token: LiveToken, now: int) -> Entry:
    """A live token as it is listed at a time (epoch seconds)."""
    declared = json.loads(token.declared)
    metadata, key = declared.get("metadata", {}), declared.get("spec", {}).get(FIELD)
    return Entry(
        name=token.name,
        kind=token.kind,
        id=token.id,
        state=token.state_at(now).value,
        generation=token.generation,
        title=metadata.get("title"),
        owner=metadata.get("owner"),
        labels=metadata.get("labels", {}),
        previously=tuple(metadata.get("previously", ())),
        artifact=token.artifact_path,
        own_key=None if key is None else fingerprint(key),
        grants=token.grants,
        created=timestamp(token.created_at),
        changed=timestamp(token.changed_at),
        expires=_when(token.expires_at),
        due=_when(token.due_at),
        retry=_when(token.setback.retry_at if token.setback else None),
        deleted=_when(token.deleted_at),
        protect=token.protect,
        commit=token.commit,
        credentials=tuple(
            {
                "generation": one.generation,
                "state": one.state.value,
                "algorithm": one.algorithm,
                "from": timestamp(one.not_before),
                "until": _when(one.not_after),
            }
            for one in token.credentials
        ),
    )


def _when(seconds: int | None) -> str | None:
    return None if seconds is None else timestamp(seconds)


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to; None lets everything through."""

    kind: str | None = None
    owner: str | None = None
    state: str | None = None
    expiring_before: int | None = None
    """Epoch seconds."""


def listed(tokens: Iterable[LiveToken], query: str | None, filters: Filters, now: int) -> list[Entry]:
    """The tokens that a query finds, best match first; without a query, by name."""
    found = [entry(token, now) for token in tokens if _passes(token, filters, now)]
    found = [one for one in found if filters.owner in (None, one.owner)]
    if not query:
        return found
    scored = [(score(query, one), one) for one in found]
    return [
        one for points, one in sorted(scored, key=lambda pair: (-pair[0], pair[1].name)) if points >= NEAR
    ]


def _passes(token: LiveToken, filters: Filters, now: int) -> bool:
    if filters.kind not in (None, token.kind):
        return False
    if filters.state not in (None, token.state_at(now).value):
        return False
    if filters.expiring_before is None:
        return True
    return token.expires_at is not None and now < token.expires_at <= filters.expiring_before


def score(query: str, one: Entry) -> float:
    """How well a query fits the names, title, owner, id or labels of an entry: 0 to 100."""
    wanted = utils.default_process(query)
    return max((_alike(wanted, text) for text in _texts(one)), default=0.0)


def _alike(wanted: str, text: str) -> float:
    """A text that contains the query fits fully; a short query must stand in it to the letter.

    A text that is shorter than the query is compared whole: it would fit into any long query.
    """
    processed = utils.default_process(text)
    if wanted and wanted in processed:
        return 100.0
    if min(len(wanted), len(processed)) < FUZZY:
        return 0.0
    alike = fuzz.partial_ratio if len(wanted) <= len(processed) else fuzz.ratio
    return alike(wanted, processed)


def _texts(one: Entry) -> Iterator[str]:
    yield from filter(None, (one.name, one.title, one.owner, one.id, *one.previously))
    for key, value in one.labels.items():
        yield f"{key} {value}"
