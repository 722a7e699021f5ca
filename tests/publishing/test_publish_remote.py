"""A remote that rejects, races, breaks off or is not there: nothing is live by it, and nothing is lost."""

from __future__ import annotations

import shutil

import pytest

from reconciler.errors import GitFailed, PartlyApplied, PublishFailed
from tests.apply.kit import check_quiet, check_settled, jwt_token, login_token
from tests.publishing.kit import PAUSES, GitHouse, Hub, check_linear, check_published, git

BEFORE = (jwt_token("old"), jwt_token("less", users=("u", "v")), login_token("turned"))
AFTER = (jwt_token("less", users=("u",)), login_token("turned", shop="T"), jwt_token("new"))


def prepared(hub: Hub) -> GitHouse:
    """A clone in which a deletion, a narrowing, a rotation and an issue are due."""
    house = hub.clone()
    house.propose(*BEFORE)
    house.apply()
    house.propose(*AFTER)
    return house


def check_only_taken_away(house: GitHouse) -> None:
    """Promise 3: access is gone, and nothing new is live."""
    after = house.live()
    assert after.keys() == {"less", "turned"}
    assert after["less"].grants["users"] == ("u",)
    assert after["turned"].generation == 1


def check_converged(hub: Hub, house: GitHouse) -> None:
    """The next run has done all of it."""
    assert house.live().keys() == {"less", "new", "turned"}
    check_quiet(house)
    check_published(hub, house.now)
    house.close()


FROZEN = r"origin/main refused the push: .*this branch is frozen"
REFUSALS = {
    "pre-receive": "cat >/dev/null; echo 'this branch is frozen' >&2; exit 1",
    "update": "echo 'this branch is frozen' >&2; exit 1",
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_remote_that_refuses(hub: Hub, name: str) -> None:
    """It says so in its own words, made harmless, on one line; a second such run changes nothing."""
    house = prepared(hub)
    hub.hook(name, "printf '\\033[31mred\\033[0m\\n' >&2; " + REFUSALS[name])
    before = hub.head()
    for _ in range(2):
        with pytest.raises(PartlyApplied, match=FROZEN) as raised:
            house.apply()
        assert str(raised.value).isprintable()
        assert "spec.git.push" in raised.value.hint
        check_only_taken_away(house)
        assert hub.head() == before
    hub.unhook()
    house.apply()
    check_converged(hub, house)


def test_a_remote_that_is_not_there(hub: Hub) -> None:
    """What takes access away waits for nobody; the next run waits for the remote, and says so."""
    house = prepared(hub)
    aside = hub.bare.with_name("aside")
    hub.bare.rename(aside)
    with pytest.raises(PartlyApplied, match="the remote origin cannot be read"):
        house.apply()
    check_only_taken_away(house)
    with pytest.raises(PartlyApplied, match="is settled, and this one stopped: the remote origin cannot be"):
        house.apply()
    for _ in range(2):  # nothing is left to be taken away or settled: so nothing changes, and that is said
        with pytest.raises(PublishFailed, match="the remote origin cannot be read"):
            house.apply()
        check_only_taken_away(house)
    aside.rename(hub.bare)
    house.apply()
    check_converged(hub, house)


RACE = """
unset GIT_QUARANTINE_PATH
test -f {flags}/$(ls {flags} | head -1) || exit 0
flag=$(ls {flags} | head -1)
git update-ref refs/heads/main $(cat {flags}/$flag) && rm {flags}/$flag
"""


@pytest.mark.parametrize("hook", ["pre-receive", "update"])
@pytest.mark.parametrize("times", [1, 3, len(PAUSES)])
def test_a_push_that_loses_the_race_is_made_anew(hub: Hub, hook: str, times: int) -> None:
    """Somebody pushes between our look and our push, several times; everybody's commits stay."""
    house = prepared(hub)
    start, base = hub.head(), hub.head()
    flags = hub.folder / "flags"
    flags.mkdir()
    for number in range(times):
        base = hub.commit("other", {"readme": str(number)}, base=base)
        (flags / str(number)).write_text(base)
    assert hub.head() == start
    hub.hook(hook, RACE.format(flags=flags))
    result = house.apply()
    assert list(flags.iterdir()) == []
    assert result.published is not None
    assert result.published.commit == hub.head()
    assert hub.subjects()[: times + 1] == [
        "Delete 1 token, rotate 1, modify 1, issue 1 [skip ci]",
        *["by hand"] * times,
    ]
    assert tuple(house.slept) == PAUSES[:times]
    check_linear(hub)
    check_converged(hub, house)


ALWAYS = """
export GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x GIT_COMMITTER_NAME=x GIT_COMMITTER_EMAIL=x
git update-ref refs/heads/main $(git commit-tree -p refs/heads/main -m race refs/heads/main^{tree})
"""


def test_who_loses_every_race_gives_up(hub: Hub) -> None:
    """After a bounded number of tries; the next run converges."""
    house = prepared(hub)
    hub.hook("update", ALWAYS)
    with pytest.raises(PartlyApplied, match=f"did not take the push in {len(PAUSES) + 1} tries"):
        house.apply()
    check_only_taken_away(house)
    hub.unhook()
    house.apply()
    check_converged(hub, house)


@pytest.mark.parametrize(
    "path", ["artifacts/LoginToken/turned.yaml", "artifacts/JWTToken/old.yaml", "artifacts/JWTToken/new.yaml"]
)
def test_a_race_over_what_is_published_is_not_won_by_force(hub: Hub, path: str) -> None:
    """Somebody changed the very artifact meanwhile: which, is said; what they did stays in the branch."""
    house = prepared(hub)
    flags = hub.folder / "flags"
    flags.mkdir()
    theirs = hub.commit("other", {path: "theirs\n"}, base=hub.head())
    (flags / "1").write_text(theirs)
    hub.hook("update", RACE.format(flags=flags))
    with pytest.raises(PartlyApplied, match=f"{path} was changed in the branch while it was published"):
        house.apply()
    check_only_taken_away(house)
    assert hub.head() == theirs
    house.apply()
    check_converged(hub, house)


LOST = """
test "$1" = {phase} || exit 0
test -f {flag} || exit 0
rm {flag}
kill -9 $PPID
find . -name '*.lock' -delete
"""


@pytest.mark.parametrize("phase", ["prepared", "committed"])
def test_an_answer_that_is_lost_is_found_out(hub: Hub, phase: str) -> None:
    """The connection breaks before or after the remote took the commit: it is there once, either way."""
    house = prepared(hub)
    flag = hub.folder / "flag"
    flag.touch()
    hub.hook("reference-transaction", LOST.format(phase=phase, flag=flag))
    result = house.apply()
    assert not flag.exists()
    assert result.published is not None
    assert result.published.commit == hub.head()
    assert len(hub.subjects()) == 4
    check_converged(hub, house)


def test_the_remote_goes_away_after_it_took_the_commit(hub: Hub) -> None:
    """Nobody can tell, so nothing is given up; the next run finds it there and makes it live."""
    house = prepared(hub)
    gone = hub.bare.with_name("gone")
    hub.hook("reference-transaction", f'test "$1" = committed || exit 0\nmv {hub.bare} {gone}\nkill -9 $PPID')
    with pytest.raises(PartlyApplied, match="the remote origin cannot be read"):
        house.apply()
    check_only_taken_away(house)
    run = house.store().state().run
    gone.rename(hub.bare)
    hub.unhook()
    subjects = hub.subjects()
    result = house.apply()
    assert run is not None
    assert (result.resumed, result.done) == (run.id, ())
    assert hub.subjects() == subjects
    check_converged(hub, house)


def test_a_record_of_the_same_number_is_planted(hub: Hub) -> None:
    """By a pull request, or the store was restored: which file, is said; nothing is overwritten."""
    house = prepared(hub)
    planted = hub.commit("main", {"artifacts/records/00000002-bad.json": "{}"})
    with pytest.raises(PartlyApplied, match=r"another record 2: artifacts/records/00000002-bad\.json"):
        house.apply()
    check_only_taken_away(house)
    assert hub.head() == planted
    hub.commit("main", {"artifacts/records/00000002-bad.json": None})
    house.apply()
    house.git("pull", "--quiet", "--ff-only", "origin", "main")
    check_settled(house)
    check_converged(hub, house)


NOWHERE = {
    "remote": ("there-is-none", "this repository has no remote there-is-none"),
    "branch": ("there-is-none", "the remote origin has no branch there-is-none yet"),
}


@pytest.mark.parametrize("what", NOWHERE)
def test_a_remote_or_branch_that_is_not_there(hub: Hub, what: str) -> None:
    """One sentence, and what to do; even where a folder of that name stands in the tree."""
    name, message = NOWHERE[what]
    house = hub.clone()
    shutil.copytree(hub.bare, house.root / name)
    hook = house.root / name / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {hub.folder}/ran\n")
    hook.chmod(0o755)
    house.settings = {"publish": "git", "git": {what: name}}
    house.propose(jwt_token("one"))
    with pytest.raises((GitFailed, PublishFailed), match=message):
        house.apply()
    assert house.live() == {}
    assert not (hub.folder / "ran").exists()
    house.close()


def test_an_empty_remote(hub: Hub) -> None:
    """The specs are pushed first, and then it works."""
    house = hub.clone()
    house.settings = {"publish": "git"}
    house.declare(jwt_token("one"))
    with pytest.raises(PublishFailed, match="the remote origin has no default branch"):
        house.apply()
    assert house.live() == {}
    house.propose(jwt_token("one"))
    house.apply()
    check_published(hub, house.now)
    house.close()


def test_no_repository(hub: Hub) -> None:
    """One sentence, and nothing is done."""
    house = hub.clone()
    house.declare(jwt_token("one"))
    shutil.rmtree(house.root / ".git")
    with pytest.raises(GitFailed, match="is in no git repository"):
        house.apply()
    assert house.store().state().revision == 0
    house.close()


def test_a_remote_of_another_object_format(hub: Hub) -> None:
    """git cannot do that; it is said in its words."""
    house = hub.clone()
    house.propose(jwt_token("one"))
    shutil.rmtree(hub.bare)
    hub.bare.mkdir()
    git(hub.bare, "init", "--quiet", "--bare", "--initial-branch=main", "--object-format=sha256")
    other = hub.folder / "other"
    git(hub.folder, "init", "--quiet", "--object-format=sha256", str(other))
    git(other, "commit", "--quiet", "--allow-empty", "-m", "first")
    git(other, "push", "--quiet", str(hub.bare), "HEAD:main")
    with pytest.raises(PublishFailed, match=r"the remote origin cannot be read: .*sha256"):
        house.apply()
    assert house.live() == {}
    house.close()
