"""Opened fields as plain text in three notations. Nothing of SOPS stands in them."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString

_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
"""What a YAML block cannot carry as it is, or what its readers change; a line feed is none of it."""


def yaml_text(fields: Mapping[str, str]) -> str:
    """A YAML map; what has several lines stands as a block."""
    out = io.StringIO()
    yaml = YAML(typ="rt")
    yaml.width = 4096
    yaml.dump({key: LiteralScalarString(text) if _block(text) else text for key, text in fields.items()}, out)
    return out.getvalue()


def _block(text: str) -> bool:
    return "\n" in text and not _CONTROL.search(text)


def json_text(fields: Mapping[str, str]) -> str:
    """A JSON object."""
    return json.dumps(dict(fields), indent=2, ensure_ascii=False) + "\n"


def dotenv_text(fields: Mapping[str, str]) -> str:
    """`KEY="value"` lines, with `\\n` for a line break."""
    return "".join(f"{key.upper()}={json.dumps(text, ensure_ascii=False)}\n" for key, text in fields.items())
