"""Charts as SVG: drawn from numbers alone, readable without colour, and with a table of the same beneath."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

WIDTH, HEIGHT = 720, 290
LEFT, RIGHT, TOP, BOTTOM = 44, 8, 22, 60
STEPS = (1, 2, 5)
LINES = 4
"""Lines of the grid, at most, above the ground."""
FLAT = 8
"""Labels that have room below side by side; more of them are turned."""
WIDEST = 48


@dataclass(frozen=True, slots=True)
class Bars:
    """Columns, each of which may be made of several parts."""

    ident: str
    """Of the figure, in the page."""
    title: str
    told: str
    """What is to be seen, in a sentence, for who does not see it."""
    labels: Sequence[str]
    parts: Sequence[tuple[str, Sequence[int]]]
    """(name, one number a label) of each, from the ground up."""

    @property
    def totals(self) -> list[int]:
        """Of each column."""
        return [sum(values) for values in zip(*(values for _, values in self.parts), strict=True)]


def top_of(highest: int) -> tuple[int, int]:
    """(where the grid ends, from line to line) for what is at most so high: round numbers."""
    scale = 1
    while True:
        for step in STEPS:
            if highest <= step * scale * LINES:
                return -(-max(highest, 1) // (step * scale)) * step * scale, step * scale
        scale *= 10


def svg(bars: Bars) -> Markup:
    """The chart. Its classes are those of the page's style sheet."""
    ends, step = top_of(max(bars.totals, default=0))
    high, wide = HEIGHT - TOP - BOTTOM, (WIDTH - LEFT - RIGHT) / max(1, len(bars.labels))
    drawn = [*_grid(ends, step, high), *_columns(bars, ends, high, wide), *_below(bars, wide)]
    return Markup(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-labelledby="{}-title {}-told">'
        '<title id="{}-title">{}</title><desc id="{}-told">{}</desc>{}</svg>'
    ).format(WIDTH, HEIGHT, *[bars.ident] * 3, bars.title, bars.ident, bars.told, Markup("").join(drawn))


def _grid(ends: int, step: int, high: int) -> list[Markup]:
    drawn = []
    for value in range(0, ends + 1, step):
        y = _number(TOP + high - high * value / ends)
        ground = " ground" if value == 0 else ""
        drawn.append(
            Markup('<line class="grid{}" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
                ground, LEFT, WIDTH - RIGHT, y, y
            )
        )
        drawn.append(_text(LEFT - 6, float(y) + 4, f"{value:,}", "end"))
    return drawn


def _columns(bars: Bars, ends: int, high: int, wide: float) -> list[Markup]:
    drawn = []
    thick = min(WIDEST, wide * 0.7)
    for column, total in enumerate(bars.totals):
        x, y = LEFT + wide * column + (wide - thick) / 2, float(TOP + high)
        for number, (name, values) in enumerate(bars.parts):
            tall = high * values[column] / ends
            y -= tall
            if values[column]:
                label = f"{bars.labels[column]}, {name}: {values[column]:,}"
                drawn.append(
                    Markup(
                        '<rect class="part part-{}" x="{}" y="{}" width="{}" height="{}">'
                        "<title>{}</title></rect>"
                    ).format(number + 1, *map(_number, (x, y, thick, tall)), label)
                )
        if total:
            drawn.append(_text(x + thick / 2, y - 5, f"{total:,}", "middle", "total"))
    return drawn


def _below(bars: Bars, wide: float) -> list[Markup]:
    turned = len(bars.labels) > FLAT
    y = HEIGHT - BOTTOM + (14 if turned else 18)
    drawn = []
    for column, label in enumerate(bars.labels):
        x = LEFT + wide * (column + 0.5) + (4 if turned else 0)
        turn = f"rotate(-45 {_number(x)} {y})" if turned else ""
        drawn.append(_text(x, y, label, "end" if turned else "middle", turn=turn))
    return drawn


def _text(  # noqa: PLR0913, PLR0917 # one for each attribute
    x: float, y: float, text: str, anchor: str, name: str = "label", turn: str = ""
) -> Markup:
    turned = Markup(' transform="{}"').format(turn) if turn else ""
    return Markup('<text class="{}" x="{}" y="{}" text-anchor="{}"{}>{}</text>').format(
        name, _number(x), _number(y), anchor, turned, text
    )


def _number(value: float) -> str:
    """With one digit behind the point: the same on every machine."""
    return f"{value:.1f}".removesuffix(".0")
