"""A rule and a file name the same recipient alike, so that one can be compared with the other."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.artifacts import formats
from reconciler.artifacts.comparing import Change, difference
from reconciler.artifacts.interface import Recipients
from reconciler.artifacts.names import is_age, is_version_of, normal
from reconciler.artifacts.rules import parse
from reconciler.artifacts.text.metadata import as_map, from_map
from reconciler.artifacts.tree import DEFAULT_SELECTION, Metadata, Node, Stanza, Tree
from reconciler.errors import ArtifactTampered, SealFailed

from .kit import key_pair

A, B = key_pair()[0], key_pair(1)[0]
PQ = "age1pq1qqqqlmxu2v"
SSH = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJQ"
NAMES = [A, B, SSH, "pgp AB", "kms arn:x", "hc_vault http://v/t/k", "azure_kv https://v/k/1"]
EVERY_TYPE: Tree = {
    "pgp": [{"fp": "AB"}],
    "kms": [{"arn": "arn:x", "role": "r"}],
    "gcp_kms": [{"resource_id": "p/k"}],
    "hckms": [{"key_id": "r:1"}],
    "azure_kv": [{"vault_url": "https://v", "name": "k", "version": "1"}],
    "hc_vault": [{"vault_address": "http://v", "engine_path": "t", "key_name": "k"}],
}
ITS_NAMES = (
    "pgp AB",
    "kms arn:x",
    "gcp_kms p/k",
    "hckms r:1",
    "azure_kv https://v/k/1",
    "hc_vault http://v/t/k",
)
PLAIN: Tree = {"lastmodified": "t", "mac": "m"}


def sealed(*groups: tuple[str, ...], threshold: int = 0) -> Metadata:
    """The metadata of a file that is sealed to these."""
    if len(groups) > 1:
        return Metadata((), "t", "m", DEFAULT_SELECTION, split=groups, threshold=threshold or len(groups))
    ages = tuple(Stanza(name, "e") for name in groups[0] if is_age(name))
    others = tuple(name for name in groups[0] if not is_age(name))
    return Metadata(ages, "t", "m", DEFAULT_SELECTION, others=others)


def wanted(*groups: tuple[str, ...], threshold: int = 0) -> Recipients:
    """What a rule asks for."""
    return Recipients(0, groups, 0 if len(groups) == 1 else threshold or len(groups))


def test_every_type_is_named_in_a_file() -> None:
    """Each type by the fields that make it the one it is, age first; a role is not part of it."""
    found = from_map({**EVERY_TYPE, "age": [{"recipient": A, "enc": "e"}], **PLAIN})
    assert found.groups == ((A, *ITS_NAMES),)
    assert found.recipients == (A, *ITS_NAMES)
    assert (found.grouped, found.threshold) == (False, 0)


def test_every_type_is_named_in_a_rule() -> None:
    """The same names, from a rule's own fields and from a key group."""
    direct = {
        "hc_vault_transit_uri": "http://v/v1/t/keys/k",
        "azure_keyvault": "https://v/keys/k/1",
        "hckms": ["r:1"],
        "gcp_kms": "p / k",
        "kms": "arn:x+arn:aws:iam::1:role/r",
        "pgp": "A B",
        "age": A,
    }
    group = {
        "hc_vault": ["http://v/v1/t/keys/k"],
        "azure_keyvault": [{"vaultUrl": "https://v", "key": "k", "version": "1"}],
        "hckms": [{"key_id": "r:1"}],
        "gcp_kms": [{"resource_id": "p/k"}],
        "kms": [{"arn": "arn:x", "role": "arn:aws:iam::1:role/r", "context": {"a": "b"}, "aws_profile": "p"}],
        "merge": [{"pgp": ["AB"]}, {"pgp": ["A B"]}],
        "age": [A],
    }
    for rule in (direct, {"key_groups": [group]}):
        found = parse(json.dumps({"creation_rules": [rule]}).encode()).match("x").recipients
        assert found.groups == ((A, *ITS_NAMES),)
        assert found.age == (A,)
        assert not found.native


def test_names_of_several_groups_come_once() -> None:
    """`names` and `age` leave repeats out; `groups` shows who stands where."""
    found = wanted((A, "pgp AB"), (B, A))
    assert found.names == (A, "pgp AB", B)
    assert found.age == (A, B)


@pytest.mark.parametrize(
    ("given", "threshold"), [(None, 2), (0, 2), (1, 1), (2.0, 2), ("2", 2), ("0", 2), ("002", 2)]
)
def test_a_split_file(given: object, threshold: int) -> None:
    """Groups are kept apart; a threshold that is missing, or 0, asks for every group; dotenv has text."""
    groups = [{"age": [{"recipient": A, "enc": "e"}], "hc_vault": None}, {"pgp": [{"fp": "AB"}]}]
    limit = {} if given is None else {"shamir_threshold": given}
    entries = json.loads(json.dumps({"key_groups": groups, **limit, **PLAIN}))
    found = from_map(entries)
    assert found.groups == ((A,), ("pgp AB",))
    assert (found.age, found.grouped, found.threshold) == ((), True, threshold)


@pytest.mark.parametrize("given", ["x", "-1", -1, 2.5, True, [], "9" * 5000, float("inf"), float("nan")])
def test_a_damaged_threshold(given: Node) -> None:
    """What is no small whole number raises ArtifactTampered."""
    entries: Tree = {"key_groups": [{"pgp": [{"fp": "AB"}]}], "shamir_threshold": given, **PLAIN}
    with pytest.raises(ArtifactTampered, match="shamir_threshold"):
        from_map(entries)


@pytest.mark.parametrize("form", list(formats.all_formats()))
@pytest.mark.parametrize("lost", [sealed((A, "pgp AB")), sealed((A,), ("kms arn:x",))], ids=["pgp", "split"])
def test_no_recipient_is_dropped_from_a_file(form: str, lost: Metadata) -> None:
    """Metadata with recipients that we cannot write raises SealFailed in every format, and names them."""
    with pytest.raises(SealFailed, match=r"pgp AB|age1.*, kms arn:x") as caught:
        formats.all_formats()[form].emit({"a": "b"}, lost)
    assert caught.value.hint


def test_our_own_files_come_back_the_same() -> None:
    """Age recipients in one group survive being written and read."""
    one = replace(sealed((A, SSH)), version="3", mac_only_encrypted=True)
    assert from_map(as_map(one)) == one
    assert one.groups == ((A, SSH),)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (f"{SSH} me@home", f"{SSH}  you", True),
        (SSH, SSH[:-1], False),
        ("pgp AB CD", "pgp abcd", True),
        ("pgp 0xABCD", "pgp abcd", True),
        ("pgp ABCD", "pgp ABCE", False),
        ("pgp AB", "kms AB", False),
        ("azure_kv https://V.test//k/1", "azure_kv https://v.test/k/1", True),
        ("azure_kv https://v.test/k/", "azure_kv https://v.test/k/1", True),
        ("azure_kv https://v.test/k/1", "azure_kv https://v.test/k/", True),
        ("azure_kv https://v.test/k/1", "azure_kv https://v.test/k/2", False),
        ("azure_kv https://v.test/k/", "azure_kv https://v.test/kk/1", False),
        ("kms arn:x/", "kms arn:x/1", False),
        ("age1a", "age1b", False),
        ("age1a", "age1a", True),
        ("age1a", "AGE1A", True),
        ("age1a", "AGE1a", False),
        ("age1a", "AGE1B", False),
        ("kms AGE1", "kms age1", False),
    ],
)
def test_one_recipient_written_in_two_ways(one: str, other: str, *, same: bool) -> None:
    """Comments, case, spaces and a version that SOPS looked up make no other recipient."""
    alike = normal(one) == normal(other) or is_version_of(one, other) or is_version_of(other, one)
    assert alike is same
    assert normal(normal(one)) == normal(one)


DIFFERENCES = {
    "same": (sealed((A, B)), wanted((A, B)), Change()),
    "other order": (sealed((A, B)), wanted((B, A)), Change()),
    "relabelled": (sealed((A, A)), wanted((A,)), Change(regrouped=True)),
    "relabelled in another way": (sealed((f"{SSH} a", f"{SSH} b")), wanted((SSH,)), Change(regrouped=True)),
    "relabelled, and another missing": (
        sealed((A, A)),
        wanted((A, B)),
        Change(added=(B,), regrouped=True),
    ),
    "relabelled in a group": (
        sealed((A, "pgp AB", "pgp AB"), (B,)),
        wanted((A, "pgp AB"), (B,)),
        Change(regrouped=True),
    ),
    "relabelled in another group": (sealed((A,), (B, A)), wanted((A,), (B,)), Change(regrouped=True)),
    "relabelled for one who leaves": (sealed((B, B)), wanted((A,)), Change((A,), (B,))),
    "twice in the rule": (sealed(("kms a", "kms a")), wanted(("kms a", "kms a")), Change()),
    "twice in the rule alone": (sealed((A,)), wanted((A, A)), Change()),
    "three times": (sealed(("kms a",) * 3), wanted(("kms a",) * 2), Change(regrouped=True)),
    "upper case": (sealed((A.upper(),)), wanted((A,)), Change()),
    "relabelled in upper case": (sealed((A, A.upper())), wanted((A,)), Change(regrouped=True)),
    "added": (sealed((A,)), wanted((A, B)), Change(added=(B,))),
    "removed": (sealed((A, B)), wanted((A,)), Change(removed=(B,))),
    "exchanged": (sealed((A,)), wanted((B,)), Change((B,), (A,))),
    "another comment": (sealed((f"{SSH} a",)), wanted((f"{SSH} b", SSH)), Change()),
    "another case": (sealed(("pgp AB",)), wanted(("pgp ab",)), Change()),
    "its own words": (sealed((f"{SSH} a",)), wanted((f"{SSH}E b",)), Change((f"{SSH}E b",), (f"{SSH} a",))),
    "split": (sealed((A, B)), wanted((A,), (B,)), Change(regrouped=True)),
    "joined": (sealed((A,), (B,)), wanted((A, B)), Change(regrouped=True)),
    "groups in another order": (sealed((A,), (B,)), wanted((B,), (A,)), Change()),
    "moved": (sealed((A, SSH), (B,)), wanted((A,), (B, SSH)), Change(regrouped=True)),
    "in both groups": (sealed((A,), (B,)), wanted((A,), (A, B)), Change(regrouped=True)),
    "threshold": (
        sealed((A,), (B,), (SSH,), threshold=2),
        wanted((A,), (B,), (SSH,), threshold=3),
        Change(regrouped=True),
    ),
    "added to a group": (sealed((A,), (B,)), wanted((A,), (B, SSH)), Change(added=(SSH,))),
    "a group more": (
        sealed((A,), (B,), threshold=2),
        wanted((A,), (B,), (SSH,), threshold=2),
        Change(added=(SSH,), regrouped=True),
    ),
    "version looked up": (sealed(("azure_kv https://v/k/7",)), wanted(("azure_kv https://v/k/",)), Change()),
    "version of another key": (
        sealed(("azure_kv https://v/k2/7",)),
        wanted(("azure_kv https://v/k/",)),
        Change(("azure_kv https://v/k/",), ("azure_kv https://v/k2/7",)),
    ),
    "version raised": (
        sealed(("azure_kv https://v/k/7",)),
        wanted(("azure_kv https://v/k/8",)),
        Change(("azure_kv https://v/k/8",), ("azure_kv https://v/k/7",)),
    ),
    "newest and an old one": (
        sealed(("azure_kv https://v/k/7", "azure_kv https://v/k/8")),
        wanted(("azure_kv https://v/k/", "azure_kv https://v/k/7")),
        Change(),
    ),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_what_differs_between_a_file_and_its_rule(name: str) -> None:
    """Whom the file lacks, whom it has too many, and whether the groups differ otherwise."""
    have, want, change = DIFFERENCES[name]
    assert difference(have, want) == change
    assert bool(change) is (change != Change())


groupings = st.lists(
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True).map(tuple), min_size=1, max_size=3
)


@given(have=groupings, want=groupings)
def test_a_difference_is_whole(have: list[tuple[str, ...]], want: list[tuple[str, ...]]) -> None:
    """Added and removed turn what the file names into what the rule names; nothing differs from itself."""
    change = difference(sealed(*have), wanted(*want))
    named = {name for group in have for name in group}
    assert (named - set(change.removed)) | set(change.added) == {name for group in want for name in group}
    assert not set(change.added) & named
    assert set(change.removed) <= named
    assert not difference(sealed(*have), wanted(*have))


def test_post_quantum_recipients_are_age() -> None:
    """They stand in a file's age list, and the program seals to them."""
    found = parse(f"creation_rules: [{{age: {PQ}}}]".encode()).match("x").recipients
    assert (found.age, found.native) == ((PQ,), False)
