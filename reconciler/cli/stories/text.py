"""Stories for people, in a terminal or a log."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.audit.events import Event, Standing, Story, What
from reconciler.audit.spans import State
from reconciler.cli.output import in_line, style
from reconciler.cli.stories.interface import Shown, StoryFormat
from reconciler.cli.stories.words import WAITS, asked_texts, due_text, run_text, run_texts, what_text
from reconciler.plan.change import DONE, Action
from reconciler.plan.words import field_text
from reconciler.times import timestamp


@dataclass(frozen=True, slots=True)
class _Above:
    """What runs did that is told where somebody asked for it."""

    applied: frozenset[str]
    """The records of the runs that applied something."""
    made: Mapping[str, Sequence[str]]
    """Record of a run → what it did."""

    def has(self, event: Event) -> bool:
        """Whether a run that did something applied what is told here."""
        return event.run is not None and event.run.path in self.applied


NONE = _Above(frozenset(), {})


def _above(events: Sequence[Event]) -> _Above:
    applied, made = set[str](), defaultdict[str, list[str]](list)
    for one in events:
        if one.run is not None and one.standing is Standing.APPLIED:
            applied.add(one.run.path)
        if one.run is not None and (_is_folded(one) or _is_rotation(one)):
            made[one.run.path].append(what_text(one))
    return _Above(frozenset(applied), made)


def _lines(shown: Shown) -> Iterator[str]:
    """Text from specs, records and git is made visible."""
    if shown.stories is None:
        for event in shown.log:
            yield from _block(event, NONE, named=True)
        return
    for number, story in enumerate(shown.stories):
        yield from ([""] if number else [])
        yield from _story(story)


def _story(story: Story) -> Iterator[str]:
    yield style(in_line(_title(story)), bold=True)
    if story.overdue is not None:
        yield style(in_line(f"its rotation was due by {timestamp(story.overdue)}, and no record tells of it"))
    above = _above(story.events)
    for event in story.events:
        if not (_is_folded(event) and above.has(event)):
            yield ""
            yield from _block(event, above, named=False)


def _title(story: Story) -> str:
    owner = f" of {story.owner}" if story.owner else ""
    ids = f", id {', '.join(story.ids)}" if story.ids else ""
    return f"{story.name}: {story.kind}{owner}{ids}, {_state(story)}"


def _state(story: Story) -> str:
    declared = "declared" if story.declared else "no longer declared"
    if story.live is None:
        return f"{declared}; no records tell whether it is live"
    if story.live:
        return _live(story) if story.declared else f"{_live(story)}, and no longer declared"
    return f"{declared}, deleted" if story.ids else f"{declared}, never live"


def _live(story: Story) -> str:
    if story.ended is not None:
        return f"expired since {timestamp(story.ended)}"
    return "disabled" if story.state is State.DISABLED else "live"


def _block(event: Event, above: _Above, *, named: bool) -> Iterator[str]:
    of = f"  {event.kind} {event.name}" if named and event.name else ""
    yield in_line(f"{timestamp(event.at)}{of}  {what_text(event)}")
    yield from (in_line(f"  {text}") for text in _details(event, above))


def _details(event: Event, above: _Above) -> Iterator[str]:
    if event.asked is not None or not above.has(event):
        yield from (field_text(one) for one in event.fields)
    yield from asked_texts(event)
    if event.due is not None:
        yield due_text(event.due)
    if event.run is not None:
        yield _applied(event, above)
        yield from run_texts(event.run)
    elif event.standing in WAITS:
        yield WAITS[event.standing]
    elif event.what == What.FOUND:
        yield "which run applied it, if any did, this clone does not tell"


def _applied(event: Event, above: _Above) -> str:
    if event.run is None or event.standing is not Standing.APPLIED:
        return run_text(event.run) if event.run else ""
    made = ", then ".join(above.made.get(event.run.path, ()))
    return f"applied {timestamp(event.run.at)} {run_text(event.run)}" + (f": {made}" if made else "")


def _is_rotation(event: Event) -> bool:
    """Whether a new credential was made: that is told by itself, and where somebody asked for it."""
    return event.asked is None and event.what == Action.ROTATE and event.outcome == DONE


def _is_folded(event: Event) -> bool:
    plain = event.what not in (Action.ROTATE, Action.DELETE)
    return event.asked is None and event.run is not None and event.outcome == DONE and plain


FORMAT = StoryFormat("text", _lines)
