"""No fault repeats a secret: not in its message, its hint, its line, nor anywhere else."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from reconciler.kinds import keys
from reconciler.specs.faults import looks_secret, shown
from reconciler.specs.reader import read_file
from tests.specs.samples import FULL

KEY = ed25519.Ed25519PrivateKey.generate()
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
BIG_PEM = (
    rsa.generate_private_key(public_exponent=65537, key_size=2048)
    .private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    .decode()
)
AGE = "AGE-SECRET-KEY-1" + "Q9ZX8" * 11 + "QLP"
SECRET_ID = keys.secret_id(lambda size: bytes(range(97, 97 + size))).open()
WORD = "hunter2"


def said(text: str) -> str:
    """All that the faults of a text say, and that there are some."""
    faults = read_file("specs/a.yaml", text.encode()).faults
    assert faults
    return "\n".join(repr(fault) for fault in faults)


def indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())


def lines_of(pem: str) -> list[str]:
    return [line for line in pem.splitlines() if not line.startswith("-----")]


@pytest.mark.parametrize("pem", [PEM, BIG_PEM])
@pytest.mark.parametrize(
    "around",
    [
        "spec:\n  private_key: |\n{0}",
        "spec:\n  title: |\n{0}  other: [\n",
        "kind: RSAToken\nmetadata:\n  name: |\n{0}",
        "a: >\n{0}b: 'x\n",
        "{0}",
        "a: b\n{0}",
        "- [\n{0}",
        "? {{\n{0}",
        'a: "\n{0}',
    ],
)
def test_no_line_of_a_private_key_is_repeated_wherever_it_stands(around: str, pem: str) -> None:
    found = said(around.format(indented(pem)))
    for line in lines_of(pem):
        assert line not in found
        assert line[:12] not in found


@pytest.mark.parametrize("canary", [AGE, SECRET_ID])
@pytest.mark.parametrize(
    "around",
    [
        "{0}", "kind: {0}", "{0}: x", "- {0}", "a: [{0}", "a: {0}: b", "a: *{0}", "a: &{0} 1\na: 2",
        "kind: RSAToken\nmetadata: {{name: {0}}}", "kind: RSAToken\nmetadata: {{{0}: x}}",
        "kind: RSAToken\nspec: {{apis: [{0}, {0}], keySize: {0}}}",
        "kind: RSAToken\nmetadata: {{labels: {{{0}: 1}}}}", "a: !{0} x", "a: 1\n{0}: 1\n{0}: 2\n",
        "kind: Workspace\nspec: {{store: {0}, artifacts: /{0}}}", "%TAG !a! {0}\n---\n",
        "kind: TokenAuth\nspec: {{initpwd: {0}}}", "# {0}\na: [", "a: \x07 {0}",
    ],
)  # fmt: skip
def test_a_key_or_secret_id_is_never_repeated_wherever_it_stands(around: str, canary: str) -> None:
    found = said(around.format(canary))
    assert canary not in found
    assert canary[:20] not in found


def test_a_key_or_secret_id_in_the_clear_is_a_fault_even_in_a_comment_of_a_right_spec() -> None:
    for canary in (AGE, SECRET_ID, PEM.splitlines()[0]):
        (fault,) = read_file("f", f"{FULL['RSAToken']}# old: {canary}\n".encode()).faults
        assert (fault.rule, fault.line, fault.column, fault.source) == (
            "secret.literal", FULL["RSAToken"].count("\n") + 1, 8, "",
        )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "password: hunter2: x",
        "password:\n\thunter2\n",
        "spec:\n  password: |\n    hunter2\n   bad\n",
        "spec:\n  secret: >\n    one\n\n    hunter2\n b: [\n",
        "secret: 'hunter2\n",
        "a: {password: hunter2, b: [",
        "db_passwd: *hunter2\n",
        "password: !hunter2 x\n",
        "password: &hunter2\nb: *c\n",
        "spec: {initpwd: hunter2, initpwd: hunter2}",
        "pwd:\n- hunter2\n- {\n",
        "client_secret:\n  - - hunter2\n - x\n",
        "api-key: @hunter2\n",
        "store: postgresql://user:hunter2@host/db: x\n",
        "a: postgres://:hunter2@host: [\n",
        "kind: Workspace\nspec: {store: 'postgresql://u:hunter2@h/d'}\n",
        "kind: Workspace\nspec:\n  store: postgresql://h/d?password=hunter2\n",
        "kind: TokenAuth\nspec:\n  initpwd: [hunter2]\n",
        "kind: TokenAuth\nspec:\n  initpwd: {hunter2: hunter2}\n",
        "kind: TokenAuth\nspec:\n  initpwd: hunter2\n  expire: many\n",
        "kind: RSAToken\nspec:\n  password: hunter2\n",
        "kind: RSAToken\nspec:\n  Private-Key: hunter2\n",
        "kind: RSAToken\nspec:\n  initpwd: hunter2\n",
        "kind: RSAToken\nmetadata:\n  secret_id: hunter2\n",
        "kind: RSAToken\npassword: {hunter2: [hunter2]}\n",
    ],
)
def test_a_password_is_not_repeated_from_fields_nor_from_broken_syntax(text: str) -> None:
    assert WORD not in said(text)


def test_a_line_below_a_secret_is_shown_again_when_another_field_starts() -> None:
    faults = read_file("f", b"kind: RSAToken\nspec:\n  secret:\n    - x\n  keySize: 7\n").faults
    assert [fault.source for fault in faults if fault.rule == "rsatoken.keySize"] == ["  keySize: 7"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "empty"),
        (True, "true"),
        (12, "the number 12"),
        ("plain", '"plain"'),
        ("x" * 61, "a text of 61 characters"),
        ("two\nlines", "a text of 9 characters"),
        ("Zm9vYmFyMTIzNDU2Nzg5MGFiY2RlZg", "a text of 30 characters"),
        ({"a": "b"}, "a mapping"),
        (["a"], "a list"),
    ],
)
def test_a_value_is_shown_short_and_only_when_it_is_harmless(value: object, words: str) -> None:
    assert shown(value) == words


@pytest.mark.parametrize(
    "text",
    [
        "my password",
        "AGE-SECRET-KEY-1",
        "-----BEGIN RSA PRIVATE KEY-----",
        "token: abcdefghijkl",
        "https://u:p@h",
        SECRET_ID,
    ],
)
def test_texts_that_may_hold_a_secret_are_known(text: str) -> None:
    assert looks_secret(text)


@pytest.mark.parametrize(
    "text", ["device.read", "2027-06-30", "工厂 A", "a" * 40, "https://h:80/x", "token: erp"]
)
def test_texts_that_hold_none_are_let_through(text: str) -> None:
    assert not looks_secret(text)
