"""Caddy for tests."""

from __future__ import annotations

import sysconfig
from pathlib import Path


def command(config: Path, text: str) -> list[str | Path]:
    """As the printed configuration says."""
    program = Path(sysconfig.get_path("scripts")) / "caddy"
    return [program, "run", "--adapter", "caddyfile", "--config", config]
