"""The first line of a comment tells which workspace it is of: no other workspace writes over it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.cli.markdown import marker
from reconciler.forges.commenting import marker_of
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
    first, second = marker("default", one, about), marker("default", other, also)
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
    heads = []
    for folder in ("", "plant a", "plant-b", "named"):
        monkeypatch.chdir(shop.root / folder)
        heads.append(shop.run(command, "--format", "markdown").out.splitlines()[:2])
    end = " diff" if command == "diff" else ""
    markers = [first for first, _ in heads]
    assert markers[0] == f"<!-- reconciler: default{end} -->"
    assert markers[2:] == [f"<!-- reconciler: {one}{end} -->" for one in ("default at plant-b", "acme")]
    assert len({*markers}) == len(markers)
    assert ["`default` in `plant-b`" in title for _, title in heads] == [False, False, True, False]
