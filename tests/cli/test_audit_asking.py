"""What cannot be answered is refused with what to do instead: a wrong folder, no commit, no such time."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.times import seconds_of, timestamp
from tests.audit.lines import Made, rsa, start
from tests.cli.kit import Shop
from tests.git.kit import Repo, made

ALL = ("verify", "log", "access", "report --format json")


@pytest.mark.parametrize("question", [*ALL, "secrets", "verify --revision HEAD"])
def test_where_there_is_no_commit_every_question_says_so(question: str, shop: Shop) -> None:
    """And not that a revision is wrong, which nobody named, or that nothing was found."""
    start(shop.root)
    ran = shop.run("audit", *question.split())
    assert (ran.code, ran.out) == (1, "")
    assert "there is no commit here yet" in ran.err


@pytest.mark.parametrize("question", [*ALL, "secrets"])
def test_a_bare_repository_is_called_one_and_is_to_be_cloned(
    question: str, shop: Shop, tmp_path: Path
) -> None:
    """Auditors are handed mirrors."""
    made(shop.root).commit(("specs/a.yaml", rsa("a", "x")))
    bare = tmp_path / "a mirror.git"
    Repo(shop.root).git("clone", "--quiet", "--mirror", str(shop.root), str(bare))
    ran = shop.run("-C", str(bare), "audit", *question.split())
    assert (ran.code, ran.out) == (1, "")
    assert f"{bare} is a bare repository" in ran.err
    assert f"git clone '{bare}' FOLDER" in ran.err


@pytest.fixture
def declared(shop: Shop) -> Made:
    """The shop as a repository with a token."""
    found = start(shop.root)
    found.commit({"specs/a.yaml": rsa("a", "x")})
    found.repo.git("reset", "--quiet", "--hard")
    return found


@pytest.mark.parametrize("text", ["yesterday", "20250202", ""])
@pytest.mark.parametrize("question", ["access", "report --format json"])
def test_what_is_neither_time_nor_commit_is_told_how_to_write_one(
    question: str, text: str, shop: Shop, declared: Made
) -> None:
    """A clone that is whole is not blamed for it."""
    ran = shop.run("audit", *question.split(), "--at", text)
    assert (ran.code, ran.out) == (1, "")
    assert "write a day such as 2026-03-01" in ran.err
    assert "shallow" not in ran.err


@pytest.mark.parametrize("option", ["--api", "--project", "--user", "--owner", "--name"])
def test_an_option_that_names_nothing_is_refused(option: str, shop: Shop, declared: Made) -> None:
    """As where a variable of a script is empty: "nobody" would be a wrong answer."""
    ran = shop.run("audit", "access", f"{option}=")
    assert (ran.code, ran.out) == (64, "")
    assert f"{option} names nothing" in ran.err


@pytest.mark.parametrize("text", ["9999-12-31", "9999-12-31T00:00:00Z"])
def test_a_time_that_is_too_late_is_not_called_none(text: str, shop: Shop, declared: Made) -> None:
    """It is a day, and no time can be told after it."""
    ran = shop.run("audit", "access", "--at", text)
    assert (ran.code, ran.out) == (64, "")
    assert "is too late" in ran.err


def test_the_first_years_are_written_with_four_digits() -> None:
    """As a machine reads them."""
    first = "0001-01-01T00:00:00Z"
    assert timestamp(seconds_of(first)) == first


@pytest.mark.parametrize("more", [(), ("--commits", "any")])
def test_a_time_for_signatures_that_nobody_asks_for_is_refused(
    more: tuple[str, ...], shop: Shop, declared: Made
) -> None:
    """It would be ignored, and the exit code would say that they are right."""
    ran = shop.run("audit", "verify", "--commits-since", "2020-01-01", *more)
    assert (ran.code, ran.out) == (64, "")
    assert "--commits signed" in ran.err


@pytest.fixture
def monorepo(shop: Shop) -> Repo:
    """A repository with a workspace below its top, and another's folder of specs beside it."""
    repo = made(shop.root)
    repo.commit(("spec/other_spec.rb", ""), ("team/b/specs/README.md", "none"), ("README.md", ""))
    repo.commit(("team/a/specs/tokens/a.yaml", rsa("a", "x")))
    return repo


@pytest.mark.parametrize("question", ALL)
def test_a_folder_that_is_no_workspace_is_refused_with_those_that_are(
    question: str, shop: Shop, monorepo: Repo
) -> None:
    """At the top of a monorepo there is nothing to find: that is no clean bill."""
    ran = shop.run("audit", *question.split())
    assert (ran.code, ran.out) == (1, "")
    assert "has neither specs/ nor records" in ran.err
    assert ran.err.count("name it with -C: team/a  [") == 1
    assert shop.run("-C", str(shop.root / "team/a"), "audit", *question.split()).code == 0


def test_records_alone_tell_a_workspace_too(shop: Shop, monorepo: Repo) -> None:
    """As where its last spec is gone: git keeps no empty folder."""
    monorepo.git("rm", "--quiet", "-r", "team/a/specs")
    monorepo.commit((f"ops/artifacts/records/00000001-{'a' * 16}.json", "{}"))
    assert "name it with -C: ops  [" in shop.run("audit", "log").err
    (shop.root / "team/a").mkdir(exist_ok=True)
    assert shop.ok("-C", str(shop.root / "team/a"), "audit", "log").out


def test_a_commit_from_before_the_workspace_is_refused(shop: Shop, monorepo: Repo) -> None:
    """It knows nothing of what is asked."""
    team = str(shop.root / "team/a")
    ran = shop.run("-C", team, "audit", "verify", "--revision", "HEAD~1")
    assert (ran.code, ran.out) == (1, "")
    assert "name a later commit or time" in ran.err
