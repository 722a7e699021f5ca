"""`.sops.yaml` is read as the sops program reads it; what cannot be used says which rule, and what to do."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from reconciler.artifacts.goregex import UnusableError, compiled
from reconciler.artifacts.rules import load, parse
from reconciler.errors import NoRecipients

from .kit import Bench, key_pair

A, B = key_pair()[0], key_pair(1)[0]
PGP = "D900CC6FBB336AD718288D0E8F2332D721CDA774"
SAME = {
    "one": f"- age: {A}",
    "list": f"- age: [{A}, {B}]",
    "commas": f"- age: '{A} , {B},'",
    "list of commas": f"- age: ['{A},{B}']",
    "first match wins": f"- {{path_regex: '^artifacts/', age: {A}}}\n- age: {B}",
    "no match goes on": f"- {{path_regex: '^other/', age: {A}}}\n- age: {B}",
    "empty regex matches": f"- {{path_regex: '', age: {A}}}\n- age: {B}",
    "unanchored": f"- {{path_regex: 'token/pl', age: {A}}}\n- age: {B}",
    "dollar": f"- {{path_regex: 'yaml$', age: {A}}}\n- age: {B}",
    "dollar is the end": f"- {{path_regex: 'plant$', age: {A}}}\n- age: {B}",
    "posix class": f"- {{path_regex: '^[[:alpha:]]+/', age: {A}}}\n- age: {B}",
    "flags": f"- {{path_regex: '(?i)^ARTIFACTS/', age: {A}}}\n- age: {B}",
    "named group": f"- {{path_regex: '^(?P<top>art)(?:ifacts)', age: {A}}}\n- age: {B}",
    "end of text": f"- {{path_regex: 'yaml\\z', age: {A}}}\n- age: {B}",
    "one group": f"- key_groups: [{{age: [{A}, {B}]}}]",
    "group wins over age": f"- {{age: {A}, key_groups: [{{age: [{B}]}}]}}",
    "merged group": f"- key_groups: [{{merge: [{{age: [{B}]}}], age: [{A}]}}]",
    "unknown key": f"- {{age: {A}, comment: x}}",
    "faulty later rule": f"- age: {A}\n- {{path_regex: '(', age: nonsense}}",
    "own selection": f"- {{age: {A}, encrypted_regex: ^nothing$}}",
    "anchors": f"- age: [&a {A}, {B}]\n- age: *a",
    "mac only": f"- {{age: {A}, mac_only_encrypted: true}}",
}


@pytest.mark.parametrize("name", SAME)
def test_sops_picks_the_same_recipients(bench: Bench, name: str) -> None:
    """For the same rules and path, the real program seals to the recipients that we read, in order."""
    config = bench.rules(f"creation_rules:\n{SAME[name]}\n")
    path = "artifacts/rsatoken/plant.yaml"
    done = bench.sops(
        "encrypt",
        "--input-type",
        "json",
        "--output-type",
        "json",
        "--filename-override",
        path,
        stdin=b'{"a": "b"}',
    )
    assert done.returncode == 0, done.stderr
    sealed = json.loads(done.stdout)["sops"]
    found = config.match(path).recipients
    assert found.age == tuple(one["recipient"] for one in sealed["age"])
    assert found.mac_only_encrypted is sealed.get("mac_only_encrypted", False)
    assert found.native


REFUSED = {
    "no recipients": ("- path_regex: .", "creation rule 0 of .*: it names no recipient"),
    "empty age": ("- age: ''", "it names no recipient"),
    "bad recipient": ("- age: age1nonsense", "'age1nonsense' is not a recipient"),
    "bad bech32": (f"- age: {A[:-1]}" + ("q" if A[-1] != "q" else "p"), "is not a recipient"),
    "no rule matches": (f"- {{path_regex: ^other/, age: {A}}}", "no creation rule of .* matches artifacts/"),
    "unusable regex": (f"- {{path_regex: '(', age: {A}}}", "path_regex of creation rule 0 .* cannot be used"),
    "lookahead": (f"- {{path_regex: '(?=a)', age: {A}}}", "cannot be used: SOPS does not know"),
    "key of another type": ("- age: {a: b}", "an age recipient is not text"),
    "group is no map": ("- key_groups: [x]", "a key group is not a map"),
    "rule is no map": ("- x", "creation rule that is not a map"),
    "no rules": ("  []", "has no creation rules"),
    "not yaml": ("- [", "cannot be read: it is not YAML"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_sops_refuses_too(bench: Bench, name: str) -> None:
    """What the real program refuses, we refuse, with the rule and a hint."""
    text, reason = REFUSED[name]
    (bench.root / ".sops.yaml").write_text(f"creation_rules:\n{text}\n", "utf-8")
    done = bench.sops(
        "encrypt",
        "--input-type",
        "json",
        "--output-type",
        "json",
        "--filename-override",
        "artifacts/x",
        stdin=b'{"a": "b"}',
    )
    assert done.returncode != 0, done.stdout
    with pytest.raises(NoRecipients, match=reason) as caught:
        load(bench.root).match("artifacts/x")
    assert caught.value.hint


FOREIGN = {
    "pgp": f"{{pgp: {PGP}}}",
    "age and kms": f"{{age: {A}, kms: 'arn:aws:kms:x'}}",
    "gcp": "{gcp_kms: x}",
    "azure": "{azure_keyvault: x}",
    "vault": "{hc_vault_transit_uri: x}",
    "two groups": f"{{key_groups: [{{age: [{A}]}}, {{age: [{B}]}}], shamir_threshold: 2}}",
    "mixed group": f"{{key_groups: [{{age: [{A}], pgp: [{PGP}]}}]}}",
    "merged pgp": f"{{key_groups: [{{merge: [{{pgp: [{PGP}]}}], age: [{A}]}}]}}",
    "plugin": "{age: age1yubikey1qqqqqqqq}",
    "post-quantum": "{age: 'age1pq1qqqq,age1pq1zzzz'}",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_needs_the_program(name: str) -> None:
    """KMS, PGP, Vault, key groups, plugins and post-quantum keys are not sealed to natively."""
    config = parse(f"creation_rules: [{FOREIGN[name]}]".encode())
    assert not config.match("x").recipients.native


def test_post_quantum_and_classic_do_not_mix() -> None:
    """A mix is refused with the reason; the rule's number is named."""
    text = f"creation_rules: [{{path_regex: y, age: {A}}}, {{age: 'age1pq1qqqq,{A}'}}]"
    with pytest.raises(
        NoRecipients, match=r"creation rule 1 of \.sops\.yaml: it mixes post-quantum and classic"
    ):
        parse(text.encode()).match("x")


def test_the_nearest_config_wins_and_paths_are_its_own(tmp_path: Path) -> None:
    """The workspace's own config, else the nearest above; the path matches from the config's folder."""
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / ".sops.yaml").write_text(f"creation_rules: [{{path_regex: ^a/b/x$, age: {A}}}]")
    assert load(inner).match("x").recipients.age == (A,)
    (inner / ".sops.yaml").write_text(f"creation_rules: [{{path_regex: ^x$, age: {B}}}]")
    assert load(inner).match("x").recipients.age == (B,)


def test_a_missing_or_unreadable_config_says_what_to_do(tmp_path: Path) -> None:
    """No config names keygen in the hint; one that is a folder says so."""
    with pytest.raises(NoRecipients, match=r"there is no \.sops\.yaml") as caught:
        load(tmp_path)
    assert "keygen" in caught.value.hint
    (tmp_path / ".sops.yaml").mkdir()
    with pytest.raises(NoRecipients, match="cannot be read"):
        load(tmp_path)


def test_merge_keys_and_second_documents_are_read_as_yaml_says() -> None:
    """`<<` merges, explicit keys win, and only the first document counts."""
    text = f"x: &x {{age: {A}, a: 1}}\ncreation_rules:\n- {{<<: [*x], a: 2}}\n---\ncreation_rules: []\n"
    assert parse(text.encode()).match("x").recipients.age == (A,)
    with pytest.raises(NoRecipients, match="alias to nothing"):
        parse(b"creation_rules: *nothing")


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        (r"a$", "a\n", False),
        (r"^[[:upper:]_]+$", "A_B", True),
        (r"\bx", "a x", True),
        (r"(?is)A.B", "a\nb", True),
        (r"(?i:A)b", "ab", True),
        (r"(?P<n>a)", "a", True),
        (r"(?<n>a)", "a", True),
        (r"\$", "$", True),
        (r"x\z", "ax", True),
        (r"\d", "٣", False),
    ],
)
def test_go_patterns(pattern: str, text: str, *, matches: bool) -> None:
    """Patterns mean what they mean in Go."""
    assert (compiled(pattern).search(text) is not None) is matches


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?=a)",
        r"(?!a)",
        r"(?<=a)",
        r"(a)\1",
        r"a*+",
        r"\Z",
        r"[[:nope:]]",
        r"\pL",
        r"(?U)a",
        r"[",
        r"(?P=n)",
        r"(?#x)",
    ],
)
def test_patterns_that_cannot_be_used(pattern: str) -> None:
    """What Go refuses, or Python cannot say, raises with the part that is at fault."""
    with pytest.raises(UnusableError):
        compiled(pattern)


def test_rules_are_read_once(bench: Bench) -> None:
    """The same rule is the same object for every path: reading is not repeated."""
    config = bench.config()
    assert config.match("a") is config.match("b")
    assert bench.sealer().recipients("a") == config.match("a").recipients
    assert re.search(A, str(config.rules))


@pytest.mark.parametrize(
    "pattern",
    ["(a|a)*$", "(a+)+Z$", "(a|a)*(a+)+Z$", "((a|b)c)*", "(?:a*){2,}", "((a*))+", "(a{1,9})*", "a*a*a*a*a*b"],
)
def test_a_pattern_that_python_would_try_for_hours_is_refused(pattern: str) -> None:
    with pytest.raises(UnusableError, match="repeat"):
        compiled(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "^artifacts/",
        r".*\.yaml$",
        "(dev|prod)/.*",
        "(a|b)?x+",
        r"[+|(]+\(a|b\)+",
        "(?i)x*",
        "(abc)+",
        "a{2}",
    ],
)
def test_patterns_as_people_write_them_are_taken(pattern: str) -> None:
    assert compiled(pattern) is not None


def test_a_config_that_is_no_plain_file_is_refused_at_once(tmp_path: Path) -> None:
    config = tmp_path / ".sops.yaml"
    os.mkfifo(config)
    with pytest.raises(NoRecipients, match="not a regular file"):
        load(tmp_path)
    config.unlink()
    config.symlink_to("/dev/zero")
    with pytest.raises(NoRecipients, match="not a regular file"):
        load(tmp_path)
    config.unlink()
    config.write_bytes(b"#" * (1 << 20) + b"\n")
    with pytest.raises(NoRecipients, match="larger"):
        load(tmp_path)
