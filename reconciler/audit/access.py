"""Who could do what, and when: the times in which a token was granted what is asked. Pure.

A token fits a question when it is granted each of the things that it asks, and is of one of the names, kinds
and owners that it names. A time goes on while what grants them stays as it is, whatever else is changed in
the spec: another name or owner grants nothing, so it is told under the newest, with those before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from reconciler.audit.spans import Cause, Span, State, lives, sooner
from reconciler.kinds import all_kinds
from reconciler.kinds.interface import AnyKind, Grants
from reconciler.specs.catalog import ALL, AT
from reconciler.specs.faults import nearest
from reconciler.times import timestamp


@dataclass(frozen=True, slots=True)
class Wish:
    """One thing that a token is to be granted."""

    where: str
    """A section of the catalog, or the field that grants it."""
    value: str
    by_section: bool

    def fields(self, kind: AnyKind) -> tuple[str, ...]:
        """The fields of a kind that grant it."""
        if self.by_section:
            return tuple(field for field, section in kind.catalog.items() if section == self.where)
        return (self.where,)

    def lets(self, kind: AnyKind, field: str, granted: str) -> bool:
        """Whether what is granted in a field covers it. All is covered by nothing but `*`."""
        if ALL in (granted, self.value):
            return granted == ALL
        try:
            return bool(kind.meet(field, (granted,), (self.value,)))
        except ValueError:
            return False

    def met(self, span: Span) -> Grants:
        """What a span grants that covers it, by field."""
        kind = all_kinds()[span.kind]
        met = {
            field: tuple(one for one in span.grants.get(field, ()) if self.lets(kind, field, one))
            for field in self.fields(kind)
        }
        return {field: names for field, names in met.items() if names}


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked."""

    wishes: tuple[Wish, ...] = ()
    """A token is granted each of them."""
    names: tuple[str, ...] = ()
    """It has, or had at any time, one of these names; any, where there are none."""
    kinds: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    states: tuple[State, ...] = (State.ACTIVE,)
    """It is one of these: what is off or has ended can do nothing, and may be asked for all the same."""

    def met(self, span: Span) -> Grants | None:
        """What a span grants that was asked for, all of it where nothing was; None where it does not fit."""
        if (self.kinds and span.kind not in self.kinds) or (self.owners and span.owner not in self.owners):
            return None
        met = [wish.met(span) for wish in self.wishes]
        if not all(met):
            return None
        return _together(met) if met else span.grants


@dataclass(frozen=True, slots=True)
class Period:
    """A time in which one token could do what was asked, or could have, had it been active."""

    token: str
    name: str
    """The newest in that time, as the owner is."""
    kind: str
    owner: str | None
    state: State
    grants: Grants
    """What let it: the grants that cover what was asked; all of them, where nothing was."""
    certain: bool
    """False where it could do so at the most: access was taken away in a run that failed."""
    since: Cause
    earlier: bool
    """Whether it may have begun before."""
    until: Cause | None
    ends: int | None
    """When it ends, or ended, by itself."""
    lasts: int | None = None
    """When its newest credential ends, or ended, by itself, as far as anything tells."""
    previously: tuple[str, ...] = ()
    """The names that it had before in that time, oldest first."""
    owned: tuple[str | None, ...] = ()
    """The owners that it had before in that time, oldest first; None for nobody."""

    @property
    def stops(self) -> int | None:
        """When it was over, or will be, although nobody changes it; None where that is not so."""
        return None if self.state is State.EXPIRED else sooner(self.ends, self.lasts)

    @property
    def over(self) -> int | None:
        """When it was over, or will be; None where it goes on."""
        return sooner(None if self.until is None else self.until.at, self.stops)

    @property
    def ends_itself(self) -> bool:
        """Whether it comes to the spec's own end, or to that of its newest credential."""
        return self.stops is not None and self.over == self.stops

    @property
    def is_nothing(self) -> bool:
        """Whether it was over before it began, as what was changed again in the same second."""
        over = self.over
        return over is not None and over <= self.since.at

    def covers(self, since: int, until: int) -> bool:
        """Whether it is so at any moment from `since` to before `until`, or at `since` if both are one."""
        over = self.over
        return self.since.at < max(until, since + 1) and (over is None or over > since)


def periods(spans: Iterable[Span], question: Question) -> list[Period]:
    """Every time in which a token fits a question, by name and then by time."""
    found: list[Period] = []
    for life in lives(spans).values():
        if not question.names or any(span.name in question.names for span in life):
            found += _joined(life, question)
    return sorted(found, key=lambda one: (one.name, one.since.at, one.token))


def _joined(life: Sequence[Span], question: Question) -> Iterator[Period]:
    """The times of one token, each as long as it goes on without a break."""
    last: Period | None = None
    for one in _asked(life, question):
        if last is not None and _goes_on(last, one):
            last = _and(last, one)
            continue
        if last is not None:
            yield last
        last = one
    if last is not None:
        yield last


def _asked(life: Iterable[Span], question: Question) -> Iterator[Period]:
    """The times of each of its spans that fits."""
    for span in life:
        met = question.met(span)
        if met is not None:
            found = _by_state(span, met, question.states)
            yield from (one for one in found if not one.is_nothing)


def _by_state(span: Span, met: Grants, states: Collection[State]) -> Iterator[Period]:
    """A span as long as it has not ended by itself, and after that; as far as these states are asked for."""
    one = Period(
        token=span.token,
        name=span.name,
        kind=span.kind,
        owner=span.owner,
        state=State.ACTIVE if span.enabled else State.DISABLED,
        grants=met,
        certain=bool(span.normal),
        since=span.since,
        earlier=span.earlier,
        until=span.until,
        ends=span.ends,
        lasts=span.lasts if span.enabled else None,
    )
    if one.state in states:
        yield one
    if span.stops is not None and State.EXPIRED in states:
        late = span.stops <= span.since.at
        since = span.since if late else Cause(span.stops, None)
        yield replace(one, state=State.EXPIRED, since=since, earlier=span.earlier and late)


def _goes_on(last: Period, one: Period) -> bool:
    same = (last.kind, last.state, last.grants, last.certain)
    return last.over == one.since.at and same == (one.kind, one.state, one.grants, one.certain)


def _and(last: Period, one: Period) -> Period:
    """A time and the one that goes on from it, as one."""
    names = dict.fromkeys((*last.previously, last.name))
    owners = dict.fromkeys((*last.owned, last.owner))
    return replace(
        one,
        since=last.since,
        earlier=last.earlier,
        previously=tuple(name for name in names if name != one.name),
        owned=tuple(owner for owner in owners if owner != one.owner),
    )


def _together(met: Iterable[Grants]) -> Grants:
    found: dict[str, set[str]] = {}
    for grants in met:
        for field, names in grants.items():
            found.setdefault(field, set()).update(names)
    return {field: tuple(sorted(names)) for field, names in found.items()}


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something asked for that no token ever had by that name."""

    what: str
    """Such as `the API`."""
    value: str
    near: str | None
    """The nearest that there was."""
    group: bool = False
    """Whether it is a group of the catalog: those are told by what they hold."""


def unknown(spans: Sequence[Span], question: Question) -> list[Unknown]:
    """What is asked for and never stood in any spec: a slip of the pen looks like an answer."""
    found = [one for wish in question.wishes if (one := _unknown_wish(spans, wish)) is not None]
    asked = {
        "token": (question.names, {span.name for span in spans}),
        "owner": (question.owners, {span.owner for span in spans if span.owner is not None}),
    }
    for what, (values, known) in asked.items():
        found += [
            Unknown(what, value, nearest(value, sorted(known))) for value in values if value not in known
        ]
    return found


def _unknown_wish(spans: Iterable[Span], wish: Wish) -> Unknown | None:
    known: set[str] = set()
    for span in spans:
        kind = all_kinds()[span.kind]
        for field in wish.fields(kind):
            for name in span.grants.get(field, ()):
                if name not in known and name != ALL and wish.lets(kind, field, name):
                    return None
                known.add(name)
    if wish.value == ALL:
        return None
    if wish.value.startswith(AT):
        return Unknown(f"group in {wish.where}", wish.value, None, group=True)
    return Unknown(f"name in {wish.where}", wish.value, nearest(wish.value, sorted(known - {ALL})))


@cache
def renewed_kinds() -> frozenset[str]:
    """The kinds whose credentials end by themselves, as their examples show."""
    renewals = {
        name: kind.renewal(kind.spec.model_validate(kind.example)) for name, kind in all_kinds().items()
    }
    return frozenset(name for name, renewal in renewals.items() if renewal is not None)


@cache
def granted_fields() -> frozenset[str]:
    """The fields by which any kind grants anything, as its example shows."""
    found = (kind.grants(kind.spec.model_validate(kind.example)) for kind in all_kinds().values())
    return frozenset(field for grants in found for field in grants)


def to_json(period: Period) -> dict[str, object]:
    """As in the document of an answer."""
    return {
        "name": period.name,
        "previously": list(period.previously),
        "kind": period.kind,
        "owner": period.owner,
        "ownedBefore": list(period.owned),
        "token": period.token,
        "state": period.state.value,
        "grants": {field: list(names) for field, names in period.grants.items()},
        "certain": period.certain,
        "since": _cause(period.since),
        "earlier": period.earlier,
        "until": None if period.until is None else _cause(period.until),
        "expires": None if period.ends is None else timestamp(period.ends),
        "credentialEnds": None if period.lasts is None else timestamp(period.lasts),
        "over": None if period.over is None else timestamp(period.over),
    }


def _cause(cause: Cause) -> dict[str, object]:
    return {
        "time": timestamp(cause.at),
        "commit": cause.commit,
        "run": cause.run,
        "actor": cause.actor,
    }
