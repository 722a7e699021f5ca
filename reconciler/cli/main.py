"""The `reconcile` command and its table of commands; none is imported before it is called."""

from __future__ import annotations

import sys

import click

from reconciler import __version__
from reconciler.cli.commands import Commands, helps, modules

COMMANDS = {
    "Write specs": {
        "new": "Apply for a token: write its spec.",
        "set": "Modify a token: edit its spec.",
        "rotate": "Ask for a new credential: edit the spec.",
        "rename": "Give a token another name: edit its spec.",
        "remove": "Give a token up: remove its spec.",
        "fmt": "Format spec files.",
        "schema": "Print the JSON Schema of spec files.",
        "validate": "Check every spec and report every fault.",
        "diff": "Show what commits change in meaning, token by token.",
        "catalog": "Show what specs may name, and who names it.",
        "owners": "Print CODEOWNERS lines from metadata.owner.",
    },
    "Change what is live": {
        "plan": "Show what apply would do.",
        "comment": "Put Markdown from standard input on the pull request, in one comment that is updated.",
        "apply": "Make what is live equal to the specs.",
        "drift": "Show what is live, or in the artifacts folder, and should not be so.",
        "export": "Write specs of all that is live, for the day the repository is lost.",
    },
    "Use tokens": {
        "list": "Find live tokens by name, title, owner or label.",
        "show": "Show one token.",
        "download": "Open a token's artifact into a file.",
        "copy": "Copy one field of a token to the clipboard.",
        "bearer": "Print a bearer token, for a request to an API.",
        "reseal": "Encrypt artifacts anew for the recipients that .sops.yaml names now.",
    },
    "Check tokens": {
        "verify": "Check a token from standard input, and explain the verdict.",
        "serve": "Check tokens over HTTP, for gateways and servers.",
        "gateway": "Print the configuration of a gateway that asks the verifier.",
    },
    "Prove what happened": {
        "audit": "Answer an auditor's questions from git alone.",
    },
    "Set up": {
        "init": "Start a workspace: specs, rules, pipeline, hooks.",
        "keygen": "Make an age identity, and a creation rule.",
        "doctor": "Say in one screen what is set up.",
        "completion": "Print the completion script of a SHELL.",
    },
}
MODULES = modules(COMMANDS, "reconciler.cli")
HELP = helps(COMMANDS)


@click.command(
    cls=Commands,
    sections=COMMANDS,
    package="reconciler.cli",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 error, 2 changes pending, 3 blocked, 4 stale plan, 5 locked, "
    "6 partly applied (run again), 64 wrong usage.",
)
@click.option("-C", "--workspace", "root", metavar="DIR", help="Work on the workspace in DIR.")
@click.option("--store", metavar="URL", help="Use this live store instead of the one that is set.")
@click.option("--debug", is_flag=True, help="Show a traceback when something goes wrong.")
@click.version_option(__version__, "-V", "--version", prog_name="reconcile")
@click.pass_context
def cli(ctx: click.Context, root: str | None, store: str | None, *, debug: bool) -> None:
    """API tokens as code: specs in git, a plan, an apply, and secrets that leave sealed."""
    from reconciler.cli.context import Invocation

    ctx.obj = Invocation(root, store, debug)


def main() -> None:
    """Runs the command line and exits with the code that the outcome has."""
    from reconciler.cli.exits import run

    sys.exit(run(cli, sys.argv[1:]))
