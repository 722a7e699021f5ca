"""Tokens whose owners keep the private key, on the command line."""

from __future__ import annotations

import shutil

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from reconciler.kinds.ownkeys import fingerprint
from tests.cli.boards import Board
from tests.cli.kit import JWT, Shop
from tests.cli.test_doctor import checks
from tests.kinds.odd_keys import ec_pem, rsa_pem, rsa_private
from tests.live.hands import edit

KEPT = "signer has no artifact: its owner brought the public key, and keeps the private one"
FILE = "specs/tokens/signer.yaml"


def made(shop: Shop, key: str = "") -> None:
    """The spec of a signer that brings its key, as a shell hands the key over."""
    given = (key or rsa_pem(0, 3072)).strip()
    shop.ok("new", "RSAToken", "signer", "owner=team-a", "apis=x", "projects=y", f"publicKey={given}")


@pytest.fixture
def signing(shop: Shop) -> Shop:
    """A workspace with a live token of each sort: one that was sealed, and one whose owner has the key."""
    shop.ok("keygen")
    shop.spec(JWT)
    made(shop)
    shop.ok("apply", "--yes")
    return shop


def test_new_and_set_write_the_key_as_it_reads_best(shop: Shop) -> None:
    """Below `|`, and the diff of another key is that of its lines."""
    made(shop)
    text = (shop.root / FILE).read_text()
    lines = rsa_pem(0, 3072).splitlines()
    assert text.endswith("  publicKey: |\n" + "".join(f"    {line}\n" for line in lines))
    shop.ok("validate")
    ran = shop.ok("set", "signer", f"publicKey={rsa_pem(1, 3072).strip()}")
    assert [line for line in ran.out.splitlines() if line.startswith(("+ ", "- "))] == [
        *(f"-    {line}" for line in lines[1:-1] if line not in rsa_pem(1, 3072)),
        *(f"+    {line}" for line in rsa_pem(1, 3072).splitlines()[1:-1] if line not in lines),
    ]
    assert "nothing to change" in shop.ok("set", "signer", f"publicKey={rsa_pem(1, 3072)}").err
    shop.ok("set", "signer", "apis+=z")
    before = shop.tree()
    shop.ok("fmt")
    assert shop.tree() == before
    shop.ok("set", "signer", "publicKey=")
    assert "publicKey" not in (shop.root / FILE).read_text()


def test_a_private_key_is_not_written_and_not_shown(shop: Shop) -> None:
    """Whoever mistakes one file for the other finds it in no file and no log."""
    made(shop)
    before = shop.tree()
    private = rsa_private().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    ran = shop.run("set", "signer", f"publicKey={private}")
    assert ran.code == 1
    assert "publicKey holds a private key or a secret" in ran.out + ran.err
    assert not any(line in ran.out + ran.err for line in private.splitlines()[1:-1])
    assert shop.tree() == before


def test_a_key_that_another_spec_has_is_not_written(shop: Shop) -> None:
    """The edit would make the specs invalid: the spec that is edited is at fault, whatever its name."""
    made(shop)
    arguments = ("name=A", "algorithm=RS256", f"publicKey={rsa_pem(0, 3072)}")
    ran = shop.run("new", "TokenAuth", "a", *arguments)
    assert ran.code == 1
    assert f"publicKey is the key of signer too, at {FILE}:5 [publicKey.reused]" in ran.out + ran.err
    assert not (shop.root / "specs/tokens/a.yaml").exists()
    shop.ok("new", "TokenAuth", "a", "name=A", "algorithm=ES256", f"publicKey={ec_pem()}")
    shop.ok("validate")


def test_without_any_rule_or_identity_it_is_issued(shop: Shop) -> None:
    """Nothing is sealed; doctor, drift and plan find all well."""
    made(shop)
    plan = shop.ok("plan").out
    assert f"its owner brings the key {fingerprint(rsa_pem(0, 3072))}" in plan
    assert "BEGIN" not in plan
    shop.ok("apply", "--yes")
    assert not (shop.root / ".sops.yaml").exists()
    assert "Nothing to do" in shop.ok("apply", "--yes").out
    assert "No drift" in shop.ok("drift").out
    found = checks(shop)
    assert found["rules"][0]["state"] == "ok"
    assert found["own keys"][0]["message"] == "1 token whose owner keeps the private key: signer"
    assert not [one for many in found.values() for one in many if one["state"] == "fault"]


@pytest.mark.parametrize("lost", [False, True])
def test_commands_that_open_artifacts_say_that_there_is_none(signing: Shop, *, lost: bool) -> None:
    """Plainly, with the live store, and with the records of the clone alone."""
    if lost:
        shutil.rmtree(signing.root / ".reconciler")
    for command in (("download", "signer"), ("download", "signer", "--stdout")):
        ran = signing.run(*command)
        assert (ran.code, KEPT in ran.err) == (1, True), command
        assert "ask its owner, who signs with it" in ran.err
    for command in (("reseal", "signer", "--yes"), ("reseal", "signer", "--check")):
        ran = signing.run(*command)
        assert (ran.code, KEPT in ran.err) == (1, True), command
    assert "0 of 1 artifact encrypted anew" in signing.ok("reseal", "--yes").err
    assert "0 of 1 artifact not sealed" in signing.ok("reseal", "--check").err


def test_copy_says_so_too(board: Board) -> None:
    """Where a clipboard is at hand, nothing comes onto it."""
    made(board.shop)
    board.shop.ok("apply", "--yes")
    assert KEPT in board.shop.run("copy", "signer").err
    assert board.file.read_text() == ""


@pytest.mark.parametrize("lost", [False, True])
def test_download_all_passes_it_over_with_a_note(signing: Shop, *, lost: bool) -> None:
    """It is no failure, and JSON names it."""
    if lost:
        shutil.rmtree(signing.root / ".reconciler")
    ran = signing.ok("download", "--all", "--output", "mine")
    assert "1 token without an artifact, for the owner keeps the private key: signer" in ran.err
    assert [path.name for path in (signing.root / "mine").iterdir()] == ["bridge.yaml"]
    ran = signing.ok("download", "--all", "--owner", "team-a", "--output", "none", "--format", "json")
    assert (ran.json["files"], ran.json["failed"], ran.json["kept"]) == ([], [], ["signer"])


def test_show_and_list_tell_whose_key_it_is(signing: Shop) -> None:
    """By the fingerprint, which its owner can compare."""
    shown = signing.ok("show", "signer").out
    assert "artifact      none: its owner brought the public key, and keeps the private one" in shown
    assert f"public key    {fingerprint(rsa_pem(0, 3072))}" in shown
    tokens = {one["name"]: one for one in signing.ok("list", "--format", "json").json["tokens"]}
    assert (tokens["signer"]["artifact"], tokens["signer"]["own_key"]) == (
        None,
        fingerprint(rsa_pem(0, 3072)),
    )
    assert tokens["bridge"]["own_key"] is None
    assert "signer" in signing.ok("list").out


def test_export_writes_the_key_and_applying_it_plans_nothing(signing: Shop) -> None:
    """As a person would have written it."""
    shutil.rmtree(signing.root / "specs")
    signing.ok("export")
    text = (signing.root / "specs/tokens/RSAToken/signer.yaml").read_text()
    assert "  publicKey: |\n    -----BEGIN PUBLIC KEY-----\n" in text
    assert "Nothing to do" in signing.ok("plan").out
    assert "No drift" in signing.ok("drift").out


def test_drift_tells_when_hands_put_another_key_into_the_store(signing: Shop) -> None:
    """Whoever can write there could sign in as the owner."""
    url = f"sqlite:///{signing.root}/.reconciler/live.db"
    edit(url, "UPDATE credential SET public_key = 'of somebody else' WHERE secret_hash IS NULL")
    ran = signing.run("drift")
    assert ran.code == 2
    assert "signer: its live record was edited by hand: generation 1 has another public key" in ran.out


def test_a_plan_that_takes_a_key_back_is_blocked_and_says_why(signing: Shop) -> None:
    """Exit code 3, on plan and on apply; the old key works until the overlap ends."""
    signing.ok("set", "signer", f"publicKey={rsa_pem(1, 3072)}")
    plan = signing.ok("plan").out
    assert f"publicKey: {fingerprint(rsa_pem(0, 3072))} → {fingerprint(rsa_pem(1, 3072))}" in plan
    signing.ok("apply", "--yes")
    signing.ok("set", "signer", f"publicKey={rsa_pem(0, 3072)}")
    ran = signing.run("plan")
    assert ran.code == 3
    assert "publicKey of signer is its key before, of generation 1" in ran.out
    assert "[public-key-reused]" in ran.out
    assert signing.run("apply", "--yes").code == 3


def test_from_an_artifact_to_an_own_key_the_owner_of_the_old_one_is_told(signing: Shop) -> None:
    """Once applied, there is nothing to download; until then, what is live is opened."""
    signing.ok("set", "signer", "publicKey=")
    signing.ok("apply", "--yes")
    made_anew = signing.ok("download", "signer", "--stdout").out
    assert "PRIVATE KEY" in made_anew
    signing.ok("set", "signer", f"publicKey={rsa_pem(2, 3072)}")
    assert signing.ok("download", "signer", "--stdout").out == made_anew
    signing.ok("apply", "--yes")
    assert not (signing.root / "artifacts/RSAToken/signer.yaml").exists()
    assert KEPT in signing.run("download", "signer").err
    assert "No drift" in signing.ok("drift").out
