"""reconcile schema"""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.errors import SettingsError
from reconciler.specs.schema import documents, schema_text
from reconciler.specs.write import write_whole


@click.command("schema")
@click.argument("kind", required=False, type=click.Choice(list(documents()), case_sensitive=False))
@click.option("--out", type=click.Path(dir_okay=False), metavar="FILE", help="Write to FILE.")
def command(kind: str | None, out: str | None) -> int:
    """Print the JSON Schema of spec files: of every kind of document, or of one KIND.

    `reconcile new` keeps a copy in specs/.schema.json, and new files name it in their first line, so
    that editors with a YAML language server complete and check them.
    """
    text = schema_text(kind)
    if out is None:
        click.echo(text, nl=False)
        return 0
    try:
        write_whole(Path(out), text.encode())
    except OSError as error:
        raise SettingsError(
            f"{out} cannot be written: {error.strerror}", hint="choose another --out"
        ) from error
    return 0
