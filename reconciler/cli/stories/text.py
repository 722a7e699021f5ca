"""Stories for people, in a terminal or a log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.audit.events import Event, Standing, Story
from reconciler.cli.output import in_line, style
from reconciler.cli.stories.interface import Shown, StoryFormat
from reconciler.cli.stories.words import WAITS, asked_texts, due_text, run_text, run_texts, what_text
from reconciler.plan.change import DONE, Action
from reconciler.plan.words import field_text
from reconciler.times import timestamp


def _lines(shown: Shown) -> Iterator[str]:
    """Text from specs, records and git is made visible."""
    if shown.stories is None:
        for event in shown.log:
            yield from _block(event, (), named=True)
        return
    for number, story in enumerate(shown.stories):
        yield from ([""] if number else [])
        yield from _story(story)


def _story(story: Story) -> Iterator[str]:
    yield style(in_line(_title(story)), bold=True)
    if story.overdue is not None:
        yield style(in_line(f"its rotation was due by {timestamp(story.overdue)}, and no record tells of it"))
    for event in story.events:
        if not _is_told_above(event, story.events):
            yield ""
            yield from _block(event, story.events, named=False)


def _title(story: Story) -> str:
    owner = f" of {story.owner}" if story.owner else ""
    ids = f", id {', '.join(story.ids)}" if story.ids else ""
    return f"{story.name}: {story.kind}{owner}{ids}, {_state(story)}"


def _state(story: Story) -> str:
    declared = "declared" if story.declared else "no longer declared"
    if story.live is None:
        return f"{declared}; no records tell whether it is live"
    if story.live:
        return "live" if story.declared else "live, and no longer declared"
    return f"{declared}, deleted" if story.ids else f"{declared}, never live"


def _block(event: Event, others: Sequence[Event], *, named: bool) -> Iterator[str]:
    of = f"  {event.kind} {event.name}" if named and event.name else ""
    yield in_line(f"{timestamp(event.at)}{of}  {what_text(event)}")
    yield from (in_line(f"  {text}") for text in _details(event, others))


def _details(event: Event, others: Sequence[Event]) -> Iterator[str]:
    if event.asked is not None or not _was_asked(event, others):
        yield from (field_text(one) for one in event.fields)
    yield from asked_texts(event)
    if event.due is not None:
        yield due_text(event.due)
    if event.run is not None:
        yield _applied(event, others)
        yield from run_texts(event.run)
    elif event.standing in WAITS:
        yield WAITS[event.standing]


def _applied(event: Event, others: Sequence[Event]) -> str:
    if event.run is None or event.standing is not Standing.APPLIED:
        return run_text(event.run) if event.run else ""
    made = ", then ".join(what_text(one) for one in others if one.run is event.run and _is_folded(one))
    return f"applied {event.run.body.time} {run_text(event.run)}" + (f": {made}" if made else "")


def _is_told_above(event: Event, others: Sequence[Event]) -> bool:
    """Whether what a run did is told where somebody asked for it."""
    return _is_folded(event) and _was_asked(event, others)


def _was_asked(event: Event, others: Sequence[Event]) -> bool:
    """Whether a run that did something applied what is told here."""
    return any(one.standing is Standing.APPLIED and one.run is event.run for one in others)


def _is_folded(event: Event) -> bool:
    plain = event.what not in (Action.ROTATE, Action.DELETE)
    return event.asked is None and event.run is not None and event.outcome == DONE and plain


FORMAT = StoryFormat("text", _lines)
