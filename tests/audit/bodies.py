"""Records made by hand: what runs did, chained as apply chains them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from pydantic_core import from_json

from reconciler.audit.recorded import Recorded, in_order
from reconciler.canonical import digest
from reconciler.records.body import BLOCKED, DONE, PARTLY, SCHEMA, Body, Change, Held
from reconciler.records.chain import RecordFile
from reconciler.records.envelope import envelope, statement
from reconciler.specs.reader import Declared, read_file
from reconciler.times import timestamp
from tests.audit.lines import DAY, START

PLAN = digest(b"plan")


def spec_of(text: str) -> Declared:
    """The one token that a spec file declares."""
    found = read_file("specs/x.yaml", text.encode())
    assert not found.faults
    return found.tokens[0]


def given(action: str, token: str, text: str, *, known: bool = False, was: str | None = None) -> Change:
    """A change that was done and gave a token a spec; where that is `known`, it is named by digest alone."""
    one = spec_of(text)
    return Change(
        action=action,
        kind=one.kind,
        name=one.name,
        token=token,
        generation=1,
        outcome="done",
        spec=one.digest,
        declared=None if known else from_json(one.normal),
        previously=was,
    )


def deleted(token: str, name: str, kind: str = "RSAToken") -> Change:
    """A change that deleted a token."""
    return Change(action="delete", kind=kind, name=name, token=token, generation=1, outcome="done")


def failed(action: str, token: str, name: str, kind: str = "RSAToken") -> Change:
    """A change that failed."""
    return Change(
        action=action, kind=kind, name=name, token=token, generation=1, outcome="failed", error="seal-failed"
    )


@dataclass
class Runs:
    """Records that follow one another, a day apart."""

    bodies: list[Body] = field(default_factory=list)
    files: list[RecordFile] = field(default_factory=list)
    folder: str = "artifacts/records"
    sign: Callable[[bytes], tuple[tuple[str, bytes], ...]] | None = None
    """Makes the signatures of a statement."""

    def run(
        self,
        *changes: Change,
        at: int | None = None,
        live: dict[str, str] | None = None,
        commit: str | None = "c" * 40,
        touched: Iterable[str] | None = None,
        **more: object,
    ) -> Body:
        """One more run. What it touched is told by a digest of its own, unless `live` says else; `more` is in
        its record besides.
        """
        number = len(self.bodies) + 1
        tokens = [one.token for one in changes if one.token] if touched is None else touched
        ids = live if live is not None else {one: digest(f"{one} {number}".encode()) for one in tokens}
        told = {
            "schema": SCHEMA,
            "sequence": number,
            "previous": digest(self.files[-1].data) if self.files else None,
            "run": f"{number:016x}",
            "time": timestamp(START + number * DAY if at is None else at),
            "actor": "ci",
            "commit": commit,
            "plan": PLAN,
            "outcome": DONE if all(one.outcome == DONE for one in changes) else PARTLY,
            "changes": changes,
            "live": ids,
            **more,
        }
        body = Body.model_validate(told)
        self.bodies.append(body)
        path = f"{self.folder}/{number:08d}-{body.run}.json"
        payload = statement(body)
        self.files.append(RecordFile(path, envelope(payload, self.sign(payload) if self.sign else ())))
        return body

    def blocked(self, *, commit: str, at: int) -> Body:
        """One more run, which a brake held."""
        held = (Held(rule="max-delete", message="too many"),)
        return self.run(commit=commit, at=at, outcome=BLOCKED, error="plan-blocked", held=held)

    @property
    def recorded(self) -> list[Recorded]:
        """As they are read."""
        return in_order(self.files)

    def as_files(self, files: Sequence[RecordFile] | None = None) -> dict[str, str | bytes | None]:
        """As a commit holds them."""
        return {one.path: one.data for one in (self.files if files is None else files)}
