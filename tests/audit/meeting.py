"""Facts for a review meeting: a workspace of some size with several years behind it, from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable

from reconciler.audit.events import Due, Event, Ran
from reconciler.audit.report.facts import Facts
from reconciler.audit.report.standing import Standing
from reconciler.audit.spans import Cause, Span
from reconciler.audit.verifying.finding import Check, Finding
from reconciler.audit.verifying.verified import Verified
from reconciler.canonical import digest
from reconciler.kinds.interface import Grants
from reconciler.records.body import SCHEMA, Body, read_body
from reconciler.times import seconds_of, timestamp

NOW = seconds_of("2026-11-26T12:00:00Z")
DAY = 86_400
YEAR = 365 * DAY
COMMIT = "0123456789abcdef0123456789abcdef01234567"
KINDS = ("RSAToken", "JWTToken", "LoginToken", "TokenAuth")
OWNERS = tuple(f"team-{name}" for name in ("historian", "mes", "erp", "scada", "quality", "maintenance"))
VERBS = ("read", "write")
APIS = tuple(
    f"{what}.{verb}" for what in ("device", "telemetry", "alarm", "order") for verb in ("read", "write")
)
PROJECTS = tuple(f"plant-{letter}" for letter in "abcdefghijklmnopqrst")


def _plain(number: int, _: random.Random) -> tuple[str, str, Grants]:
    picked = random.Random(number)
    owner = picked.choice(OWNERS) if number % 9 else ""
    grants = {
        "apis": tuple(sorted(picked.sample(APIS, picked.randint(1, 4)))) if number % 17 else ("*",),
        "projects": tuple(sorted(picked.sample(PROJECTS, picked.randint(1, 3)))),
    }
    return f"token-{number:04}", owner, grants


Naming = Callable[[int, random.Random], tuple[str, str, Grants]]
"""(number, dice) → name, owner and grants of a token."""


def spans(count: int, naming: Naming = _plain, seed: int = 7) -> list[Span]:
    """Tokens of several years; some are off, some over, some gone."""
    dice, found = random.Random(seed), []
    for number in range(count):
        name, owner, grants = naming(number, dice)
        since = NOW - int(dice.random() ** 2 * 4 * YEAR) - DAY
        ends = since + dice.choice((1, 2, 5)) * YEAR if dice.random() < 0.4 else None
        gone = Cause(NOW - DAY, COMMIT) if dice.random() < 0.05 else None
        cause = Cause(since, COMMIT, "ab12", "ann")
        found.append(
            Span(f"id{number}", name, KINDS[number % 4], owner or None, "{}", grants, dice.random() > 0.06,
                 cause, earlier=number % 50 == 3, until=gone, ends=ends)
        )  # fmt: skip
    return found


def body(sequence: int, at: int, **more: object) -> Body:
    """What a record says of a run that changed nothing."""
    return read_body(
        {
            "schema": SCHEMA,
            "sequence": sequence,
            "previous": digest(b"") if sequence > 1 else None,
            "run": f"{sequence:04x}",
            "time": timestamp(at),
            "actor": "ann",
            "commit": COMMIT,
            "plan": digest(b"plan"),
            "outcome": "done",
            "changes": [],
            **more,
        }
    )


def runs(actor: str = "ann", reason: str | None = "the old plant is shut down") -> list[Ran]:
    """Some that need an explanation, and one that does not."""
    held = [{"rule": "max-delete", "message": "the plan deletes 9 of 40 tokens, and 10 % are allowed"}]
    bodies = [
        body(1, NOW - 400 * DAY, actor=actor),
        body(2, NOW - 300 * DAY, actor=actor, outcome="blocked", held=held),
        body(3, NOW - 299 * DAY, actor=actor, overrides={"max_delete": 10}, released=held,
             **({"reason": reason} if reason else {})),
        body(4, NOW - 9 * DAY, actor="pipeline", outcome="partly", error="seal-failed"),
    ]  # fmt: skip
    return [
        Ran(
            f"artifacts/records/{one.sequence:08}-{one.run}.json",
            one,
            one.at,
            one.gave_at,
            None,
            on_line=True,
            here=True,
        )
        for one in bodies
    ]


def log(told: list[Span], ran: Ran, seed: int = 7) -> list[Event]:
    """Issued once, rotated now and then: most in time."""
    dice, found = random.Random(seed), []
    for span in told:
        at = span.since.at
        found.append(Event(at, "issue", span.name, span.kind, span.owner, run=ran, token=span.token))
        while (at := at + int(YEAR * (0.3 + dice.random()))) < NOW:
            late = dice.random() < 0.12
            due = Due(at - 9 * DAY, at - 3 * DAY if late else at + DAY, at)
            what = dice.choice(("rotate", "rotate", "modify", "rename"))
            found.append(
                Event(at, what, span.name, span.kind, span.owner, run=ran, token=span.token,
                      due=due if what == "rotate" and dice.random() < 0.8 else None,
                      outcome="failed" if dice.random() < 0.02 else "done")
            )  # fmt: skip
        if span.until is not None:
            found.append(
                Event(span.until.at, "delete", span.name, span.kind, span.owner, run=ran, token=span.token)
            )
    return sorted(found, key=lambda one: (one.at, one.name), reverse=True)


def verified(*, clean: bool = False) -> Verified:
    found = [
        Finding(
            Check.RECORD_EDITED,
            "artifacts/records/00000003-0003.json",
            "it is not the record that the next one follows",
            "restore it from git: git log --follow tells who changed it",
        ),
        Finding(Check.OVERRIDE, "record 3", "max_delete was raised to 10", "ask ann why"),
    ]
    return Verified(
        "acme",
        COMMIT,
        "artifacts/records",
        [] if clean else found,
        {"records": "4 records", "artifacts in place": "40 artifacts"},
        ["who signed the records: no key is given; bring them with --keys FILE"],
        digest(b"head"),
    )


def facts(count: int = 60, naming: Naming = _plain, *, recorded: bool = True) -> Facts:
    """All of it."""
    told, ran = spans(count, naming), runs()
    return Facts(
        workspace="acme",
        commit=COMMIT,
        line=COMMIT,
        at=NOW,
        recorded=recorded,
        spans=told,
        log=log(told, ran[0]) if recorded else [],
        overdue={told[0].name: NOW - 12 * DAY} if recorded and told else {},
        runs=ran if recorded else [],
        verified=verified(),
        notes=("this clone is shallow: what was before 0123456 is not told",),
        standing=(
            Standing(
                "token-0001",
                "house",
                "house.owner",
                "it goes in spring",
                "2026-12-31",
                over=False,
                since="2026-01-01T00:00:00Z",
                commit=COMMIT,
            ),
        ),
    )
