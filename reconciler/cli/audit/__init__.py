"""reconcile audit: one module a question"""

from __future__ import annotations

import click

from reconciler.cli.commands import Commands

QUESTIONS = {
    "Questions": {
        "verify": "Check that nothing was edited afterwards, and that all of it was declared.",
        "log": "Tell a token's story, from birth to tombstone.",
        "access": "Tell who could do what, and when.",
        "report": "Write one page for a review meeting.",
        "secrets": "Search the history for tokens and private keys in the clear.",
    }
}


@click.command("audit", cls=Commands, sections=QUESTIONS, package="reconciler.cli.audit")
def command() -> None:
    """Answer an auditor's questions from git alone.

    All of it works in a clone: who asked for a token, who let it in as far as merges and trailers tell,
    when it became live, what it could do on a given day, and whether anything happened that nobody declared.
    """
