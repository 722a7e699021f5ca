"""An opened artifact in the clear: what its owner works with. It never touches the tree."""

from __future__ import annotations

from reconciler.artifacts.formats.interface import Format
from reconciler.artifacts.interface import Opened
from reconciler.secret import Secret


def plaintext(opened: Opened, form: Format) -> Secret:
    """The fields in the notation in which they were delivered; of a PEM, the private key alone."""
    return Secret(form.plain(opened_fields(opened)))


def opened_fields(opened: Opened) -> dict[str, str]:
    """Every field in the clear. The caller answers for where they go."""
    return {
        name: value.open() if isinstance(value, Secret) else value for name, value in opened.fields.items()
    }
