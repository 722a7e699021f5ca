"""An opened artifact as a plain file: what its owner works with. It never touches the tree."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString

from reconciler.artifacts.formats.interface import Format
from reconciler.artifacts.interface import Opened
from reconciler.secret import Secret


def plaintext(opened: Opened, form: Format) -> Secret:
    """The fields in the form in which they were delivered; a private key alone is its PEM."""
    fields = opened_fields(opened)
    if form.name == "pem":
        return Secret(fields["private_key"])
    writers = {"yaml": _yaml, "json": _json, "dotenv": _dotenv}
    return Secret(writers[form.store](fields))


def opened_fields(opened: Opened) -> dict[str, str]:
    """Every field in the clear. The caller answers for where they go."""
    return {
        name: value.open() if isinstance(value, Secret) else value for name, value in opened.fields.items()
    }


def _yaml(fields: Mapping[str, str]) -> str:
    out = io.StringIO()
    yaml = YAML(typ="rt")
    yaml.width = 4096
    yaml.dump({key: LiteralScalarString(text) if "\n" in text else text for key, text in fields.items()}, out)
    return out.getvalue()


def _json(fields: Mapping[str, str]) -> str:
    return json.dumps(dict(fields), indent=2, ensure_ascii=False) + "\n"


def _dotenv(fields: Mapping[str, str]) -> str:
    return "".join(f"{key.upper()}={json.dumps(text, ensure_ascii=False)}\n" for key, text in fields.items())
