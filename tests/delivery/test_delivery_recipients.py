"""From a spec to its owner, for every type of recipient that can be had on one machine."""

from __future__ import annotations

import os
from functools import partial
from itertools import combinations

import pytest

from reconciler import workspace
from reconciler.artifacts.formats import all_formats
from reconciler.artifacts.process import Program
from tests.artifacts.kit import SOPS
from tests.artifacts.test_program import fake
from tests.cli.kit import RSA
from tests.delivery.kit import BRIDGE, ERP, Depot, Keys, secrets_of, sops_decrypt


def test_both_readers_give_the_same_fields(depot: Depot, keys: Keys) -> None:
    """What an owner downloads is what the sops program decrypts with nothing of ours installed."""
    depot.seal(keys, BRIDGE, ERP)
    for name in ("bridge", "erp"):
        assert secrets_of(depot.both(name, keys))


def test_whoever_applies_cannot_open(depot: Depot, keys: Keys) -> None:
    """The keys that seal do not open, so the pipeline never holds a secret that it did not make."""
    depot.seal(keys, BRIDGE)
    with depot.acting(keys.writer):
        ran = depot.refused("download", "bridge", "--stdout")
        assert ran.out == ""
        assert "[no-key, exit 1]" in ran.err
        assert sops_decrypt(depot.artifact("bridge")).returncode != 0


def test_applying_again_changes_no_byte(depot: Depot, keys: Keys) -> None:
    """A second apply has nothing to do, and needs no key for that."""
    depot.seal(keys, BRIDGE, ERP)
    before = depot.shop.tree()
    depot.patch.setenv("RECONCILER_SOPS", "/nonexistent/sops")
    assert "Nothing to do" in depot.shop.ok("apply", "--yes").out
    assert depot.shop.tree() == before


def test_a_rotation_delivers_another_secret(depot: Depot, keys: Keys) -> None:
    """A rotated token is generation 2, with a new secret for the same owner; the other stays as it was."""
    depot.seal(keys, BRIDGE, ERP)
    first, other = depot.both("bridge", keys), depot.artifact("erp").read_bytes()
    depot.seal(keys, BRIDGE.replace("svc-mes]", "svc-mes], algorithm: ES256"), ERP)
    assert depot.live() == {"bridge": 2, "erp": 1}
    second = depot.both("bridge", keys)
    assert second["token_id"] == first["token_id"]
    assert not set(secrets_of(first)) & set(secrets_of(second))
    assert depot.artifact("erp").read_bytes() == other


def test_secrets_stay_in_memory_and_sealed(depot: Depot, keys: Keys) -> None:
    """No argument, variable, temporary file, record, store or log holds a secret, nor leaves one behind."""
    depot.watch()
    applied = depot.seal(keys, BRIDGE, ERP)
    left = list(depot.texts())
    with depot.acting(keys.reader):
        found = [secret for name in ("bridge", "erp") for secret in secrets_of(depot.downloaded(name))]
    seen = depot.log.read_text() if depot.log.exists() else ""
    assert ("argument encrypt" in seen) is not keys.native
    assert all((sign in seen) is not keys.native for sign in ("variable HOME=", "creation_rules"))
    assert list(depot.temporary.iterdir()) == []
    for secret in found:
        assert secret not in seen + applied.out + applied.err
        assert [path for path, data in left if secret.encode() in data] == []


@pytest.mark.parametrize("form", list(all_formats()))
def test_every_format_can_be_split(depot: Depot, form: str, shamir: Keys) -> None:
    """A data key in shares is sealed in every file format, and opened by us and by the program."""
    depot.seal(shamir, f"{RSA}deliver: {{format: {form}}}\n")
    with depot.acting(shamir.reader):
        found = depot.shop.ok("download", "historian", "--stdout").out
        done = sops_decrypt(depot.artifact("historian"))
    assert done.returncode == 0, done.stderr
    assert "PRIVATE KEY" in found
    key = next(line for line in found.replace("\\n", "\n").splitlines() if "MII" in line)
    assert key.split("MII")[1][:40] in done.stdout


@pytest.mark.parametrize("pair", list(combinations(("age", "gpg", "transit"), 2)))
def test_any_two_of_three_open(
    depot: Depot, pair: tuple[str, str], shamir: Keys, request: pytest.FixtureRequest
) -> None:
    """Of three key groups with threshold 2, each pair opens the artifact both ways."""
    first, second = (request.getfixturevalue(name) for name in pair)
    depot.seal(shamir, BRIDGE)
    reader = {**first.reader, **second.reader}
    assert secrets_of(depot.both("bridge", Keys(shamir.rule, reader)))


@pytest.mark.parametrize("one", ["age", "gpg", "transit"])
def test_one_of_three_does_not_open(
    depot: Depot, one: str, shamir: Keys, request: pytest.FixtureRequest
) -> None:
    """A single key is refused, and the error names the two that are missing and why each is."""
    named = {"age": "age1", "gpg": "No secret key", "transit": "permission denied"}
    depot.seal(shamir, BRIDGE)
    with depot.acting({"GNUPGHOME": str(depot.temporary)}, request.getfixturevalue(one).reader):
        ran = depot.refused("download", "bridge", "--stdout")
        assert sops_decrypt(depot.artifact("bridge")).returncode == 128
    assert "keys of 2 of its 3 key groups, and there are keys here of 1" in ran.err
    refused = ran.err.partition("no key for")[2].partition("hint:")[0]
    assert {name for name, sign in named.items() if sign in refused} == set(named) - {one}
    assert ran.out == ""


@pytest.mark.parametrize("one", ["age", "gpg"])
def test_either_of_a_mixed_group_opens(
    depot: Depot, one: str, mixed: Keys, request: pytest.FixtureRequest
) -> None:
    """Of an age key and a PGP key in one group, each opens by itself; age without any program."""
    depot.seal(mixed, BRIDGE)
    keys: Keys = request.getfixturevalue(one)
    assert secrets_of(depot.both("bridge", keys))
    if keys.native:
        depot.patch.setenv("RECONCILER_SOPS", "/nonexistent/sops")
        with depot.acting(keys.reader):
            depot.downloaded("bridge")


def test_programs_run_side_by_side(depot: Depot, gpg: Keys) -> None:
    """Two workers seal at once: each run of the program waits until there is another."""
    place = depot.log.parent
    os.mkfifo(place / "meet")
    meet = f"if mkdir {place}/first; then echo > {place}/meet; else cat < {place}/meet > {place}/second; fi"
    depot.patch.setenv("RECONCILER_SOPS", fake(place, f'{meet}\nexec {SOPS} "$@"'))
    depot.patch.setattr(os, "cpu_count", lambda: 2)
    depot.patch.setattr(workspace, "Program", partial(Program, timeout=20))
    depot.seal(gpg, BRIDGE, ERP)
    assert depot.live() == {"bridge": 1, "erp": 1}
