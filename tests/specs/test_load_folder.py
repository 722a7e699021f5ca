"""A folder of specs, read whole: everything in it, or every fault."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.errors import SpecsInvalid
from reconciler.specs import files
from reconciler.specs.faults import Fault
from reconciler.specs.files import MAX_BYTES, printable, read_bytes, spec_files
from reconciler.specs.load import examine
from reconciler.specs.load import load as load_all
from tests.specs.samples import FULL, text_of

CATALOG = """\
apiVersion: reconciler/v1
kind: Catalog
metadata: {name: shop}
spec:
  apis: [device.read, {name: device.list, description: all of them}, "*"]
  projects: [plant-a]
  roles: ["*"]
"""


def laid(root: Path, **texts: str) -> Path:
    """A workspace with spec files; `__` in a name stands for a folder."""
    for name, text in texts.items():
        path = root / "specs" / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def faults(root: Path) -> list[tuple[str, str, str, str]]:
    specs, found = examine(root)
    assert specs is None
    return [(fault.where, fault.rule, fault.message, fault.hint) for fault in found]


def listed(root: Path) -> tuple[list[str], list[Fault]]:
    found: list[Fault] = []
    return list(spec_files(root, "specs", found)), found


def test_tokens_of_all_files_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    laid(tmp_path, b__x=FULL["RSAToken"], a=FULL["JWTToken"] + "---\n" + FULL["TokenAuth"])
    specs = load_all(tmp_path)
    assert [(token.name, token.file, token.line) for token in specs.tokens] == [
        ("erp", "specs/a.yaml", 21),
        ("mes-bridge", "specs/a.yaml", 4),
        ("plant-a-historian", "specs/b/x.yaml", 4),
    ]
    assert (specs.name, specs.named, specs.catalog) == ("default", False, {})
    assert specs.settings.store == "sqlite:///.reconciler/live.db"


def test_the_digest_is_over_the_meaning_and_not_the_files(tmp_path: Path) -> None:
    one = load_all(laid(tmp_path / "one", a=FULL["RSAToken"] + "---\n" + FULL["JWTToken"])).digest
    two = load_all(laid(tmp_path / "two", x="# c\n" + FULL["JWTToken"], y__z=FULL["RSAToken"])).digest
    more = load_all(laid(tmp_path / "more", x=FULL["JWTToken"])).digest
    named = "apiVersion: reconciler/v1\nkind: Workspace\nmetadata: {name: w}\n"
    other = load_all(laid(tmp_path / "two", w=named)).digest
    known = load_all(laid(tmp_path / "more", c=CATALOG.replace("apis:", "shops:"))).digest
    assert one == two
    assert len({one, more, other, known}) == 4


def test_all_faults_of_all_files_come_at_once_and_sorted(tmp_path: Path) -> None:
    laid(tmp_path, b="kind: x\n", a="a: [\n", c__d=text_of("RSAToken").replace("name: x", "name: X"))
    (tmp_path / "specs" / "a.link.yaml").symlink_to(tmp_path)
    assert [(where, rule) for where, rule, _, _ in faults(tmp_path)] == [
        ("specs/a.link.yaml:1:1", "specs.file"),
        ("specs/a.yaml:2:1", "yaml.syntax"),
        ("specs/b.yaml:1:7", "kind"),
        ("specs/c/d.yaml:4:9", "metadata.name"),
    ]


def test_load_raises_with_every_fault_and_tells_the_first(tmp_path: Path) -> None:
    laid(tmp_path, b="kind: x\n", a="- a\n")
    with pytest.raises(SpecsInvalid, match=r"2 faults, the first at specs/a.yaml:1:1: a document") as caught:
        load_all(tmp_path)
    assert len(caught.value.faults) == 2


def test_a_name_that_is_used_again_names_the_place_of_the_first(tmp_path: Path) -> None:
    laid(tmp_path, a=text_of("RSAToken"), b=text_of("JWTToken") + "---\n" + text_of("TokenAuth"))
    hint = "a name is unique over the whole workspace, all kinds: choose another"
    assert faults(tmp_path) == [
        (
            f"specs/b.yaml:{line}:9",
            "metadata.name",
            'the name "x" is used a second time; the first is at specs/a.yaml:4',
            hint,
        )
        for line in (4, 12)
    ]


def test_a_second_workspace_document_names_the_place_of_the_first(tmp_path: Path) -> None:
    text = "apiVersion: reconciler/v1\nkind: Workspace\nmetadata: {name: w}\n"
    laid(tmp_path, a=text, b="# c\n" + text)
    assert faults(tmp_path) == [
        (
            "specs/b.yaml:3:1",
            "workspace",
            "this is a second Workspace document; the first is at specs/a.yaml:2",
            "keep one of the two",
        )
    ]


def test_names_outside_the_catalog_are_faults_with_the_nearest_name(tmp_path: Path) -> None:
    rsa = (
        text_of("RSAToken")
        .replace('"*"', "device.raed", 1)
        .replace('projects: ["*"]', "projects: [plant-a, plant-b]")
    )
    auth = text_of("TokenAuth", "y") + "  initroles: [boss]\n"
    laid(tmp_path, a=CATALOG, b=rsa, c=auth, d=text_of("LoginToken", "z"))
    assert faults(tmp_path) == [
        (
            "specs/b.yaml:6:10",
            "catalog.apis",
            'apis names "device.raed", which the catalog does not have',
            "did you mean device.read?",
        ),
        (
            "specs/b.yaml:7:23",
            "catalog.projects",
            'projects names "plant-b", which the catalog does not have',
            "did you mean plant-a?",
        ),
        (
            "specs/c.yaml:7:15",
            "catalog.roles",
            'initroles names "boss", which the catalog does not have',
            "add it to the catalog",
        ),
    ]


def test_a_name_outside_the_catalog_may_stand_without_a_list(tmp_path: Path) -> None:
    laid(tmp_path, a=CATALOG, d=text_of("LoginToken", "z").replace('api: "*"', "api: nothing.like.it"))
    (fault,) = faults(tmp_path)
    assert fault[0] == "specs/d.yaml:9:8"
    assert fault[3] == "it can be device.list or device.read"


def test_catalogs_add_up_and_a_section_that_no_catalog_has_is_not_checked(tmp_path: Path) -> None:
    more = CATALOG.replace("shop", "more").replace("[device.read,", "[fan.read,")
    laid(tmp_path, a=CATALOG, b=more, c=FULL["JWTToken"].replace("telemetry.write", "fan.read"))
    specs = load_all(tmp_path)
    assert set(specs.catalog["apis"].entries) == {"device.read", "device.list", "fan.read", "*"}
    assert "users" not in specs.catalog


def test_only_the_first_hundred_guesses_of_a_file_are_made(tmp_path: Path) -> None:
    names = ", ".join(f"device.rea{number}" for number in range(150))
    laid(
        tmp_path, a=CATALOG, b=text_of("RSAToken").replace('["*"]', f"[{names}]", 1).replace('"*"', "plant-a")
    )
    found = faults(tmp_path)
    assert sum(hint.startswith("did you mean") for *_, hint in found) == 100
    assert len(found) == 150


def test_a_file_that_goes_away_between_two_readings_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    laid(tmp_path, a=CATALOG, b=text_of("RSAToken").replace('["*"]', "[nothing]", 1))

    read: list[str] = []

    def gone(path: str | Path) -> bytes:
        if str(path) in read:
            raise FileNotFoundError(2, "No such file or directory")
        read.append(str(path))
        return read_bytes(path)

    monkeypatch.setattr(files, "read_bytes", gone)
    assert faults(tmp_path) == [
        (
            "specs/b.yaml:1:1",
            "specs.file",
            "this file cannot be read (No such file or directory)",
            "mind its permissions",
        )
    ]


def test_hidden_files_and_other_endings_are_left_alone(tmp_path: Path) -> None:
    laid(tmp_path, a="kind: x\n", b__c="kind: x\n")
    for name in (".hidden.yaml", "notes.md", "a.yaml.bak", ".git"):
        (tmp_path / "specs" / name).write_text("kind: x\n")
    (tmp_path / "specs" / "UPPER.YML").write_text("kind: x\n")
    assert listed(tmp_path) == (["specs/UPPER.YML", "specs/a.yaml", "specs/b/c.yaml"], [])


def test_no_spec_folder_is_a_fault(tmp_path: Path) -> None:
    assert faults(tmp_path) == [
        (
            "specs:1:1",
            "specs.file",
            "there is no such folder",
            "make one with: reconcile init, or reconcile new KIND NAME",
        )
    ]


def test_a_spec_folder_that_is_a_link_is_a_fault(tmp_path: Path) -> None:
    laid(tmp_path / "real", a=FULL["RSAToken"])
    (tmp_path / "specs").symlink_to(tmp_path / "real" / "specs")
    assert faults(tmp_path) == [
        ("specs:1:1", "specs.file", "the spec folder is a link", "make it a folder of the repository")
    ]


@pytest.mark.parametrize("target", ["/etc", "../outside.yaml", "nowhere", "loop.yaml"])
def test_a_link_that_leads_out_or_nowhere_is_a_fault(tmp_path: Path, target: str) -> None:
    laid(tmp_path, a=FULL["RSAToken"])
    (tmp_path / "outside.yaml").write_text(FULL["JWTToken"])
    (tmp_path / "specs" / "loop.yaml").symlink_to(target)
    assert faults(tmp_path) == [
        (
            "specs/loop.yaml:1:1",
            "specs.file",
            "this link leads out of the spec folder, or nowhere",
            "put the file itself here",
        )
    ]


def test_a_link_inside_the_folder_is_read_where_it_leads_and_only_there(tmp_path: Path) -> None:
    laid(tmp_path, a=FULL["RSAToken"])
    (tmp_path / "specs" / "b.yaml").symlink_to("a.yaml")
    assert [token.file for token in load_all(tmp_path).tokens] == ["specs/a.yaml"]


def test_a_pipe_is_a_fault_and_does_not_hang(tmp_path: Path) -> None:
    laid(tmp_path, a=FULL["RSAToken"])
    os.mkfifo(tmp_path / "specs" / "pipe.yaml")
    assert faults(tmp_path) == [
        (
            "specs/pipe.yaml:1:1",
            "specs.file",
            "this file cannot be read (it is not a regular file)",
            "mind its permissions",
        )
    ]


def test_what_the_system_does_not_let_us_read_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder and a file: an incomplete read is never taken for fewer specs."""
    laid(tmp_path, a=FULL["RSAToken"], b__c=FULL["JWTToken"], d=FULL["TokenAuth"])
    scan, read = os.scandir, read_bytes

    def scandir(path: Path) -> Iterator[os.DirEntry[str]]:
        if str(path).endswith("specs/b"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    def denied(path: str) -> bytes:
        if path.endswith("d.yaml"):
            raise PermissionError(13, "Permission denied")
        return read(path)

    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr(files, "read_bytes", denied)
    assert [(where, message) for where, _, message, _ in faults(tmp_path)] == [
        ("specs/b:1:1", "this folder cannot be read (Permission denied)"),
        ("specs/d.yaml:1:1", "this file cannot be read (Permission denied)"),
    ]


def test_names_that_cannot_be_shown_are_faults(tmp_path: Path) -> None:
    laid(tmp_path, a=FULL["RSAToken"])
    for name in (b"a\nb.yaml", b"\xff.yaml", b"\x1b[2J"):
        (Path(os.fsdecode(os.fsencode(tmp_path) + b"/specs/" + name))).write_text("kind: x\n")
    assert [(where, message) for where, _, message, _ in faults(tmp_path)] == [
        (f"specs/{name}:1:1", "this name has a character that cannot be shown")
        for name in ("?.yaml", "?[2J", "a?b.yaml")
    ]
    assert printable("\udcff\n工") == "??工"


def test_folders_as_deep_as_the_system_lets_us_make_them_are_read(tmp_path: Path) -> None:
    laid(tmp_path, a=FULL["RSAToken"])
    here = Path.cwd()
    try:
        os.chdir(tmp_path / "specs")
        for _ in range(1200):
            Path("d").mkdir()
            os.chdir("d")
        Path("b.yaml").write_text(FULL["JWTToken"])
        names, found = listed(tmp_path)
        Path("b.yaml").unlink()
        for _ in range(1200):
            os.chdir("..")
            Path("d").rmdir()
    finally:
        os.chdir(here)
    assert found == []
    assert [name.count("/") for name in names] == [1, 1201]


def test_a_file_that_says_it_is_empty_is_read_to_its_end() -> None:
    """As the files of /proc do: what counts is what can be read."""
    assert read_bytes("/proc/self/status").startswith(b"Name:")


def test_no_more_than_a_byte_over_the_limit_is_read(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    for size in (0, 1, MAX_BYTES - 1, MAX_BYTES, MAX_BYTES + 1, 3 * MAX_BYTES):
        path.write_bytes(b"#" * size)
        assert len(read_bytes(path)) == min(size, MAX_BYTES + 1)
