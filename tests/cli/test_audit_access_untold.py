"""What `reconcile audit access` cannot tell by what it was asked of, and says so."""

from __future__ import annotations

import csv
import io

import pytest

from tests.audit.bodies import Runs, given
from tests.audit.lines import DAY, START, Made, catalog, jwt, rsa, start
from tests.cli.kit import Shop
from tests.cli.test_audit_access import when


@pytest.fixture
def made(shop: Shop) -> Made:
    """A repository without a commit."""
    return start(shop.root)


def test_a_group_is_told_by_what_it_holds(shop: Shop, made: Made) -> None:
    """Specs that name it are told by its members: that nobody has it is no answer."""
    made.commit({"specs/b.yaml": rsa("b", "@g"), "specs/c.yaml": catalog(g=["x", "y"])})
    ran = shop.ok("audit", "access", "--api", "@g", "--declared", "--format", "json")
    assert (ran.json["tokens"], ran.json["unknown"][0]["group"]) == ([], True)
    assert ran.err == "note: @g is a group, told by what it holds: ask for a name that it held\n"


@pytest.mark.parametrize(("kind", "noted"), [("JWTToken", True), ("RSAToken", False)])
def test_specs_do_not_tell_when_credentials_end_and_that_is_said(
    shop: Shop,
    made: Made,
    kind: str,
    noted: bool,  # noqa: FBT001
) -> None:
    """Where records tell it, nothing is to be said."""
    made.commit({"specs/j.yaml": jwt("j") if kind == "JWTToken" else rsa("j")})
    asked = ("audit", "access", "--name", "j", "--at", when(1))
    said = "the credentials of 1 of these end by themselves if no run renews them: when, only records tell"
    assert (said in shop.ok(*asked, "--declared").err) is noted
    runs = Runs()
    text = jwt("j") if kind == "JWTToken" else rsa("j")
    runs.run(given("issue", "t1", text), commit=made.ids[-1], at=START + 2 * DAY)
    made.commit(runs.as_files())
    ran = shop.ok("audit", "access", "--name", "j", "--at", when(3))
    assert (f"{when(92)}, with its credential" in ran.out) is noted
    assert ran.err == ""
    table = shop.ok("audit", "access", "--name", "j", "--at", when(3), "--format", "csv").out
    (row,) = csv.DictReader(io.StringIO(table))
    assert row["credential_ends"] == (when(92) if noted else "")
