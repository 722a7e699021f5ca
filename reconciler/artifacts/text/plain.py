"""Opened fields as plain text in three notations. Nothing of SOPS stands in them."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString


def yaml_text(fields: Mapping[str, str]) -> str:
    """A YAML map; what has several lines stands as a block."""
    out = io.StringIO()
    yaml = YAML(typ="rt")
    yaml.width = 4096
    yaml.dump({key: LiteralScalarString(text) if "\n" in text else text for key, text in fields.items()}, out)
    return out.getvalue()


def json_text(fields: Mapping[str, str]) -> str:
    """A JSON object."""
    return json.dumps(dict(fields), indent=2, ensure_ascii=False) + "\n"


def dotenv_text(fields: Mapping[str, str]) -> str:
    """`KEY="value"` lines, with `\\n` for a line break."""
    return "".join(f"{key.upper()}={json.dumps(text, ensure_ascii=False)}\n" for key, text in fields.items())
