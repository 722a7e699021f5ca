"""`reconcile audit log` claims nothing that a clone does not tell, and tells what it does."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from tests.audit.bodies import Runs, deleted, given
from tests.audit.lines import DAY, START, Made, jwt, rsa, start
from tests.cli.kit import Shop
from tests.cli.test_audit_access import when

OFF = "lifecycle: {enabled: false}\n"
SHORT = "lifecycle: {expires: 3d}\n"


@pytest.fixture
def made(shop: Shop) -> Made:
    """A repository without a commit."""
    return start(shop.root)


def story(shop: Shop, *arguments: str, folder: Path | None = None) -> dict[str, Any]:
    """The one token of a story as JSON, whole or not."""
    where = () if folder is None else ("-C", str(folder))
    (found,) = shop.run(*where, "audit", "log", *arguments, "--format", "json").json["tokens"]
    return dict(found)


def standings(found: dict[str, Any]) -> list[tuple[str, str, int | None]]:
    """(event, standing, sequence of the run) of what commits asked for."""
    asked = [one for one in found["events"] if "asked" in one]
    return [(one["event"], one["standing"], one.get("run", {}).get("sequence")) for one in asked]


@pytest.mark.parametrize("then", ["nothing", "a run that had nothing to do"])
def test_what_a_run_applied_before_its_commit_was_amended_is_applied(
    shop: Shop, made: Made, then: str
) -> None:
    """The commit that is on the line now asks for what that run gave: by it, whatever commit it read."""
    runs = Runs()
    one = made.commit({"specs/a.yaml": rsa("a", "x")})
    runs.run(given("issue", "t1", rsa("a", "x")), commit=one)
    runs.run(given("modify", "t1", rsa("a", "x", "y")), commit="f" * 40)
    two = made.commit({**runs.as_files(), "specs/a.yaml": rsa("a", "x", "y")})
    if then != "nothing":
        runs.run(commit=two)
        made.commit(runs.as_files())
    assert standings(story(shop, "a")) == [("declared", "applied", 1), ("changed", "applied", 2)]
    text = shop.ok("audit", "log", "a").out
    assert "it applied a commit that is not on this line (fffffff), nor in this clone" in text
    assert "never applied" not in text


def test_what_a_run_off_the_line_gave_and_another_took_back_was_applied_by_none(
    shop: Shop, made: Made
) -> None:
    """What it left counts, not what it did in between."""
    runs = Runs()
    one = made.commit({"specs/a.yaml": rsa("a", "x")})
    runs.run(given("issue", "t1", rsa("a", "x")), commit=one)
    runs.run(given("modify", "t1", rsa("a", "x", "y")), commit="f" * 40)
    runs.run(given("modify", "t1", rsa("a", "x"), known=True), commit="e" * 40)
    made.commit({**runs.as_files(), "specs/a.yaml": rsa("a", "x", "y")})
    assert standings(story(shop, "a")) == [("declared", "applied", 1), ("changed", "waiting", None)]


def test_what_was_deleted_from_an_amended_commit_is_applied(shop: Shop, made: Made) -> None:
    runs = Runs()
    one = made.commit({"specs/a.yaml": rsa("a", "x")})
    runs.run(given("issue", "t1", rsa("a", "x")), commit=one)
    runs.run(deleted("t1", "a"), commit="f" * 40)
    made.commit({**runs.as_files(), "specs/a.yaml": None})
    assert standings(story(shop, "a")) == [("declared", "applied", 1), ("removed", "applied", 2)]


@pytest.fixture
def shallow(made: Made, tmp_path: Path) -> Path:
    """A clone that is cut at a commit of Bob's, before which all of it was declared and applied by others."""
    runs = Runs()
    texts = {name: rsa(name, "x") for name in ("a", "b", "d")}
    one = made.commit({f"specs/{name}.yaml": text for name, text in texts.items()})
    issued = [given("issue", f"t{name}", text) for name, text in texts.items()]
    runs.run(*issued, commit=one, at=made.at)
    two = made.commit({**runs.as_files(), "specs/a.yaml": rsa("a", "x", "y")})
    runs.run(given("modify", "ta", rsa("a", "x", "y")), commit=two, at=made.at)
    wide = {"specs/b.yaml": rsa("b", "x", "y"), "specs/d.yaml": rsa("d", "x", "y")}
    made.commit({**runs.as_files(), **wide, "n": "1"}, who="Bob <bob@example.org>")
    last = made.commit({"specs/a.yaml": rsa("a", "z"), "specs/b.yaml": rsa("b", "z"), "specs/d.yaml": None})
    runs.run(
        given("modify", "ta", rsa("a", "z")), given("modify", "tb", rsa("b", "z")), deleted("td", "d"),
        commit=last, at=made.at,
    )  # fmt: skip
    made.commit(runs.as_files())
    made.repo.clone(tmp_path / "shallow", "--depth", "3")
    return tmp_path / "shallow"


def test_a_shallow_clone_names_nobody_who_asked_for_what_is_behind_its_cut(
    shop: Shop, made: Made, shallow: Path
) -> None:
    """The commit at which it is cut has all files, whoever wrote them; the same of records."""
    found = story(shop, "a", folder=shallow)
    declared = next(one for one in found["events"] if one["event"] == "found")
    assert declared["asked"] == {"known": False, "commits": [], "merge": None, "trailers": []}
    assert [one["run"]["recordCommit"] for one in found["events"] if one["event"] == "issue"] == [None]
    ran = shop.run("-C", str(shallow), "audit", "log", "a")
    assert ran.code == 1
    assert "Bob" not in ran.out
    assert f"who asked for it is behind {made.ids[2][:7]}, where this clone is cut\n" in ran.out
    table = shop.run("-C", str(shallow), "audit", "log", "--format", "csv").out
    rows = list(csv.DictReader(io.StringIO(table)))
    assert {row["authors"] for row in rows if row["event"] == "found"} == {""}


def test_of_what_is_behind_the_cut_a_run_is_told_only_where_it_gave_just_that(
    shop: Shop, made: Made, shallow: Path
) -> None:
    """By another run, or by none, is not known: that it was never applied is no answer."""
    told = {name: standings(story(shop, name, folder=shallow)) for name in "ab"}
    assert told == {
        "a": [("found", "applied", 2), ("changed", "applied", 3)],
        "b": [("found", "unknown", None), ("changed", "applied", 3)],
    }
    text = shop.run("-C", str(shallow), "audit", "log", "b").out
    assert "which run applied it, if any did, this clone does not tell" in text
    assert "never applied" not in text
    gone = story(shop, "d", folder=shallow)
    assert (gone["ids"], standings(gone)) == (["td"], [("found", "unknown", None), ("removed", "applied", 3)])


def test_a_commit_behind_the_cut_is_not_told_as_off_the_line(shop: Shop, made: Made, shallow: Path) -> None:
    """Whether it was pushed away by force or is only older, this clone does not tell."""
    found = story(shop, "a", folder=shallow)
    on_line = [one["run"]["onLine"] for one in found["events"] if "asked" not in one]
    assert on_line == [None, None, True]
    ran = shop.run("-C", str(shallow), "audit", "log", "a")
    assert "not on this line" not in ran.out
    assert f"it applied a commit that this clone does not have ({made.ids[0][:7]})" in ran.out
    assert "push by force" not in ran.err
    assert f"they are behind {made.ids[2][:7]}, or on no line that was fetched" in ran.err


@pytest.mark.parametrize(
    ("text", "state", "ended", "title", "last"),
    [
        (rsa("a"), "active", None, "live", "issue"),
        (rsa("a", more=OFF), "disabled", None, "disabled", "issue"),
        (rsa("a", more=SHORT), "expired", 5, f"expired since {when(5)}", "ended"),
        (jwt("a"), "expired", 92, f"expired since {when(92)}", "lapsed"),
    ],
    ids=["active", "off", "past its end", "past the end of its credential"],
)
def test_a_story_tells_that_a_token_is_off_or_has_ended(
    shop: Shop, made: Made, *, text: str, state: str, ended: int | None, title: str, last: str
) -> None:
    """At its head, and as an event for which no run and no commit stands."""
    runs = Runs()
    one = made.commit({"specs/a.yaml": text})
    runs.run(given("issue", "t1", text), commit=one, at=START + 2 * DAY)
    made.commit(runs.as_files())
    found = story(shop, "a")
    assert (found["live"], found["state"]) == (True, state)
    assert found["endedAt"] == (None if ended is None else when(ended))
    assert found["events"][-1]["event"] == last
    assert f"id t1, {title}\n" in shop.ok("audit", "log", "a").out
    if ended is not None:
        said = {"name": "a", "kind": found["kind"], "owner": None, "token": "t1"}
        assert found["events"][-1] == {"time": when(ended), "event": last, **said}
        assert shop.ok("audit", "log").out.startswith(when(ended))


def test_an_end_is_told_once_and_where_it_came(shop: Shop, made: Made) -> None:
    """Between what was before and after it; an edit of what has ended ends nothing anew."""
    runs = Runs()
    one = made.commit({"specs/a.yaml": rsa("a", more=SHORT)})
    runs.run(given("issue", "t1", rsa("a", more=SHORT)), commit=one, at=START + 2 * DAY)
    edited = rsa("a", "other", more=SHORT)
    two = made.commit({"specs/a.yaml": edited}, at=START + 6 * DAY)
    runs.run(given("modify", "t1", edited), commit=two, at=START + 7 * DAY)
    three = made.commit({"specs/a.yaml": rsa("a", "other")}, at=START + 8 * DAY)
    runs.run(given("modify", "t1", rsa("a", "other")), commit=three, at=START + 9 * DAY)
    made.commit(runs.as_files())
    found = story(shop, "a")
    words = ["declared", "issue", "ended", "changed", "modify", "changed", "modify"]
    assert ([one["event"] for one in found["events"]], found["state"]) == (words, "active")


def test_a_rotation_is_told_where_somebody_asked_for_it(shop: Shop, made: Made) -> None:
    """Not only that older credentials ended with it."""
    runs = Runs()
    one = made.commit({"specs/a.yaml": rsa("a", "x")})
    runs.run(given("issue", "t1", rsa("a", "x")), commit=one)
    two = made.commit({**runs.as_files(), "specs/a.yaml": rsa("a", "x", "w")})
    wide = rsa("a", "x", "w")
    runs.run(given("retire", "t1", wide, known=True), given("rotate", "t1", wide), commit=two)
    made.commit(runs.as_files())
    assert ": older credentials ended, then rotated, generation 1\n" in shop.ok("audit", "log", "a").out
    assert shop.ok("audit", "access", "--api", "w", "--format", "json").json["whole"] is True
