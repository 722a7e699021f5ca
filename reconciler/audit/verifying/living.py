"""Whether the live store is what the records tell of. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from reconciler.audit.verifying.chain import Link, linked
from reconciler.audit.verifying.finding import Check, Finding
from reconciler.canonical import digest
from reconciler.live.interface import LiveToken, Record, TokenState
from reconciler.live.interface import Workspace as State
from reconciler.records.chain import RecordFile, file_name
from reconciler.records.holding import live_digest

RECORD = "live record"
"""What stands before the name of a record that is in the live store."""
BY_HAND = "find out who writes to the live store; restore it from a backup, or rotate the token"
RESTORED = "find out who removed it; or who put an older copy in the place of the live store, and which"
NOT_COVERED: Mapping[str, str] = {
    "token.revision": "the store counts it; verifiers follow the store by it, and start anew if it goes back",
    "record.published": "the next apply publishes what is not marked; one that is unmarked is told as a note",
    "store": "its id tells stores apart: a plan that was made for another is refused",
    "workspace": "how the store counts and locks: counts that do not fit are a read that fails",
    "run": "who runs, and ran: the records say it, and are held against the clone",
    "intent": "what an apply is about to do; empty when none is under way, and one under way is a finding",
    "history": "which apply made which revision, for those who follow the store",
    "used_assertion": "what verifiers remember of one-time assertions; no apply writes it",
}
"""Columns and tables that no record vouches for: `--live` does not find them edited. Nor those rows of
`credential` that are retired, or of a deleted token: nothing is checked by them any more."""


@dataclass(frozen=True, slots=True)
class LiveLook:
    """What one consistent read of the live store found."""

    state: State
    tokens: Sequence[LiveToken]
    """Those that are deleted as well."""
    records: Sequence[Record]
    unread: Mapping[str, str] = field(default_factory=dict)
    """Id of a token that cannot be read → why."""


class Vouched(NamedTuple):
    """What the last record says of a token."""

    digest: str
    record: str
    name: str | None
    """None where no record tells of a change of it."""


def compared(look: LiveLook, links: Sequence[Link], ahead: Sequence[Link], folder: str) -> Iterator[Finding]:
    """Where the live store and the records of the clone do not agree. `ahead` are those that it alone has."""
    if look.state.run is not None:
        told = (
            f"the apply {look.state.run.id} of {look.state.run.actor} has not ended: what it touched differs"
        )
        yield Finding(
            Check.LIVE_UNSETTLED, "live store", told, "let it end, or run reconcile apply; then verify again"
        )
    yield from _records(look, links, folder)
    yield from _tokens(look, vouched([*links, *ahead]))


def only_there(records: Sequence[Record], links: Sequence[Link], found: list[Finding]) -> list[Link]:
    """The records that the live store has behind the last of the clone."""
    last = max((link.sequence for link in links), default=0)
    files = [
        RecordFile(f"{RECORD}/{file_name(one.sequence, one.run)}", one.body.encode())
        for one in records
        if one.sequence > last
    ]
    return linked(files, RECORD, found)


def _records(look: LiveLook, links: Sequence[Link], folder: str) -> Iterator[Finding]:
    here = {link.sequence: link for link in links}
    there = {record.sequence: record for record in look.records}
    for record in look.records:
        yield from _record(record, here.get(record.sequence))
    for sequence, link in here.items():
        if sequence not in there:
            told = "the live store does not have this record: it was removed, or the store is an older copy"
            yield Finding(Check.LIVE_BEHIND, link.path, told, RESTORED)
    last = max(here, default=0)
    ahead = [record for record in look.records if record.sequence > last]
    if ahead:
        told = f"the live store is ahead by {len(ahead)} record{'s' * (len(ahead) > 1)}, from {last + 1} on"
        hint = "pull what apply published, or let the next apply publish it; then verify again"
        yield Finding(Check.LIVE_AHEAD, folder, told, hint)
    head = look.state.head
    if (head.sequence if head else 0) != max(there, default=0):
        told = "the newest record that the live store names is not the last of its records"
        yield Finding(Check.LIVE_RECORD, "live store", told, BY_HAND)


def _record(record: Record, link: Link | None) -> Iterator[Finding]:
    where = f"{RECORD} {record.sequence}"
    named = file_name(record.sequence, record.run)
    own = digest(record.body.encode())
    if own != record.digest:
        yield Finding(Check.LIVE_RECORD, where, "its digest is not that of its bytes", BY_HAND)
    if link is None:
        return
    if own != link.digest:
        told = f"its bytes are not those of {link.path}"
        yield Finding(Check.LIVE_RECORD, where, told, BY_HAND)
    elif named != link.name:
        yield Finding(
            Check.LIVE_RECORD, where, f"it is named for run {record.run}, and {link.name} is not", BY_HAND
        )
    elif not record.published:
        told = "it is in the clone, and the live store does not say that it is published"
        yield Finding(Check.LIVE_UNMARKED, where, told, "the next apply says so")


def vouched(links: Iterable[Link]) -> dict[str, Vouched]:
    """Id of a token → what the last record that tells of it says."""
    found, names = dict[str, Vouched](), dict[str | None, str]()
    for link in links:
        if link.body is not None:
            names.update((change.token, change.name) for change in link.body.changes)
            found.update((one, Vouched(held, link.path, None)) for one, held in link.body.live.items())
    return {token: one._replace(name=names.get(token)) for token, one in found.items()}


def _tokens(look: LiveLook, known_of: Mapping[str, Vouched]) -> Iterator[Finding]:
    seen = set()
    for token in look.tokens:
        seen.add(token.id)
        what = "tombstone" if token.state is TokenState.DELETED else "token"
        where = f"live {what} {token.name} ({token.id})"
        known = known_of.get(token.id)
        if known is None:
            yield Finding(Check.LIVE_UNEXPLAINED, where, "no record tells of it: no apply made it", BY_HAND)
        elif _digest(token) != known.digest:
            told = (
                f"it is not what {known.record} left: somebody wrote to it since, or an older copy was"
                " restored"
            )
            yield Finding(Check.LIVE_EDITED, where, told, BY_HAND)
    for token_id in sorted(known_of.keys() - seen):
        known = known_of[token_id]
        where = f"live token {known.name} ({token_id})" if known.name else f"live token {token_id}"
        if token_id in look.unread:
            yield Finding(Check.LIVE_UNREADABLE, where, look.unread[token_id], BY_HAND)
        else:
            told = f"{known.record} tells of it, and the live store does not have it"
            yield Finding(Check.LIVE_MISSING, where, told, BY_HAND)


def _digest(token: LiveToken) -> str | None:
    """None where the store holds a number that no record can be of."""
    try:
        return live_digest(token)
    except ValueError:
        return None
