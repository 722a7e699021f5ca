"""keygen, new, set, remove, fmt: they edit files, and touch nothing live."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from tests.cli.kit import AUTH, JWT, Shop


def keys(shop: Shop) -> Path:
    return shop.root.parent / "home/.config/sops/age/keys.txt"


def test_keygen_makes_a_private_identity_and_a_rule(shop: Shop) -> None:
    ran = shop.ok("keygen")
    recipient = ran.out.strip()
    assert recipient.startswith("age1")
    assert keys(shop).stat().st_mode & 0o777 == 0o600
    assert "AGE-SECRET-KEY-1" in keys(shop).read_text()
    assert "AGE-SECRET-KEY" not in ran.out + ran.err
    assert f"age: {recipient}" in (shop.root / ".sops.yaml").read_text()


def test_keygen_appends_and_overwrites_nothing(shop: Shop) -> None:
    shop.ok("keygen")
    first, rules = keys(shop).read_text(), (shop.root / ".sops.yaml").read_text()
    ran = shop.ok("keygen")
    assert keys(shop).read_text().startswith(first)
    assert keys(shop).read_text().count("AGE-SECRET-KEY-1") == 2
    assert (shop.root / ".sops.yaml").read_text() == rules
    assert "is there already" in ran.err


def test_keygen_if_missing_does_nothing_the_second_time(shop: Shop) -> None:
    shop.ok("keygen", "--if-missing")
    before = keys(shop).read_text()
    assert "nothing to do" in shop.ok("keygen", "--if-missing").err
    assert keys(shop).read_text() == before


def test_keygen_writes_to_the_named_file_and_tightens_its_mode(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = shop.write("elsewhere.txt", "# mine\n")
    named.chmod(0o644)
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", str(named))
    shop.ok("keygen")
    assert named.read_text().startswith("# mine\n# created: ")
    assert named.stat().st_mode & 0o777 == 0o600
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", "/proc/none/keys.txt")
    assert shop.run("keygen").code == 1


def test_keygen_leaves_rules_above_the_workspace_alone(shop: Shop) -> None:
    (shop.root.parent / ".sops.yaml").write_text("creation_rules:\n  - age: age1x\n")
    shop.ok("keygen")
    assert not (shop.root / ".sops.yaml").exists()


def test_new_writes_a_valid_spec_that_names_its_schema(shop: Shop) -> None:
    ran = shop.ok(
        "new", "tokenauth", "erp", "owner=team-erp", "name=ERP", "initroles=SYS_Reader", "inituser=true"
    )
    text = (shop.root / "specs/tokens/erp.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=../.schema.json\napiVersion: reconciler/v1\n")
    assert "kind: TokenAuth" in text
    assert "inituser: true" in text
    assert ran.out.startswith("--- /dev/null\n+++ b/specs/tokens/erp.yaml\n")
    assert (shop.root / "specs/.schema.json").is_file()
    shop.ok("validate")
    assert not (shop.root / ".reconciler").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("RSAToken", "a", "apis=x"), "spec.projects is missing"),
        (("RSAToken", "A b", "apis=x", "projects=y"), "1 to 63 of a-z"),
        (("TokenAuth", "a", "name=E", "algorithm=HS265"), "did you mean HS256?"),
        (("TokenAuth", "a", "name=E", "algoritm=HS256"), "did you mean algorithm?"),
        (("TokenAuth", "a", "name=E", "initpwd=CANARY"), "initpwd holds a literal value"),
        (("TokenAuth", "a", "nonsense"), "is not FIELD=VALUE"),
        (("TokenAuth", "a", "metadata.name=b"), "a name is not set"),
        (("TokenAuth", "a", "name+=E"), "name is not a list"),
    ],
)
def test_new_that_would_be_invalid_writes_nothing(arguments: tuple[str, ...], said: str, shop: Shop) -> None:
    ran = shop.run("new", *arguments)
    assert ran.code in (1, 64)
    assert said in ran.err
    assert "CANARY" not in ran.err
    assert [path for path in (shop.root / "specs").rglob("*") if path.is_file()] == []


def test_new_refuses_a_name_that_is_taken_and_says_where(shop: Shop) -> None:
    shop.spec(AUTH)
    ran = shop.run("new", "TokenAuth", "erp", "name=ERP")
    assert ran.code == 64
    assert "erp is taken, in specs/tokens.yaml:3" in ran.err


def test_new_adds_to_a_file_that_is_there(shop: Shop) -> None:
    shop.spec(AUTH)
    shop.ok("new", "TokenAuth", "second", "name=TWO", "--file", "specs/tokens.yaml")
    text = (shop.root / "specs/tokens.yaml").read_text()
    assert text.startswith(AUTH + "---\napiVersion")
    for wrong in ("outside.yaml", "specs/x.txt"):
        assert shop.run("new", "TokenAuth", "third", "name=T", "--file", wrong).code == 64


def test_set_keeps_comments_and_shows_the_edit(shop: Shop) -> None:
    shop.spec("# why we have it\n" + AUTH.replace("kind: TokenAuth", "kind: TokenAuth  # the server's"))
    ran = shop.ok("set", "erp", "expire=3600", "initroles+=SYS_Author", "labels.env=prod")
    text = (shop.root / "specs/tokens.yaml").read_text()
    assert "# why we have it" in text
    assert "# the server's" in text
    assert "expire: 3600" in text
    assert "SYS_Author" in text
    assert "+++ b/specs/tokens.yaml" in ran.out


def test_set_to_what_is_there_changes_nothing(shop: Shop) -> None:
    path = shop.spec(AUTH)
    before = path.read_bytes()
    ran = shop.ok("set", "erp", "name=ERP")
    assert path.read_bytes() == before
    assert "says that already" in ran.err


def test_set_of_an_invalid_value_writes_nothing(shop: Shop) -> None:
    path = shop.spec(AUTH)
    before = path.read_bytes()
    ran = shop.run("set", "erp", "algorithm=HS265")
    assert ran.code == 1
    assert "nothing was written" in ran.err
    assert path.read_bytes() == before


def test_set_and_remove_of_an_unknown_name_suggest_one(shop: Shop) -> None:
    shop.spec(AUTH.replace("erp", "enterprise"))
    assert "did you mean enterprise?" in shop.run("set", "enterprize", "expire=1").err
    assert shop.run("remove", "enterprize").code == 64
    shop.spec("", "tokens.yaml")
    assert "add one with: reconcile new" in shop.run("remove", "x").err


def test_remove_takes_one_document_and_leaves_the_rest_to_the_byte(shop: Shop) -> None:
    path = shop.spec(f"{JWT}---\n# keep me\n{AUTH}")
    ran = shop.ok("remove", "bridge")
    assert path.read_text().endswith(f"# keep me\n{AUTH}")
    assert "bridge" not in path.read_text()
    assert "cannot be undone" in ran.err
    shop.ok("remove", "erp")
    assert not path.exists()


def test_set_on_a_read_only_folder_is_a_clear_error(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    path = shop.spec(AUTH)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("reconciler.specs.write.tempfile.mkstemp", refuse)
    ran = shop.run("set", "erp", "expire=1")
    assert ran.code == 1
    assert "Read-only file system" in ran.err
    assert path.read_text() == AUTH


def test_fmt_evens_indentation_and_check_only_tells(shop: Shop) -> None:
    path = shop.spec(
        "apiVersion: reconciler/v1\nkind: TokenAuth\n"
        "metadata:\n      name: erp   # us\nspec:\n      name: ERP\n"
    )
    shop.spec(AUTH.replace("erp", "fine"), "fine.yaml")
    before = path.read_text()
    ran = shop.run("fmt", "--check")
    assert (ran.code, path.read_text()) == (1, before)
    assert ran.out == "specs/tokens.yaml is not formatted\n"
    shop.ok("fmt")
    assert "metadata:\n  name: erp " in path.read_text()
    assert "# us\nspec:\n  name: ERP\n" in path.read_text()
    assert shop.ok("fmt", "--check").err == "0 of 2 files would change.\n"
    assert shop.ok("fmt", "specs/fine.yaml").err == "0 of 1 files changed.\n"


def test_fmt_leaves_a_faulty_file_alone(shop: Shop) -> None:
    path = shop.spec("kind: [\n")
    assert shop.run("fmt").code == 1
    assert path.read_text() == "kind: [\n"
    (shop.root / "specs/out.yaml").symlink_to("/etc/hostname")
    assert "the specs have faults" in shop.run("fmt").err


def test_fmt_writes_nothing_while_any_file_has_a_fault_and_names_every_fault(shop: Shop) -> None:
    first = shop.spec(AUTH.replace("name: erp", "name:   one"), "a.yaml")
    before = first.read_bytes()
    (shop.root / "specs/b.yaml").write_bytes("# caf\xe9\n".encode("latin-1"))
    shop.spec("kind: Nothing\n", "c.yaml")
    ran = shop.run("fmt")
    assert ran.code == 1
    assert "specs/b.yaml:1:6: this is not UTF-8" in ran.err
    assert "specs/c.yaml" in ran.err
    assert first.read_bytes() == before


def test_a_diff_shows_no_letter_that_a_terminal_obeys(shop: Shop) -> None:
    shop.spec(f"# \u202eevil\n{AUTH}")
    ran = shop.ok("set", "erp", "owner=team")
    assert "+" in ran.out
    assert all(letter.isprintable() or letter in "\n\t" for letter in ran.out)


def test_new_where_no_folder_can_be_made_says_so(shop: Shop) -> None:
    shop.write("specs", "a file")
    ran = shop.run("new", "TokenAuth", "erp", "name=ERP")
    assert ran.code == 1
    assert "cannot be written" in ran.err or "no such folder" in ran.err
    assert "not foreseen" not in ran.err
    (shop.root / "specs").unlink()
    shop.write("specs/tokens", "a file")
    ran = shop.run("new", "TokenAuth", "erp", "name=ERP")
    assert "specs/tokens/erp.yaml cannot be written" in ran.err


def test_new_into_a_file_that_is_not_utf8_says_so(shop: Shop) -> None:
    shop.ok("new", "TokenAuth", "erp", "name=ERP")
    (shop.root / "specs/l.yaml").write_bytes(b"# caf\xe9\n")
    ran = shop.run("new", "TokenAuth", "mes", "name=MES", "--file", "specs/l.yaml")
    assert ran.code == 1
    assert "UTF-8" in ran.err


@pytest.mark.parametrize(("number", "said"), [(errno.ENOSPC, "free space"), (errno.EACCES, "permissions")])
def test_a_file_that_cannot_be_written_says_why(
    number: int, said: str, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise OSError(number, "no")

    shop.spec(AUTH)
    monkeypatch.setattr("reconciler.cli.editing.write_whole", fails)
    ran = shop.run("set", "erp", "owner=team")
    assert ran.code == 1
    assert said in ran.err


def test_a_saved_plan_makes_no_folders(shop: Shop) -> None:
    shop.spec(AUTH)
    ran = shop.run("plan", "--out", "none/plan.json")
    assert ran.code == 1
    assert not (shop.root / "none").exists()
