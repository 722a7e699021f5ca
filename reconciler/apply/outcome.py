"""What became of a change, as the journal says: for the record and for the result. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from pydantic_core import from_json

from reconciler.live.interface import Intent, LiveToken, TokenState
from reconciler.plan.change import DONE, FAILED, UNTRIED, Action, Done, Left
from reconciler.records.body import Artifact
from reconciler.records.body import Change as Recorded
from reconciler.records.holding import live_digest
from reconciler.records.making import CUT_OFF

NOT_TRIED = "not-tried"
"""What the journal says of a credential that was not tried any more."""
UNFINISHED = (NOT_TRIED, CUT_OFF)


def cut_off(intent: Intent) -> Intent:
    """The same change, not come to: an issue that came to nothing has no token."""
    issue = intent.action == Action.ISSUE
    return replace(
        intent,
        token_id="" if issue else intent.token_id,
        generation=0 if issue else intent.generation,
        path=None,
        digest=None,
        after=None,
        failed=intent.failed or CUT_OFF,
    )


def as_done(intent: Intent, before: LiveToken | None) -> Done:
    """What a journal entry says; `before` is its token as it is when all is taken away that the run takes.

    Another format, owner, folder or name moves an artifact, and a rotation to a key that the owner brought
    leaves none in place.
    """
    stays, after = intent.action != Action.DELETE, intent.after
    minted = intent.action in (Action.ISSUE, Action.ROTATE)
    renews = before is None or after is None or before.spec_digest != after.spec_digest
    done = Done(
        number=intent.number,
        action=intent.action,
        kind=intent.kind,
        name=intent.name,
        token_id=intent.token_id,
        generation=intent.generation,
        path=intent.path if stays else None,
        digest=intent.digest,
        contents=after.artifact_contents if minted and after else None,
        left=None if after is None else left(after),
        declared=after.declared if after is not None and renews else None,
        removed=None if stays else intent.path,
        outcome=_outcome(intent.failed),
        error=intent.failed,
    )
    return done if before is None else _moved(done, before)


def _outcome(failed: str | None) -> str:
    if failed is None:
        return DONE
    return UNTRIED if failed in UNFINISHED else FAILED


def _moved(done: Done, before: LiveToken) -> Done:
    """The same, with the name that the token gave up, and the place that its artifact left."""
    if done.outcome != DONE or done.action == Action.ISSUE:
        return done
    has_new = done.path is not None or done.action == Action.ROTATE
    moved = has_new and before.artifact_path not in (None, done.path)
    return replace(
        done,
        removed=before.artifact_path if moved else done.removed,
        previously=before.name if before.name != done.name else None,
    )


def left(token: LiveToken) -> Left:
    """What is left of a token that is as it will be in the live store."""
    gone = token.state is TokenState.DELETED
    return Left(live_digest(token), None if gone else token.spec_digest or None)


def all_left(done: Iterable[Done], token: Callable[[str], LiveToken | None]) -> Mapping[str, Left]:
    """What a run leaves of each token that it touched, by id.

    What a token becomes counts, for two changes may be about one; else `token` tells, by id, what it is.
    """
    done = tuple(done)
    found = {one.token_id: one.left for one in done if one.left is not None}
    for one in done:
        if one.token_id and one.token_id not in found and (now := token(one.token_id)) is not None:
            found[one.token_id] = left(now)
    return found


def as_recorded(done: Done, all_of_it: Mapping[str, Left]) -> Recorded:
    """A change as its record tells it."""
    artifact = None
    if done.path is not None and done.digest is not None:
        artifact = Artifact(path=done.path, digest=done.digest, contents=done.contents)
    here = all_of_it.get(done.token_id)
    return Recorded.model_validate(
        {
            "action": done.action,
            "kind": done.kind,
            "name": done.name,
            "token": done.token_id or None,
            "generation": done.generation,
            "outcome": done.outcome,
            "error": done.error,
            "artifact": artifact,
            "removed": done.removed,
            "previously": done.previously,
            "spec": here.spec if here else None,
            "declared": from_json(done.declared) if done.declared else None,
        }
    )
