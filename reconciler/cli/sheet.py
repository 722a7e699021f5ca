"""Tables for spreadsheets: CSV (RFC 4180) in which no cell is a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from reconciler.cli.output import visible

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for the beginning of a formula, or skips before one."""


def csv_lines(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Rows as lines, without their ends. What others wrote is text there, whatever it begins with."""
    for row in rows:
        out = io.StringIO()
        csv.writer(out, lineterminator="").writerow([cell(text) for text in row])
        yield out.getvalue()


def cell(text: str) -> str:
    """A text that a spreadsheet shows, and does not run: a `'` before what may be a formula."""
    shown = visible(text.replace("\t", " ").replace("\r", " ").replace("\n", " "))
    return f"'{shown}" if text.startswith(FORMULA) or shown.lstrip().startswith(FORMULA) else shown
