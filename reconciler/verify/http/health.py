"""`/healthz` and `/readyz`: that the process lives, and that its answers are worth something. Pure."""

from __future__ import annotations

from math import isfinite

from reconciler.canonical import Json
from reconciler.verify.http.message import Answer, json_answer
from reconciler.verify.interface import Freshness

STOPPING = "this verifier is stopping"


def healthz() -> Answer:
    """The process answers: that is all it says."""
    return json_answer(200, {"status": "ok"})


def readyz(found: Freshness, *, stopping: bool, known: bool) -> Answer:
    """200 while the live records are fresh enough to say yes by; 503 where they are not.

    How much there is, and what the store said, is told only to those who are `known`.
    """
    ready = found.ready and not stopping
    if not known:
        return json_answer(200 if ready else 503, {"ready": ready})
    told: dict[str, Json] = {
        "ready": ready,
        "revision": found.revision,
        "tokens": found.tokens,
        "age_seconds": round(found.age, 3) if isfinite(found.age) else None,
    }
    if not ready:
        told["why"] = STOPPING if stopping else found.why
    return json_answer(200 if ready else 503, told)
