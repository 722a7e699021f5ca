"""CODEOWNERS lines: each is for its own path and no other, whatever the path is called."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.errors import SettingsError, UsageError
from reconciler.starting.owners import END, Naming, lines, made_with, naming, pattern, placed, section

ODD = r"ab .-_#[]*?!\@()/é历"
NAMES = st.text(alphabet=ODD.replace("/", ""), min_size=1, max_size=8).filter(
    lambda name: name not in (".", "..") and ".git" not in name
)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
OWNERS = st.sampled_from(["team-a", "team-b", "@acme/c", "d@example.org", "li.wei"])
FILES = st.dictionaries(
    PATHS.map(lambda path: f"specs/{path}.yaml"), st.lists(OWNERS, unique=True, max_size=3), max_size=8
)
ACME = Naming("acme")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty git repository: git's own matching of ignore patterns is that of CODEOWNERS."""
    top = tmp_path_factory.mktemp("owned")
    subprocess.run(["git", "init", "--quiet", top], check=True)
    return top


def matched(repository: Path, line: str, paths: Sequence[str]) -> set[str]:
    """Which of the paths git takes a pattern for."""
    excludes = repository / ".git" / "patterns"
    excludes.write_text(line + "\n")
    done = subprocess.run(
        ["git", "-c", f"core.excludesFile={excludes}", "check-ignore", "--no-index", "-z", "--stdin"],
        cwd=repository,
        input="".join(f"{path}\0" for path in paths).encode(),
        capture_output=True,
        env={"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1", "HOME": str(repository)},
        check=False,
    )
    return {os.fsdecode(path) for path in done.stdout.split(b"\0") if path}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=PATHS, others=st.lists(PATHS, max_size=5))
def test_a_pattern_is_for_its_path_and_for_no_other(repository: Path, path: str, others: list[str]) -> None:
    near = [f"{path}x", f"x{path}", f"deep/{path}", path[:-1] or "x", *others]
    asked = [one for one in dict.fromkeys([path, *near]) if not one.startswith(f"{path}/") and one[-1] != "/"]
    assert matched(repository, pattern(path), asked) == {path}


@settings(max_examples=100, deadline=None)
@given(files=FILES)
def test_every_owner_of_every_file_is_asked_and_nobody_else(files: dict[str, list[str]]) -> None:
    found = dict(lines(files, ACME))
    assert list(found) == sorted(found)
    for path, owners in files.items():
        at = [
            names
            for line, names in found.items()
            if path == line or (line[-1] == "/" and path.startswith(line))
        ]
        expected = tuple(sorted({ACME.handle(owner) or "" for owner in owners}))
        assert at == ([expected] if expected else [])


@settings(max_examples=100, deadline=None)
@given(files=FILES)
def test_a_line_is_read_as_a_path_and_its_owners(files: dict[str, list[str]]) -> None:
    """Blanks end a pattern unless they are escaped, and no name holds one."""
    found = lines(files, ACME)
    rows = section(found, ACME).splitlines()[2:-1]
    read = [re.fullmatch(r"((?:\\.|[^\\ ])+)((?: [^ #]+)+)", row) for row in rows]
    assert [(row[1], tuple(row[2].split())) for row in read if row] == [
        (pattern(path), names) for path, names in found
    ]


@settings(max_examples=100, deadline=None)
@given(before=st.text(alphabet="ab @\n#", max_size=40), files=FILES)
def test_other_lines_stay_and_a_second_time_changes_nothing(before: str, files: dict[str, list[str]]) -> None:
    made = section(lines(files, ACME), ACME)
    once = placed(before, made)
    assert once.startswith(before)
    assert placed(once, made) == once
    less = section([], ACME)
    assert placed(placed(once, less), made) == once
    assert made_with(once) == ACME


@settings(max_examples=100, deadline=None)
@given(owner=st.text(alphabet="ab.='\" -历$`", min_size=1, max_size=10))
def test_the_first_mark_keeps_the_options(owner: str) -> None:
    calls = naming("acme/sub", [f"{owner}=@x"])
    assert made_with(section([], calls)) == calls


def test_a_folder_stands_for_files_of_one_owner_only() -> None:
    files = {
        "specs/workspace.yaml": [],
        "specs/a/1.yaml": ["team-a"],
        "specs/a/b/2.yaml": ["team-a"],
        "specs/c/3.yaml": ["team-a", "team-b"],
        "specs/c/4.yaml": ["team-a", "team-b"],
        "specs/d/5.yaml": ["team-a"],
    }
    assert lines(files, ACME) == [
        ("specs/a/", ("@acme/team-a",)),
        ("specs/c/3.yaml", ("@acme/team-a", "@acme/team-b")),
        ("specs/c/4.yaml", ("@acme/team-a", "@acme/team-b")),
        ("specs/d/5.yaml", ("@acme/team-a",)),
    ]


@pytest.mark.parametrize("owner", ["team a", "历史", "a@b", "@", "@acme/", "x@y.z #", "team-a"])
def test_an_owner_who_can_be_no_handle_is_an_error(owner: str) -> None:
    """A file without a line is one that anybody may approve."""
    with pytest.raises(SettingsError, match=r"specs/a\.yaml"):
        lines({"specs/a.yaml": [owner]}, Naming())


def test_an_owner_can_be_called_otherwise() -> None:
    calls = naming("@acme", ["team a=@acme/a", "历史=h@example.org"])
    assert lines({"specs/a.yaml": ["team a", "历史"]}, calls) == [
        ("specs/a.yaml", ("@acme/a", "h@example.org"))
    ]


@pytest.mark.parametrize("pair", ["x", "=@x", "x=", "x=y", "x=@a b", "x=@a\n/ @evil"])
def test_what_maps_to_no_handle_is_wrong_usage(pair: str) -> None:
    with pytest.raises(UsageError):
        naming("acme", [pair])


@pytest.mark.parametrize("org", ["", "a b", "a\n", "-", "a//b"])
def test_what_is_no_organisation_is_wrong_usage(org: str) -> None:
    with pytest.raises(UsageError):
        naming(org, [])


@pytest.mark.parametrize(
    "text",
    [
        f"{END}\n",
        "# reconcile owners: begin\n",
        f"{END}\n# reconcile owners: begin\n",
        f"# reconcile owners: begin\n{END}\n# reconcile owners: begin\n{END}\n",
    ],
)
def test_marks_that_make_no_section_are_an_error(text: str) -> None:
    with pytest.raises(SettingsError, match="one section"):
        placed(text, section([], ACME))


@pytest.mark.parametrize("options", [" --org", " --org 'a", " --evil x", " x --org"])
def test_a_mark_with_other_options_is_an_error(options: str) -> None:
    with pytest.raises(SettingsError, match="options"):
        made_with(f"# reconcile owners{options}: begin\n{END}\n")
