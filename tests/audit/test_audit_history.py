"""The line of a revision: every commit of its first parents that changed specs, and nothing made up."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.audit.history import Line, line, odd_times
from reconciler.errors import GitFailed
from reconciler.git.logs import LATEST
from tests.audit.lines import DAY, START, Made, rsa, start

NOBODY = "0" * 40


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """A repository without a commit."""
    return start(tmp_path / "repo")


def told(found: Line) -> list[tuple[str, list[str]]]:
    """Commit and paths of each step."""
    return [(step.commit, [one.path for one in step.touched]) for step in found.steps]


def test_steps_are_the_commits_that_changed_specs_oldest_first(made: Made) -> None:
    """What a commit says of itself comes with it; a commit that touched nothing there is no step."""
    first = made.commit({"specs/a.yaml": rsa("a"), "README": "hi"}, message="Ask for a\n\nbody")
    made.commit({"README": "more"})
    last = made.commit({"specs/a.yaml": None, "specs/b.yml": rsa("b")}, who="Bob <b@x.org>")
    found = made.line()
    assert told(found) == [(first, ["specs/a.yaml"]), (last, ["specs/a.yaml", "specs/b.yml"])]
    one, other = found.steps
    assert (one.subject, one.author.name, one.committer.email) == ("Ask for a", "Ann", "com@example.org")
    assert (one.parents, other.author.email) == ((), "b@x.org")
    assert [step.at for step in found.steps] == [START + DAY, START + 3 * DAY]
    gone, there = other.touched
    assert (gone.mode, gone.blob, gone.is_spec) == (None, None, False)
    assert there.blob == made.repo.git("rev-parse", f"{last}:specs/b.yml")
    assert found.cut is None


def test_what_a_merge_brought_is_of_the_merge(made: Made) -> None:
    """Also of one with many parents, and one that changes more than its parents did."""
    base = made.commit({"specs/a.yaml": rsa("a")})
    sides = [
        made.commit({f"specs/{name}.yaml": rsa(name)}, parents=[base], branch=name)
        for name in ("b", "c", "d")
    ]
    files = {f"specs/{name}.yaml": rsa(name) for name in ("b", "c", "d")}
    octopus = made.commit({**files, "specs/evil.yaml": rsa("evil")}, parents=[base, *sides])
    assert told(made.line())[1:] == [
        (octopus, ["specs/b.yaml", "specs/c.yaml", "specs/d.yaml", "specs/evil.yaml"])
    ]
    assert made.line().steps[1].parents == (base, *sides)


def test_a_merge_that_keeps_what_was_there_is_no_step(made: Made) -> None:
    """`git merge --strategy ours`: nobody's specs changed."""
    base = made.commit({"specs/a.yaml": rsa("a")})
    side = made.commit({"specs/b.yaml": rsa("b")}, parents=[base], branch="b")
    made.commit({}, parents=[base, side])
    assert [commit for commit, _ in told(made.line())] == [base]


@pytest.mark.parametrize("options", [(), ("--object-format=sha256",)])
def test_a_workspace_in_a_folder_sees_its_own_specs_only(tmp_path: Path, options: tuple[str, ...]) -> None:
    """In repositories of both formats of ids. Paths are from the workspace."""
    made = start(tmp_path / "repo", *options, prefix="deep/[own]/")
    made.commit({"specs/a.yaml": rsa("a")})
    made.prefix = "deep/o/"
    made.commit({"specs/other.yaml": rsa("other")})
    made.prefix = ""
    made.commit({"specs/top.yaml": rsa("top")})
    made.prefix = "deep/[own]/"
    assert told(made.line()) == [(made.ids[0], ["specs/a.yaml"])]


def test_time_never_goes_back(made: Made) -> None:
    """A step that says it is older than the one before it counts as made with it, and is told."""
    times = [START, START - DAY, START + 5, START + 4]
    for number, at in enumerate(times):
        made.commit({"specs/a.yaml": rsa("a", f"x.{number}")}, at=at)
    found = made.line()
    assert [step.at for step in found.steps] == [START, START, START + 5, START + 5]
    assert [step.committed for step in found.steps] == times
    assert [step.commit for step in found.set_back] == [made.ids[1], made.ids[3]]
    assert found.at == START + 5


def test_no_commit_hides_in_the_future_nor_hides_what_follows_it(made: Made) -> None:
    """One that says it is of later than now counts as made with the next that can be, else now."""
    now, later = START + 9, START + 1000 * DAY
    for number, at in enumerate([START, later, START + 5, later]):
        made.commit({"specs/a.yaml": rsa("a", f"x.{number}")}, at=at)
    found = line(made.opened, made.ids[-1], ("specs",), now)
    assert [step.at for step in found.steps] == [START, START + 5, START + 5, now]
    assert found.ahead == (made.ids[1], made.ids[3])
    assert found.set_back == ()
    (told_of,) = odd_times(found)
    assert told_of.startswith(f"2 commits say that they are of later than now ({made.ids[1][:7]}, ")


@pytest.mark.parametrize("said", ["-5", "99999999999999999999", "253402300800", "x"])
def test_whatever_time_a_commit_says_can_be_written(made: Made, said: str) -> None:
    """Dates before 1970, far ahead, and what is none: git takes some of them, and nothing fails."""
    made.commit({"specs/a.yaml": rsa("a")})
    tree = made.repo.git("rev-parse", "HEAD^{tree}")
    text = f"tree {tree}\nauthor A <a@x> {said} +0000\ncommitter C <c@x> {said} +0000\n\nm\n"
    commit = made.repo.git("hash-object", "-t", "commit", "-w", "--stdin", "--literally", given=text.encode())
    found = made.line(commit)
    assert all(0 <= time <= LATEST for step in found.steps for time in (step.at, step.authored))
    assert 0 <= found.at <= LATEST


def test_what_commits_say_is_taken_as_it_is(made: Made) -> None:
    """Terminal escapes, bytes that are no UTF-8, what looks like a line of git's own: all of it is text."""
    made.commit(
        {"specs/a.yaml": rsa("a")},
        who="\x1b[31mEve :100644 100644 <e@x\x07>",
        message=f"\x1b]0;x\x07 :100644 100644 {NOBODY} {NOBODY} M",
    )
    path = b"specs/\xff\n:x.yaml"
    text = rsa("b").encode()
    stream = (
        b"commit refs/heads/main\ncommitter C <c@x> %d +0000\nencoding latin-1\ndata 3\nm\xe9\n" % (START * 1)
        + f"from {made.ids[0]}\n".encode()
        + b'M 100644 inline "%s"\ndata %d\n%s\n' % (path.replace(b"\xff\n", b"\\377\\n"), len(text), text)
    )
    made.repo.git("fast-import", "--quiet", given=stream)
    first, second = made.line(made.repo.git("rev-parse", "main")).steps
    assert first.author.name == "\x1b[31mEve :100644 100644"
    assert first.subject.startswith("\x1b]0;x\x07 :100644")
    assert second.subject == "mé"
    assert [(one.path, one.is_spec) for one in second.touched] == [("specs/\udcff\n:x.yaml", False)]


def test_links_submodules_hidden_files_and_other_names_are_no_specs(made: Made) -> None:
    """They are listed as changed, and not read."""
    made.commit(
        {
            "120000 specs/link.yaml": "../secret",
            "160000 specs/module.yaml": "a" * 40,
            "100755 specs/run.YAML": rsa("run"),
            "specs/.hidden/a.yaml": rsa("a"),
            "specs/note.txt": "x",
        }
    )
    assert [one.path for one in made.line().steps[0].touched if one.is_spec] == ["specs/run.YAML"]


def test_settings_of_the_machine_change_nothing(made: Made) -> None:
    """Nobody's git configuration hides a root, a submodule or a rename, or adds lines."""
    made.commit({"specs/a.yaml": rsa("a")})
    made.commit({"specs/a.yaml": None, "specs/b.yaml": rsa("a"), "160000 specs/m": "a" * 40})
    before = made.line()
    for name, value in {
        "log.showRoot": "false",
        "log.showSignature": "true",
        "log.diffMerges": "off",
        "log.mailmap": "true",
        "diff.renames": "copies",
        "diff.ignoreSubmodules": "all",
        "diff.relative": "true",
        "core.abbrev": "4",
        "color.ui": "always",
        "log.follow": "true",
        "format.pretty": "oneline",
    }.items():
        made.repo.git("config", name, value)
    made.repo.write(".mailmap", "Nobody <no@x.org> <ann@example.org>\n")
    assert made.line() == before
    assert len(before.steps[1].touched) == 3


def test_a_shallow_clone_says_where_it_is_cut(made: Made, tmp_path: Path) -> None:
    """All that it has seems to come from its oldest commit: that one is named."""
    for number in range(5):
        made.commit({f"specs/t{number}.yaml": rsa(f"t{number}")})
    shallow = made.repo.clone(tmp_path / "shallow", "--depth", "2").opened()
    found = line(shallow, made.ids[-1], ("specs",))
    assert [(found.cut, found.cut_at)] == [(made.ids[3], START + 4 * DAY)]
    assert len(found.steps[0].touched) == 4
    whole = made.repo.clone(tmp_path / "deep", "--depth", "5").opened()
    assert line(whole, made.ids[-1], ("specs",)).cut is None


def test_a_clone_that_is_cut_before_the_first_spec_is_cut_too(made: Made, tmp_path: Path) -> None:
    """There may have been specs before, and all of them deleted."""
    made.commit({"specs/a.yaml": rsa("a")})
    made.commit({"specs/a.yaml": None})
    made.commit({"specs/b.yaml": rsa("b")})
    shallow = made.repo.clone(tmp_path / "shallow", "--depth", "2").opened()
    found = line(shallow, made.ids[-1], ("specs",))
    assert found.cut == made.ids[1]
    assert [step.commit for step in found.steps] == [made.ids[2]]


def test_a_replaced_commit_is_read_as_it_is(made: Made) -> None:
    """`git replace` shows another history to whoever looks; the line is that of the ids."""
    made.commit({"specs/a.yaml": rsa("a", "evil.write")})
    made.commit({"specs/a.yaml": rsa("a")})
    before = made.line()
    made.repo.git("replace", made.ids[1], made.ids[0])
    assert made.line() == before


def test_a_clone_that_lacks_what_it_needs_says_so(made: Made) -> None:
    """An object that is gone is no history without it."""
    made.commit({"specs/a.yaml": rsa("a")})
    made.commit({"specs/b.yaml": rsa("b")})
    tree = made.repo.git("rev-parse", f"{made.ids[0]}^{{tree}}")
    packs = list((made.repo.root / ".git" / "objects" / "pack").glob("*"))
    for pack in packs:
        pack.chmod(0o600)
    for pack in [one for one in packs if one.suffix == ".pack"]:
        data = pack.read_bytes()
        for one in packs:
            one.unlink()
        made.repo.git("unpack-objects", "-q", given=data)
    loose = made.repo.root / ".git" / "objects" / tree[:2] / tree[2:]
    loose.chmod(0o600)
    loose.unlink()
    with pytest.raises(GitFailed):
        made.line()
