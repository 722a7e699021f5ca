"""What should not be so: never said of what an apply wrote, always of what hands wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.audit.drift import Finding, Item, Rule, What, of_record, of_token, strays
from reconciler.live.interface import Credential, CredentialState, LiveToken, Record, TokenState
from reconciler.plan.observed import ArtifactState, Observed
from reconciler.plan.transition import NARROWED, Circumstances, narrowed, rotated
from reconciler.specs.reader import Declared
from tests.plan.kit import DAY, T0, artifact, credential, declared, live, stored
from tests.plan.test_plan_properties import histories, replayed, specs

SAME = Observed(ArtifactState.SAME)
UNDER = Circumstances(T0 + DAY, None)


def found(token: LiveToken, now: int = T0, seen: Observed = SAME, *, named: bool = True) -> list[Finding]:
    return list(of_token(token, seen, now, declared=named))


def message(token: LiveToken, now: int = T0) -> str:
    """What the one finding says."""
    (one,) = found(token, now)
    return one.message


@given(histories())
def test_what_an_apply_wrote_is_no_drift(history: Sequence[tuple[list[Declared], int]]) -> None:
    """Any specs, applied one after another at any time."""
    tokens, now = replayed(history)
    assert [one for token in tokens for one in found(token, now)] == []


@given(specs("x"), specs("x"), st.integers(0, 400 * DAY))
def test_what_an_interrupted_apply_narrowed_is_no_drift(before: Declared, after: Declared, age: int) -> None:
    """It has less than its spec says, and the next apply goes on with it."""
    token = live(before)
    less = narrowed(token, after, Circumstances(T0 + age, None)) if before.kind == after.kind else None
    assert [one for one in found(less or token, T0) if one.rule is Rule.EDITED] == []


FULL = declared(
    spec={"apis": ["a", "b"]},
    lifecycle={"expires": "2030-01-01", "rotate": {"every": "30d"}, "protect": True},
)
HANDS: Mapping[str, Mapping[str, Any]] = {
    "apis is *, and its spec says a, b": {"grants": {"apis": ("*",), "projects": ("p",)}},
    "projects is nothing, and its spec says p": {"grants": {"apis": ("a", "b")}},
    "users is x, and its spec says nothing": {
        "grants": {"apis": ("a", "b"), "projects": ("p",), "users": ("x",)}
    },
    "it is disabled, and its spec says active": {"state": TokenState.DISABLED},
    "it ends never, and its spec says 2030-01-02T00:00:00Z": {"expires_at": None},
    "it ends at 9999999999999999 seconds, and its spec says 2030-01-02T00:00:00Z": {
        "expires_at": 9999999999999999
    },
    "it is due for rotation never, and its spec says 2027-02-11T14:22:07Z": {"due_at": None},
    "it is not protected, and its spec says protected": {"protect": False},
    "the digest is not that of the spec that it holds": {"spec_digest": "sha256:0"},
    "it holds no spec of this token that can be read": {"declared": "{}"},
}


@pytest.mark.parametrize("said", HANDS)
def test_a_field_that_hands_wrote_is_named_with_what_it_should_be(said: str) -> None:
    token = replace(live(FULL), **HANDS[said])
    assert message(token) == f"its live record was edited by hand: {said}"


def test_a_token_under_the_record_of_another_is_edited() -> None:
    assert "no spec of this token" in message(replace(live(FULL), name="two"))
    assert "no spec of this token" in message(replace(live(FULL), kind="TokenAuth"))


@pytest.mark.parametrize(
    "more",
    [
        {"grants": {"apis": ("a", "b", "c"), "projects": ("p",)}},
        {"grants": {"apis": ("*",), "projects": ("p",)}},
        {"expires_at": None},
        {"expires_at": T0 + 9_999 * DAY},
        {"protect": False},
    ],
)
def test_who_is_marked_as_narrowed_has_no_more_than_its_spec_says(more: Mapping[str, Any]) -> None:
    """The mark is in the store, so hands can write it too."""
    (one,) = found(replace(live(FULL), spec_digest=NARROWED, **more))
    assert one.rule is Rule.EDITED


def test_no_spec_turns_on_what_is_marked_as_narrowed() -> None:
    token = replace(live(declared(lifecycle={"enabled": False})), spec_digest=NARROWED)
    assert found(token) == []
    assert "it is active" in message(replace(token, state=TokenState.ACTIVE))


def test_grants_that_no_kind_can_have_are_edited_and_no_fault() -> None:
    token = live(declared("LoginToken"))
    odd = replace(token, spec_digest=NARROWED, grants={**token.grants, "ipm": ("no address",)})
    assert "ipm is no address" in message(odd)


def test_a_live_token_that_no_spec_names_is_undeclared() -> None:
    (one,) = found(live(FULL), named=False)
    assert (one.rule, one.name, one.path) == (Rule.UNDECLARED, "one", None)


@pytest.mark.parametrize(
    ("state", "rules"),
    [
        (ArtifactState.SAME, []),
        (ArtifactState.MOVED, []),
        (ArtifactState.MISSING, [Rule.MISSING]),
        (ArtifactState.FOREIGN, [Rule.FOREIGN]),
        (ArtifactState.BROKEN, [Rule.BROKEN]),
        (ArtifactState.RESEALED, [Rule.RESEALED]),
    ],
)
def test_an_artifact_is_told_of_by_what_became_of_it(state: ArtifactState, rules: list[Rule]) -> None:
    """One that was moved to where its spec wants it is taken up by the plan."""
    said = found(live(FULL), seen=Observed(state))
    assert [one.rule for one in said] == rules
    assert [one.path for one in said] == ["artifacts/RSAToken/one.yaml"] * len(rules)


def twice() -> LiveToken:
    """A token in the overlap of its first rotation."""
    half = credential(FULL, UNDER.now, 2)
    return stored(rotated(live(FULL), FULL, half, artifact(FULL), UNDER))


def with_third(state: CredentialState, ends: int | None) -> LiveToken:
    old = Credential(0, state, "X", T0 - DAY, ends, public_key="0")
    return replace(twice(), credentials=(*twice().credentials, old))


def test_two_credentials_in_their_overlap_are_as_they_should_be() -> None:
    assert found(twice(), UNDER.now) == []


def test_a_third_valid_credential_is_one_too_many() -> None:
    token = with_third(CredentialState.RETIRING, T0 + 900 * DAY)
    assert message(token, UNDER.now) == "3 of its credentials are valid, and an apply leaves 2 at most"
    assert found(with_third(CredentialState.RETIRING, T0), UNDER.now) == []


def test_an_old_credential_that_is_active_again_or_never_ends_is_told_of() -> None:
    newest, old = twice().credentials
    again = replace(twice(), credentials=(newest, replace(old, state=CredentialState.ACTIVE)))
    assert "generation 1 is active, and a newer one replaced it" in message(again, UNDER.now)
    endless = replace(twice(), credentials=(newest, replace(old, not_after=None)))
    assert "its overlap has no end" in message(endless, UNDER.now)


def test_an_active_credential_past_its_end_is_told_of_while_its_token_is_on() -> None:
    wanted = declared("JWTToken", spec={"lifetime": "30d"})
    token = live(wanted)
    assert found(token, T0 + 29 * DAY) == []
    assert message(token, T0 + 30 * DAY) == "generation 1 is active, and it ended 2027-02-14T08:00:00Z"
    off = live(declared("JWTToken", spec={"lifetime": "30d"}, lifecycle={"enabled": False}))
    assert found(off, T0 + 30 * DAY) == []
    over = live(declared("JWTToken", lifecycle={"expires": "1d"}))
    assert found(over, T0 + 2 * DAY) == []


RECORD = Record(1, "ab", "{}", "sha256:0", published=True)


def test_a_record_is_in_the_tree_as_it_is_in_the_store() -> None:
    assert list(of_record(RECORD, "p", b"{}")) == []
    (gone,) = of_record(RECORD, "p", None)
    (other,) = of_record(RECORD, "p", b"{} ")
    assert (gone.rule, gone.path) == (other.rule, other.path) == (Rule.RECORD_MISSING, "p")
    assert gone.message != other.message


def test_a_record_that_was_not_published_need_not_be_there() -> None:
    waiting = replace(RECORD, published=False)
    assert list(of_record(waiting, "p", None)) == []
    assert list(of_record(waiting, "p", b"{}")) == []
    assert [one.rule for one in of_record(waiting, "p", b"x")] == [Rule.RECORD_MISSING]


KNOWN = {"a/K/one.yaml", "a/team/K/two.yaml"}


def stray(*paths: str, what: What = What.FILE) -> list[str | None]:
    return [one.path for one in strays([Item(path, what) for path in paths], "a", KNOWN)]


def test_what_belongs_to_a_live_token_is_no_stray() -> None:
    assert stray(*KNOWN) == []


def test_a_stray_is_a_file_or_the_outermost_folder_that_holds_several() -> None:
    assert stray("a/x", "a/K/x", "a/team/x/y", "a/K/x.yaml") == ["a/x", "a/K/x", "a/team/x/y", "a/K/x.yaml"]
    assert stray("a/old/K/x", "a/old/y", "a/team/z") == ["a/old", "a/team/z"]


def test_what_stands_below_the_place_of_an_artifact_is_told_of_with_the_artifact() -> None:
    assert stray("a/K/one.yaml/x") == []


def test_a_name_that_begins_like_a_folder_is_another() -> None:
    assert stray("a/Kx/one.yaml") == ["a/Kx/one.yaml"]


def test_what_git_keeps_a_folder_by_is_no_stray_and_a_link_of_that_name_is() -> None:
    assert stray("a/.gitkeep", "a/K/.gitattributes") == []
    assert stray("a/.gitkeep", what=What.LINK) == ["a/.gitkeep"]


def test_the_artifacts_folder_itself_may_be_no_folder() -> None:
    (one,) = strays([Item("a", What.LINK)], "a", KNOWN)
    assert (one.path, one.message) == ("a", "this link belongs to no live token")
