"""What became live in a generated history: applies as they would have run, and their records."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from random import Random
from typing import NamedTuple

from reconciler.canonical import digest
from reconciler.records.body import SCHEMA, read_body
from reconciler.records.envelope import envelope, statement
from reconciler.specs.model import token_spec
from reconciler.times import timestamp
from tests.audit.declaring import DAY, JWT_LIFETIME, OVERLAP, Token, Truth, spec_of

EARLY = 5 * DAY
"""A rotation may be made so long before the last moment that it is due."""


class By(NamedTuple):
    """A run, and the commit that it applied."""

    run: str
    commit: str


class LiveSpan(NamedTuple):
    """A time in which one live token had one spec."""

    id: str
    truth: Truth
    since: int
    until: int | None
    by: By
    """The run that gave it that spec, or took some of it away."""
    ended: By | None = None
    certain: bool = True
    """False from a run that took access away and then failed, to the next that gave it a spec."""
    lasts: int | None = None
    """When its newest credential ends by itself."""


class Happened(NamedTuple):
    """One change of one run."""

    id: str | None
    name: str
    action: str
    outcome: str
    at: int
    run: str
    actor: str
    commit: str
    late: int | None = None
    """Seconds by which a rotation came after the last moment; negative before; None where there was none."""
    was: str | None = None
    """The name that it had before, where the run gave it another."""


@dataclass(frozen=True)
class Live:
    """A token that is live."""

    id: str
    truth: Truth
    made: int
    """When its newest credential was."""
    given: int
    """Since when it has its spec: what that asks for is not due before."""
    generation: int = 1
    retires: int | None = None
    """When the overlap of the one before is over."""
    lasts: int | None = None
    """When its newest credential ends by itself."""
    narrowed: bool = False
    """Whether it has less than this spec: a run took away what another was to take, and then failed."""

    @property
    def latest(self) -> int | None:
        """The last moment by which it is to be rotated."""
        token, ends = self.truth.token, []
        if token.every is not None:
            ends.append(self.made + token.every * DAY)
        if token.kind == "JWTToken":
            over = self.made + JWT_LIFETIME
            if self.truth.ends is None or over < self.truth.ends:
                ends.append(over - OVERLAP)
        return max(min(ends), self.given) if ends else None


@dataclass
class Store:
    """The live tokens, and all that was recorded."""

    rng: Random
    live: dict[str, Live] = field(default_factory=dict)
    spans: list[LiveSpan] = field(default_factory=list)
    happened: list[Happened] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    """Name of a record's file → its bytes."""
    runs: list[tuple[str, int, str]] = field(default_factory=list)
    """(outcome, time, commit) of each."""
    _open: dict[str, int] = field(default_factory=dict)
    """Id → place of its last span."""
    _at: int = 0
    _by: By = field(default_factory=lambda: By("", ""))
    _held: dict[str, bytes] = field(default_factory=dict)
    """Id → what its digest is of, where a run that failed left something else."""

    def apply(
        self, wanted: Mapping[str, Truth], commit: str, at: int, actor: str, said: int | None = None
    ) -> tuple[str, bytes]:
        """The record of a run: its file's name, and its bytes. `said` is what a wrong clock read."""
        at = self._at = max(at, self._at)
        run = f"{self.rng.getrandbits(64):016x}"
        more: dict[str, object] = {}
        if self.rng.random() < 0.05:
            more = {"overrides": {"delete": 9}, "reason": "an exception"}
        self._by = By(run, commit)
        changes = list(self._changes(wanted, at, run, actor, commit))
        for one in changes:
            one.update(self._spec(one))
        bad = [one for one in changes if one["outcome"] != "done"]
        outcome = "done" if not bad else "failed" if len(bad) == len(changes) else "partly"
        return self._record((run, commit, said or at, actor), outcome, changes, more)

    def block(self, commit: str, at: int, actor: str) -> tuple[str, bytes]:
        """The record of a run that a brake stopped."""
        at = self._at = max(at, self._at)
        more: dict[str, object] = {"held": [{"rule": "delete", "message": "too many"}]}
        run = f"{self.rng.getrandbits(64):016x}"
        return self._record((run, commit, at, actor), "blocked", [], more)

    def _record(
        self,
        who: tuple[str, str, int, str],
        outcome: str,
        changes: list[dict[str, object]],
        more: Mapping[str, object],
    ) -> tuple[str, bytes]:
        run, commit, at, actor = who
        sequence = len(self.files) + 1
        before = list(self.files.values())
        body: dict[str, object] = {
            "schema": SCHEMA,
            "sequence": sequence,
            "previous": digest(before[-1]) if before else None,
            "run": run,
            "time": timestamp(at),
            "actor": actor,
            "commit": commit,
            "plan": digest(run.encode()),
            "outcome": outcome,
            "changes": changes,
            "live": {
                str(one["token"]): digest(self._held.get(str(one["token"]), b""))
                for one in changes
                if one["token"]
            },
            **more,
        }
        name, data = f"{sequence:08}-{run}.json", envelope(statement(read_body(body)))
        self.files[name] = data
        self.runs.append((outcome, at, commit))
        return name, data

    def _changes(
        self, wanted: Mapping[str, Truth], at: int, run: str, actor: str, commit: str
    ) -> Iterator[dict[str, object]]:
        for action, live, truth, late in list(self._planned(wanted, at)):
            fails = action in ("issue", "rotate") and self.rng.random() < 0.06
            if fails and live is not None and truth is not None:
                self._held[live.id] = run.encode()
                self._set_back(live.id, truth, at)
            found = live if fails else self._done(action, live, truth, at)
            name = truth.name if truth else live.truth.name if live else ""
            outcome = "failed" if fails else "done"
            ident = found.id if found else live.id if live else None
            was = live.truth.name if live and truth and not fails else None
            was = None if was == name else was
            self.happened.append(Happened(ident, name, action, outcome, at, run, actor, commit, late, was))
            yield _change(action, live, found, truth, outcome)

    def _spec(self, change: Mapping[str, object]) -> Mapping[str, object]:
        """Which spec a token has after all changes of a run, if any."""
        live = self.live.get(str(change["token"]))
        return (
            {} if live is None or live.narrowed else {"spec": digest(normal_form(live.truth.token).encode())}
        )

    def _set_back(self, ident: str, wanted: Truth, at: int) -> None:
        """Takes from a token what its new spec takes, and gives it nothing."""
        live = self.live[ident]
        if takes(live.truth, wanted) and not live.narrowed:
            self.live[ident] = replace(live, narrowed=True)
            self._span(live, at, certain=False)

    def _planned(
        self, wanted: Mapping[str, Truth], at: int
    ) -> Iterator[tuple[str, Live | None, Truth | None, int | None]]:
        """(action, live, wanted, how late) of all that is to be done."""
        by_name, left = {one.truth.name: one for one in self.live.values()}, dict(wanted)
        for name, live in sorted(by_name.items()):
            truth = left.pop(name, None)
            if truth is None:
                heirs = [one for one in wanted.values() if name in one.token.previously]
                heir = heirs[0] if heirs else None
                takes = heir is not None and heir.name not in by_name and heir.kind == live.truth.kind
                truth = left.pop(heir.name, None) if heir is not None and takes else None
            if truth is None:
                yield "delete", live, None, None
                continue
            if live.retires is not None and live.retires <= at:
                yield "retire", live, truth, None
            yield from self._between(live, truth, at)
        yield from (("issue", None, truth, None) for _, truth in sorted(left.items()))

    def _between(
        self, live: Live, truth: Truth, at: int
    ) -> Iterator[tuple[str, Live | None, Truth | None, int | None]]:
        asked = truth.token.asked is not None and truth.token.asked != live.truth.token.asked
        latest = live.latest
        soon = self.rng.randrange(EARLY)
        if latest is not None and at >= latest - soon:
            yield "rotate", live, truth, at - latest
        elif asked:
            yield "rotate", live, truth, None if latest is None else at - latest
        elif truth.name != live.truth.name:
            yield "rename", live, truth, None
        elif truth != live.truth or live.narrowed:
            yield "modify", live, truth, None
        elif self.rng.random() < 0.01:
            yield "reseal", live, truth, None

    def _done(self, action: str, live: Live | None, truth: Truth | None, at: int) -> Live | None:
        if live is not None and truth is None:
            del self.live[live.id]
            self._close(live.id, at)
            return None
        assert truth is not None
        if live is None:
            live = Live("".join(self.rng.choices("abcdefghijklmnopqrstuvwxyz234567", k=20)), truth, at, at)
        live = self.live.get(live.id, live)
        if action == "retire":
            self.live[live.id] = replace(live, retires=None)
            return self.live[live.id]
        given = live.given if truth == live.truth else at
        after = replace(live, truth=truth, narrowed=False, given=given)
        if action == "rotate":
            after = replace(after, made=at, generation=live.generation + 1, retires=at + OVERLAP)
        if action in ("issue", "rotate"):
            after = replace(after, lasts=_lasts(truth, at))
        self.live[after.id] = after
        place = self._open.get(after.id)
        if place is None or not self.spans[place].certain or self.spans[place].truth != after.truth:
            self._span(after, at)
        elif after.lasts != live.lasts and live.lasts is not None and live.lasts <= at:
            self._span(after, at)  # in between it could do nothing
        else:
            self.spans[place] = self.spans[place]._replace(lasts=after.lasts)
        return after

    def _span(self, live: Live, at: int, *, certain: bool = True) -> None:
        self._close(live.id, at)
        self._open[live.id] = len(self.spans)
        self.spans.append(LiveSpan(live.id, live.truth, at, None, self._by, None, certain, live.lasts))

    def _close(self, ident: str, at: int) -> None:
        if (place := self._open.pop(ident, None)) is not None:
            self.spans[place] = self.spans[place]._replace(until=at, ended=self._by)

    def at(self, moment: int) -> set[tuple[str, Truth]]:
        """What was live at a moment and had not ended by itself, enabled or not."""
        return {
            (one.id, one.truth)
            for one in self.spans
            if one.since <= moment
            and (one.until is None or moment < one.until)
            and all(end is None or moment < end for end in (one.truth.ends, one.lasts))
        }


def _lasts(truth: Truth, made: int) -> int | None:
    """When a credential ends that is made then."""
    if truth.kind != "JWTToken":
        return None
    return made + JWT_LIFETIME if truth.ends is None else min(made + JWT_LIFETIME, truth.ends)


def takes(had: Truth, wanted: Truth) -> bool:
    """Whether a spec takes away what another let a token do."""
    lost = any(
        not set(names) <= set(dict(wanted.grants)[field]) and "*" not in dict(wanted.grants)[field]
        for field, names in had.grants
    )
    sooner = wanted.ends is not None and (had.ends is None or wanted.ends < had.ends)
    return lost or sooner or (had.enabled and not wanted.enabled)


def _change(
    action: str, live: Live | None, found: Live | None, truth: Truth | None, outcome: str
) -> dict[str, object]:
    """As in a record."""
    shown = found or live
    name = truth.name if truth else live.truth.name if live else ""
    change: dict[str, object] = {
        "action": action,
        "kind": truth.kind if truth else live.truth.kind if live else "",
        "name": name,
        "token": shown.id if shown else None,
        "generation": shown.generation - (action == "retire") if shown else 0,
        "outcome": outcome,
    }
    path = f"artifacts/{change['kind']}/{name}.yaml"
    if outcome != "done":
        return {**change, "error": "seal-failed"}
    if action == "delete":
        return {**change, "removed": path}
    if action in ("issue", "rotate"):
        change["artifact"] = {"path": path, "digest": digest(b"a"), "contents": digest(b"c")}
    if action == "reseal":
        change["artifact"] = {"path": path, "digest": digest(b"b")}
    assert found is not None
    if live is None or live.truth != found.truth or (live.narrowed and not found.narrowed):
        change["declared"] = json.loads(normal_form(found.truth.token))
    if live is not None and live.truth.name != found.truth.name:
        change["previously"] = live.truth.name
    return change


@lru_cache(maxsize=100_000)
def normal_form(token: Token) -> str:
    """As apply writes it."""
    return token_spec(token.kind).model_validate(spec_of(token)).normal_form()
