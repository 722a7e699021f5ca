"""reconcile completion"""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    """Print the completion script of a SHELL.

    \b
    bash:  eval "$(reconcile completion bash)"     in ~/.bashrc
    zsh:   eval "$(reconcile completion zsh)"      in ~/.zshrc
    fish:  reconcile completion fish > ~/.config/fish/completions/reconcile.fish
    """
    from reconciler.cli.main import cli

    found = get_completion_class(shell)
    if found is not None:
        click.echo(found(cli, {}, "reconcile", "_RECONCILE_COMPLETE").source())
    return 0
