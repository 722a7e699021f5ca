"""reconcile doctor"""

from __future__ import annotations

import click


@click.command("doctor")
def command() -> int:
    """Say what is set up and what is missing."""
    return 0
