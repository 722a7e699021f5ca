"""The plan as a file: what it is bound to, and that nothing else can be made of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from reconciler.canonical import Json, canonical, digest
from reconciler.errors import PlanForeign, PlanStale, PlanUnreadable
from reconciler.plan.brakes import Block, Overrides
from reconciler.plan.document import Bound, Plan, SavedPlan, check_fits, read_plan
from tests.plan.kit import DAY, HOUR, T0, declared, live, planned

BOUND = Bound("acme", "store-1", "sha256:specs", "sha256:policy", "sha256:rules", "1.0")


def plan() -> Plan:
    """A plan with several actions in it."""
    tokens = [live(declared(name=name)) for name in ("gone", "kept", "turned")]
    wanted = [
        declared(name="kept", spec={"apis": ["c"]}),
        declared(name="turned", spec={"keySize": 4096}),
        declared("JWTToken", "fresh"),
    ]
    return Plan(
        bound=BOUND,
        changes=planned(wanted, tokens),
        blocked=(Block("protect", "no", "do not"),),
        overrides=Overrides(max_delete=3),
        revision=41,
        commit="3f2c1a9",
        planned_at=T0,
        expires_at=T0 + HOUR,
    )


def same(name: str) -> str | None:
    """The specs as they were when the plan was made."""
    return next((one.spec for one in plan().changes if one.name == name), None)


def _without(gone: str) -> Callable[[str], str | None]:
    return lambda name: None if name == gone else same(name)


def test_a_plan_is_bound_to_the_specs_that_it_touches() -> None:
    """To each of them, by name; what else specs declare does not matter to it."""
    check_fits(saved_plan(), BOUND, same, T0, HOUR)
    for touched in ("kept", "turned", "fresh"):
        with pytest.raises(PlanStale, match=f"the spec of {touched} changed"):
            check_fits(saved_plan(), BOUND, _without(touched), T0, HOUR)
    check_fits(saved_plan(), BOUND, lambda name: same(name) or "sha256:new", T0, HOUR)


def test_what_is_written_is_read() -> None:
    """All of it, and the overrides with it."""
    saved = read_plan(plan().to_bytes())
    assert saved.digest == plan().digest
    assert (saved.planned_at, saved.overridden()) == (T0, Overrides(max_delete=3))
    assert [(one.action, one.name) for one in saved.changes] == [
        (one.action, one.name) for one in plan().changes
    ]
    assert plan().to_json()["summary"] == {"delete": 1, "rotate": 1, "modify": 1, "issue": 1}


def test_the_same_inputs_give_the_same_bytes() -> None:
    """Nothing in the file is random."""
    assert plan().to_bytes() == plan().to_bytes()


def test_any_single_byte_that_is_changed_is_refused_or_means_the_same() -> None:
    """Every place in the file, with a flipped bit, another digit, a quote, a brace, and removed."""
    data = plan().to_bytes()
    whole = read_plan(data)
    for place in range(len(data)):
        byte = data[place]
        for other in (byte ^ 1, byte ^ 32, ord("0"), ord('"'), ord("}"), ord(" "), None):
            edited = data[:place] + (b"" if other is None else bytes([other])) + data[place + 1 :]
            try:
                saved = read_plan(edited)
            except PlanUnreadable:
                continue
            assert saved == whole, (place, other)


def forged(**parts: Json) -> bytes:
    """A plan file that was edited, and its checksum with it."""
    document: dict[str, Json] = {**json.loads(plan().to_bytes()), **parts}
    del document["checksum"]
    document["checksum"] = digest(canonical(document))
    return json.dumps(document).encode()


FEW: dict[str, Json] = {
    "max_delete": 3,
    "max_rotate": None,
    "max_disable": None,
    "allow_empty": False,
    "retry": False,
}


def test_a_checksum_alone_does_not_make_a_plan() -> None:
    """The digest that is approved is that of the changes that a reviewer reads."""
    assert read_plan(forged()).digest == plan().digest
    with pytest.raises(PlanUnreadable, match="was edited"):
        read_plan(forged(changes=[]))
    with pytest.raises(PlanUnreadable, match="was edited"):
        read_plan(forged(overrides={**FEW, "max_delete": 99}))
    with pytest.raises(PlanUnreadable, match="was edited"):
        read_plan(forged(overrides={**FEW, "max_disable": 99}))


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b"null", b"{}", b"\xff", b"not json", b'{"schema": "reconciler/plan/v2"}',
        b"[" * 100_000, forged(planned="yesterday"), forged(expires="2027-13-01T00:00:00Z"),
        forged(revision=1.5), forged(more=1), forged(changes=[{"kind": "x"}]),
        forged(overrides={"max_delete": 3, "max_rotate": None, "allow_empty": False}),
        forged(overrides={**FEW, "max_owner": 3}), forged(overrides={**FEW, "max_disable": True}),
    ],
)  # fmt: skip
def test_what_is_no_plan(data: bytes) -> None:
    """Other files, plans of other versions, and types that do not fit."""
    with pytest.raises(PlanUnreadable) as raised:
        read_plan(data)
    assert "reconcile plan --out" in raised.value.hint


def test_the_digest_is_of_the_meaning() -> None:
    """When it was made, at which revision and commit, and until when it is good is not part of it."""
    whole = plan()
    for other in (
        replace(whole, planned_at=T0 + 5, expires_at=T0 + DAY),
        replace(whole, revision=99),
        replace(whole, commit=None),
    ):
        assert other.digest == whole.digest


@pytest.mark.parametrize("part", ["workspace", "store", "settings", "policy", "rules", "tool"])
def test_the_digest_changes_with_all_that_binds(part: str) -> None:
    """Workspace, store, specs, policy and tool."""
    other = replace(plan(), bound=replace(BOUND, **{part: "other"}))
    assert other.digest != plan().digest


def test_the_digest_changes_with_overrides_and_changes() -> None:
    """And with the revision of a token that it touches."""
    whole = plan()
    first = whole.changes[0]
    for other in (
        replace(whole, overrides=Overrides()),
        replace(whole, changes=whole.changes[1:]),
        replace(whole, changes=(replace(first, base=7), *whole.changes[1:])),
        replace(whole, changes=(replace(first, reasons=("another",)), *whole.changes[1:])),
    ):
        assert other.digest != whole.digest


def saved_plan(bound: Bound = BOUND) -> SavedPlan:
    return read_plan(replace(plan(), bound=bound).to_bytes())


def test_a_plan_fits_until_it_ends() -> None:
    """To the second."""
    check_fits(saved_plan(), BOUND, same, T0 + HOUR - 1, HOUR)
    with pytest.raises(PlanStale, match="good until 09:00 UTC"):
        check_fits(saved_plan(), BOUND, same, T0 + HOUR, HOUR)


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("settings", "the settings of the workspace"),
        ("policy", "the brakes"),
        ("rules", "the creation rules in .sops.yaml"),
        ("tool", "the tool"),
    ],
)
def test_a_plan_is_stale_when_what_binds_it_moved(part: str, said: str) -> None:
    """And it says what moved."""
    with pytest.raises(PlanStale, match=said):
        check_fits(saved_plan(), replace(BOUND, **{part: "other"}), same, T0, HOUR)


def test_a_plan_of_another_place_is_foreign() -> None:
    """Another workspace, or another store."""
    with pytest.raises(PlanForeign, match="for workspace acme, and this is beta"):
        check_fits(saved_plan(), replace(BOUND, workspace="beta"), same, T0, HOUR)
    with pytest.raises(PlanForeign, match="in another live store"):
        check_fits(saved_plan(), replace(BOUND, store="store-2"), same, T0, HOUR)
    with pytest.raises(PlanForeign, match="in another live store"):
        check_fits(saved_plan(), replace(BOUND, store=""), same, T0, HOUR)


def test_a_plan_from_before_there_was_a_store_names_none() -> None:
    """Its digest tells whether it still fits the store that was made since; nothing else of it is let go."""
    early = saved_plan(replace(BOUND, store=""))
    check_fits(early, BOUND, same, T0, HOUR)
    assert early.bound.store == ""
    with pytest.raises(PlanForeign, match="this is beta"):
        check_fits(early, replace(BOUND, workspace="beta"), same, T0, HOUR)


def test_a_plan_cannot_make_itself_good_for_longer() -> None:
    """Its checksum has no key, so what it says of its own time is held against the settings."""
    check_fits(saved_plan(), BOUND, same, T0 - 300, HOUR)
    for now, valid_for in ((T0, HOUR - 1), (T0 - 301, HOUR)):
        with pytest.raises(PlanStale, match="good for longer"):
            check_fits(saved_plan(), BOUND, same, now, valid_for)
