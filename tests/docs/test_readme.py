"""The README says what is so: its sessions, its reference, and its first command are run."""

from __future__ import annotations

import hashlib
import re
import subprocess
from pathlib import Path

import pytest

from reconciler.artifacts import identities
from reconciler.artifacts.rules import parse
from reconciler.specs.reader import read_file
from reconciler.specs.schema import schema_text
from reconciler.verify.interface import Verdict
from reconciler.verify.verifier import Verifier
from tests.apply.kit import House, jwt_token
from tests.docs.reference import REASONS, SECTION, reasons, reference
from tests.docs.session import BLOCK, ROOT, normal, rendered, run

README = (ROOT / "README.md").read_text()


def test_every_console_session_prints_what_the_readme_shows() -> None:
    """After a change: `python -m tests.docs.session`, and read the difference."""
    blocks = BLOCK.findall(README)
    assert len(blocks) >= 6
    fresh = [rendered(block, outputs) for block, outputs in zip(blocks, run(blocks), strict=True)]
    assert [normal(block) for block in blocks] == [normal(block) for block in fresh]


def test_the_reference_is_that_of_the_models() -> None:
    """After a change: `python -m tests.docs.reference`."""
    written = SECTION.search(README)
    assert written is not None
    assert written[0] == f"{written[1]}{reference()}{written[2]}"


def test_the_table_of_reasons_is_that_of_the_check() -> None:
    """After a change: `python -m tests.docs.reference`."""
    written = REASONS.search(README)
    assert written is not None
    assert written[0] == f"{written[1]}{reasons()}{written[2]}"


def test_every_field_of_the_reference_is_described() -> None:
    rows = [line.split("|") for line in reference().splitlines() if line.startswith("| `")]
    assert [row[1] for row in rows if not row[4].strip()] == []


def test_the_python_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over a store that an apply made, and with the routes of the example company."""
    blocks = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    (block,) = (one for one in blocks if "Verifier" in one)  # the other: tests/records/test_record_readme.py
    house = House(tmp_path, f"sqlite:///{tmp_path}/live.db")
    house.declare(jwt_token("mes", apis=["device.read"]))
    house.apply()
    token = house.opened(house.live()["mes"])["jwt"]
    house.close()
    monkeypatch.chdir(ROOT)
    clock = "from reconciler.verify.verifier import Clocks\n"
    opened = f'Verifier.open("{house.url}", clocks=Clocks(now=lambda: {house.now}),'
    given: dict[str, object] = {"token": token, "app": None}
    exec(clock + block.replace('Verifier.open("postgresql://db.example/tokens",', opened), given)  # noqa: S102
    found = given["verdict"], given["verifier"]
    assert isinstance(found[0], Verdict)
    assert isinstance(found[1], Verifier)
    found[1].close()
    assert found[0].token is not None


def test_links_in_the_readme_lead_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that git tracks, as they are in the working tree, in a folder of their own."""
    folder = tmp_path_factory.mktemp("clone")
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, names.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
    return folder


def test_the_first_command_issues_every_token_and_sops_opens_every_artifact(
    clone: Path, tmp_path: Path
) -> None:
    """A fresh clone, a fresh virtual environment, and an empty home; then once more: no byte changes."""
    command = re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)[0]
    environ = {
        **{
            name: value for name, value in _environ().items() if not name.startswith(("SOPS_", "RECONCILER_"))
        },
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": "",
    }
    first = subprocess.run(
        ["bash", "-c", command],
        cwd=clone,
        env=environ,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert first.returncode == 0, first.stdout + first.stderr
    assert "12 changes applied" in first.stdout
    artifacts = [
        path for path in (clone / "artifacts").rglob("*") if path.is_file() and "records" not in path.parts
    ]
    assert len(artifacts) == 12
    for path in artifacts:
        opened = subprocess.run(
            [clone / ".venv/bin/sops", "decrypt", path],
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert opened.returncode == 0, opened.stderr
        assert opened.stdout
    before = _tree(clone)
    again = subprocess.run(
        [clone / ".venv/bin/reconcile", "apply", "--yes"],
        cwd=clone,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (again.returncode, again.stdout) == (0, "Nothing to do: what is live is what the specs declare.\n")
    assert _tree(clone) == before


def _environ() -> dict[str, str]:
    import os

    return dict(os.environ)


def _tree(root: Path) -> dict[str, str]:
    files = (path for path in root.rglob("*") if path.is_file() and ".venv" not in path.parts)
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if not path.name.startswith("live.db-")
    }


def test_the_yaml_blocks_are_what_the_tool_reads() -> None:
    """Each document is without a fault, and the creation rules match as the text beside them says."""
    blocks = re.findall(r"^```yaml\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    documents = [block for block in blocks if block.startswith("apiVersion")]
    assert len(documents) >= 2
    for document in documents:
        assert read_file("README.md", document.encode()).faults == []
    (rules,) = (block for block in blocks if block.startswith("# .sops.yaml"))
    config = parse(rules.replace("age1…", identities.generate()[0]).encode())
    assert config.match("artifacts/team-historian/RSAToken/plant-a.yaml").recipients.native
    assert not config.match("artifacts/team-erp/TokenAuth/erp.yaml").recipients.native


def test_the_schema_of_the_example_company_is_that_of_the_models() -> None:
    """After a change: `reconcile schema --out specs/.schema.json`."""
    assert (ROOT / "specs/.schema.json").read_text("utf-8") == schema_text(None)
