"""Claim: what apply committed is in force in a running verifier within 100 ms; and what 100,000 tokens weigh.

The verifier follows the store in a thread, as in `reconcile serve`. A commit takes a token out of service,
and the clock runs from the return of that commit until the check refuses the token for the first time; the
next commit brings it back. Memory is the peak of a process that opens a verifier over the large workspace.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from threading import Event
from time import perf_counter, process_time

from reconciler.live.interface import Batch, LiveStore, TokenState
from reconciler.live.opening import open_store
from reconciler.verify.verifier import Clocks, Verifier
from tests.benchmarks import fleet
from tests.benchmarks.bench import LARGE, Bench
from tests.benchmarks.measure import MeasurementError, environment, process
from tests.benchmarks.rows import MIB, Row, seconds
from tests.servers import postgres
from tests.verify.kit import NOW, Owned, owned

COMMITS = 200
BOUND = 0.1
"""Seconds."""
LOST = 10.0
PAUSE = 0.0005
"""Between two checks: one that never pauses keeps the other thread from the processor."""
OPENING = "import sys; from reconciler.verify.verifier import Verifier; Verifier.open(sys.argv[1]).close()"


def measure(bench: Bench) -> Iterator[Row]:
    """A row for each make of store, and one about memory."""
    for make, url in _stores(bench):
        began = process_time()
        took = sorted(_refusals(url, bench.scaled(COMMITS)))
        used = process_time() - began
        worst = took[int(len(took) * 0.99)]
        work = f"from a commit to the first refusal, {make}, median"
        reached = "yes" if worst <= BOUND else "NO"
        spread = f"{len(took)} commits, {seconds(took[0])} to {seconds(took[-1])}"
        notes = (f"ours: 1 run, {spread}, 99 of 100 within {seconds(worst)}, user+sys {seconds(used)}",)
        yield Row(
            (work, seconds(statistics.median(took)), "-", "-", f"{BOUND * 1000:.0f} ms", reached), notes
        )
    yield _memory(bench)


@contextmanager
def _server() -> Iterator[str]:
    with postgres() as server:
        server.run("CREATE DATABASE fresh")
        yield server.url("fresh")


def _stores(bench: Bench) -> Iterator[tuple[str, str]]:
    yield "SQLite", f"sqlite:///{bench.place('freshness')}/live.db"
    with _server() as url:
        yield "PostgreSQL", url


def _refusals(url: str, times: int) -> Iterator[float]:
    """Seconds from a commit to the first refusal, so many times."""
    token = owned("JWTToken")
    with ExitStack() as stack:
        store = open_store(url, "acme")
        stack.callback(store.close)
        put = _putting(store, token)
        put(TokenState.ACTIVE)
        verifier = stack.enter_context(Verifier.open(url, clocks=Clocks(now=lambda: NOW)))
        for _ in range(times):
            _wait(verifier, token, active=True)
            put(TokenState.DISABLED)
            yield _wait(verifier, token, active=False)
            put(TokenState.ACTIVE)


def _putting(store: LiveStore, token: Owned) -> Callable[[TokenState], None]:
    lease = store.acquire("benchmark", "run", NOW, 3600)

    def put(state: TokenState) -> None:
        store.commit(lease, Batch(tokens=[replace(token.live, state=state)]))

    return put


def _wait(verifier: Verifier, token: Owned, *, active: bool) -> float:
    """Seconds until the verdict is that."""
    began, pause = perf_counter(), Event()
    while verifier.check(token.secret["secret_id"]).active is not active:
        if perf_counter() - began > LOST:
            raise MeasurementError("a commit did not reach the verifier")
        pause.wait(PAUSE)
    return perf_counter() - began


def _memory(bench: Bench) -> Row:
    root = bench.large.root
    run = process([sys.executable, "-c", OPENING, fleet.STORE], root, environment(bench.folder))
    work = f"memory, a verifier of {bench.scaled(LARGE):,} live tokens"
    notes = (f"ours: 1 run, {seconds(run.wall)} to start, user+sys {seconds(run.cpu)}",)
    return Row((work, f"{run.peak / MIB:.0f} MiB", "-", "-", "-", "-"), notes)
