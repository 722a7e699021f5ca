"""YAML scalars as the sops program reads and writes them."""

from __future__ import annotations

import json
import re

from reconciler.artifacts.tree import Leaf, Node
from reconciler.errors import ArtifactTampered

_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NUMBERLIKE = re.compile(
    r"[-+]?(0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO]?[0-7_]+|[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"
    r"|\.[0-9_]+([eE][-+]?[0-9]+)?|[0-9][0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?|\.(inf|Inf|INF|nan|NaN|NAN))"
)
_DIGITS = 400
"""As long as a number may be: longer ones only cost time."""
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?")
_WORDS: dict[str, Leaf] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NOT_TEXT = frozenset(("", *"+-.0123456789~nNtTfF"))
"""The first characters of plain scalars that can be something else than text."""
_NUMERIC = frozenset("+-.0123456789")
_QUOTED = frozenset(_WORDS) | {
    word
    for lower in ("y", "n", "yes", "no", "on", "off")
    for word in (lower, lower.capitalize(), lower.upper())
}
_SAFE = re.compile(r"[A-Za-z0-9_./^(][A-Za-z0-9_./^$()|+=@ -]*(?<! )")
_SEALED = "ENC[AES256_GCM,"
_IN_SEALED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=,:"
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")


def resolve(text: str) -> Leaf:
    """What a plain scalar means. Raises ArtifactTampered for a number that SOPS would not write so."""
    if text[:1] not in _NOT_TEXT:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if len(text) <= _DIGITS and _INT.fullmatch(text):
        return int(text)
    if len(text) <= _DIGITS and _FLOAT.fullmatch(text):
        return float(text)
    if _NUMBERLIKE.fullmatch(text):
        raise ArtifactTampered(
            f"{text!r} is a number in a form that SOPS does not write", hint="restore the file from git"
        )
    return text


def scalar(value: Node) -> str:
    """A leaf on one line, quoted only where it must be."""
    if isinstance(value, str):
        return value if _is_sealed(value) else _string(value)
    return json.dumps(value)


def _is_sealed(text: str) -> bool:
    """Whether nothing else stands in it than in an encrypted value: a label can be any text."""
    if not (text.startswith(_SEALED) and text.endswith("]") and text.isascii()):
        return False
    # A pattern would take five times as long, and a private key has thousands of letters.
    return not text[len(_SEALED) : -1].encode().translate(None, _IN_SEALED)


def _string(text: str) -> str:
    if text in _QUOTED or (text[0] in _NUMERIC and _looks_numeric(text)):
        return f'"{text}"'
    if _SAFE.fullmatch(text) and not text.startswith("..."):
        return text
    if text.isprintable() and text.strip() == text and "\\" not in text:
        return "'" + text.replace("'", "''") + "'"
    quoted = json.dumps(text, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)


def _looks_numeric(text: str) -> bool:
    return bool(_NUMBERLIKE.fullmatch(text) or _DATE.fullmatch(text))
