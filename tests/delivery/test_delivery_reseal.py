"""Encrypting anew for every type of recipient: who comes can open, who leaves cannot."""

from __future__ import annotations

import re

import pytest

from tests.delivery.kit import BRIDGE, ERP, Depot, Keys, secrets_of, sops_decrypt

VALUES = re.compile(rb"ENC\[AES256_GCM,[^\]]*\]")


def joined(one: Keys, other: Keys) -> str:
    """A rule that names both, in one group."""
    return f"{one.rule.rstrip()[:-1]}, {other.rule.lstrip()[1:]}"


@pytest.fixture(params=["gpg", "transit"])
def other(request: pytest.FixtureRequest) -> Keys:
    """A recipient that takes the sops program."""
    found: Keys = request.getfixturevalue(request.param)
    return found


def test_who_comes_can_open_and_no_value_changes(depot: Depot, age: Keys, other: Keys) -> None:
    """A PGP or OpenBao key is admitted by whoever has the age identity; both then open, both ways."""
    depot.seal(age, BRIDGE, ERP)
    first = depot.both("bridge", age)
    before = depot.artifact("bridge").read_bytes()
    depot.rule(joined(age, other))
    with depot.acting(other.writer, age.reader):
        depot.shop.ok("reseal", "--yes")
    assert VALUES.findall(depot.artifact("bridge").read_bytes()) == VALUES.findall(before)
    assert depot.both("bridge", other) == depot.both("bridge", age) == first
    with depot.acting(other.writer):
        ran = depot.shop.ok("apply", "--yes")
    assert "2 to reseal" in ran.out
    assert depot.live() == {"bridge": 1, "erp": 1}
    assert depot.shop.ok("reseal", "--check").out == ""


def test_who_leaves_cannot_open_and_the_token_rotates(depot: Depot, age: Keys, other: Keys) -> None:
    """The file gets a new data key at once, and the next apply makes a new secret."""
    depot.seal(Keys(joined(age, other), age.reader, other.writer), BRIDGE)
    first = secrets_of(depot.both("bridge", other))
    before = depot.artifact("bridge").read_bytes()
    depot.rule(age.rule)
    with depot.acting(age.reader):
        assert "a new data key" in depot.shop.ok("reseal", "--yes").out
    after = depot.artifact("bridge").read_bytes()
    assert not set(VALUES.findall(before)) & set(VALUES.findall(after))
    with depot.acting(other.reader):
        assert sops_decrypt(depot.artifact("bridge")).returncode != 0
        depot.refused("download", "bridge", "--stdout")
    assert secrets_of(depot.both("bridge", age)) == first
    depot.shop.ok("apply", "--yes")
    assert depot.live() == {"bridge": 2}
    assert not set(secrets_of(depot.both("bridge", age))) & set(first)


def test_from_one_group_to_two_of_three(depot: Depot, age: Keys, shamir: Keys) -> None:
    """Who could open alone cannot any more: there is a new data key, in shares."""
    depot.seal(age, BRIDGE)
    first = depot.both("bridge", age)
    depot.rule(shamir.rule)
    with depot.acting(shamir.writer, age.reader):
        depot.shop.ok("reseal", "--yes")
    with depot.acting(age.reader):
        assert sops_decrypt(depot.artifact("bridge")).returncode != 0
    assert depot.both("bridge", shamir) == first
    assert depot.shop.ok("reseal", "--check").out == ""


def test_no_secret_strays_while_encrypting_anew(depot: Depot, age: Keys, other: Keys) -> None:
    """Neither arguments, variables nor files that the program gets hold one; TMPDIR is empty afterwards."""
    depot.seal(age, BRIDGE)
    secrets = secrets_of(depot.both("bridge", age))
    depot.watch()
    depot.rule(joined(age, other))
    with depot.acting(other.writer, age.reader):
        depot.shop.ok("reseal", "--yes")
    depot.rule(other.rule)
    with depot.acting(other.writer, age.reader):
        depot.shop.ok("reseal", "--yes")
    seen = depot.log.read_text()
    assert "argument updatekeys" in seen
    assert "argument encrypt" in seen
    assert not [secret for secret in secrets if secret in seen]
    assert list(depot.temporary.iterdir()) == []


def test_a_key_that_cannot_be_used_leaves_the_file_as_it_was(depot: Depot, age: Keys) -> None:
    """Exit 1, who it was and why, and not a byte changed."""
    depot.seal(age, BRIDGE)
    depot.rule(f"{age.rule[:-1]}, pgp: 85D77543B3D624B63CEA9E6DBC17301B491B3F21}}")
    before = depot.shop.tree()
    with depot.acting(age.reader, {"GNUPGHOME": str(depot.temporary)}):
        ran = depot.shop.run("reseal", "--yes")
    assert ran.code == 1
    assert "error: bridge: " in ran.err
    assert "85D77543B3D624B63CEA9E6DBC17301B491B3F21" in ran.err
    assert depot.shop.tree() == before
