"""What a spec may name on this machine, what may stand in a line, and a catalog that is faulty."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from reconciler.cli.main import MODULES
from reconciler.files import read_regular
from reconciler.specs.assign import parse
from reconciler.specs.edit import with_fields
from reconciler.specs.load import examine
from reconciler.specs.reader import read_file
from reconciler.specs.write import write_whole

WORKSPACE = "apiVersion: reconciler/v1\nkind: Workspace\nmetadata: {name: acme}\nspec: {%s}\n"
TOKEN = """\
apiVersion: reconciler/v1
kind: TokenAuth
metadata: {name: a, title: "%s", labels: {env: prod}}
spec: {name: ERP, initroles: [SYS_Reader]}
"""
CATALOG = "apiVersion: reconciler/v1\nkind: Catalog\nmetadata: {name: c}\nspec: {roles: [Other], apps: %s}\n"


def rules(text: str) -> list[str]:
    return [fault.rule for fault in read_file("f", text.encode()).faults]


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////etc/live.db",
        "sqlite:///../live.db",
        "sqlite:///a/../../live.db",
        "sqlite:///a\\\\..\\\\b.db",
        "sqlite:///%2e%2e/live.db",
        "sqlite:///C:/live.db",
        "sqlite:///live.db?mode=ro",
        "sqlite://host/live.db",
        "sqlite://",
        "mysql://h/d",
        "live.db",
    ],
)
def test_a_spec_names_no_store_outside_the_workspace(url: str) -> None:
    assert rules(WORKSPACE % f'store: "{url}"') == ["workspace.store"]


@pytest.mark.parametrize("url", ["sqlite:///live.db", "sqlite:///.reconciler/live.db", "postgresql://h/d"])
def test_a_spec_names_a_store_inside_or_a_server(url: str) -> None:
    assert rules(WORKSPACE % f'store: "{url}"') == []


@pytest.mark.parametrize("folder", ["specs", "specs/out", "Specs", ".git", "out/.hidden", ".reconciler"])
def test_artifacts_stay_away_from_specs_and_hidden_folders(folder: str) -> None:
    assert rules(WORKSPACE % f"artifacts: {folder}") == ["workspace.artifacts"]


@pytest.mark.parametrize(
    "letter", "\u200b\u200f\u202e\u2060\u2066\u2069\u061c\ufeff\u00ad\U000e0001\U000e007f"
)
def test_no_letter_that_is_not_seen_stands_in_a_title_or_label(letter: str) -> None:
    assert rules(TOKEN % f"a{letter}b")
    assert rules((TOKEN % "a").replace("prod", f'"p{letter}d"'))
    assert rules(TOKEN % "工厂 A 历史库") == []


@pytest.mark.parametrize("apps", ["3", "[a b]", "[", "[a], apps: [b]"])
def test_names_are_not_checked_against_a_catalog_that_is_faulty(apps: str, tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs/a.yaml").write_text(TOKEN % "a")
    (tmp_path / "specs/b.yaml").write_text(CATALOG % "[x]")
    assert [fault.file for fault in examine(tmp_path)[1]] == ["specs/a.yaml"]
    (tmp_path / "specs/c.yaml").write_text(CATALOG % apps)
    assert {fault.file for fault in examine(tmp_path)[1]} == {"specs/c.yaml"}


def test_the_last_label_that_goes_takes_the_mapping_along() -> None:
    after = with_fields(TOKEN % "a", 3, parse(["labels.env="], "TokenAuth"))
    assert "labels" not in after
    assert rules(after) == []


def test_a_file_is_not_written_where_there_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "none/f", b"")
    assert list(tmp_path.iterdir()) == []


def test_only_a_regular_file_is_read_and_no_more_than_the_limit(tmp_path: Path) -> None:
    pipe, link, file = tmp_path / "pipe", tmp_path / "link", tmp_path / "file"
    os.mkfifo(pipe)
    link.symlink_to("/dev/zero")
    file.write_bytes(b"x" * 100)
    for path in (pipe, link, tmp_path, tmp_path / "none"):
        with pytest.raises(OSError, match=r"regular file|No such file"):
            read_regular(path, 10)
    assert read_regular(file, 10) == b"x" * 11
    assert read_regular(file, 1000) == b"x" * 100


def test_every_command_that_a_text_names_exists() -> None:
    package = Path(__file__).resolve().parents[2] / "reconciler"
    named = {
        (path.name, word)
        for path in package.rglob("*.py")
        for word in re.findall(r"(?<=[\"'`:,;] )reconcile ([a-z]+)|[\"`]reconcile ([a-z]+)", path.read_text())
        for word in word
        if word
    }
    assert len(named) > 10
    assert {(file, word) for file, word in named if word not in MODULES} == set()
