"""Every reason is proven, and every one can be told to people and machines."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from reconciler.kinds.checking import Reason

OF_THE_SERVICE = {
    "TOKEN_MISSING",
    "SEVERAL_TOKENS",
    "SCHEME",
    "REPLAYED",
    "API_UNKNOWN",
    "PATH",
    "GATEWAY",
    "STALE",
}
"""Of the request that carries a token, and of a verifier that runs: the check itself never says them."""
HERE = Path(__file__).resolve().parent


def asserted() -> set[str]:
    """Members of `Reason` that a test in this folder names."""
    trees = [
        ast.parse(path.read_text())
        for path in sorted(HERE.rglob("test_*.py"))
        if path.name != "test_reasons.py"
    ]
    return {
        node.attr
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Reason"
    }


def test_every_reason_of_the_check_is_asserted_by_some_test() -> None:
    assert set(Reason.__members__) - asserted() - OF_THE_SERVICE == set()


def test_the_reasons_of_the_service_are_asserted_where_the_service_is_tested() -> None:
    tests = "".join(
        path.read_text("utf-8") for path in [*HERE.rglob("test_*.py"), *HERE.parent.glob("gateways/*.py")]
    )
    said = {name for name in OF_THE_SERVICE if f"Reason.{name}" in tests or f'"{Reason[name]}"' in tests}
    assert said == OF_THE_SERVICE


def test_every_reason_has_a_code_a_status_and_what_to_do() -> None:
    for reason in Reason:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", reason.value)
        assert reason.status in {200, 401, 403, 503}
        assert (reason.status == 200) == (reason is Reason.ACCEPTED)
        for sentence in (reason.says, reason.remedy):
            assert sentence
            assert sentence[-1] not in ".!?"
    assert len({reason.value for reason in Reason}) == len(Reason)
