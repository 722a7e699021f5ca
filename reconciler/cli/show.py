"""reconcile show"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from reconciler.audit.export import declared_by
from reconciler.audit.inventory import Entry, entry
from reconciler.cli.context import Invocation, passed
from reconciler.cli.output import echo_json, echo_note
from reconciler.live.interface import LiveStore, LiveToken
from reconciler.readers.opening import not_live


@click.command("show")
@click.argument("name", metavar="NAME|ID")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@passed
def command(invocation: Invocation, name: str, form: str) -> int:
    """Show one token: what it may do, since when, until when. A deleted one is shown as it was.

    By its name, the token that has it now, else the last that had it; those that had it before are named
    too. By its id, exactly that token, deleted or not.
    """
    workspace = invocation.workspace
    with workspace.live() as store:
        token, *earlier = _found(store, name) or (None,)
        other = store.token_by_id(name)
    if token is None:
        raise not_live(workspace, name, deleted=False)
    if other is not None and other.id != token.id:
        echo_note(f"{name} is also the id of another token, {other.name}: see it by its name")
    now = workspace.around.clock()
    shown, before = entry(token, now), [entry(one, now) for one in earlier]
    if form == "json":
        entries = {"tokens": [shown.to_json()], "earlier": [one.to_json() for one in before]}
        echo_json({"schema": "reconciler/tokens/v1", **entries})
        return 0
    lines = [*_lines(shown), *(("earlier", _lived(one)) for one in before)]
    width = max(len(label) for label, _ in lines)
    for label, text in lines:
        click.echo(f"{label:<{width}}  {text}")
    return 0


def _found(store: LiveStore, name: str) -> Sequence[LiveToken]:
    """The token that is meant, and those that had its name before, newest first. A name goes before an id."""
    token, gone = store.token(name), store.tombstones(name)
    found = (*([token] if token else ()), *gone)
    if found:
        return found
    by_id = store.token_by_id(name)
    return (by_id,) if by_id else tuple(one for one in store.graveyard() if _was_called(one, name))


def _was_called(token: LiveToken, name: str) -> bool:
    """Whether a deleted token had a name before the one that it had last."""
    spec = declared_by(token) if f'"{name}"' in token.declared else None
    return spec is not None and name in spec.metadata.previously


def _lived(one: Entry) -> str:
    return f"{one.id}, {one.kind}, issued {one.created}, deleted {one.deleted}"


def _lines(shown: Entry) -> Iterator[tuple[str, str]]:
    yield "name", shown.name
    if shown.previously:
        yield "previously", ", ".join(shown.previously)
    yield "kind", shown.kind
    yield "id", shown.id
    yield "state", shown.state + (f" since {shown.deleted}" if shown.deleted else "")
    labels = ", ".join(f"{key}={value}" for key, value in shown.labels.items())
    for label, text in (("title", shown.title), ("owner", shown.owner), ("labels", labels)):
        if text:
            yield label, text
    for dimension, names in shown.grants.items():
        yield dimension, ", ".join(names) or "none"
    yield "created", shown.created
    for label, text in (("expires", shown.expires), ("rotates", shown.due), ("artifact", shown.artifact)):
        if text:
            yield label, text
    if shown.retry:
        yield "retry", f"a new credential could not be made; from {shown.retry} it is tried again"
    if shown.own_key:
        yield "artifact", "none: its owner brought the public key, and keeps the private one"
        yield "public key", shown.own_key
    if shown.commit:
        yield "commit", shown.commit
    if shown.protect:
        yield "protected", "yes"
    for credential in shown.credentials:
        until = f" until {credential['until']}" if credential["until"] else ""
        yield (
            f"generation {credential['generation']}",
            f"{credential['algorithm']}, {credential['state']}, from {credential['from']}{until}",
        )
