"""`.sops.yaml` is read as the sops program reads it; what cannot be used says which rule, and what to do."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from reconciler.artifacts.rules import load, parse
from reconciler.artifacts.rules.goregex import UnusableError, compiled, finds
from reconciler.errors import NoRecipients

from .kit import Bench, key_pair

A, B = key_pair()[0], key_pair(1)[0]
PQ, TAGPQ = "age1pq1qqqqlmxu2v", "age1tagpq1ppppnc6as8"
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
    "long number": f"- {{age: {A}, comment: {'9' * 500}}}",
    "no context": f"- key_groups: [{{age: [{A}], kms: [{{context: }}]}}]\n  path_regex: x/\n- age: {A}",
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
    "upper case": (f"- age: {A.upper()}", "is in upper case"),
    "upper case in a group": (f"- key_groups: [{{age: [{A}, {A.upper()}]}}]", "is in upper case"),
    "bad bech32": (f"- age: {A[:-1]}" + ("q" if A[-1] != "q" else "p"), "is not a recipient"),
    "no rule matches": (f"- {{path_regex: ^other/, age: {A}}}", "no creation rule of .* matches artifacts/"),
    "unusable regex": (f"- {{path_regex: '(', age: {A}}}", "path_regex of creation rule 0 .* cannot be used"),
    "lookahead": (f"- {{path_regex: '(?=a)', age: {A}}}", "cannot be used: invalid perl operator"),
    "key of another type": ("- age: {a: b}", "creation rule 0 of .*: what age names is not text"),
    "group is no map": (
        "- key_groups: [x]",
        r"cannot be read: creation_rules\[0\]\.key_groups\[0\] is not a map",
    ),
    "rule is no map": ("- x", r"cannot be read: creation_rules\[0\] is not a map"),
    "no rules": ("  []", "has no creation rules"),
    "not yaml": ("- [", "cannot be read: it is not YAML"),
    "two selections": (f"- {{age: {A}, encrypted_regex: a, unencrypted_suffix: b}}", "contradict each other"),
    "empty place": (f"- age: [{A}, '']", "it has an empty recipient"),
    "empty group": (f"- key_groups: [{{age: [{A}]}}, {{}}]", "one of its key groups names no recipient"),
    "threshold": (
        f"- {{key_groups: [{{age: [{A}]}}, {{age: [{B}]}}], shamir_threshold: 3}}",
        "threshold is 3",
    ),
    "azure": ("- azure_keyvault: x", "'x' is not a key of Azure Key Vault"),
    "vault": ("- hc_vault_transit_uri: x", "'x' is not a key of Vault transit"),
    "huawei": ("- hckms: [x]", "'x' is not a key of Huawei Cloud KMS"),
    "plugin": ("- age: age1yubikey1qqqqqqqq", "'age1yubikey1qqqqqqqq' is not a recipient"),
    "short plugin": ("- age: age1yubikey1qqq", "is not a recipient"),
    "letters of a plugin": ("- age: age1yubikey1bbbbbbbbbb", "is not a recipient"),
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
    "azure": "{azure_keyvault: 'https://x.test/keys/k'}",
    "vault": "{hc_vault_transit_uri: 'https://x.test/v1/transit/keys/k'}",
    "huawei": "{hckms: ['region:id']}",
    "two groups": f"{{key_groups: [{{age: [{A}]}}, {{age: [{B}]}}], shamir_threshold: 2}}",
    "mixed group": f"{{key_groups: [{{age: [{A}], pgp: [{PGP}]}}]}}",
    "merged pgp": f"{{key_groups: [{{merge: [{{pgp: [{PGP}]}}], age: [{A}]}}]}}",
    "plugin": "{age: age1yubikey1qqqq265fsq}",
    "post-quantum": f"{{age: '{PQ},{TAGPQ}'}}",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_needs_the_program(name: str) -> None:
    """KMS, PGP, Vault, key groups, plugins and post-quantum keys are not sealed to natively."""
    config = parse(f"creation_rules: [{FOREIGN[name]}]".encode())
    assert not config.match("x").recipients.native


@pytest.mark.parametrize("other", [f"age: [{PQ}, {A}]", f"{{age: {PQ}, pgp: {PGP}}}"], ids=["age", "pgp"])
def test_post_quantum_and_classic_do_not_mix(other: str) -> None:
    """A mix is refused with the reason, PGP being classic too; the rule's number is named."""
    text = f"creation_rules:\n- {{path_regex: y, age: {A}}}\n- {other}\n"
    with pytest.raises(
        NoRecipients, match=r"creation rule 1 of \.sops\.yaml: it mixes post-quantum and classic"
    ):
        parse(text.encode()).match("x")


@pytest.mark.parametrize(
    ("groups", "threshold", "reason"),
    [
        ([[PQ], [A], [B]], 2, "2 classic ones are enough"),
        ([[PQ], [A], [B]], 3, None),
        ([[PQ], [TAGPQ], [A]], 2, None),
        ([[PQ], [TAGPQ]], 2, None),
        ([[A], [B]], 2, None),
        ([[PQ, A], [PQ], [TAGPQ]], 3, "whoever breaks the classic one"),
    ],
)
def test_classic_groups_must_not_be_enough(
    groups: list[list[str]], threshold: int, reason: str | None
) -> None:
    """Classic groups beside post-quantum ones are refused where they alone open the artifact."""
    rule = {"key_groups": [{"age": one} for one in groups], "shamir_threshold": threshold}
    config = parse(json.dumps({"creation_rules": [rule]}).encode())
    if reason is None:
        assert config.match("x").recipients.threshold == threshold
        return
    with pytest.raises(NoRecipients, match=reason):
        config.match("x")


@pytest.mark.parametrize(
    ("groups", "threshold"), [([[A]] * 255, 0), ([[A]] * 256, 2), ([[A], [B]], 1), ([[A], [B]], -1)]
)
def test_thresholds_that_cannot_be_split_by(groups: list[list[str]], threshold: int) -> None:
    """From 2 to the number of groups, of which there may be 255; none given means all of them."""
    rule = {"key_groups": [{"age": one} for one in groups], "shamir_threshold": threshold}
    config = parse(json.dumps({"creation_rules": [rule]}).encode())
    if threshold == 0:
        assert config.match("x").recipients.threshold == len(groups)
        return
    with pytest.raises(NoRecipients, match="shamir_threshold"):
        config.match("x")


def test_an_alias_bomb_is_refused_at_once() -> None:
    """Aliases of aliases that stand for billions of values, and nesting without end, end in a sentence."""
    lines = [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]" for level in range(1, 12)]
    bomb = "\n".join(["a0: &a0 x", *lines, "creation_rules: []"])
    with pytest.raises(NoRecipients, match="more than 100000 values"):
        parse(bomb.encode())
    with pytest.raises(NoRecipients, match="deeper than 32"):
        parse(b"[" * 5000)
    with pytest.raises(NoRecipients, match="alias to nothing"):
        parse(b"a: &a [*a]")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"\xff", "not UTF-8"),
        (b"a: !python/object x", "tag"),
        (b"[a]: x", "a key is not text"),
        (b"a: {b: 1, b: 2}", "'b' stands twice"),
        (b"<<: 5", "<< merges is not a map"),
        (b"stores: {json: {indent: x}}", r"stores\.json\.indent is not a whole number"),
        (b"stores: {json: {indent: 1e300}}", r"stores\.json\.indent is not a whole number"),
        (b"destination_rules: [{omit_extensions: 2}]", "omit_extensions is not true or false"),
        (b"creation_rules: [{key_groups: [{kms: [{arn: [x]}]}]}]", r"kms\[0\]\.arn is not text"),
        (b"creation_rules: [{key_groups: [{kms: [{context: {a: [x]}}]}]}]", r"context\.a is not text"),
    ],
)
def test_what_is_wrong_with_a_config_is_said(text: bytes, reason: str) -> None:
    """Each fault names the field that has it."""
    with pytest.raises(NoRecipients, match=reason):
        parse(text)


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
        (r"^a{,2}$", "a{,2}", True),
        (r"^a{,2}$", "aa", False),
        (r"a[$]b", "a$b", True),
        (r"[*+][(?=]", "+(", True),
        (r"[[a&&~~||]", "[", True),
        (r"^\p{Lu}\pL+$", "Éa", True),
        (r"^\Q(a*\E$", "(a*", True),
        (r"(?U)a+b", "aab", True),
        (r"(?i)É", "é", True),
        (r"[[:^alpha:]]", "a", False),
        (r"a\\B", r"a\B", True),
    ],
)
def test_go_patterns(pattern: str, text: str, *, matches: bool) -> None:
    """Patterns mean what they mean in Go."""
    assert finds(pattern, text) is matches


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
        r"[",
        r"(?P=n)",
        r"(?#x)",
        r"[b--a]",
        r"[\b]",
        r"\C",
        r"[\C]",
        r"\Q\\E\C",
        r"\Q\p{\E\C",
        r"\B",
        r"\pC",
        r"\P{^C}",
        r"(?<é>a)",
        "\ud800",
        "a" * 1001,
        "a{1000}" * 50,
        r"a{1001}",
        r"a{99999999999}",
        r"**",
        r"{2}",
        "\\",
    ],
)
def test_patterns_that_cannot_be_used(pattern: str) -> None:
    """What Go refuses, or RE2 takes for something else, raises and says why."""
    with pytest.raises(UnusableError):
        compiled(pattern)


def test_rules_are_read_once(bench: Bench) -> None:
    """The same rule is the same object for every path: reading is not repeated."""
    config = bench.config()
    assert config.match("a") is config.match("b")
    assert bench.sealer().recipients("a") == config.match("a").recipients
    assert re.search(A, str(config.rules))


BOMBS = {
    "many repeats": (".*" * 4 + "b", "a" * 400),
    "optional letters": ("a?" * 26 + "a" * 26 + "b", "a" * 26),
    "counted": ("(?:a?){900}a{900}b", "a" * 900),
    "nested": ("(?:(a+)+|(a|a)*|(?:a*){2,})+b", "a" * 400),
    "nested deeply": ("(" * 300 + "a" + ")*" * 300 + "b", "a" * 400),
    "states": ("[ac]*a[ac]{399}b", "ac" * 400),
}


@pytest.mark.parametrize("name", BOMBS)
def test_no_pattern_takes_long(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    """What would take a backtracking engine for ever is answered at once, and nothing is printed."""
    pattern, text = BOMBS[name]
    assert not finds(pattern, text)
    assert finds(pattern, text + "b")
    assert capfd.readouterr() == ("", "")


def test_a_refusal_is_not_printed(capfd: pytest.CaptureFixture[str]) -> None:
    """The library keeps to itself what it finds wrong: the error says it."""
    with pytest.raises(UnusableError, match=r"missing \): \("):
        compiled("(")
    assert capfd.readouterr() == ("", "")


def test_a_path_that_is_not_utf8_matches_no_pattern() -> None:
    """It is refused with the rule, for Go looks at its bytes; a rule without a pattern takes it."""
    config = parse(f"creation_rules: [{{path_regex: ^x, age: {A}}}]".encode(), prefix="\udcff/")
    with pytest.raises(NoRecipients, match=r"path_regex of creation rule 0 .* is not UTF-8"):
        config.match("x")
    config = parse(f"creation_rules: [{{age: {A}}}]".encode(), prefix="\udcff/")
    assert config.match("x").recipients.age == (A,)


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
        r"^artifacts/[\p{L}\p{N}_-]+(?:/[\p{L}\p{N}_-]+)*\.(?:ya?ml|json)$",
        r"(?i)^\p{L}+/\p{L}+/\p{L}+/",
    ],
)
def test_patterns_as_people_write_them_are_taken(pattern: str) -> None:
    """Repeated groups and Unicode classes fit into the memory that a pattern may have."""
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
