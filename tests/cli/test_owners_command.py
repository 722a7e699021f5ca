"""reconcile owners: the section of CODEOWNERS is that of the specs, and nothing else of it is touched."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.kit import AUTH, JWT, RSA, Shop

OTHER = "* @acme/everybody\n"


@pytest.fixture
def owned(shop: Shop) -> Shop:
    """A repository with specs of two owners."""
    subprocess.run(["git", "init", "--quiet", shop.root], check=True)
    shop.spec(f"{RSA}---\n{JWT}", "plants.yaml")
    shop.spec(AUTH.replace("{name: erp}", "{name: erp, owner: team-erp}"), "erp.yaml")
    return shop


def test_lines_are_printed_and_nothing_is_written(owned: Shop) -> None:
    before = owned.tree()
    assert owned.ok("owners", "--org", "acme").out.splitlines()[2:4] == [
        "/specs/erp.yaml @acme/team-erp",
        "/specs/plants.yaml @acme/team-historian @acme/team-mes",
    ]
    assert owned.ok("owners", "--org", "acme", "--format", "json").json["lines"][0] == {
        "path": "specs/erp.yaml",
        "pattern": "/specs/erp.yaml",
        "owners": ["@acme/team-erp"],
    }
    assert owned.tree() == before


def test_without_an_organisation_it_says_which_owner_and_what_to_do(owned: Shop) -> None:
    ran = owned.run("owners")
    assert (ran.code, ran.out) == (1, "")
    assert "'team-erp' (and 2 more), an owner in specs/erp.yaml" in ran.err
    assert "--org ORG" in ran.err


def test_check_fails_until_the_lines_are_written_and_asks_for_no_option_then(owned: Shop) -> None:
    ran = owned.run("owners", "--org", "acme", "--check")
    assert ran.code == 1
    assert "+/specs/erp.yaml @acme/team-erp" in ran.out
    assert not (owned.root / ".github").exists()
    owned.ok("owners", "--org", "acme", "--write")
    assert owned.ok("owners", "--check").out == ""
    owned.spec(AUTH.replace("{name: erp}", "{name: erp, owner: team-new}"), "erp.yaml")
    ran = owned.run("owners", "--check")
    assert ran.code == 1
    assert "-/specs/erp.yaml @acme/team-erp" in ran.out
    owned.ok("owners", "--write")
    assert "team-erp" not in (owned.root / ".github/CODEOWNERS").read_text()
    owned.ok("owners", "--check")


@pytest.mark.parametrize(
    "place", [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"]
)
def test_the_file_that_is_there_is_the_one(place: str, owned: Shop) -> None:
    owned.write(place, OTHER)
    owned.ok("owners", "--org", "acme", "--write")
    text = (owned.root / place).read_text()
    assert text.startswith(OTHER)
    assert "/specs/erp.yaml @acme/team-erp" in text
    assert [path for path in owned.tree() if path.endswith("CODEOWNERS")] == [place]


def test_of_two_files_the_one_that_counts_is_kept(owned: Shop) -> None:
    owned.write("CODEOWNERS", OTHER)
    owned.write("docs/CODEOWNERS", OTHER)
    owned.ok("owners", "--org", "acme", "--write")
    assert (owned.root / "docs/CODEOWNERS").read_text() == OTHER


def test_on_gitlab_a_new_file_stands_where_gitlab_looks(owned: Shop) -> None:
    owned.write(".gitlab-ci.yml", "")
    owned.ok("owners", "--org", "acme/sub", "--write")
    assert "@acme/sub/team-erp" in (owned.root / ".gitlab/CODEOWNERS").read_text()


def test_paths_are_from_the_top_of_the_repository(owned: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    below = owned.root / "tokens of acme"
    below.mkdir()
    (owned.root / "specs").rename(below / "specs")
    monkeypatch.chdir(below)
    owned.ok("owners", "--org", "acme", "--write")
    assert r"/tokens\ of\ acme/specs/erp.yaml" in (owned.root / ".github/CODEOWNERS").read_text()


def test_a_workspace_in_no_repository_is_its_own_top(shop: Shop) -> None:
    shop.spec(RSA)
    assert "/specs/tokens.yaml @acme/team-historian" in shop.ok("owners", "--org", "acme").out


def test_faults_in_specs_are_told_and_nothing_is_written(owned: Shop) -> None:
    owned.spec("kind: RSAToken\n", "broken.yaml")
    ran = owned.run("owners", "--org", "acme", "--write")
    assert ran.code == 1
    assert "specs/broken.yaml:1:1" in ran.err
    assert not (owned.root / ".github").exists()


@pytest.mark.parametrize("make", ["folder", "pipe", "link", "latin", "large"])
def test_a_codeowners_that_cannot_be_read_is_an_error_and_stays(
    make: str, owned: Shop, tmp_path: Path
) -> None:
    place = owned.root / "CODEOWNERS"
    if make == "folder":
        place.mkdir()
    elif make == "pipe":
        os.mkfifo(place)
    elif make == "link":
        (tmp_path / "elsewhere").write_text(OTHER)
        place.symlink_to(tmp_path / "elsewhere")
    else:
        place.write_bytes(b"# \xff\n" if make == "latin" else b"#" * (3 << 20) + b"\n")
    ran = owned.run("owners", "--org", "acme", "--write")
    assert (ran.code, ran.out) == (1, "")
    assert "CODEOWNERS" in ran.err
    assert "not foreseen" not in ran.err
    assert make != "link" or (tmp_path / "elsewhere").read_text() == OTHER


def test_a_folder_that_leads_out_is_not_written_to(owned: Shop, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (owned.root / ".github").symlink_to(tmp_path / "out")
    ran = owned.run("owners", "--org", "acme", "--write")
    assert ran.code == 1
    assert list((tmp_path / "out").iterdir()) == []


def test_check_and_write_together_are_wrong_usage(owned: Shop) -> None:
    assert owned.run("owners", "--check", "--write").code == 64


def test_a_terminal_obeys_nothing_of_an_owner(owned: Shop) -> None:
    owned.spec(AUTH.replace("{name: erp}", '{name: erp, owner: "x\\u009b31m"}'), "erp.yaml")
    assert "\x9b" not in owned.run("owners").err
