"""Where artifacts stand: `deliver.path` of the workspace, and owners that can or cannot name a folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.specs.faults import Fault
from reconciler.specs.layout import Layout, template_fault
from reconciler.specs.load import examine

TOKEN = """\
apiVersion: reconciler/v1
kind: RSAToken
metadata: {name: %s%s}
spec: {apis: [a], projects: [p]}
"""
WORKSPACE = """\
apiVersion: reconciler/v1
kind: Workspace
metadata: {name: acme}
spec: {deliver: {path: "%s"}}
"""


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("{kind}/{name}", "artifacts/RSAToken/one.json"),
        ("{owner}/{kind}/{name}", "artifacts/team-a/RSAToken/one.json"),
        ("{name}", "artifacts/one.json"),
        ("teams/of-{owner}.x/{name}", "artifacts/teams/of-team-a.x/one.json"),
    ],
)
def test_a_template_gives_a_place(template: str, path: str) -> None:
    """The folder, the template filled in, and the extension of the format."""
    assert template_fault(template) is None
    assert Layout("artifacts", template).path("RSAToken", "one", "team-a", "json") == path


@pytest.mark.parametrize(
    "template",
    [
        "",
        "{kind}",
        "{name}/{kind}",
        "x{name}",
        "/{name}",
        "../{name}",
        "./{name}",
        "a//{name}",
        ".hidden/{name}",
        "{owner}/../{name}",
        "{owner!r}/{name}",
        "{kind.x}/{name}",
        "{title}/{name}",
        "{{x}}/{name}",
        "records/{name}",
        "Records/{name}",
        "a b/{name}",
        "a\\\\b/{name}",
    ],
)
def test_a_template_that_leads_elsewhere_is_a_fault(tmp_path: Path, template: str) -> None:
    """Out of the folder, into the records, to one place for two tokens: refused where it stands."""
    faults = _faults(tmp_path, template, "")
    assert [(fault.rule, fault.line) for fault in faults] == [("workspace.deliver.path", 4)]
    assert faults[0].hint


@given(st.text("ab.@_-", max_size=6), st.text("abc-", max_size=6), st.text("ab.@_-", max_size=6))
def test_no_two_tokens_share_a_place(one: str, name: str, other: str) -> None:
    """Whatever their owners are called: the name is a part of its own."""
    layout = Layout("artifacts", "{owner}/{kind}/{name}")
    assert layout.path("K", name, one, "yaml") != layout.path("K", name + "x", other, "yaml")


@pytest.mark.parametrize(
    ("owner", "says"),
    [
        ("", "metadata.owner is missing"),
        (", owner: Team A", 'the owner "Team A" cannot name a folder'),
        (", owner: ../x", "cannot name a folder"),
        (", owner: .git", "cannot name a folder"),
        (", owner: Records", "would stand in the folder records"),
        (", owner: one.yaml", "cannot name a folder"),
        (", owner: One.JSON", "cannot name a folder"),
        (", owner: 工厂", "cannot name a folder"),
        (", owner: a/b", "cannot name a folder"),
    ],
)
def test_an_owner_that_cannot_name_a_folder_is_a_fault(tmp_path: Path, owner: str, says: str) -> None:
    """Where the token stands, with what to do; and none where no folder is named for the owner."""
    (fault,) = _faults(tmp_path, "{owner}/{name}", owner)
    assert (fault.file, fault.line, fault.rule) == ("specs/one.yaml", 3, "metadata.owner")
    assert says in fault.message
    assert fault.hint
    assert _faults(tmp_path, "{kind}/{name}", owner) == []


def test_an_owner_names_a_folder(tmp_path: Path) -> None:
    """Letters, digits and the four signs will do."""
    assert _faults(tmp_path, "{owner}/{name}", ", owner: Team_a.b@c-d") == []


def test_records_is_an_owner_like_any_other_below_the_top(tmp_path: Path) -> None:
    """Only the first part of a path can be taken for the folder of the records."""
    assert _faults(tmp_path, "{kind}/{owner}/{name}", ", owner: records") == []


@pytest.mark.parametrize("template", ["{name}/{name}", "re{name}/{name}"])
def test_no_name_makes_the_folder_of_the_records(tmp_path: Path, template: str) -> None:
    """However its parts are put together."""
    specs = tmp_path / "specs"
    specs.mkdir()
    (specs / "workspace.yaml").write_text(WORKSPACE % template)
    (specs / "one.yaml").write_text(TOKEN % ("records" if template.startswith("{") else "cords", ""))
    (fault,) = examine(tmp_path, "specs")[1]
    assert "would stand in the folder records" in fault.message


def _faults(root: Path, template: str, owner: str) -> list[Fault]:
    specs = root / "specs"
    specs.mkdir(exist_ok=True)
    (specs / "workspace.yaml").write_text(WORKSPACE % template)
    (specs / "one.yaml").write_text(TOKEN % ("one", owner))
    return examine(root, "specs")[1]
