"""What was declared: spans of every token, as the commits of a line say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.audit.access import Question, periods
from reconciler.audit.declared import blobs, declared
from reconciler.audit.files import Files
from reconciler.audit.meanings import meanings
from reconciler.audit.spans import Span
from reconciler.errors import GitFailed, SpecsInvalid
from reconciler.kinds.fields import end_of_date
from reconciler.memo import Memo
from reconciler.secret import Secret
from tests.audit.lines import DAY, START, Made, catalog, jwt, read, rsa, start


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """A repository without a commit."""
    return start(tmp_path / "repo")


def lives(spans: list[Span]) -> list[tuple[str, str, int, int | None]]:
    """Name, APIs, and the numbers of the days on which each span began and ended."""

    def number(at: int | None) -> int | None:
        return None if at is None else (at - START) // DAY

    return [
        (
            span.name,
            " ".join(span.grants.get("apis", ())),
            number(span.since.at) or 0,
            number(span.until.at if span.until else None),
        )
        for span in spans
    ]


def test_a_token_is_what_its_spec_says_from_commit_to_commit(made: Made) -> None:
    """From its first commit, over an edit and a revert of that, until it is deleted."""
    made.commit({"specs/a.yaml": rsa("a", "x.read")})
    made.commit({"specs/a.yaml": rsa("a", "x.read", "x.write")})
    made.commit({"specs/a.yaml": rsa("a", "x.read")}, message="Revert")
    made.commit({"specs/a.yaml": None})
    spans = made.spans()
    assert lives(spans) == [("a", "x.read", 1, 2), ("a", "x.read x.write", 2, 3), ("a", "x.read", 3, 4)]
    assert {span.token for span in spans} == {f"{made.ids[0]}:a"}
    assert [span.since.commit for span in spans] == made.ids[:3]
    assert spans[-1].until is not None
    assert spans[-1].until.commit == made.ids[3]


def test_what_means_the_same_is_the_same_span(made: Made) -> None:
    """Comments, order, another file, another folder: nothing changed."""
    made.commit({"specs/a.yaml": rsa("a", "x", "y"), "specs/b.yaml": rsa("b")})
    made.commit({"specs/a.yaml": "# note\n" + rsa("a", "y", "x")})
    made.commit(
        {
            "specs/a.yaml": None,
            "specs/deep/all.yml": f"{rsa('a', 'x', 'y')}---\n{rsa('b')}",
            "specs/b.yaml": None,
        }
    )
    assert lives(made.spans()) == [("a", "x y", 1, None), ("b", "a.read", 1, None)]


def test_deleted_and_declared_again_is_another_token(made: Made) -> None:
    """Its credential would be another: nothing of the first one is back."""
    made.commit({"specs/a.yaml": rsa("a")})
    made.commit({"specs/a.yaml": None})
    made.commit({"specs/a.yaml": rsa("a")})
    spans = made.spans()
    assert lives(spans) == [("a", "a.read", 1, 2), ("a", "a.read", 3, None)]
    assert [span.token for span in spans] == [f"{made.ids[0]}:a", f"{made.ids[2]}:a"]


def test_all_specs_deleted_and_added_again_are_others(made: Made) -> None:
    """Also where `specs` was a submodule or a link meanwhile."""
    made.commit({"specs/a.yaml": rsa("a")})
    made.commit({"specs/a.yaml": None, "120000 specs": "elsewhere"})
    made.commit({"160000 specs": "a" * 40})
    made.commit({"specs": None, "specs/a.yaml": rsa("a")})
    assert lives(made.spans()) == [("a", "a.read", 1, 2), ("a", "a.read", 4, None)]


def test_a_renamed_token_is_the_same_one(made: Made) -> None:
    """By `metadata.previously`, step by step, and over a name that it had in between."""
    made.commit({"specs/a.yaml": rsa("a")})
    made.commit({"specs/a.yaml": None, "specs/b.yaml": rsa("b", meta=", previously: a")})
    made.commit({"specs/b.yaml": rsa("c", meta=", previously: [a, b]")})
    spans = made.spans()
    assert [(span.name, span.token) for span in spans] == [
        (name, f"{made.ids[0]}:a") for name in ("a", "b", "c")
    ]


@pytest.mark.parametrize(
    "after",
    [
        {"specs/b.yaml": rsa("b", meta=", previously: a")},
        {"specs/a.yaml": None, "specs/b.yaml": jwt("b", meta=", previously: a")},
        {"specs/a.yaml": None, "specs/b.yaml": rsa("b")},
        {"specs/a.yaml": jwt("a")},
    ],
    ids=["the old one is still there", "another kind", "it does not say so", "the kind changed"],
)
def test_what_is_no_rename_is_another_token(made: Made, after: dict[str, str | None]) -> None:
    """As apply takes it."""
    made.commit({"specs/a.yaml": rsa("a")})
    made.commit(after)
    tokens = {span.token for span in made.spans()}
    assert len(tokens) == 2


def test_a_name_of_long_ago_is_no_rename(made: Made) -> None:
    """Between the two, the token was deleted."""
    made.commit({"specs/a.yaml": rsa("a")})
    made.commit({"specs/a.yaml": None})
    made.commit({"specs/b.yaml": rsa("b", meta=", previously: a")})
    assert len({span.token for span in made.spans()}) == 2


def test_groups_are_what_the_catalog_of_that_commit_says(made: Made) -> None:
    """An edit of the catalog changes who may what, with no spec touched; what names no group stays."""
    made.commit(
        {
            "specs/a.yaml": rsa("a", "@read"),
            "specs/b.yaml": rsa("b", "x.read"),
            "specs/c.yaml": catalog(read=["x.read"], all=["@read", "x.write"]),
        }
    )
    made.commit({"specs/c.yaml": catalog(read=["x.read", "y.read"], all=["@read", "x.write"])})
    made.commit({"specs/a.yaml": rsa("a", "@all")})
    made.commit({"specs/c.yaml": catalog(read=["y.read"], all=["@read", "x.write"])})
    assert lives(made.spans("a")) == [
        ("a", "x.read", 1, 2),
        ("a", "x.read y.read", 2, 3),
        ("a", "x.read x.write y.read", 3, 4),
        ("a", "x.write y.read", 4, None),
    ]
    assert lives(made.spans("b")) == [("b", "x.read", 1, None)]


def test_a_file_with_a_fault_declares_nothing_until_it_is_mended(made: Made) -> None:
    """Its tokens are the same ones then: nobody asked for them to go. And the fault is told."""
    made.commit({"specs/a.yaml": rsa("a"), "specs/b.yaml": rsa("b")})
    made.commit({"specs/a.yaml": "kind: ["})
    made.commit({"specs/a.yaml": "kind: [still"})
    made.commit({"specs/a.yaml": None, "specs/deep/a.yaml": rsa("a", "y")})
    history = made.history()
    assert lives([span for span in history.spans if span.name == "a"]) == [
        ("a", "a.read", 1, 2),
        ("a", "y", 4, None),
    ]
    assert len({span.token for span in history.spans}) == 2
    first, second = history.faulty
    assert first.what.startswith("specs/a.yaml:1: ")
    assert (first.since.commit, second.until and second.until.commit) == (made.ids[1], made.ids[3])


def test_a_token_that_a_mended_file_does_not_have_is_gone(made: Made) -> None:
    """If it comes back later, it is another one."""
    made.commit({"specs/a.yaml": rsa("a")})
    made.commit({"specs/a.yaml": "kind: ["})
    made.commit({"specs/a.yaml": rsa("other")})
    made.commit({"specs/b.yaml": rsa("a")})
    tokens = [span.token for span in made.spans("a")]
    assert tokens == [f"{made.ids[0]}:a", f"{made.ids[3]}:a"]


def test_a_name_that_two_files_declare_is_declared_by_none(made: Made) -> None:
    """Until one of them is gone; then it is the token that it was."""
    made.commit({"specs/a.yaml": rsa("a")})
    made.commit({"specs/b.yaml": rsa("a", "more")})
    made.commit({"specs/a.yaml": None})
    history = made.history()
    assert lives(list(history.spans)) == [("a", "a.read", 1, 2), ("a", "more", 3, None)]
    assert len({span.token for span in history.spans}) == 1
    assert [one.what for one in history.faulty] == ["a: specs/a.yaml and specs/b.yaml both declare it"]


@pytest.mark.parametrize(
    "broken",
    [catalog(other=["x.read"]), "kind: Catalog\n", catalog(read=["@read"]), catalog(read=["@gone", "x"])],
    ids=["without the group", "no catalog", "a circle", "a member that is none"],
)
def test_a_group_that_is_not_known_grants_nothing(made: Made, broken: str) -> None:
    """What names it declares nothing, and that is told; what names none is as it was."""
    made.commit(
        {
            "specs/a.yaml": rsa("a", "@read"),
            "specs/b.yaml": rsa("b"),
            "specs/c.yaml": catalog(read=["x.read"]),
        }
    )
    made.commit({"specs/c.yaml": broken})
    made.commit({"specs/c.yaml": catalog(read=["x.read"])})
    history = made.history()
    assert lives([span for span in history.spans if span.name == "a"]) == [
        ("a", "x.read", 1, 2),
        ("a", "x.read", 3, None),
    ]
    assert lives([span for span in history.spans if span.name == "b"]) == [("b", "a.read", 1, None)]
    assert "a: it names @read, which the catalog does not have" in [one.what for one in history.faulty]


def test_off_is_a_span_in_which_it_can_do_nothing(made: Made) -> None:
    """And it is the same token when it is on again."""
    made.commit({"specs/a.yaml": rsa("a")})
    made.commit({"specs/a.yaml": rsa("a", more="lifecycle: {enabled: false}\n")})
    made.commit({"specs/a.yaml": rsa("a")})
    assert [span.enabled for span in made.spans()] == [True, False, True]


def test_a_span_ends_by_itself_where_its_spec_says_so(made: Made) -> None:
    """On a date, or so long after the commit that declared it first."""
    made.commit({"specs/a.yaml": rsa("a", more="lifecycle: {expires: 2024-06-30}\n")})
    made.commit({"specs/a.yaml": rsa("a", more="lifecycle: {expires: 30d}\n")})
    made.commit({"specs/a.yaml": rsa("a")})
    assert [span.ends for span in made.spans()] == [
        end_of_date("2024-06-30"),
        START + 31 * DAY,
        None,
    ]


def test_commits_of_one_second_leave_what_the_last_says(made: Made) -> None:
    """What was so for no time covers none."""
    for number in range(3):
        made.commit({"specs/a.yaml": rsa("a", f"x.{number}")}, at=START)
    found = periods(made.spans(), Question())
    assert [dict(one.grants)["apis"] for one in found] == [("x.2",)]


def test_what_a_branch_said_before_its_merge_counts_for_nothing(made: Made) -> None:
    """Nobody had agreed to it."""
    base = made.commit({"specs/a.yaml": rsa("a")})
    side = made.commit({"specs/a.yaml": rsa("a", "admin")}, parents=[base], branch="side")
    side = made.commit({"specs/a.yaml": rsa("a", "x")}, parents=[side], branch="side")
    made.commit({"specs/a.yaml": rsa("a", "x")}, parents=[base, side])
    assert lives(made.spans()) == [("a", "a.read", 1, 4), ("a", "x", 4, None)]


def test_in_a_shallow_clone_what_was_there_may_be_older(made: Made, tmp_path: Path) -> None:
    """And what came later is not."""
    made.commit({"specs/a.yaml": rsa("a")})
    made.commit({"specs/b.yaml": rsa("b")})
    made.commit({"specs/c.yaml": rsa("c")})
    shallow = made.repo.clone(tmp_path / "shallow", "--depth", "2").opened()
    found = {span.name: span.earlier for span in read(shallow, made.ids[-1]).spans}
    assert found == {"a": True, "b": True, "c": False}


def test_hostile_blobs_are_faults_and_end_nothing_else(made: Made) -> None:
    """Alias bombs, a blob too large, bytes that are no text, a secret in the clear."""
    bomb = "a: &a [x,x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)},*{chr(97 + n)}]\n" for n in range(20)
    )
    made.commit(
        {
            "specs/a.yaml": rsa("a"),
            "specs/bomb.yaml": bomb,
            "specs/large.yaml": "#" * ((1 << 20) + 1),
            "specs/bytes.yaml": b"\xff\xfe",
            "specs/dup.yaml": rsa("d") + "kind: RSAToken\n",
        }
    )
    history = made.history()
    assert lives(list(history.spans)) == [("a", "a.read", 1, None)]
    assert {one.what.partition(":")[0] for one in history.faulty} == {
        f"specs/{name}.yaml" for name in ("bomb", "large", "bytes", "dup")
    }


def test_each_blob_is_read_once_and_from_a_memo_not_at_all(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many commits and paths hold it; what the memo says is what reading says."""
    files: dict[str, str | bytes | None] = {f"specs/t{n}.yaml": rsa(f"t{n}") for n in range(250)}
    made.commit(files)
    made.commit({"specs/t1.yaml": rsa("t1", "y")})
    made.commit({"specs/t1.yaml": rsa("t1")})
    line = made.line()
    assert len(blobs(line)) == 251
    memo = Memo(tmp_path, "memo", Secret("k" * 64), "history")
    fresh = declared(line, meanings(made.opened, blobs(line), lambda: memo))
    monkeypatch.setattr("reconciler.git.contents.Contents.read", lambda *_: pytest.fail("a blob was read"))
    assert declared(line, meanings(made.opened, blobs(line), lambda: memo)) == fresh


def test_a_blob_that_is_missing_is_an_error(made: Made) -> None:
    """Never a history without it."""
    made.commit({"specs/a.yaml": rsa("a")})
    line = made.line()
    (step,) = line.steps
    absent = replace(line, steps=(replace(step, touched=(replace(step.touched[0], blob="1" * 40),)),))
    with pytest.raises(GitFailed):
        meanings(made.opened, blobs(absent))


def test_groups_that_stand_for_too_much_over_all_commits_are_refused(made: Made) -> None:
    """A short history may not take all memory."""
    made.commit({"specs/a.yaml": rsa("a", "@g"), "specs/c.yaml": catalog(g=["x.read", "y.read"])})
    line = made.line()
    files = Files(meanings(made.opened, blobs(line)), left=10)
    with pytest.raises(SpecsInvalid, match="stand for more than"):
        files.changed(line.steps[0].touched)


def test_the_settings_are_those_of_the_last_commit(made: Made) -> None:
    """So where its records are is what itself says."""
    made.commit({"specs/a.yaml": rsa("a")})
    assert made.history().workspace is None
    made.commit(
        {
            "specs/w.yaml": "apiVersion: reconciler/v1\nkind: Workspace\nmetadata: {name: w}\n"
            "spec: {artifacts: sealed}\n"
        }
    )
    found = made.history().workspace
    assert found is not None
    assert found.spec.artifacts == "sealed"
