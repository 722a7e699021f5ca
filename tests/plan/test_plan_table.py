"""What a spec edit, a live token and the time ask for: one row of the table a case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from reconciler.kinds.ownkeys import fingerprint
from reconciler.plan.change import Action, FieldChange, summary
from reconciler.plan.diff import Inputs, difference
from reconciler.plan.observed import ArtifactState, Delivery, Observed
from reconciler.plan.transition import NARROWED, Circumstances, narrowed, retired
from reconciler.specs.reader import Declared
from tests.kinds.odd_keys import rsa_pem
from tests.plan.kit import DAY, DELIVERY, RECIPIENTS, T0, applied, declared, live, planned

Parts = Mapping[str, Mapping[str, object]]
ROTATING: Parts = {"lifecycle": {"rotate": {"every": "90d", "overlap": "7d"}}}
RSA_2048: Parts = {"spec": {"keySize": 2048}}
OWN_KEY: Parts = {"spec": {"keySize": 2048, "publicKey": rsa_pem()}}
OTHER_KEY: Parts = {"spec": {"keySize": 2048, "publicKey": rsa_pem(1)}}
CARRIED = "and the credential or its artifact carries it"


@dataclass(frozen=True)
class Case:
    """A token was issued as `before`; the spec says `after` now, some days later."""

    claim: str
    expected: str
    """The actions, in order."""
    kind: str = "RSAToken"
    before: Parts = field(default_factory=dict)
    after: Parts | None = field(default_factory=dict)
    """None: no spec declares it."""
    days: int = 1
    found: ArtifactState = ArtifactState.SAME
    reason: str = ""
    fields: tuple[FieldChange, ...] = ()
    became: str | None = None
    """The kind that the spec is of now."""
    name: str = "one"
    """The name that the spec has now."""
    ends: tuple[int, ...] = ()
    """The generations that the first change ends at once."""


def _asked(at: str, reason: str = "lost", **more: object) -> Parts:
    return {"lifecycle": {"rotate": {"asked": {"at": at, "reason": reason, **more}}}}


CASES = (
    Case("nothing changed", ""),
    Case("a grant comes and a grant goes", "modify", after={"spec": {"apis": ["b", "c"]}},
         fields=(FieldChange("spec.apis", added=("c",), removed=("a",)),)),
    Case("the order of grants means nothing", "", after={"spec": {"apis": ["b", "a"]}}),
    Case("a default that is written out means nothing", "", after={"spec": {"keySize": 3072}}),
    Case("a title is metadata", "modify", after={"metadata": {"title": "工厂"}},
         fields=(FieldChange("metadata.title", None, "工厂"),)),
    Case("a label comes", "modify", after={"metadata": {"labels": {"env": "prod"}}},
         fields=(FieldChange("metadata.labels.env", None, "prod"),)),
    Case("switched off", "modify", after={"lifecycle": {"enabled": False}},
         fields=(FieldChange("lifecycle.enabled", before=True, after=False),)),
    Case("protection comes", "modify", after={"lifecycle": {"protect": True}},
         fields=(FieldChange("lifecycle.protect", before=False, after=True),)),
    Case("the algorithm is in the key", "rotate", after={"spec": {"algorithm": "PS256"}},
         reason=f"spec.algorithm changed, {CARRIED}",
         fields=(FieldChange("spec.algorithm", "RS256", "PS256"),)),
    Case("the key size is in the key", "rotate", after={"spec": {"keySize": 4096}},
         reason=f"spec.keySize changed, {CARRIED}", fields=(FieldChange("spec.keySize", 3072, 4096),)),
    Case("claims of a login token are signed", "rotate", kind="LoginToken", after={"spec": {"shop": "T"}},
         reason=f"spec.shop changed, {CARRIED}",
         fields=(FieldChange("spec.shop", added=("T",), removed=("S",)),)),
    Case("a login token's end is signed", "rotate", kind="LoginToken",
         after={"lifecycle": {"expires": "2030-01-01"}}, reason=f"lifecycle.expires changed, {CARRIED}"),
    Case("an RSA token's end is not in its key", "modify", after={"lifecycle": {"expires": "2030-01-01"}},
         fields=(FieldChange("lifecycle.expires", None, "2030-01-01"),)),
    Case("a JWT's grants are not signed", "modify", kind="JWTToken", after={"spec": {"apis": ["a", "b"]}},
         fields=(FieldChange("spec.apis", added=("b",)),)),
    Case("a JWT's lifetime is signed", "rotate", kind="JWTToken", after={"spec": {"lifetime": "60d"}},
         reason=f"spec.lifetime changed, {CARRIED}"),
    Case("a sign-in algorithm is in the secret", "rotate", kind="TokenAuth",
         after={"spec": {"algorithm": "HS512"}}, reason=f"spec.algorithm changed, {CARRIED}"),
    Case("a sign-in application is switched off", "modify", kind="TokenAuth",
         after={"spec": {"enable": False}}, fields=(FieldChange("spec.enable", before=True, after=False),)),
    Case("a nested setting", "modify", kind="TokenAuth", after={"spec": {"fieldmap": {"email": "mail"}}},
         fields=(FieldChange("spec.fieldmap.email", "email", "mail"),)),
    Case("an own key comes", "rotate", before=RSA_2048, after=OWN_KEY,
         reason=f"spec.publicKey changed, {CARRIED}",
         fields=(FieldChange("spec.publicKey", None, fingerprint(rsa_pem())),)),
    Case("an own key changes", "rotate", before=OWN_KEY, after=OTHER_KEY,
         fields=(FieldChange("spec.publicKey", fingerprint(rsa_pem()), fingerprint(rsa_pem(1))),)),
    Case("an own key goes", "rotate", before=OWN_KEY, after=RSA_2048,
         fields=(FieldChange("spec.publicKey", fingerprint(rsa_pem()), None),)),
    Case("an own key with other line ends is the same", "", before=OWN_KEY,
         after={"spec": {"keySize": 2048, "publicKey": rsa_pem().replace("\n", "\r\n")}}),
    Case("an own key stays when grants change", "modify", before=OWN_KEY,
         after={"spec": {**OWN_KEY["spec"], "apis": ["a"]}}),
    Case("another algorithm with the same own key", "rotate", before=OWN_KEY,
         after={"spec": {**OWN_KEY["spec"], "algorithm": "PS256"}},
         reason=f"spec.algorithm changed, {CARRIED}"),
    Case("an own key is of no age", "", before=OWN_KEY, after=OWN_KEY, days=5000),
    Case("another format needs the secret anew", "rotate", after={"deliver": {"format": "json"}},
         reason=f"deliver.format changed, {CARRIED}"),
    Case("not due yet", "", before=ROTATING, after=ROTATING, days=80),
    Case("due on the day", "rotate", before=ROTATING, after=ROTATING, days=90,
         reason="due since 2027-04-10 (every 90d)"),
    Case("a schedule that comes late is due at once", "rotate", after=ROTATING, days=91,
         reason="due since 2027-04-10 (every 90d)"),
    Case("a token that is off rests", "modify", before=ROTATING,
         after={"lifecycle": {**ROTATING["lifecycle"], "enabled": False}}, days=91),
    Case("a JWT is renewed before it ends", "rotate", kind="JWTToken", days=83,
         reason="due since 2027-03-31 (before its credential ends)"),
    Case("and not much sooner", "", kind="JWTToken", days=74),
    Case("a JWT that lasts until its token ends is not renewed", "", kind="JWTToken",
         before={"lifecycle": {"expires": "30d"}}, after={"lifecycle": {"expires": "30d"}}, days=29),
    Case("one whose token ends later than it used to is", "rotate", kind="JWTToken",
         before={"lifecycle": {"expires": "30d"}}, after={"lifecycle": {"expires": "300d"}}, days=29,
         reason="due since 2027-02-05 (before its credential ends)"),
    Case("a token that is over and lives again is due at once", "rotate",
         before={"lifecycle": {"expires": "30d"}}, after=ROTATING, days=100,
         reason="due since 2027-04-10 (every 90d)"),
    Case("a rotation is asked for", "rotate", after=_asked("2027-01-20"), reason="asked for: lost",
         fields=(FieldChange("lifecycle.rotate.asked.at", None, "2027-01-20T00:00:00Z"),
                 FieldChange("lifecycle.rotate.asked.leaked", None, after=False),
                 FieldChange("lifecycle.rotate.asked.reason", None, "lost"),
                 FieldChange("lifecycle.rotate.overlap", None, "7d"))),
    Case("it is asked for anew", "rotate", before=_asked("2027-01-20"),
         after=_asked("2027-01-20T00:00:01Z"), reason="asked for: lost"),
    Case("it is asked for no more", "modify", before=_asked("2027-01-20"), after={}),
    Case("an edit goes back to what was asked for before", "modify", before=_asked("2027-01-20"),
         after=_asked("2027-01-19")),
    Case("only the reason is another", "modify", before=_asked("2027-01-20"),
         after=_asked("2027-01-20", reason="found")),
    Case("a token that is off is rotated when asked", "rotate",
         before={"lifecycle": {"enabled": False}},
         after={"lifecycle": {"enabled": False, **_asked("2027-01-20")["lifecycle"]}},
         reason="asked for: lost"),
    Case("a secret leaked", "retire rotate", after=_asked("2027-01-20", leaked=True), ends=(1,),
         reason="generation 1 leaked, so it ends at once"),
    Case("it leaked, as turns out later", "retire rotate", before=_asked("2027-01-20"),
         after=_asked("2027-01-20", leaked=True), ends=(1,)),
    Case("it is asked for again after a leak", "retire rotate", before=_asked("2027-01-20", leaked=True),
         after=_asked("2027-01-21", leaked=True), ends=(1,)),
    Case("asked for after a leak, as nothing leaked now", "rotate", before=_asked("2027-01-20", leaked=True),
         after=_asked("2027-01-21"), reason="asked for: lost"),
    Case("a leak is taken back", "modify", before=_asked("2027-01-20", leaked=True), after={}),
    Case("a new name", "rename", name="two", after={"metadata": {"previously": ["one"]}},
         reason="it was called one", fields=(FieldChange("metadata.name", "one", "two"),
                                             FieldChange("metadata.previously", added=("one",)))),
    Case("a new name and less access are one change", "rename", name="two",
         after={"metadata": {"previously": "one"}, "spec": {"apis": ["a"]}}, reason="it was called one"),
    Case("a new name and another algorithm", "rotate", name="two",
         after={"metadata": {"previously": ["one"]}, "spec": {"algorithm": "PS256"}},
         reason=f"spec.algorithm changed, {CARRIED}"),
    Case("a new name that says nothing of the old", "delete issue", name="two"),
    Case("a new name and another kind", "delete issue", name="two", became="JWTToken",
         after={"metadata": {"previously": ["one"]}}),
    Case("a name before the last", "rename", name="three",
         after={"metadata": {"previously": ["one", "two"]}}),
    Case("a Secret is called by the name", "rotate", name="two", before={"deliver": {"format": "kubernetes"}},
         after={"metadata": {"previously": ["one"]}, "deliver": {"format": "kubernetes"}},
         reason="its name changed, and the Secret in its artifact is called by it"),
    Case("a Secret has a name of its own", "rename", name="two",
         before={"deliver": {"format": "kubernetes", "kubernetes": {"name": "s"}}},
         after={"metadata": {"previously": ["one"]},
                "deliver": {"format": "kubernetes", "kubernetes": {"name": "s"}}}),
    Case("an artifact is gone", "rotate", found=ArtifactState.MISSING, reason="its artifact is missing"),
    Case("an artifact is another's", "rotate", found=ArtifactState.FOREIGN,
         reason="its artifact belongs to another token or generation"),
    Case("an artifact is no artifact", "rotate", found=ArtifactState.BROKEN,
         reason="its artifact cannot be read"),
    Case("an artifact was encrypted anew", "reseal", found=ArtifactState.RESEALED,
         reason="its artifact was encrypted anew"),
    Case("a missing artifact and an edit are one rotation", "rotate", found=ArtifactState.MISSING,
         after={"spec": {"apis": ["a"]}}, reason="its artifact is missing",
         fields=(FieldChange("spec.apis", removed=("b",)),)),
    Case("the spec is gone", "delete", after=None, reason="no spec declares it any more"),
    Case("the kind is another", "delete issue", became="JWTToken", reason="its spec is a JWTToken now"),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.claim)
def test_what_must_come_out(case: Case) -> None:
    """The actions, the first reason, and the fields that differ, all of them."""
    token = live(_declared(case.kind, case.before))
    wanted = [] if case.after is None else [_declared(case.became or case.kind, case.after, case.name)]
    now = T0 + case.days * DAY
    changes = planned(wanted, [token], now, case.found)
    assert " ".join(change.action for change in changes) == case.expected
    if case.reason:
        assert changes[0].reasons[0] == case.reason
    if case.fields:
        assert changes[0].fields == case.fields
    assert (changes[0].generations if changes else ()) == case.ends
    for change in changes:
        assert change.live_name == ("one" if change.token_id else case.name)
        started = (None, 0) if change.action == "issue" else (token.id, token.revision)
        assert (change.token_id, change.base) == started
    if case.found is ArtifactState.SAME:
        assert planned(wanted, applied([token], wanted, now), now) == ()


def _declared(kind: str, parts: Parts, name: str = "one") -> Declared:
    return declared(kind, name, **parts)


def test_a_spec_without_a_live_token_is_issued() -> None:
    """With the one reason there is."""
    (change,) = planned([declared()], [])
    assert change.to_json() == {
        "action": "issue", "kind": "RSAToken", "name": "one",
        "reasons": ("no live token has this name",), "fields": [], "spec": declared().digest,
    }  # fmt: skip


def test_a_token_that_is_past_its_end_is_issued_with_a_warning() -> None:
    """It is what the spec asks for, and a reviewer should know."""
    (change,) = planned([declared(lifecycle={"expires": "2020-01-01"})], [])
    assert change.reasons[1] == "it is past its end (2020-01-01), so it will not work"


def test_the_overlap_ends_with_a_retire() -> None:
    """The old credential is valid for the overlap, then it is retired, and then nothing is left to do."""
    wanted = [declared(lifecycle=dict(ROTATING["lifecycle"]))]
    tokens = applied([live(wanted[0])], wanted, T0 + 90 * DAY)
    assert [one.generation for one in tokens[0].credentials] == [2, 1]
    assert tokens[0].credentials[1].not_after == T0 + 97 * DAY
    assert planned(wanted, tokens, T0 + 97 * DAY - 1) == ()
    (change,) = planned(wanted, tokens, T0 + 97 * DAY)
    assert (change.action, change.generations) == ("retire", (1,))
    assert change.reasons == ("the overlap of generation 1 is over",)
    assert change.to_json()["generations"] == (1,)
    tokens = applied(tokens, wanted, T0 + 97 * DAY)
    assert [one.generation for one in tokens[0].credentials] == [2]
    assert planned(wanted, tokens, T0 + 97 * DAY) == ()


def test_a_credential_that_ended_by_itself_has_no_overlap() -> None:
    """A JWT that ran out before anybody rotated it is retired by the rotation itself."""
    wanted = [declared("JWTToken")]
    tokens = applied([live(wanted[0])], wanted, T0 + 200 * DAY)
    assert [one.generation for one in tokens[0].credentials] == [2]
    assert planned(wanted, tokens, T0 + 200 * DAY) == ()


def test_a_third_generation_ends_the_first() -> None:
    """Two credentials at most are valid."""
    wanted = [declared()]
    tokens = [live(wanted[0])]
    for algorithm in ("PS256", "RS256"):
        wanted = [declared(spec={"algorithm": algorithm})]
        tokens = applied(tokens, wanted, T0 + DAY)
    assert [one.generation for one in tokens[0].credentials] == [3, 2]


def test_a_token_that_was_narrowed_and_left_so_is_mended() -> None:
    """A run took away and died, and its edit was reverted: the plan gives back what the spec says."""
    before = declared()
    token = narrowed(live(before), declared(spec={"apis": ["b"]}), Circumstances(T0, None))
    assert token is not None
    assert (token.spec_digest, token.grants["apis"]) == (NARROWED, ("b",))
    (change,) = planned([before], [token])
    assert (change.action, change.fields) == ("modify", ())
    assert change.reasons == ("an apply that was interrupted took access away, and this spec gives it",)
    assert applied([token], [before], T0)[0].grants["apis"] == ("a", "b")


def test_a_normal_form_of_an_older_version_is_rewritten() -> None:
    """The digest differs and no field does."""
    wanted = declared()
    (change,) = planned([wanted], [replace(live(wanted), spec_digest="sha256:old")])
    assert (change.action, change.reasons) == ("modify", ("its normal form changed",))


@pytest.mark.parametrize("text", ['{"kind":"Gone","spec":{"apis":["z"]}}', '{"spec":{"apis":["z"]}}'])
def test_a_normal_form_that_no_version_reads_is_still_compared(text: str) -> None:
    """A kind that is gone, or a field that is: the fields are those that stand in the text."""
    wanted = declared()
    token = replace(live(wanted), declared=text, spec_digest="sha256:old")
    (change,) = planned([wanted], [token])
    apis = next(one for one in change.fields if one.field == "spec.apis")
    assert (apis.added, apis.removed) == (("a", "b"), ("z",))


def test_what_is_destroyed_comes_first_then_by_name() -> None:
    """The order of the plan is the order of harm."""
    wanted = [declared(name=name) for name in ("b", "a")]
    tokens = [live(declared(name=name)) for name in ("z", "y")]
    changes = planned(wanted, tokens)
    assert [(one.action, one.name) for one in changes] == [
        (Action.DELETE, "y"), (Action.DELETE, "z"), (Action.ISSUE, "a"), (Action.ISSUE, "b"),
    ]  # fmt: skip
    assert summary(changes) == {"delete": 2, "issue": 2}


@pytest.mark.parametrize(
    ("parts", "attribute", "value"),
    [
        ({"spec": {"apis": ["b", "c"]}}, "grants", {"apis": ("b",), "projects": ("p",)}),
        ({"lifecycle": {"expires": "10d"}}, "expires_at", T0 + 10 * DAY),
        ({"lifecycle": {"enabled": False}}, "state", "disabled"),
    ],
)
def test_what_narrows_at_once(parts: Parts, attribute: str, value: object) -> None:
    """Grants, the end and the switch are narrowed before anything is minted; nothing is given yet."""
    token = narrowed(live(declared()), declared("RSAToken", "one", **parts), Circumstances(T0 + 1, None))
    assert token is not None
    assert getattr(token, attribute) == value
    assert token.changed_at == T0 + 1


@pytest.mark.parametrize(
    "parts", [{}, {"spec": {"apis": ["*"]}}, {"lifecycle": {"enabled": True, "protect": True}}]
)
def test_what_does_not_narrow(parts: Parts) -> None:
    """Giving more takes nothing away."""
    assert narrowed(live(declared()), declared("RSAToken", "one", **parts), Circumstances(T0, None)) is None


def test_a_retired_generation_is_named() -> None:
    """The others stay as they are."""
    token = live(declared())
    assert retired(token, (7,), Circumstances(T0, None)).credentials == token.credentials


def test_an_edit_does_not_hide_that_the_artifact_was_encrypted_anew() -> None:
    """One change says both, and takes the artifact up as it is."""
    token = live(declared())
    (change,) = planned([declared(spec={"apis": ["a"]})], [token], found=ArtifactState.RESEALED)
    assert (change.action, change.artifact) == ("modify", token.artifact_path)
    assert change.reasons == ("its artifact was encrypted anew",)
    assert [field.field for field in change.fields] == ["spec.apis"]


def delivery(path: str = "artifacts/RSAToken/one.yaml", named: Sequence[str] | None = RECIPIENTS) -> Delivery:
    return Delivery(lambda _: path, lambda _: None if named is None else frozenset(named))


def test_another_layout_moves_the_artifact_and_keeps_the_credential() -> None:
    """It is a modify that names both places; encrypted anew meanwhile, it is taken up as it is."""
    token, moved = live(declared()), delivery("artifacts/team/one.yaml")
    (change,) = planned([declared()], [token], delivery=moved)
    assert (change.action, change.artifact) == ("modify", "artifacts/team/one.yaml")
    assert change.reasons == (f"its artifact moves from {token.artifact_path} to artifacts/team/one.yaml",)
    (both,) = planned([declared()], [token], found=ArtifactState.RESEALED, delivery=moved)
    assert both.reasons == ("its artifact was encrypted anew", *change.reasons)


def test_who_is_no_recipient_any_more_has_seen_the_secret() -> None:
    """The token rotates, and the reason names who it was; a recipient who comes changes nothing."""
    token = live(declared())
    (change,) = planned([declared()], [token], delivery=delivery(named=["age1one", "age1new"]))
    assert change.action == "rotate"
    assert change.reasons == ("it was sealed to age1two, whom no creation rule names for it any more",)
    assert planned([declared()], [token], delivery=delivery(named=[*RECIPIENTS, "age1new"])) == ()
    assert planned([declared()], [token], delivery=delivery(named=None)) == ()


def test_a_stranger_in_the_file_is_reason_to_rotate() -> None:
    """Somebody encrypted it anew for one whom no rule names."""
    found = Observed(ArtifactState.RESEALED, (*RECIPIENTS, "age1" + "x" * 58))
    (change,) = difference(Inputs([declared()], [(live(declared()), found)], DELIVERY, T0)).changes
    assert change.action == "rotate"
    assert "age1xxxxxxxxxxxx" in change.reasons[0]
    assert "x" * 40 not in change.reasons[0]


def test_a_token_that_is_off_rests_though_a_recipient_left() -> None:
    """Nobody can use it; when it is on again, it rotates."""
    off: Parts = {"lifecycle": {"enabled": False}}
    token = live(_declared("RSAToken", off))
    gone = delivery(named=["age1one"])
    assert planned([_declared("RSAToken", off)], [token], delivery=gone) == ()
    (change,) = planned([declared()], [token], delivery=gone)
    assert change.action == "rotate"


def test_other_spellings_of_a_recipient_are_no_change() -> None:
    """An SSH key is the same with another comment."""
    token = replace(live(declared()), artifact_recipients=("ssh-ed25519 AAAA old@laptop",))
    named = frozenset(["ssh-ed25519 AAAA"])
    assert planned([declared()], [token], delivery=Delivery(DELIVERY.path, lambda _: named)) == ()
