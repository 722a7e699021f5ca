"""The first line of a comment tells which workspace it is of: no other workspace writes over it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.cli.context import surroundings
from reconciler.cli.markdown import marker
from reconciler.cli.unplanned import unplanned_lines
from reconciler.forges.commenting import marker_of
from reconciler.readers.judging import called_under
from reconciler.workspace import Workspace
from tests.cli import conftest as cli
from tests.cli.kit import RSA, Shop
from tests.git.kit import made

shop = cli.shop
places = st.text(st.characters(codec="utf-8"), max_size=80) | st.sampled_from(
    ["acme", "acme/b", "acme diff", "diff", "at", "-->", "a\nb", "a" * 200, "a" * 201, "caf\udce9"]
)


@given(places, places, st.sampled_from(["", "diff"]), st.sampled_from(["", "diff"]))
def test_no_two_places_and_no_two_kinds_of_comments_have_one_marker(
    one: str, other: str, about: str, also: str
) -> None:
    """Whatever a folder is called; and `comment` takes each for a marker."""
    (first,), (second,) = marker("default", one, about, news=True), marker("default", other, also, news=True)
    assert (first == second) == ((one, about) == (other, also))
    assert marker_of(first) == first


@pytest.mark.parametrize("command", ["plan", "diff"])
def test_workspaces_without_a_name_have_comments_of_their_own(
    command: str, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one at the top is called as ever, and a name is told as it is, wherever the workspace stands."""
    repo = made(shop.root)
    named = "apiVersion: reconciler/v1\nkind: Workspace\nmetadata: {name: acme}\nspec: {}\n"
    for folder in ("", "plant a/", "plant-b/", "named/"):
        repo.write(f"{folder}specs/a.yaml", RSA)
    repo.write("named/specs/workspace.yaml", named)
    repo.commit()
    markers, titles = [], []
    for folder in ("", "plant a", "plant-b", "named"):
        monkeypatch.chdir(shop.root / folder)
        lines = shop.run(command, "--format", "markdown").out.splitlines()
        markers.append(lines[0])
        titles.append(next(line for line in lines if line.startswith("### ")))
    end = " diff" if command == "diff" else ""
    assert markers[0] == f"<!-- reconciler: default{end} -->"
    assert markers[2:] == [f"<!-- reconciler: {one}{end} -->" for one in ("default at plant-b", "acme")]
    assert len({*markers}) == len(markers)
    assert ["`default` in `plant-b`" in title for title in titles] == [False, False, True, False]


def test_a_plan_that_failed_has_the_marker_of_the_plan(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the rules of the checkout and by those of a base, also where no name tells workspaces apart."""
    repo = made(shop.root)
    repo.write("plant-b/specs/a.yaml", RSA)
    repo.commit()
    monkeypatch.chdir(shop.root / "plant-b")
    marked = shop.run("plan", "--format", "markdown").out.splitlines()[0]
    for base in (None, "HEAD"):
        name, place = called_under(Workspace(shop.root / "plant-b", surroundings()), base)
        assert next(unplanned_lines(name, place, "", "", ["x"])) == marked
