"""The shape of the house: what stands where, and that it stays so."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
from pathlib import Path

from reconciler import errors
from reconciler.artifacts.formats import all_formats
from reconciler.kinds import all_kinds

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "reconciler"
SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if "versions" not in path.parts)


def tracked() -> list[str]:
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_nothing_stands_at_the_top_level_but_what_was_agreed() -> None:
    top = {name.split("/")[0] for name in tracked()}
    allowed = {"reconciler", "specs", "tests", ".github", "pyproject.toml", "README.md", "LICENSE"}
    assert {name for name in top if not name.startswith(".")} <= allowed


def test_the_error_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    drawn = re.findall(r"^    [ │├└─]*([A-Z]\w+) +([a-z-]+)", errors.__doc__ or "", re.MULTILINE)
    classes = {
        name: found.code
        for name, found in inspect.getmembers(errors, inspect.isclass)
        if issubclass(found, errors.ReconcilerError)
    }
    assert dict(drawn) == classes
    lines = (errors.__doc__ or "").splitlines()
    depth = {name: line.index(name) // 4 for line in lines for name, _ in drawn if name in line.split()}
    for name in classes:
        ancestors = [
            base for base in getattr(errors, name).__mro__ if issubclass(base, errors.ReconcilerError)
        ]
        assert depth[name] - depth["ReconcilerError"] == len(ancestors) - 1, name


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [
        found.code
        for _, found in inspect.getmembers(errors, inspect.isclass)
        if issubclass(found, errors.ReconcilerError)
    ]
    assert len(set(codes)) == len(codes)


def test_no_error_exits_and_nothing_below_the_command_line_prints() -> None:
    for path in SOURCES:
        if "cli" in path.parts:
            continue
        names = {
            node.func.id
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not names & {"print", "exit", "input"}, path
        assert "sys.exit" not in path.read_text(), path


def test_only_the_workspace_names_a_concrete_store_sealer_or_publisher() -> None:
    concrete = (
        "reconciler.live.sql",
        "reconciler.live.opening",
        "reconciler.apply.folder",
        "reconciler.apply.git",
        "reconciler.artifacts.sealing",
    )
    for path in SOURCES:
        family = path.relative_to(PACKAGE).parts[0]
        # The second is the front door of the library: who comes through it has a URL, and no workspace.
        if path in (PACKAGE / "workspace.py", PACKAGE / "verify" / "verifier.py"):
            continue
        for name in concrete:
            if name.split(".")[1] != family:
                assert f"from {name}" not in path.read_text(), path


def test_no_clock_and_no_randomness_is_read_but_at_the_edge() -> None:
    """`cli/context.py` reads both and passes them on; a store that is made gives itself an id; and the
    library's front door takes the clock of this machine unless it is given one."""
    reading = re.compile(r"time\.time\b|datetime\.now\(|utcnow\(|secrets\.token|os\.urandom|random\.")
    found = [str(path.relative_to(ROOT)) for path in SOURCES if reading.search(path.read_text())]
    assert found == [
        "reconciler/cli/context.py",
        "reconciler/live/making.py",
        "reconciler/verify/verifier.py",
    ]


def test_functions_fit_on_a_screen_and_files_have_one_subject() -> None:
    for path in SOURCES:
        text = path.read_text()
        assert text.count("\n") <= 400, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.end_lineno is not None:
                assert node.end_lineno - node.lineno < 60, f"{path}:{node.lineno} {node.name}"


def test_a_kind_and_a_format_are_named_in_their_own_file_only() -> None:
    """So that adding one adds a file and edits none. JSON and YAML are words for more than a format."""
    formats = set(all_formats()) - {"json", "yaml"}
    for name, folder in [
        *((kind, "kinds") for kind in all_kinds()),
        *((form, "formats") for form in formats),
    ]:
        named = [path for path in SOURCES if f'"{name}"' in path.read_text() and folder not in path.parts]
        assert [str(path.relative_to(ROOT)) for path in named] == ALSO_NAMED.get(name, []), name


ALSO_NAMED = {
    # How the sops program itself calls its stores, in .sops.yaml.
    "dotenv": ["reconciler/artifacts/rules/shape.py"],
    # Fields of `deliver` that only make sense for one format.
    "kubernetes": ["reconciler/specs/ask.py", "reconciler/specs/contradictions.py"],
    "pem": ["reconciler/specs/contradictions.py"],
}
