"""download: one token's artifact, or every one of an owner, opened into new files."""

from __future__ import annotations

import shutil
import stat

import pytest

from tests.cli.kit import AUTH, RSA, Shop, on_terminal


def test_download_writes_a_new_private_file_and_never_over_one(stocked: Shop) -> None:
    """The file has mode 0600 and the fields alone; a second download finds it and leaves its bytes."""
    stocked.ok("download", "historian")
    path = stocked.root / "historian.yaml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "-----BEGIN PRIVATE KEY-----" in path.read_text()
    assert "reconciler" not in path.read_text()
    before = path.read_bytes()
    ran = stocked.run("download", "historian")
    assert ran.code == 1
    assert "exists, and is not overwritten" in ran.err
    assert path.read_bytes() == before
    assert stocked.run("download", "historian", "--output", "/proc/none/x").code == 1


@pytest.mark.parametrize(
    ("form", "starts"),
    [
        ("json", "{\n"),
        ("dotenv", "TOKEN_ID="),
        ("pem", "-----BEGIN PRIVATE KEY-----\n"),
        ("kubernetes", "token_id: "),
        ("yaml", "token_id: "),
    ],
)
def test_download_gives_the_format_that_was_asked_for(form: str, starts: str, shop: Shop) -> None:
    """What arrives in the clear is in the notation of `deliver.format`."""
    shop.ok("keygen")
    shop.spec(f"{RSA}deliver: {{format: {form}}}\n")
    shop.ok("apply", "--yes")
    assert shop.ok("download", "historian", "--stdout").out.startswith(starts)
    assert shop.ok("copy", "historian", "--help").code == 0


def test_download_to_a_terminal_is_refused_unless_forced(stocked: Shop) -> None:
    """A secret does not get into a scrollback by accident."""
    code, shown = on_terminal(["download", "historian", "--stdout"])
    assert code == 64
    assert "BEGIN PRIVATE KEY" not in shown
    code, shown = on_terminal(["download", "historian", "--stdout", "--force"])
    assert code == 0
    assert "BEGIN PRIVATE KEY" in shown
    assert stocked.run("download", "historian", "--stdout", "--output", "x").code == 64


def test_an_owner_without_the_live_store_can_still_open_a_clone(stocked: Shop) -> None:
    """The records say whose artifact it is, and a note says that they were asked."""
    shutil.rmtree(stocked.root / ".reconciler")
    ran = stocked.ok("download", "historian", "--stdout")
    assert "BEGIN PRIVATE KEY" in ran.out
    assert "the records of this clone are asked" in ran.err
    assert stocked.run("download", "nobody").code == 1


def test_an_owner_without_the_live_store_is_not_handed_another_tokens_secret(stocked: Shop) -> None:
    """The records in the clone say which id and generation the name has."""
    stocked.spec(AUTH.replace("erp", "second"), "second.yaml")
    stocked.ok("apply", "--yes")
    shutil.rmtree(stocked.root / ".reconciler")
    artifacts = stocked.root / "artifacts"
    (artifacts / "TokenAuth/erp.yaml").write_bytes((artifacts / "TokenAuth/second.yaml").read_bytes())
    ran = stocked.run("download", "erp", "--stdout")
    assert (ran.code, ran.out) == (1, "")
    assert "[artifact-tampered, exit 1]" in ran.err
    (artifacts / "TokenAuth/second.yaml").write_bytes((artifacts / "JWTToken/bridge.yaml").read_bytes())
    assert stocked.run("download", "second", "--stdout").code == 1
    shutil.rmtree(artifacts / "records")
    assert "no record in this clone says" in stocked.run("download", "historian", "--stdout").err


def test_a_store_that_cannot_be_reached_is_a_note_for_the_owner(stocked: Shop) -> None:
    """An owner need not have access to the live store that the specs name."""
    stocked.spec(
        "apiVersion: reconciler/v1\nkind: Workspace\nmetadata: {name: default}\n"
        "spec: {store: 'postgresql://127.0.0.1:1/none'}\n",
        "workspace.yaml",
    )
    ran = stocked.ok("download", "historian", "--stdout")
    assert "the live store was not asked" in ran.err
    assert "only as trustworthy as the branch that is checked out" in ran.err


def test_an_artifact_that_was_swapped_edited_or_lost_is_refused(stocked: Shop) -> None:
    """None of three ways to change what is in the tree brings anything out."""
    artifacts = stocked.root / "artifacts"
    stocked.spec(AUTH.replace("erp", "second"), "second.yaml")
    stocked.ok("apply", "--yes")
    erp, second = artifacts / "TokenAuth/erp.yaml", artifacts / "TokenAuth/second.yaml"
    mine = erp.read_bytes()
    erp.write_bytes(second.read_bytes())
    ran = stocked.run("download", "erp", "--stdout")
    assert (ran.code, ran.out) == (1, "")
    assert "[artifact-tampered, exit 1]" in ran.err
    assert "belongs to another token" in stocked.ok("plan").out
    erp.write_bytes(mine.replace(b"generation: 1", b"generation: 2"))
    assert stocked.run("download", "erp", "--stdout").code == 1
    erp.unlink()
    assert "[cannot-open, exit 1]" in stocked.run("download", "erp", "--stdout").err
    assert "its artifact is missing" in stocked.ok("plan").out
    stocked.ok("apply", "--yes")
    assert stocked.ok("download", "erp", "--stdout").out


def test_another_identity_does_not_open_it(stocked: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is no recipient gets an error, and nothing on stdout."""
    monkeypatch.setenv("HOME", str(stocked.root))
    ran = stocked.run("download", "historian", "--stdout")
    assert (ran.code, ran.out) == (1, "")
    assert "[no-key, exit 1]" in ran.err


def test_a_deleted_token_hands_nothing_out(stocked: Shop) -> None:
    """Its artifact may still stand in somebody's clone."""
    stocked.ok("remove", "erp")
    stocked.ok("apply", "--yes")
    assert "erp was deleted, and that is final" in stocked.run("download", "erp").err
