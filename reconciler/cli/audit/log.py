"""reconcile audit log"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import click

from reconciler.audit.events import Event, Story
from reconciler.audit.window import WRITE, Window, window
from reconciler.cli.context import Invocation, passed
from reconciler.cli.output import echo_note
from reconciler.cli.stories import all_formats
from reconciler.cli.stories.interface import Shown
from reconciler.errors import CannotOpen, UsageError
from reconciler.readers.auditing import Auditing
from reconciler.readers.telling import Told, tell
from reconciler.specs.faults import nearest


@click.command("log")
@click.argument("name", required=False, metavar="[NAME|ID]")
@click.option("--since", metavar="DATE|TIME", help="Only from then on.")
@click.option("--until", metavar="DATE|TIME", help="Only up to then, that day too.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the newest N events.")
@click.option("--line", metavar="REV", help="The line of this revision; without, what is checked out.")
@click.option("--declared", is_flag=True, help="Only what was declared: records are not read.")
@click.option(
    "--format", "form", type=click.Choice(list(all_formats())), default="text", help="How to print."
)
@passed
def command(
    invocation: Invocation,
    *,
    name: str | None,
    since: str | None,
    until: str | None,
    limit: int | None,
    line: str | None,
    declared: bool,
    form: str,
) -> int:
    """Tell a token's story, from birth to tombstone.

    By a name, the story of every token that has it or had it, whatever it is called now; by its id, that
    token's. Without a name, what happened to all tokens, newest first.

    It tells what commits asked for: what changed in meaning, who wrote it, who committed it, and, where it
    came by a merge, who merged it. And it tells what runs made of it, by their records: when it became
    live and who ran that, from which plan; rotations, on time or late; what failed or was held; what was
    never applied, or was applied from a commit that is not on the line; and when it ended by itself.
    Authors and trailers are as the commits say: whether that is so, signatures tell.

    It reads git and nothing else. A commit counts as made when it came to the line.

    \b
    Exit codes: 0 done, 1 error, or this clone has not all of it.
    """
    told = tell(Auditing(invocation.workspace), line, name, with_records=not declared)
    span = _between(since, until)
    found = None if name is None else [_within(one, span, limit) for one in _named(told, name)]
    log = [] if name is not None else _newest(told.log, span, limit)
    shown = Shown(told.commit, found, log, told.whole, told.notes)
    for note in told.notes:
        echo_note(note)
    lines = "\n".join(all_formats()[form].lines(shown))
    if lines:
        click.echo(lines)
    return 0 if told.whole else 1


def _named(told: Told, name: str) -> list[Story]:
    """The stories that were asked for. Raises CannotOpen where no token ever had the name."""
    if not told.stories:
        near = nearest(name, sorted(told.names))
        hint = f"did you mean {near}? " if near else ""
        raise CannotOpen(
            f"no token of this history was ever called {name}",
            hint=f"{hint}see what happened to all tokens with: reconcile audit log",
        )
    return list(told.stories)


def _between(since: str | None, until: str | None) -> Window | None:
    """From one time to before another; None where neither is named. Raises UsageError."""
    if since is None and until is None:
        return None
    begin, end = _time(since), _time(until)
    first = 0 if begin is None else begin.since
    last = None if end is None else max(end.until, end.since + 1)
    if last is not None and last <= first:
        raise UsageError("--until is before --since", hint="write the earlier time as --since")
    return Window(first, last if last is not None else FOREVER)


FOREVER = 1 << 62
"""No time is later."""


def _time(text: str | None) -> Window | None:
    found = None if text is None else window(text)
    if text is not None and found is None:
        raise UsageError(f"{text} is neither a day nor a time", hint=WRITE.rpartition(", or")[0])
    return found


def _within(story: Story, span: Window | None, limit: int | None) -> Story:
    events = [one for one in story.events if _is_in(one, span)]
    return replace(story, events=tuple(events[-limit:] if limit else events))


def _newest(log: Iterable[Event], span: Window | None, limit: int | None) -> list[Event]:
    return [one for one in log if _is_in(one, span)][:limit]


def _is_in(event: Event, span: Window | None) -> bool:
    return span is None or span.since <= event.at < span.until
