"""The peer of `/verify`: the same server, which looks at nothing and answers a constant. A program by itself.

`python -m tests.benchmarks.constant` prints the port that it listens on.
"""

from __future__ import annotations

import asyncio
import sys

import uvicorn
from starlette.types import Receive, Scope, Send

from reconciler.verify.http.listening import Place, bound, bound_to
from reconciler.verify.http.protocol import Guarded

HEADERS = [(b"content-length", b"0"), (b"cache-control", b"no-store")]


async def app(_: Scope, __: Receive, send: Send) -> None:
    """200 and no body."""
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": b""})


def main() -> None:
    """Serves until it is killed."""
    config = uvicorn.Config(
        app, http=Guarded, ws="none", lifespan="off", log_config=None, access_log=False, proxy_headers=False
    )
    listening = bound(Place("127.0.0.1", 0))
    print(f"listening on http://{bound_to(listening)}", file=sys.stderr, flush=True)
    runner = asyncio.Runner(loop_factory=config.get_loop_factory())
    runner.run(uvicorn.Server(config).serve([listening]))


if __name__ == "__main__":
    main()
