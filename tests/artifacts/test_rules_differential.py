"""Whatever stands in `.sops.yaml`: the real sops program and we read the same out of it.

AWS KMS, its roles and Vault transit are played by a stand-in on this computer, so that the program
seals to them and writes into the file whom it read. Keys of PGP, Google, Azure and Huawei cannot be
used here; there its error names each key as it was read. Which group such a key stands in, and with
which threshold, shows in the files for the other types alone: one piece of the program reads them all.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.artifacts.comparing import Change, difference
from reconciler.artifacts.interface import Recipients
from reconciler.artifacts.names import once
from reconciler.artifacts.rules import load, parse
from reconciler.artifacts.rules.goregex import UnusableError, finds
from reconciler.artifacts.text import dotenv, yaml
from reconciler.artifacts.text import json as json_text
from reconciler.artifacts.tree import Metadata
from reconciler.errors import NoRecipients

from .kit import Bench, key_pair

PATH = "artifacts/rsatoken/plant-a.yaml"
VAULT = "http://vault.test:8200"
ROLE = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
<Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>S</SecretAccessKey><SessionToken>T</SessionToken>
<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"""


class Clouds(BaseHTTPRequestHandler):
    """Wraps by doing nothing: what is tested is to whom a file is sealed, not that it stays sealed."""

    def do_POST(self) -> None:
        """AWS: a key that wraps, or a role that is taken on."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if b"Action=AssumeRole" in body:
            self.answer(ROLE, "text/xml")
            return
        asked = json.loads(body)
        wrapped = {"CiphertextBlob": asked["Plaintext"], "KeyId": asked["KeyId"]}
        self.answer(json.dumps(wrapped), "application/x-amz-json-1.1")

    def do_PUT(self) -> None:
        """Vault."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        wrapped = base64.b64encode(asked["plaintext"].encode()).decode()
        self.answer(json.dumps({"data": {"ciphertext": f"vault:v1:{wrapped}"}}), "application/json")

    def answer(self, body: str, kind: str) -> None:
        """A whole response."""
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def clouded(bench: Bench) -> Iterator[Bench]:
    """The workspace, from where the program finds the stand-ins and nothing else."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Clouds)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    extra = {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "A",
        "AWS_SECRET_ACCESS_KEY": "S",
        "AWS_EC2_METADATA_DISABLED": "true",
        "HTTP_PROXY": address,
        "NO_PROXY": "127.0.0.1",
        "VAULT_TOKEN": "t",
        "VAULT_MAX_RETRIES": "0",
    }
    yield replace(bench, environ={**bench.environ, **extra})
    server.shutdown()
    server.server_close()


@dataclass
class Asked:
    """What the program made of a config: a file, or keys that it cannot use from here, or a refusal."""

    said: str
    metadata: Metadata | None = None
    unusable: frozenset[str] = frozenset()

    @property
    def refused(self) -> bool:
        """Whether it stopped before it tried any key."""
        return self.metadata is None and not self.unusable


STORES = {"json": json_text.parse, "yaml": yaml.parse, "dotenv": dotenv.parse}


def ask(bench: Bench, text: str, path: str = PATH, store: str = "json") -> Asked:
    """Has the program seal by a config."""
    (bench.root / ".sops.yaml").write_text(text, "utf-8")
    options = ["--input-type", "json", "--output-type", store, "--filename-override", path]
    done = bench.sops("encrypt", *options, stdin=b'{"a": "b"}')
    if done.returncode == 0:
        return Asked("", STORES[store](done.stdout).metadata)
    said = done.stderr.decode()
    return Asked(said, unusable=frozenset(re.findall(r'new data key with master key "(.*?)":', said)))


def in_an_error(name: str) -> str:
    """A recipient as the program's errors name it."""
    kind, _, rest = name.partition(" ")
    vault, key, version = rest.rsplit("/", 2) if kind == "azure_kv" else ("", "", "")
    return f"{vault}/keys/{key}/{version}" if kind == "azure_kv" else rest


def read(bench: Bench, path: str) -> Recipients | NoRecipients:
    """What we read, or why we refuse. The rule that is handed to the program says the same."""
    try:
        rule = load(bench.root).match(path)
    except NoRecipients as refusal:
        return refusal
    handed = json.dumps({"creation_rules": [rule.document]}).encode()
    assert parse(handed).match(path).recipients == replace(rule.recipients, rule=0)
    return rule.recipients


def check(bench: Bench, text: str, path: str = PATH, store: str = "json") -> Recipients | None:
    """Asserts that the program and we agree; gives what we read, None where both refuse."""
    asked = ask(bench, text, path, store)
    ours = read(bench, path)
    if isinstance(ours, NoRecipients):
        assert asked.refused, (text, str(ours))
        assert ours.hint
        return None
    assert not asked.refused, (text, asked.said)
    if asked.metadata is None:
        lacking = ("pgp ", "gcp_kms ", "azure_kv ", "hckms ")
        assert asked.unusable == {in_an_error(name) for name in ours.names if name.startswith(lacking)}, text
        return ours
    # What stands in a rule twice stands in the file twice, or once in a key group.
    assert tuple(map(once, asked.metadata.groups)) == tuple(map(once, ours.groups)), text
    assert asked.metadata.threshold == ours.threshold, text
    assert asked.metadata.mac_only_encrypted is ours.mac_only_encrypted, text
    assert not difference(asked.metadata, ours), text
    return ours


A, B, C = (key_pair(number)[0] for number in range(3))


def ssh(key: ed25519.Ed25519PublicKey | rsa.RSAPublicKey, comment: str) -> str:
    """A public key as ssh-keygen writes it."""
    return key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode() + comment


ED = ssh(ed25519.Ed25519PrivateKey.generate().public_key(), " ops team@example")
RSA = ssh(rsa.generate_private_key(65537, 2048).public_key(), "")
WEAK_RSA = ssh(rsa.RSAPublicNumbers(65537, (1 << 1023) + 1).public_key(), "")
ARN = "arn:aws:kms:eu-west-1:012345678901:key/a"
ALIAS = "arn:aws-cn:kms:cn-north-1:1:alias/b/c"
IAM = "arn:aws:iam::012345678901:role/sealer"
TRANSIT = f"{VAULT}/v1/transit/keys/k"
DEEP = f"{VAULT}/v1/team/a/keys/k2/"
AZURE = "https://[/keys/k/v"
GOOD = {
    "age": [A, B, C, ED, RSA],
    "kms": [ARN, ALIAS, f"{ARN}+{IAM}"],
    "hc_vault_transit_uri": [TRANSIT, DEEP],
}
UNUSABLE = {
    "pgp": ["AB CD", "85D7", "0xabcd"],
    "gcp_kms": ["one", "projects / two"],
    "azure_keyvault": [AZURE, "https://[/keys/k2/v2"],
    "hckms": ["cn-north-1:id"],
}
BAD = {
    "age": ["age1nonsense", "ssh-ed25519 AAAA", WEAK_RSA, "AGE1", A.upper(), B[:9] + B[9:].upper(), ""],
    "azure_keyvault": ["x"],
    "hckms": ["x"],
}
PATTERNS = ["", "^artifacts/", "^other/", r"plant-[ab]\.yaml$", "rsa|jwt", "(", "^plant", r"(?i)RSATOKEN"]
SELECTIONS = ["encrypted_regex", "unencrypted_suffix", "encrypted_comment_regex"]


def written(keys: list[str]) -> st.SearchStrategy[object]:
    """Keys as a rule can write them: text with commas, a list, a list of such texts."""
    some = st.lists(st.sampled_from(keys), min_size=1, max_size=3)
    joined = st.builds(lambda joint, found: joint.join(found), st.sampled_from([",", " , ", ",,"]), some)
    return joined | some | some.map(lambda found: [",".join(found)])


def a_group() -> st.SearchStrategy[dict[str, object]]:
    """A key group, perhaps with others merged into it."""
    kms: dict[str, st.SearchStrategy[object]] = {
        "role": st.just(IAM),
        "context": st.just({"app": "x", "number": 12}),
    }
    own: dict[str, st.SearchStrategy[object]] = {
        "age": st.lists(st.sampled_from(GOOD["age"]), max_size=2),
        "hc_vault": st.lists(st.sampled_from([TRANSIT, DEEP]), max_size=2),
        "kms": st.lists(
            st.fixed_dictionaries({"arn": st.sampled_from([ARN, ALIAS])}, optional=kms), max_size=2
        ),
    }
    plain = st.fixed_dictionaries({}, optional=own)
    merged = {"merge": st.lists(plain, max_size=2)}
    return st.fixed_dictionaries({}, optional={**own, **merged}).map(lambda found: found or {"age": [A]})


SHARED: dict[str, st.SearchStrategy[object]] = {
    "path_regex": st.sampled_from(PATTERNS),
    "shamir_threshold": st.integers(0, 3),
    "mac_only_encrypted": st.booleans(),
    "encrypted_regex": st.sampled_from(["", "^x$"]),
    "unencrypted_suffix": st.sampled_from(["", "", "_u"]),
    "owner": st.just("team"),
}


def a_rule(keys: dict[str, list[str]]) -> st.SearchStrategy[dict[str, object]]:
    """A creation rule with recipients of its own."""
    named = {kind: written(found) for kind, found in keys.items() if kind != "hckms"}
    listed = {"hckms": st.lists(st.sampled_from(keys.get("hckms", [""])), max_size=2)}
    return st.fixed_dictionaries({}, optional={**named, **listed, **SHARED})


def a_grouped_rule() -> st.SearchStrategy[dict[str, object]]:
    """A creation rule with key groups, and with recipients beside them that count for nothing."""
    groups = {"key_groups": st.lists(a_group(), min_size=1, max_size=3)}
    return st.fixed_dictionaries(groups, optional={"age": written(GOOD["age"]), **SHARED})


FEW = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@FEW
@given(rules=st.lists(a_rule(GOOD) | a_grouped_rule(), min_size=1, max_size=3))
def test_rules_with_keys_that_can_be_used(clouded: Bench, rules: list[dict[str, object]]) -> None:
    """Rule, groups, recipients in order, threshold and MAC mode are those of the file that sops writes."""
    check(clouded, json.dumps({"creation_rules": rules}))


@FEW
@given(rule=a_rule({**UNUSABLE, "age": GOOD["age"]}) | a_rule({**GOOD, **BAD}))
def test_rules_with_keys_that_cannot(clouded: Bench, rule: dict[str, object]) -> None:
    """Every key that sops could not use, or would not read, is one that we read or refuse too."""
    check(clouded, json.dumps({"creation_rules": [rule]}))


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("groups", [1, 3])
def test_files_of_every_store_name_them_alike(clouded: Bench, store: str, groups: int) -> None:
    """What sops writes into YAML, JSON and dotenv, in one group or several, we read as it was meant."""
    group = {"age": [A, ED], "hc_vault": [TRANSIT], "kms": [{"arn": ARN, "role": IAM, "context": {"a": "b"}}]}
    rule = {"key_groups": [group, {"kms": [{"arn": ALIAS}]}, {"age": [B]}][:groups], "shamir_threshold": 2}
    ours = check(clouded, json.dumps({"creation_rules": [rule]}), store=store)
    assert ours
    assert ours.groups[0] == (A, ED, f"kms {ARN}", f"hc_vault {VAULT}/transit/k")
    assert ours.threshold == (0 if groups == 1 else 2)


TWO = f"key_groups: [{{age: [{A}]}}, {{age: [{B}]}}]"
ODD = {
    "null": "creation_rules: null",
    "empty": "creation_rules: []",
    "no file": "",
    "no rules": "stores: {json: {indent: 2}}",
    "a list": f"- age: {A}",
    "dropped null": f"creation_rules: [null, {{age: {A}}}]",
    "a text": f"creation_rules: [{{age: {A}}}, x]",
    "other sections": f"stores: {{yaml: {{indent: 2}}}}\ndestination_rules: [{{path_regex: x, s3_bucket: y, "
    f"recreation_rule: {{age: nonsense}}}}]\nextra: 1\ncreation_rules: [{{age: {A}}}]",
    "faulty destinations": f"destination_rules: x\ncreation_rules: [{{age: {A}}}]",
    "faulty stores": f"stores: []\ncreation_rules: [{{age: {A}}}]",
    "faulty later group": f"creation_rules: [{{age: {A}}}, {{key_groups: x}}]",
    "faulty later recipients": f"creation_rules: [{{age: {A}}}, {{kms: [1], age: x, path_regex: (}}]",
    "second document": f"creation_rules: [{{age: {A}}}]\n---\n]",
    "twice": f"creation_rules: [{{age: {A}, age: {B}}}]",
    "merge key": f"x: &x {{age: {A}, mac_only_encrypted: yes}}\ncreation_rules: [{{<<: *x, age: {B}}}]",
    "merge keys": f"x: &x {{age: {A}}}\ny: &y {{age: {B}}}\ncreation_rules: [{{<<: [*y, *x]}}]",
    "merge of a text": f"creation_rules: [{{<<: x, age: {A}}}]",
    "tags": f"creation_rules: [{{age: !!str {A}, mac_only_encrypted: !!bool true}}]",
    "no boolean": f"creation_rules: [{{age: {A}, mac_only_encrypted: 'true'}}]",
    "old boolean": f"creation_rules: [{{age: {A}, mac_only_encrypted: 'on'}}]",
    "null boolean": f"creation_rules: [{{age: {A}, mac_only_encrypted: }}]",
    "threshold as text": f"creation_rules: [{{{TWO}, shamir_threshold: '2'}}]",
    "octal threshold": f"creation_rules: [{{{TWO}, shamir_threshold: 02}}]",
    "fraction": f"creation_rules: [{{{TWO}, shamir_threshold: 2.7}}]",
    "negative": f"creation_rules: [{{{TWO}, shamir_threshold: -1}}]",
    "threshold of one": f"creation_rules: [{{{TWO}, shamir_threshold: 1}}]",
    "no threshold": f"creation_rules: [{{key_groups: [{{age: [{A}]}}, {{age: [{B}]}}, {{age: [{A}]}}]}}]",
    "threshold alone": f"creation_rules: [{{age: {A}, shamir_threshold: 7}}]",
    "empty group": f"creation_rules: [{{key_groups: [{{age: [{A}]}}, {{}}]}}]",
    "null group": f"creation_rules: [{{key_groups: [{{age: [{A}]}}, null]}}]",
    "empty groups": f"creation_rules: [{{age: {A}, key_groups: []}}]",
    "deep merge": f"creation_rules: ["
    f"{{key_groups: [{{merge: [{{merge: [{{age: [{B}]}}]}}], age: ['{A},{B}', '']}}]}}]",
    "group as text": f"creation_rules: [{{key_groups: [{{age: {A}}}]}}]",
    "number for a key": "creation_rules: [{pgp: 12345678}]",
    "numbers in a group": "creation_rules: [{key_groups: [{pgp: [0123, 12E4, 1_0, ~]}]}]",
    "null in a list": f"creation_rules: [{{age: [{A}, null]}}]",
    "number in a list": f"creation_rules: [{{age: [{A}, 5]}}]",
    "maps for kms": f"creation_rules: [{{kms: [{{arn: '{ARN}'}}]}}]",
    "number for a path": f"creation_rules: ["
    f"{{path_regex: 5, age: {B}}}, {{path_regex: true, age: {B}}}, {{age: {A}}}]",
    "list for a path": f"creation_rules: [{{age: {A}}}, {{path_regex: [x], age: {A}}}]",
    "huawei as text": f"creation_rules: [{{age: {A}, hckms: 'a:b'}}]",
    "huawei in a group": f"creation_rules: ["
    f"{{key_groups: [{{age: [{A}], hckms: [{{key_id: 'cn-north-1:id'}}]}}]}}]",
    "azure in a group": "creation_rules: ["
    "{key_groups: [{azure_keyvault: [{vaultUrl: 'https://[', key: k, version: 7}]}]}]",
    "google in a group": "creation_rules: ["
    "{key_groups: [{gcp_kms: [{resource_id: 'a b'}], pgp: ['A B', AB]}]}]",
    "vault with a space": f"creation_rules: [{{hc_vault_transit_uri: [' {TRANSIT}']}}]",
    "vault below a path": f"creation_rules: [{{hc_vault_transit_uri: '{VAULT}/x/v1/transit/keys/k'}}]",
    "vault without a scheme": "creation_rules: [{hc_vault_transit_uri: 'vault.test/v1/transit/keys/k'}]",
    "vault with dots": f"creation_rules: [{{hc_vault_transit_uri: '{VAULT}/v1/t/../u/keys/k', age: ''}}]",
    "vault skips": f"creation_rules: [{{hc_vault_transit_uri: ['', '{TRANSIT}']}}]",
    "selections": f"creation_rules: [{{age: {A}, encrypted_suffix: x, unencrypted_comment_regex: y}}]",
    "one selection": f"creation_rules: [{{age: {A}, encrypted_suffix: '', unencrypted_comment_regex: y}}]",
    "plugin typo": "creation_rules: [{age: age1yubikey1qqqqqqqq}]",
}


@pytest.mark.parametrize("name", ODD)
def test_odd_configs(clouded: Bench, name: str) -> None:
    """Null, merges, numbers, other sections and faults in other rules mean to us what they mean to sops."""
    check(clouded, ODD[name])


ATOMS = [
    "a",
    "plant",
    ".",
    "-",
    "/",
    r"\.",
    "[a-c]",
    "[^/]",
    "[[:alpha:]]",
    r"[\w.]",
    "(rsa|jwt)",
    "(?:x|a)",
    "^",
    "$",
    r"\pL",
    r"[^\pN]",
    r"\Qa.\E",
    "(?U)",
    "(?i:A)",
    "(?:a?r*)",
    "(a+|b)",
]
TIMES = ["", "", "", "*", "+", "?", "{2}", "{1,}", "{,3}", "*?", "??", "**", "+*", "{2}{3}", "{01}", "{1001}"]
REGEXES = [
    "artifacts/[$]?r", "[*+]|plant", "a[(?:]*t", "[[:^alpha:]]", "[[a]r", "[]/]rsa", "[^]]yaml", "[a&&b]r",
    r"[\b]", r"(?P<n>a)(?P<n>b)", "(?P<top>art)(?:ifacts)", "(?i)ARTIFACTS|X", "(?i:ART)ifacts",
    "(?s).yaml", "(?-i)a", "()", "a||b", "(?=a)", "x{", "{", "{2}", "}", "]", "a|*", r"\/", r"\-a", r"\_",
    r"\é", r"\a", r"\e", r"\x61", r"\u0061", r"\07", r"\1", r"\d", r"\byaml\b", r"yaml\z", r"yaml\Z",
    r"\Aart", "(?i)é", "a++", "(a", "a)", "[z-a]", "[", "[]", "a\\",
    r"\p{L}+/", r"\P{L}", r"\p{^L}", r"\p{Greek}", r"\p{Nope}", r"\pC", r"\p{Cn}", r"[\pL-]+a\.", r"\p",
    r"\Q.yaml\E", r"\Q*\E", r"\Qt\E{2}", r"\Qplant", r"a\E", r"[\Q]", r"\Q\E*", r"\Q\\E\C",
    "(?U)a+?t", "(?U:.*)yaml$", "(?i-)a", "(?-)", "(?x)a", r"\C", r"[\C]", r"\B", r"\x{D800}", r"\x{110000}",
    ".*.*.*.*.*.*yaml", "(a*)*(b+)+$", "((a|b)*|(r?s?a?)+)+/", "a?" * 26 + "a" * 26 + "b", "(?:a{2}){501}",
    "(?:.{10}){3}", "(.{100}){100}", "a{1000}{2}", "a{99999999999}", "a{0}rt", "(?:)*art", "^*art", "(?:$)+",
    "(?<n>art)", "(?<n>a)(?P<n>b)", "(?<1>a)", "(?<é>a)", "(?P=n)", "(?P>n)", "(?<n", "(?'n'a)", "[[=a=]]rt",
]  # fmt: skip


def picked(clouded: Bench, pattern: str, path: str = PATH) -> tuple[str, str]:
    """The recipient that the program and we take by a pattern: twice what it takes, where we do not dare."""
    rules = [{"path_regex": pattern, "age": A}, {"age": B}]
    asked = ask(clouded, json.dumps({"creation_rules": rules}), path)
    theirs = asked.said if asked.metadata is None else ", ".join(asked.metadata.recipients)
    try:
        ours = finds(pattern, path)
    except UnusableError:
        return theirs, theirs
    return theirs, A if ours or not pattern else B


@settings(FEW, max_examples=60)
@given(parts=st.lists(st.tuples(st.sampled_from(ATOMS), st.sampled_from(TIMES)), min_size=1, max_size=4))
def test_made_up_patterns(clouded: Bench, parts: list[tuple[str, str]]) -> None:
    """No pattern that we take matches otherwise than in sops, and none that sops refuses is taken."""
    theirs, ours = picked(clouded, "".join(atom + times for atom, times in parts))
    assert theirs == ours


@pytest.mark.parametrize("pattern", REGEXES)
def test_patterns_that_differ_between_languages(clouded: Bench, pattern: str) -> None:
    """The same for patterns that languages, or RE2 and Go, read differently."""
    theirs, ours = picked(clouded, pattern)
    assert theirs == ours


@pytest.mark.parametrize(
    "pattern", [r"^\p{Lu}", r"^\w", "(?i)^ÉQ", "^.quipe/", r"^\PL", r"[à-ü]quipe", r"\bquipe"]
)
def test_folders_beyond_ascii(clouded: Bench, pattern: str) -> None:
    """Letters of other scripts are one letter each, and have a case where the pattern asks for none."""
    theirs, ours = picked(clouded, pattern, "Équipe/日本/x.yaml")
    assert theirs == ours


TWICE: dict[str, dict[str, object]] = {
    "role": {"kms": [f"{ARN}+{IAM}", ARN]},
    "role in a group": {"key_groups": [{"kms": [{"arn": ARN, "role": IAM}, {"arn": ARN}], "age": [A, A]}]},
    "context": {"key_groups": [{"kms": [{"arn": ARN, "context": {"a": "b"}}, {"arn": ARN}]}]},
    "list": {"age": [A, A]},
    "text": {"age": f"{A},{B},{A}"},
}


@pytest.mark.parametrize("name", TWICE)
def test_a_key_that_is_written_twice(clouded: Bench, name: str) -> None:
    """SOPS seals to it twice, for example with two roles: that is as the rule says, once more is not."""
    text = json.dumps({"creation_rules": [TWICE[name]]})
    ours = check(clouded, text)
    assert ours is not None
    metadata = ask(clouded, text).metadata
    assert metadata is not None
    assert len(metadata.recipients) > len(ours.names)
    more = replace(
        metadata, age=metadata.age + metadata.age[:1], others=metadata.others + metadata.others[:1]
    )
    assert difference(more, ours) == Change(regrouped=True)
