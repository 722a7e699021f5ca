"""The hooks for pre-commit, run by the real pre-commit in a real repository.

Each is taken from `.pre-commit-hooks.yaml` as it is, but for `language`: the environment that pre-commit
would make is what the README's first command makes, and that is tried there. Here, the one under test takes
its place.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.cli.kit import JWT, Shop

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = ROOT / ".pre-commit-hooks.yaml"
TOKEN = """\
apiVersion: reconciler/v1
kind: TokenAuth
metadata:
  name: erp
spec:
  name: ERP
"""


def hooks() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = YAML(typ="safe").load(MANIFEST)
    return found


@dataclass
class Repository:
    """A repository whose commits go through the hooks."""

    shop: Shop
    environ: dict[str, str]

    def git(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A git command, to its end."""
        return subprocess.run(
            ["git", *arguments], cwd=self.shop.root, env=self.environ, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip

    def commit(self, *paths: str) -> str:
        """Commits what is at these paths, or what is staged, and says what the hooks said if they refused."""
        if paths:
            assert self.git("add", "--", *paths).returncode == 0
        done = self.git("commit", "--quiet", "-m", "x")
        said = done.stdout + done.stderr
        assert (done.returncode == 0) == ("Failed" not in said), said
        return said if done.returncode else ""

    def configure(self, folder: str = "") -> None:
        """Writes the configuration for a workspace at the top, or in a folder."""
        inside = f"-C {folder} " if folder else ""
        local = [
            {
                **hook,
                "language": "system",
                "entry": hook["entry"].replace("reconcile ", f"reconcile {inside}"),
                "files": hook["files"].replace("^", f"^{folder}/" if folder else "^", 1),
            }
            for hook in hooks()
        ]
        with (self.shop.root / ".pre-commit-config.yaml").open("w") as file:
            YAML().dump({"repos": [{"repo": "local", "hooks": local}]}, file)


def pre_commit(*arguments: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pre_commit", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **settings)


@pytest.fixture
def repository(shop: Shop, tmp_path: Path) -> Repository:
    """With a valid spec in the first commit, and the hooks installed."""
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PRE_COMMIT"))},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PRE_COMMIT_HOME": str(tmp_path / "cache"),
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    made = Repository(shop, environ)
    shop.ok("keygen")
    shop.spec(TOKEN, "erp.yaml")
    made.configure()
    for arguments in (["init", "--quiet", "."], ["add", "."], ["commit", "--quiet", "-m", "first"]):
        assert made.git(*arguments).returncode == 0
    installed = pre_commit("install", cwd=shop.root, env=environ)
    assert installed.returncode == 0, installed.stdout + installed.stderr
    return made


def test_the_manifest_is_valid_and_names_commands_that_there_are(shop: Shop) -> None:
    checked = pre_commit("validate-manifest", str(MANIFEST))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert [hook["id"] for hook in hooks()] == ["reconcile-validate", "reconcile-fmt", "reconcile-reseal"]
    for hook in hooks():
        name, *arguments = hook["entry"].split()
        assert (name, hook["language"]) == ("reconcile", "python")
        shop.ok(*arguments, "--help")


def test_a_faulty_spec_is_not_committed(repository: Repository) -> None:
    repository.shop.spec(JWT.replace("users", "user"), "mes.yaml")
    said = repository.commit(".")
    assert "specs/mes.yaml:4:29: spec has no field" in said


def test_what_is_staged_counts_and_not_what_lies_beside_it(repository: Repository) -> None:
    """pre-commit puts aside what is not staged, so the hooks see what will be committed."""
    path = repository.shop.spec(TOKEN.replace("ERP", "[]"), "erp.yaml")
    assert repository.git("add", ".").returncode == 0
    path.write_text(TOKEN)
    assert "reconcile validate" in repository.commit()
    assert repository.git("add", ".").returncode == 0
    path.write_text(TOKEN.replace("name: ERP", "name: ERP\n  expire: 60"))
    assert repository.git("add", ".").returncode == 0
    path.write_text("kind: [")
    assert repository.commit() == ""
    assert path.read_text() == "kind: ["


def test_a_commit_that_only_removes_is_checked_too(repository: Repository) -> None:
    """Without the catalog that lists it, what a spec names is unknown to the other one."""
    head = "apiVersion: reconciler/v1\nkind: Catalog\nmetadata:\n  name: "
    for name in ("a", "b"):
        repository.shop.spec(f"{head}{name}\nspec:\n  apis: [api-{name}]\n", f"{name}.yaml")
    users = "apiVersion: reconciler/v1\nkind: JWTToken\nmetadata:\n  name: mes\nspec:\n"
    repository.shop.spec(f"{users}  apis: [api-a]\n  users: [u]\n", "mes.yaml")
    assert repository.commit(".") == ""
    assert repository.git("rm", "--quiet", "specs/a.yaml").returncode == 0
    assert 'apis names "api-a", which the catalog does not have' in repository.commit()
    assert repository.git("rm", "--quiet", "specs/mes.yaml").returncode == 0
    assert repository.commit() == ""


def test_a_commit_that_renames_is_checked_under_the_new_name(repository: Repository) -> None:
    assert repository.git("mv", "specs/erp.yaml", "specs/new name é.yaml").returncode == 0
    assert repository.commit() == ""
    repository.shop.spec(TOKEN.replace("  name: erp", "    name: erp"), "new name é.yaml")
    assert repository.git("mv", "specs/new name é.yaml", "specs/other.yaml").returncode == 0
    assert "specs/other.yaml is not formatted" in repository.commit(".")


def test_what_is_not_formatted_is_not_committed(repository: Repository) -> None:
    repository.shop.spec(TOKEN.replace("erp", "mes") + "  expire:   60  \n", "deep/down/mes.YML")
    said = repository.commit(".")
    assert "specs/deep/down/mes.YML is not formatted" in said
    assert said.count("Failed") == 1
    repository.shop.ok("fmt")
    assert repository.commit(".") == ""


def test_files_that_are_no_specs_are_left_alone(repository: Repository) -> None:
    """Other YAML, hidden files, and folders that are called as ours in another place."""
    for file in (
        "docs/specs/a.yaml",
        "specs/.hidden.yaml",
        "specs/.git-like/a.yaml",
        "specs/README.md",
        "a.yaml",
    ):
        repository.shop.write(file, "a:   [1\n")
    assert repository.commit(".") == ""


def test_an_artifact_that_is_sealed_to_somebody_else_is_not_committed(repository: Repository) -> None:
    repository.shop.ok("apply", "--yes")
    assert repository.commit("artifacts") == ""
    rules = repository.shop.root / ".sops.yaml"
    more = repository.shop.root.parent / "more.txt"
    made = subprocess.run(
        ["reconcile", "keygen"], env={**repository.environ, "SOPS_AGE_KEY_FILE": str(more)},
        cwd=repository.shop.root, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    rules.write_text(rules.read_text().replace("age: ", f"age: {made.stdout.strip()},"))
    said = repository.commit(".sops.yaml")
    assert f"artifacts/TokenAuth/erp.yaml: + {made.stdout.strip()}" in said
    assert said.count("Failed") == 1
    repository.shop.ok("reseal", "--yes")
    assert repository.commit(".") == ""


def test_before_there_is_an_artifact_no_rule_is_missed(repository: Repository) -> None:
    """The first spec may be committed before the first keygen."""
    assert repository.git("rm", "--quiet", ".sops.yaml").returncode == 0
    repository.shop.spec(TOKEN.replace("erp", "mes"), "mes.yaml")
    assert repository.commit("specs") == ""


def test_a_workspace_in_a_folder_is_named_in_entry_and_files(repository: Repository) -> None:
    """As the README shows it."""
    for name in ("a", "b"):
        repository.shop.write(f"acme/specs/{name}.yaml", TOKEN.replace("erp", name))
    rules = repository.shop.root / ".sops.yaml"
    rules.rename(repository.shop.root / "acme/.sops.yaml")
    repository.configure("acme")
    assert repository.commit(".") == ""
    repository.shop.write("acme/specs/b.yaml", TOKEN.replace("erp", "a").replace("spec:", "spec: "))
    said = repository.commit(".")
    assert 'specs/b.yaml:4:9: the name "a" is used a second time' in said
    assert "specs/b.yaml is not formatted" in said
    assert repository.git("ls-files", "acme").stdout.count("\n") == 3


def test_all_files_can_be_checked_at_once(repository: Repository) -> None:
    """As a pipeline does it."""
    for number in range(300):
        repository.shop.spec(TOKEN.replace("erp", f"t{number}"), f"many/{number}.yaml")
    assert repository.commit(".") == ""
    ran = pre_commit("run", "--all-files", cwd=repository.shop.root, env=repository.environ)
    assert (ran.returncode, ran.stdout.count("Passed")) == (0, 3), ran.stdout
