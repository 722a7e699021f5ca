"""Every fault there is: what is written, where the fault stands, what it says, what it advises.

In each text, `⟦` stands before the letter that the fault points at, and is not part of the text.
"""

from __future__ import annotations

import pytest

from reconciler.specs.faults import Fault
from reconciler.specs.reader import read_file

RSA = "apiVersion: reconciler/v1\nkind: RSAToken\nmetadata: {name: a}\nspec: {apis: [x], projects: [y]}\n"
JWT = "apiVersion: reconciler/v1\nkind: JWTToken\nmetadata: {name: a}\nspec: {apis: [x], users: [y]}\n"
LOGIN = (
    "apiVersion: reconciler/v1\nkind: LoginToken\nmetadata: {name: a}\n"
    'spec: {aud: A, sap: B, jti: "1", api: "*", shop: "*", role: "*", rule: "*"}\n'
)
AUTH = "apiVersion: reconciler/v1\nkind: TokenAuth\nmetadata: {name: a}\nspec: {name: ERP}\n"
CATALOG = "apiVersion: reconciler/v1\nkind: Catalog\nmetadata: {name: c}\nspec: {apis: [x]}\n"
WORKSPACE = "apiVersion: reconciler/v1\nkind: Workspace\nmetadata: {name: w}\nspec: {artifacts: out}\n"
HEAD = "apiVersion: reconciler/v1\n"


def rsa(fields: str) -> str:
    return RSA.replace("{apis: [x], projects: [y]}", fields)


def login(before: str, after: str) -> str:
    return LOGIN.replace(before, after)


def auth(more: str) -> str:
    return AUTH.replace("name: ERP", f"name: ERP, {more}")


def workspace(more: str) -> str:
    return WORKSPACE.replace("artifacts: out", more)


LOOK = "mind the indentation, colons and quotes"
ALL_HASHES = "RS256, RS384, RS512, PS256, PS384 or PS512"
BRACES = "put text with : in quotes when it stands in [ ] or { }"
INDENT = "indent with blanks; put text that starts with @ or ` in quotes"
PLAIN_TEXT = 'save the file as plain text; in double quotes it can be written as "\\uXXXX"'
LABELS = "it takes letters, digits and . _ / -, as in env or example.com/team"
SHORTER = "make the overlap shorter than the interval, so that two credentials at most are valid"
LONGER = "make the lifetime longer, or lifecycle.rotate.overlap shorter: then two at most are valid"
KINDS = "JWTToken or LoginToken or RSAToken or TokenAuth or Catalog or Policy or Workspace"
ANY_KIND = "it can be JWTToken, LoginToken, RSAToken, TokenAuth, Catalog, Policy or Workspace"
MADE = "remove it: apply makes the secret, and seals it to the owner"
NO_END = "leave expires out if the token is not to end"
RECIPIENT = "it takes a public key that starts with age1, as reconcile keygen prints it"
NO_KEY = "format is pem, and the owner of this token gets no private key"
DAYS = "a duration is a whole number and a unit: s, m, h, d, w or y, as in 90d"
DATES = "write a date such as 2027-06-30, or a duration such as 180d"
ENTRY = "it takes 1 to 128 letters, digits and . _ : / @ -"
GRANTED = f"{ENTRY}, and @ before them for a group, or * for all"
NAME = "it takes 1 to 63 of a-z, 0-9 and -, and a letter first"
LINE = "it takes 1 to 200 letters of any script, on one line"
REFERENCE = "a secret never stands in a spec: write a reference, as in env://NAME or vault://path#key"
NETWORK = "write * for any, or addresses and networks such as 10.1.0.0/16 with no bits set behind the prefix"
STORE = "a password never stands in a spec: leave it out and set RECONCILER_STORE or PGPASSFILE"
BELOW = "write its fields below it, each on its line and indented"
BOOL = "write true or false, without quotes"

# what is wrong → the text, the rule, the message, the hint
TABLE: dict[str, tuple[str, str, str, str]] = {
    # the text itself
    "syntax": (
        "a: [b\nc⟦: d",
        "yaml.syntax",
        "did not find expected ',' or ']', while parsing a flow sequence",
        LOOK,
    ),
    "tab": (
        "a:\n⟦\tb: c\n",
        "yaml.syntax",
        "found character that cannot start any token, while scanning for the next token",
        INDENT,
    ),
    "duplicate key": (
        RSA + "⟦kind: RSAToken\n",
        "yaml.duplicate-key",
        'the key "kind" stands here a second time; the first is on line 2',
        "keep one of the two",
    ),
    "tag": (
        RSA.replace("[x]", "⟦!!set [x]"),
        "yaml.tag",
        "specs use no tags",
        "write the value without the word that starts with !",
    ),
    "tag directive": (
        "⟦%TAG !a! b:\n---\na: 1\n",
        "yaml.directive",
        "specs are YAML 1.2 and use no tags",
        "remove this line",
    ),
    "old version": (
        "⟦%YAML 1.1\n---\na: 1\n",
        "yaml.directive",
        "specs are YAML 1.2 and use no tags",
        "remove this line",
    ),
    "unknown alias": (
        RSA.replace("[x]", "[⟦*x]"),
        "yaml.alias",
        "an alias of nothing before it",
        "write the value out; put text with * in quotes",
    ),
    "key is no text": (
        "⟦{[a]: b}\n".replace("⟦{", "{⟦"),
        "yaml.key",
        "a key must be text",
        "use a plain word as the key",
    ),
    "long number": (
        rsa("{apis: [x], projects: [⟦1234567890123456789]}"),
        "yaml.number",
        "this number has too many digits",
        "put it in quotes if it is text",
    ),
    "control character": (
        "a: ⟦\x07\n",
        "yaml.character",
        "the control character U+0007 stands here",
        PLAIN_TEXT,
    ),
    "URL in braces": (
        auth("initpwd: vault⟦://x"),
        "yaml.syntax",
        "found unexpected ':', while scanning a plain scalar",
        BRACES,
    ),
    # the document
    "no mapping": (
        "⟦- a\n",
        "spec.document",
        "a document is a list; it takes a mapping",
        "start with apiVersion and kind",
    ),
    "no kind": ("⟦a: b\n", "missing-field", "kind is missing", f"add kind: {KINDS}"),
    "kind misspelt": ("kind: ⟦RSAtokn\n", "kind", 'there is no kind "RSAtokn"', "did you mean RSAToken?"),
    "kind unlike any": ("kind: ⟦12\n", "kind", "there is no kind the number 12", ANY_KIND),
    "old apiVersion": (
        RSA.replace("reconciler/v1", "⟦reconciler/v0"),
        "apiVersion",
        'apiVersion is "reconciler/v0"; it can be reconciler/v1',
        "did you mean reconciler/v1?",
    ),
    # fields that should not be there, or should
    "unknown field": (
        RSA.replace("{name: a}", "{name: a, ⟦onwer: b}"),
        "unknown-field",
        'metadata has no field "onwer"',
        "did you mean owner?",
    ),
    "unknown top field": (
        RSA + "⟦lifecycel: {}\n",
        "unknown-field",
        'a document has no field "lifecycel"',
        "did you mean lifecycle?",
    ),
    "unknown field, nothing like it": (
        RSA + "deliver: {⟦zzzzzz: 1}\n",
        "unknown-field",
        'deliver has no field "zzzzzz"',
        "it can be format or kubernetes",
    ),
    "unknown field deep inside": (
        RSA + "lifecycle: {rotate: {every: 90d, ⟦overlay: 1d}}\n",
        "unknown-field",
        'lifecycle.rotate has no field "overlay"',
        "did you mean overlap?",
    ),
    "field of another kind": (
        rsa("{apis: [x], projects: [y], ⟦users: [z]}"),
        "unknown-field",
        "users is a field of JWTToken, not of RSAToken",
        "remove it",
    ),
    "missing field": (
        rsa("\n  ⟦apis: [x]").replace("spec: \n  ⟦", "⟦spec:\n  "),
        "missing-field",
        "spec.projects is missing",
        "add projects: [plant-a]",
    ),
    "missing part": (
        HEAD.replace("api", "⟦api") + "kind: RSAToken\nspec: {apis: [x], projects: [y]}\n",
        "missing-field",
        "metadata is missing",
        "add metadata: …",
    ),
    "missing text": (
        login("aud: A, ", "").replace("spec", "⟦spec"),
        "missing-field",
        "spec.aud is missing",
        "add aud: AdmManHu",
    ),
    # values of the wrong type
    "number for text": (
        RSA.replace("name: a", "name: ⟦0123"),
        "metadata.name",
        "name is the number 123; it takes text",
        'put it in quotes: "0123"',
    ),
    "word for text": (
        RSA.replace("name: a", "name: a, owner: ⟦true"),
        "metadata.owner",
        "owner is true; it takes text",
        'put it in quotes: "true"',
    ),
    "list for text": (
        login("aud: A", "aud: ⟦[A]"),
        "logintoken.aud",
        "aud is a list; it takes text",
        "write a word or a sentence",
    ),
    "number in a list": (
        rsa("{apis: [x, ⟦12], projects: [y]}"),
        "rsatoken.apis",
        "apis is the number 12; it takes text",
        'put it in quotes: "12"',
    ),
    "text for a list": (
        rsa("{apis: ⟦x, projects: [y]}"),
        "rsatoken.apis",
        'apis is "x"; it takes a list',
        "write [a, b], or one a line with - before it",
    ),
    "text for a number": (
        auth('expire: ⟦"60"'),
        "tokenauth.expire",
        'expire is "60"; it takes a whole number',
        "leave the quotes out: 60",
    ),
    "fraction for a number": (
        auth("expire: ⟦6.5"),
        "tokenauth.expire",
        "expire is the number 6.5; it takes a whole number",
        "write a number such as 3600",
    ),
    "word for a switch": (
        RSA + "lifecycle: {enabled: ⟦yes}\n",
        "lifecycle.enabled",
        'enabled is "yes"; it takes true or false',
        BOOL,
    ),
    "wrong switch": (auth('enable: ⟦"2"'), "tokenauth.enable", 'enable is "2"; it takes true or false', BOOL),
    "text for a mapping": (
        RSA + "lifecycle: ⟦on\n",
        "lifecycle",
        'lifecycle is "on"; it takes a mapping',
        BELOW,
    ),
    "nothing for a mapping": (rsa("⟦null"), "spec", "spec is empty; it takes a mapping", BELOW),
    "list for labels": (
        RSA.replace("name: a", "name: a, labels: ⟦[a]"),
        "metadata.labels",
        "labels is a list; it takes a mapping",
        BELOW,
    ),
    # values outside what there is
    "wrong enum": (
        rsa("{apis: [x], projects: [y], algorithm: ⟦RS265}"),
        "rsatoken.algorithm",
        f'algorithm is "RS265"; it can be {ALL_HASHES}',
        "did you mean RS256?",
    ),
    "enum unlike any": (
        rsa("{apis: [x], projects: [y], algorithm: ⟦none}"),
        "rsatoken.algorithm",
        f'algorithm is "none"; it can be {ALL_HASHES}',
        "choose one of them",
    ),
    "number enum in quotes": (
        rsa('{apis: [x], projects: [y], keySize: ⟦"3072"}'),
        "rsatoken.keySize",
        'keySize is "3072"; it can be 2048, 3072 or 4096',
        "leave the quotes out: 3072",
    ),
    "number enum": (
        rsa("{apis: [x], projects: [y], keySize: ⟦1024}"),
        "rsatoken.keySize",
        "keySize is the number 1024; it can be 2048, 3072 or 4096",
        "choose one of them",
    ),
    "wrong typ": (
        login("aud", "typ: ⟦M, aud"),
        "logintoken.typ",
        'typ is "M"; it can be L',
        "choose one of them",
    ),
    "format misspelt": (
        RSA + "deliver: {format: ⟦yml}\n",
        "deliver.format",
        'format is "yml"; it can be dotenv, json, kubernetes, pem or yaml',
        "did you mean yaml?",
    ),
    "empty list": (
        rsa("{apis: ⟦[], projects: [y]}"),
        "rsatoken.apis",
        "apis is empty",
        "name at least one, or remove the field if it is optional",
    ),
    "star with names": (
        rsa('{apis: ⟦["*", x], projects: [y]}'),
        "rsatoken.apis",
        "apis holds * and names beside it",
        "* means all: let it stand alone, or leave it out",
    ),
    "named twice": (
        login('role: "*"', "role: ⟦[a, a]"),
        "logintoken.role",
        "role holds a name twice",
        "keep one of the two",
    ),
    "star for one app": (login("aud: A", 'aud: ⟦"*"'), "logintoken.aud", 'aud is "*"', ENTRY),
    "bad API name": (
        rsa("{apis: [⟦a b], projects: [y]}"),
        "rsatoken.apis",
        'apis is "a b"',
        GRANTED,
    ),
    "group in a field that the catalog does not know": (
        login("aud: A", 'dvm: ⟦"@phones", aud: A'),
        "logintoken.dvm",
        'dvm is "@phones"',
        ENTRY + ", or * for all",
    ),
    "group for one app": (login("aud: A", 'aud: ⟦"@apps"'), "logintoken.aud", 'aud is "@apps"', ENTRY),
    "group of no name": (rsa('{apis: [⟦"@"], projects: [y]}'), "rsatoken.apis", 'apis is "@"', GRANTED),
    "group and all": (
        rsa('{apis: ⟦["@a", "*"], projects: [y]}'),
        "rsatoken.apis",
        "apis holds * and names beside it",
        "* means all: let it stand alone, or leave it out",
    ),
    "bad name": (RSA.replace("name: a", "name: ⟦A_b"), "metadata.name", 'name is "A_b"', NAME),
    "name of 64 letters": (
        RSA.replace("name: a", "name: ⟦" + "a" * 64),
        "metadata.name",
        "name is a text of 64 characters",
        NAME,
    ),
    "empty name": (RSA.replace("name: a", 'name: ⟦""'), "metadata.name", 'name is ""', NAME),
    "empty title": (RSA.replace("name: a", 'name: a, title: ⟦""'), "metadata.title", 'title is ""', LINE),
    "title of two lines": (
        RSA.replace("name: a", 'name: a, title: ⟦"a\\nb"'),
        "metadata.title",
        "title is a text of 3 characters",
        LINE,
    ),
    "title that moves the cursor": (
        RSA.replace("name: a", 'name: a, title: ⟦"\\e[2Jx"'),
        "metadata.title",
        "title is a text of 5 characters",
        LINE,
    ),
    "title that turns letters round": (
        RSA.replace("name: a", 'name: a, title: ⟦"\\u202ex"'),
        "metadata.title",
        "title is a text of 2 characters",
        LINE,
    ),
    "bad label": (
        RSA.replace("name: a", "name: a, labels: {⟦a b: c}"),
        "metadata.labels",
        'this name is "a b"',
        LABELS,
    ),
    "number for a label": (
        RSA.replace("name: a", "name: a, labels: {a: ⟦1}"),
        "metadata.labels",
        "this label is the number 1; it takes text",
        'put it in quotes: "1"',
    ),
    "bad jti": (
        login('"1"', '⟦"123456789"'),
        "logintoken.jti",
        'jti is "123456789"',
        "it takes 1 to 8 letters or digits, in quotes",
    ),
    "number for jti": (
        login('"1"', "⟦00123456"),
        "logintoken.jti",
        "jti is the number 123456; it takes text",
        'put it in quotes: "00123456"',
    ),
    "bits behind the prefix": (
        login("aud", "ipm: ⟦10.1.0.1/16, aud"),
        "logintoken.ipm",
        'ipm is "10.1.0.1/16"',
        NETWORK,
    ),
    "no address": (login("aud", "ipm: ⟦[10.1.0.256], aud"), "logintoken.ipm", "ipm is a list", NETWORK),
    "star with addresses": (
        login("aud", 'ipm: ⟦["*", 10.0.0.1], aud'),
        "logintoken.ipm",
        "ipm is a list",
        NETWORK,
    ),
    "address of one interface": (
        login("aud", 'ipm: ⟦"fe80::1%eth0", aud'),
        "logintoken.ipm",
        'ipm is "fe80::1%eth0"',
        NETWORK,
    ),
    "bad application name": (
        AUTH.replace("ERP", "⟦a.b"),
        "tokenauth.name",
        'name is "a.b"',
        "it takes 1 to 64 letters, digits, _ or -",
    ),
    "too few seconds": (
        auth("expire: ⟦0"),
        "tokenauth.expire",
        "expire is the number 0",
        "it can be 1 at the least",
    ),
    "too many seconds": (
        auth("expire: ⟦31536001"),
        "tokenauth.expire",
        "expire is the number 31536001",
        "it can be 31536000 at the most",
    ),
    # times
    "bad duration": (
        JWT.replace("users", "lifetime: ⟦90, users").replace("⟦90", "⟦90x"),
        "jwttoken.lifetime",
        'lifetime is "90x"',
        DAYS,
    ),
    "no duration at all": (
        JWT.replace("users", "lifetime: ⟦0d, users"),
        "jwttoken.lifetime",
        'lifetime is "0d"',
        DAYS,
    ),
    "endless duration": (
        JWT.replace("users", "lifetime: ⟦101y, users"),
        "jwttoken.lifetime",
        'lifetime is "101y"',
        "a duration is 100y at the most",
    ),
    "impossible date": (
        RSA + "lifecycle: {expires: ⟦2027-02-30}\n",
        "lifecycle.expires",
        'expires is "2027-02-30"',
        DATES,
    ),
    "date in another order": (
        RSA + "lifecycle: {expires: ⟦30.06.2027}\n",
        "lifecycle.expires",
        'expires is "30.06.2027"',
        DATES,
    ),
    "week date": (
        RSA + "lifecycle: {expires: ⟦2027-W01-1}\n",
        "lifecycle.expires",
        'expires is "2027-W01-1"',
        DATES,
    ),
    "year 0": (
        RSA + "lifecycle: {expires: ⟦0000-01-01}\n",
        "lifecycle.expires",
        'expires is "0000-01-01"',
        DATES,
    ),
    "year 9999": (
        RSA + "lifecycle: {expires: ⟦9999-01-01}\n",
        "lifecycle.expires",
        'expires is "9999-01-01"',
        NO_END,
    ),
    "last day of all": (
        RSA + "lifecycle: {expires: ⟦9999-12-31}\n",
        "lifecycle.expires",
        'expires is "9999-12-31"',
        NO_END,
    ),
    "ends in a thousand years": (
        RSA + "lifecycle: {expires: ⟦1000y}\n",
        "lifecycle.expires",
        'expires is "1000y"',
        "a duration is 100y at the most",
    ),
    # fields that contradict each other
    "overlap as long as the interval": (
        RSA + "lifecycle: {rotate: {every: 7d, overlap: ⟦1w}}\n",
        "lifecycle.rotate.overlap",
        "overlap is 7d, and a new credential comes every 7d",
        SHORTER,
    ),
    "a rotation that says nothing": (
        RSA + "lifecycle: {rotate: ⟦{}}\n",
        "lifecycle.rotate",
        "rotate is a mapping",
        "write how often, as in rotate: {every: 90d}",
    ),
    "a rotation asked for on no day": (
        RSA + "lifecycle: {rotate: {asked: {at: ⟦2027-02-30, reason: lost}}}\n",
        "lifecycle.rotate.asked.at",
        'at is "2027-02-30"',
        "write a moment in UTC such as 2027-06-30T12:00:00Z",
    ),
    "a rotation asked for at a moment of another zone": (
        RSA + 'lifecycle: {rotate: {asked: {reason: lost, at: ⟦"2027-02-20T12:00:00+01:00"}}}\n',
        "lifecycle.rotate.asked.at",
        'at is "2027-02-20T12:00:00+01:00"',
        "write a moment in UTC such as 2027-06-30T12:00:00Z",
    ),
    "a rotation asked for without a reason": (
        RSA + "lifecycle: {rotate: {⟦asked: {at: 2027-02-20}}}\n",
        "missing-field",
        "lifecycle.rotate.asked.reason is missing",
        "add reason: …",
    ),
    "a name that it has now among those it had": (
        RSA.replace("name: a", "name: a, previously: ⟦[b, a]"),
        "metadata.previously",
        "a is its name now",
        "write the names that it had before",
    ),
    "a name that it had twice": (
        RSA.replace("name: a", "name: a, previously: ⟦[b, b]"),
        "metadata.previously",
        "previously holds a name twice",
        "keep one of the two",
    ),
    "overlap by default": (
        RSA + "lifecycle: {rotate: ⟦{every: 3d}}\n",
        "lifecycle.rotate.overlap",
        "overlap is 7d, and a new credential comes every 3d",
        SHORTER,
    ),
    "a lifetime that is not twice the overlap": (
        JWT.replace("users", "lifetime: ⟦13d, users"),
        "lifecycle.rotate.overlap",
        "the overlap is longer than half the lifetime of the credential, which is renewed before it ends",
        LONGER,
    ),
    "pem without a private key": (
        JWT + "deliver: {format: ⟦pem}\n",
        "deliver.format",
        NO_KEY,
        "use yaml, json or dotenv",
    ),
    "pem for a shared secret": (
        AUTH + "deliver: {format: ⟦pem}\n",
        "deliver.format",
        NO_KEY,
        "use yaml, json or dotenv",
    ),
    "options of another format": (
        RSA + "deliver: {⟦kubernetes: {name: b}}\n",
        "deliver.kubernetes",
        "these options are for format kubernetes, and the format is yaml",
        "set format: kubernetes, or remove them",
    ),
    # secrets
    "first password": (
        auth("⟦initpwd: hunter2".replace("⟦initpwd: ", "initpwd: ⟦")),
        "secret.literal",
        "initpwd holds a literal value",
        REFERENCE,
    ),
    "first password, a number": (
        auth("initpwd: ⟦12345"),
        "secret.literal",
        "initpwd holds a literal value",
        REFERENCE,
    ),
    "first password of another kind": (
        rsa("{apis: [x], projects: [y], ⟦initpwd: hunter2}"),
        "unknown-field",
        "initpwd is a field of TokenAuth, not of RSAToken",
        "remove it",
    ),
    "secret": (
        rsa("{apis: [x], projects: [y], ⟦secret: hunter2}"),
        "secret.literal",
        "secret would hold a secret, and specs hold none",
        MADE,
    ),
    "password": (
        RSA + "⟦Pass-Word: {a: b}\n",
        "secret.literal",
        "Pass-Word would hold a secret, and specs hold none",
        MADE,
    ),
    "password of the store": (
        workspace("store: ⟦'postgresql://u:hunter2@h/d'"),
        "secret.literal",
        "store holds a literal value",
        STORE,
    ),
    "password behind the store": (
        workspace("store: ⟦'postgresql://h/d?password=hunter2'"),
        "secret.literal",
        "store holds a literal value",
        STORE,
    ),
    # the other documents
    "no address of a store": (
        workspace("store: ⟦'postgresql://[h/d'"),
        "workspace.store",
        'store is "postgresql://[h/d"',
        "write an address such as postgresql://HOST/DATABASE",
    ),
    "folder outside": (
        workspace("artifacts: ⟦../out"),
        "workspace.artifacts",
        'artifacts is "../out"',
        "a folder inside the workspace, such as artifacts",
    ),
    "brake over 100 %": (
        workspace("brakes: {delete: {count: 1, percent: ⟦101}}"),
        "workspace.brakes.delete.percent",
        "percent is the number 101",
        "it can be 100 at the most",
    ),
    "no recipient": (
        workspace("verifier: {recipients: [⟦ssh-rsa]}"),
        "workspace.verifier.recipients",
        'recipients is "ssh-rsa"',
        RECIPIENT,
    ),
    "catalog entry of no name": (CATALOG.replace("[x]", '[⟦"**"]'), "catalog.apis", 'apis is "**"', GRANTED),
    "all in a group": (
        CATALOG.replace("[x]", '[x, {name: "@g", members: [x, ⟦"*"]}]'),
        "catalog.apis.members",
        'members is "*"',
        "it takes 1 to 128 letters, digits and . _ : / @ -, and @ before them for a group",
    ),
    "member twice": (
        CATALOG.replace("[x]", '[x, {name: "@g", members: ⟦[x, x]}]'),
        "catalog.apis.members",
        "members holds a name twice",
        "keep one of the two",
    ),
    "group with an empty list": (
        CATALOG.replace("[x]", '[{name: "@g", members: ⟦[]}]'),
        "catalog.apis.members",
        "members is empty",
        "name at least one, or remove the field if it is optional",
    ),
    "deprecated without a word": (
        CATALOG.replace("[x]", "[{name: x, deprecated: ⟦true}]"),
        "catalog.apis.deprecated",
        "deprecated is true; it takes text",
        'put it in quotes: "true"',
    ),
    "catalog entry misspelt": (
        CATALOG.replace("[x]", "[{name: x, ⟦descripton: y}]"),
        "unknown-field",
        'spec.apis.0 has no field "descripton"',
        "did you mean description?",
    ),
    "catalog section misspelt": (
        CATALOG.replace("apis", "⟦api"),
        "unknown-field",
        'spec has no field "api"',
        "did you mean apis?",
    ),
}


@pytest.mark.parametrize("what", TABLE)
def test_the_fault_points_at_its_place_says_what_is_wrong_and_what_to_write(what: str) -> None:
    marked, rule, message, hint = TABLE[what]
    before = marked[: marked.index("⟦")]
    place = (before.count("\n") + 1, len(before) - before.rfind("\n"))
    (fault,) = read_file("specs/a.yaml", marked.replace("⟦", "").encode()).faults
    assert (fault.line, fault.column) == place
    assert (fault.rule, fault.message, fault.hint) == (rule, message, hint)
    assert fault.where == f"specs/a.yaml:{place[0]}:{place[1]}"


def test_all_faults_of_a_document_are_found_in_one_reading() -> None:
    text = rsa("{apis: [], projects: x, keySize: 1, users: [a]}").replace("name: a", "name: 1, x: y") + (
        "lifecycle: {expires: never, enabled: 1, rotate: {}}\ndeliver: {format: x}\n"
    )
    assert [(fault.line, fault.rule) for fault in sorted(read_file("f", text.encode()).faults)] == [
        (3, "metadata.name"), (3, "unknown-field"),
        (4, "rsatoken.apis"), (4, "rsatoken.projects"), (4, "rsatoken.keySize"), (4, "unknown-field"),
        (5, "lifecycle.expires"), (5, "lifecycle.enabled"), (5, "lifecycle.rotate"),
        (6, "deliver.format"),
    ]  # fmt: skip


def test_a_fault_shows_its_line_and_how_much_of_it_is_meant() -> None:
    (fault,) = read_file("f", (RSA + "deliver: {format: yml}  # here\n").encode()).faults
    assert fault == Fault(
        "f", 5, 19, "deliver.format", 'format is "yml"; it can be dotenv, json, kubernetes, pem or yaml',
        "did you mean yaml?", "deliver: {format: yml}  # here", 3,
    )  # fmt: skip


def test_a_line_of_more_than_200_letters_is_not_shown() -> None:
    (fault,) = read_file("f", (RSA + "deliver: {format: yml}  #" + " x" * 200 + "\n").encode()).faults
    assert (fault.source, fault.width) == ("", 1)
