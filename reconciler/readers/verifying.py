"""One check against the live store as it is now, for a person who asks."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.errors import SettingsError
from reconciler.kinds.checking import Call, Reason
from reconciler.secret import Secret
from reconciler.verify.book import Book
from reconciler.verify.check import Against, Rules, check, sign_in
from reconciler.verify.interface import Verdict
from reconciler.verify.unsealing import unsealing
from reconciler.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Presented:
    """What came, and what for."""

    token: Secret
    call: Call
    application: str | None = None
    """The name of the token whose application signs a user in; None for a bearer token."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A verdict, and against what it was found."""

    verdict: Verdict
    audience: str
    revision: int
    at: int
    """Epoch seconds."""


def checked(workspace: Workspace, presented: Presented, audience: str | None) -> Checked:
    """The verdict on a token, from one read of the store. Raises StoreUnreadable, SettingsError."""
    with workspace.live() as store:
        found = store.since(0)
    if not found.store_id:
        raise SettingsError(
            f"there is no live store at {workspace.shown_store} yet", hint="run reconcile apply first"
        )
    rules = Rules(
        audience=audience or workspace.specs.audience,
        unseal=unsealing(workspace.identities.native),
    )
    book = Book().changed(found.tokens, found.revision)
    asked = Against(book, presented.call, rules, workspace.around.clock())
    if presented.application is None:
        verdict = check(presented.token, asked)
    else:
        verdict = sign_in(presented.application, presented.token, asked)
    return Checked(verdict, rules.audience, found.revision, asked.now)


def routed(workspace: Workspace, request: str) -> Call | Reason:
    """The call that a request such as `GET /v1/devices` is, by the routes of the catalog."""
    from reconciler.verify.routes import Routes

    method, _, uri = request.partition(" ")
    return Routes.of(workspace.specs.apis).match(method, uri)
