"""The table: one row a claim, with both sides, their ratio, and the target of the design."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.benchmarks.measure import Sample

MIB = 1 << 20
HEADING = ("work", "ours", "peer", "ratio", "target", "reached")


@dataclass(frozen=True, slots=True)
class Missing:
    """A peer that is not on this machine."""

    program: str
    install: str
    """How to get it."""


@dataclass(frozen=True, slots=True)
class Target:
    """What the ratio is to reach."""

    number: float
    faster: bool = False
    """The peer takes so many times as long as we; otherwise we take at most so many times as long."""

    @property
    def shown(self) -> str:
        """As the table says it."""
        return f"{self.number:g} × faster" if self.faster else f"within {self.number:g} ×"

    def reached(self, ours: float, peer: float) -> bool:
        """Whether it will do."""
        return ours * self.number <= peer if self.faster else ours <= peer * self.number


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table, and what is to be said below it."""

    cells: tuple[str, str, str, str, str, str]
    notes: tuple[str, ...] = ()


def compared(
    work: str,
    against: str,
    sides: tuple[Sample, Sample | None],
    target: Target | None,
    *,
    missing: Missing | None = None,
    notes: tuple[str, ...] = (),
) -> Row:
    """A row of two samples. Without a target it informs only; without a peer it says what is missing."""
    ours, peer = sides
    aim = target.shown if target else "-"
    notes = (f"ours: {costs(ours)}", *([f"{against}: {costs(peer)}"] if peer else []), *notes)
    if peer is None:
        absent = missing or Missing(against, "see its own pages")
        said = f"peer not installed: {absent.program}; install it with: {absent.install}"
        return Row((work, seconds(ours.wall), "not installed", "-", aim, "not measured"), (said, *notes))
    verdict = _verdict(reached=target.reached(ours.wall, peer.wall)) if target else "-"
    notes = (*notes, f"by processor time: {ratio(ours.cpu, peer.cpu)}")
    peers = f"{seconds(peer.wall)} {against}"
    return Row((work, seconds(ours.wall), peers, ratio(ours.wall, peer.wall), aim, verdict), notes)


def bounded(work: str, ours: Sample, most: int) -> Row:
    """A row about memory, against a limit in bytes."""
    peak, aim = f"{ours.peak / MIB:.0f} MiB", f"{most / MIB:.0f} MiB"
    return Row(
        (work, peak, "-", "-", f"under {aim}", _verdict(reached=ours.peak <= most)), (f"ours: {costs(ours)}",)
    )


def ratio(ours: float, peer: float) -> str:
    """How many times as long we take, or how many times faster we are."""
    return f"{ours / peer:.2f} ×" if ours >= peer else f"{peer / ours:.3g} × faster"


def _verdict(*, reached: bool) -> str:
    return "yes" if reached else "NO"


def seconds(value: float) -> str:
    """A time in the unit that suits it."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if value >= size:
            return f"{value / size:.3g} {unit}" if value / size < 100 else f"{value / size:.0f} {unit}"
    return f"{value / 1e-6:.0f} µs"


def costs(sample: Sample) -> str:
    """Runs, spread, processor time and memory of one side, in one line."""
    low, high = sample.spread
    peak = f", peak {sample.peak / MIB:.0f} MiB" if sample.peak else ""
    runs = f"{len(sample.runs)} run{'' if len(sample.runs) == 1 else 's'}"
    return f"{runs}, {seconds(low)} to {seconds(high)}, user+sys {seconds(sample.cpu)}{peak}"


def table(rows: Sequence[Row]) -> Iterator[str]:
    """The rows in columns under a heading, and after each what is to be said of it."""
    lines = [HEADING, *(row.cells for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADING))]
    yield _line(HEADING, widths)
    for row in rows:
        yield _line(row.cells, widths)
        yield from (f"    {note}" for note in row.notes)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()
