"""The page: HTML that needs nothing besides itself, in which no text of a history is anything but text."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from reconciler.audit.report import charts
from reconciler.audit.report.commands import Commands
from reconciler.audit.report.contents import contents
from reconciler.audit.report.facts import Facts
from reconciler.audit.report.grants import Matrix
from reconciler.audit.spans import State
from reconciler.times import day, timestamp
from reconciler.unseen import BREAKS, marked

OPEN = 2
"""Matrices that are not folded."""
LONGEST = 2_000
"""Characters of a text of others."""
TARDY = 50
"""Rotations that are listed."""


def page(facts: Facts) -> bytes:
    """The page in UTF-8. The same facts give the same bytes."""
    style = files(__package__).joinpath("page.css").read_text("utf-8")
    template = _environment().from_string(files(__package__).joinpath("page.html.jinja").read_text("utf-8"))
    text = template.render(
        facts=facts,
        told=contents(facts),
        again=Commands(facts.commit, facts.line, facts.at, facts.recorded),
        states=list(State),
        open=OPEN,
        most_tardy=TARDY,
        heat=_heat,
        style=Markup(style),  # noqa: S704 # it is a file of this package
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
    )
    return f"{text}\n".encode()


def _environment() -> Environment:
    made = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=plain,
    )
    made.filters |= {"day": day, "time": timestamp, "svg": charts.svg}
    return made


def plain(value: object) -> object:
    """A text of others as the page shows it: on one line, with a mark for what nobody sees; and not without
    end.
    """
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    shown = value if len(value) <= LONGEST else f"{value[:LONGEST]} …"
    return marked(shown.translate(BREAKS))


def _heat(matrix: Matrix, count: int) -> int:
    """How dark a cell is, of 4: by its share of the highest."""
    highest = max((cell for row in matrix.rows for cell in row.cells[:-1]), default=0)
    return 0 if count == 0 else 1 + min(3, 4 * (count - 1) // max(1, highest))
