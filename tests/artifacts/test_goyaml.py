"""`.sops.yaml` is YAML as Go reads it: also where the fast parser refuses it."""

from __future__ import annotations

import pytest

from reconciler.artifacts.rules.goyaml import SLOW_LENGTH, parse
from reconciler.artifacts.text.events import FaultyYamlError

ADDRESS = "https://bao.example.org:8200/v1/transit/keys/erp"


def test_an_address_in_braces() -> None:
    """sops takes it, so it is read: the same as in block style."""
    braces = parse(f"creation_rules:\n  - {{hc_vault_transit_uri: {ADDRESS}, age: x}}\n".encode())
    block = parse(f"creation_rules:\n  - hc_vault_transit_uri: {ADDRESS}\n    age: x\n".encode())
    assert braces == block


def test_what_neither_parser_takes_is_told_with_its_line() -> None:
    """And a long text is not given to the slow one."""
    with pytest.raises(FaultyYamlError, match="not YAML at line 2"):
        parse(b"a:\n  - {b: [}\n")
    with pytest.raises(FaultyYamlError, match="not YAML at line 1"):
        parse(f"{{a: {ADDRESS}}}{' ' * SLOW_LENGTH}".encode())
    with pytest.raises(FaultyYamlError, match="UTF-8"):
        parse(b"\xff")
