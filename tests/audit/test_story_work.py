"""How much is done to tell stories: by what a token lived through, not by all that there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.git.running import Git
from reconciler.git.running import Ran as GitRan
from reconciler.readers.auditing import Auditing
from reconciler.readers.telling import tell
from tests.audit.bodies import Runs, deleted, given
from tests.audit.histories import Made
from tests.audit.lines import Made as Lined
from tests.audit.lines import rsa, start
from tests.audit.reading import auditing as of_made
from tests.git.kit import Repo


def auditing(made: Lined, repo: Repo | None = None) -> Auditing:
    """A clone of a history made by hand."""
    head = made.ids[-1]
    return of_made(Made(made.repo, "", head, None, None, (), made.at), repo)  # type: ignore[arg-type]


def many(made: Lined, count: int, *, gone: bool) -> None:
    """So many tokens one after the other, each declared, applied, and removed again or left."""
    runs = Runs()
    for number in range(count):
        name = f"t{number}"
        one = made.commit({f"specs/{name}.yaml": rsa(name)})
        runs.run(given("issue", f"id-{name}", rsa(name)), commit=one)
        if gone:
            one = made.commit({f"specs/{name}.yaml": None})
            runs.run(deleted(f"id-{name}", name), commit=one)
    made.commit(runs.as_files())


def asked_of_git(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What git is asked from now on."""
    asked, run = list[str](), Git.run

    def noted(self: Git, *arguments: str, **more: object) -> GitRan:
        asked.append(" ".join(arguments))
        return run(self, *arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Git, "run", noted)
    return asked


def test_git_is_asked_as_often_for_many_stories_as_for_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever there was of tokens, commits and runs."""
    counts = set[int]()
    for count in (2, 24):
        made = start(tmp_path / str(count))
        many(made, count, gone=True)
        asked = asked_of_git(monkeypatch)
        told = tell(auditing(made), None, with_records=True)
        counts.add(len(asked))
        assert [len(one.events) for one in told.stories] == [4] * count
    assert len(counts) == 1


def test_git_is_asked_once_which_applied_commits_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many are not on the line; which are here, each run says."""
    made, runs = start(tmp_path), Runs()
    made.commit({"specs/a.yaml": rsa("a", "x")})
    side = [made.commit({"n": str(n)}, parents=made.ids[:1], branch=f"side{n}") for n in range(3)]
    for number, commit in enumerate([*side, *(f"{n}" * 40 for n in range(1, 6)), None]):
        runs.run(given("modify" if number else "issue", "t1", rsa("a", f"x{number}")), commit=commit)
    made.commit(runs.as_files())
    asked = asked_of_git(monkeypatch)
    told = tell(auditing(made), None, with_records=True)
    assert [one.here for one in told.runs] == [True] * 3 + [False] * 6
    assert len([one for one in asked if one.startswith("cat-file")]) == 1


def test_settings_and_lines_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for them again."""
    made = start(tmp_path)
    many(made, 2, gone=False)
    audited = auditing(made)
    first = audited.settings(made.ids[-1]), audited.line(made.ids[-1])
    asked = asked_of_git(monkeypatch)
    assert (audited.settings(made.ids[-1]), audited.line(made.ids[-1])) == first
    assert audited.came(made.ids[0], made.ids[-1]) == made.when(0)
    assert [one.split()[0] for one in asked] == ["merge-base"]


def test_a_partial_clone_fetches_once_what_stories_are_told_of(tmp_path: Path) -> None:
    """What commits of merged branches said too, which the line itself never had."""
    made = start(tmp_path / "it")
    base = made.commit({"specs/a.yaml": rsa("a", "x")})
    side = made.commit({"specs/a.yaml": rsa("a", "y")}, parents=[base], branch="side")
    side = made.commit({"specs/a.yaml": rsa("a", "z")}, parents=[side], branch="side")
    made.commit({"specs/a.yaml": rsa("a", "z")}, parents=[base, side])
    partial = made.repo.clone(tmp_path / "partial", "--filter=blob:none", "--no-checkout")
    asked, serve = tmp_path / "asked", tmp_path / "serve"
    serve.write_text(f'#!/bin/sh\necho asked >>{asked}\nexec git upload-pack "$@"\n')
    serve.chmod(0o755)
    partial.git("config", "remote.origin.uploadpack", str(serve))
    (partial.root / "specs").mkdir()
    whole, found = (tell(auditing(made, one), None, with_records=True) for one in (None, partial))
    assert found.stories == whole.stories
    assert asked.read_text() == "asked\n"
