"""What holds for any specs, any live tokens and any time."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.kinds import all_kinds
from reconciler.kinds.interface import Names
from reconciler.live.interface import LiveToken
from reconciler.plan.brakes import Overrides
from reconciler.plan.diff import Inputs, difference
from reconciler.plan.document import Bound, Plan
from reconciler.plan.observed import ArtifactState, Observed
from reconciler.plan.transition import Circumstances, narrowed
from reconciler.specs.reader import Declared
from tests.plan.kit import DAY, DELIVERY, HOUR, T0, applied, declared, live, planned

BOUND = Bound("acme", "store-1", "sha256:specs", "sha256:policy", "sha256:rules", "1.0")

lifecycles = st.fixed_dictionaries(
    {},
    optional={
        "enabled": st.booleans(),
        "expires": st.sampled_from(["1h", "10d", "100d", "2027-02-01", "2026-01-01"]),
        "rotate": st.sampled_from([{"every": "30d", "overlap": "2d"}, {"every": "1d", "overlap": "6h"}]),
        "protect": st.booleans(),
    },
)
some = st.lists(st.sampled_from("abcd"), min_size=1, unique=True)
names_granted = some | st.just(["*"])
kinds = st.sampled_from(["RSAToken", "JWTToken", "LoginToken", "TokenAuth"])


@st.composite
def specs(draw: st.DrawFn, name: str) -> Declared:
    """A spec of any kind."""
    kind = draw(kinds)
    own: dict[str, dict[str, object]] = {
        "RSAToken": {"apis": draw(names_granted), "algorithm": draw(st.sampled_from(["RS256", "PS256"]))},
        "JWTToken": {"users": draw(names_granted), "lifetime": draw(st.sampled_from(["15d", "90d"]))},
        "LoginToken": {"shop": draw(names_granted)},
        "TokenAuth": {"initroles": draw(names_granted), "enable": draw(st.booleans())},
    }
    deliver = {"format": draw(st.sampled_from(["yaml", "json", "dotenv"]))}
    return declared(kind, name, spec=own[kind], lifecycle=draw(lifecycles), deliver=deliver)


@st.composite
def folders(draw: st.DrawFn) -> list[Declared]:
    """A folder of specs: some of five names."""
    return [draw(specs(name)) for name in draw(st.lists(st.sampled_from("vwxyz"), unique=True))]


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[list[Declared], int]]:
    """Folders, one after another, and seconds from each to the next."""
    steps = st.integers(0, 40 * DAY) | st.sampled_from([0, HOUR, DAY, 7 * DAY, 30 * DAY])
    return draw(st.lists(st.tuples(folders(), steps), min_size=1, max_size=5))


def replayed(history: Sequence[tuple[list[Declared], int]]) -> tuple[list[LiveToken], int]:
    tokens: list[LiveToken] = []
    now = T0
    for wanted, step in history:
        now += step
        tokens = applied(tokens, wanted, now)
    return tokens, now


@given(histories())
@settings(max_examples=150, deadline=None)
def test_a_plan_that_was_applied_leaves_nothing_to_do(history: list[tuple[list[Declared], int]]) -> None:
    """At the same moment, whatever came before."""
    tokens, now = replayed(history)
    assert planned(history[-1][0], tokens, now) == ()


@given(histories())
@settings(max_examples=100, deadline=None)
def test_two_credentials_at_most_are_valid(history: list[tuple[list[Declared], int]]) -> None:
    """Of any token, after any history."""
    tokens, now = replayed(history)
    for token in tokens:
        valid = [one for one in token.credentials if one.not_after is None or one.not_after > now]
        assert len(valid) <= 2
        generations = [one.generation for one in token.credentials]
        assert generations == sorted(set(generations), reverse=True)


@given(histories(), folders(), st.randoms(use_true_random=False), st.sampled_from(list(ArtifactState)))
@settings(max_examples=100, deadline=None)
def test_the_order_of_the_inputs_means_nothing(
    history: list[tuple[list[Declared], int]], wanted: list[Declared], random: Random, found: ArtifactState
) -> None:
    """The same changes, the same bytes, from any permutation of specs and live tokens."""
    tokens, now = replayed(history)
    pairs = [(token, Observed(found)) for token in tokens]
    first = difference(Inputs(wanted, pairs, DELIVERY, now)).changes
    random.shuffle(pairs)
    second = difference(Inputs(random.sample(wanted, len(wanted)), pairs, DELIVERY, now)).changes
    plans = [Plan(BOUND, changes, (), Overrides(), 1, None, now, now + HOUR) for changes in (first, second)]
    assert plans[0].to_bytes() == plans[1].to_bytes()


@given(histories(), folders())
@settings(max_examples=100, deadline=None)
def test_untouched_tokens_are_not_in_the_digest(
    history: list[tuple[list[Declared], int]], wanted: list[Declared]
) -> None:
    """More live tokens that are as they should be change nothing in the plan."""
    tokens, now = replayed(history)
    other = declared(name="untouched")
    more = [*tokens, live(other, now)]
    assert planned(wanted, tokens, now) == planned([*wanted, other], more, now)


@given(specs("x"), specs("x"), st.integers(0, 200 * DAY))
@settings(max_examples=150, deadline=None)
def test_narrowing_only_takes(before: Declared, after: Declared, later: int) -> None:
    """Each grant is among those held and those wanted; doing it twice does no more."""
    if before.kind != after.kind:
        return
    token, under = live(before), Circumstances(T0 + later, None)
    less = narrowed(token, after, under)
    if less is None:
        return
    assert narrowed(less, after, under) is None
    meet = after.spec().what.meet
    wanted = after.spec().what.grants(after.spec().spec)
    for name, grants in less.grants.items():
        assert within(name, grants, token.grants[name])
        assert within(name, grants, wanted[name])
        assert meet(name, grants, wanted[name]) == grants


def within(dimension: str, one: Names, other: Names) -> bool:
    """Whether every name, or address, of one is in the other."""
    if other == ("*",):
        return True
    if dimension != "ipm":
        return set(one) <= set(other)
    return all(any(_inside(mine, theirs) for theirs in other) for mine in one)


def _inside(one: str, other: str) -> bool:
    mine, theirs = ipaddress.ip_network(one), ipaddress.ip_network(other)
    if isinstance(mine, ipaddress.IPv4Network) and isinstance(theirs, ipaddress.IPv4Network):
        return mine.subnet_of(theirs)
    if isinstance(mine, ipaddress.IPv6Network) and isinstance(theirs, ipaddress.IPv6Network):
        return mine.subnet_of(theirs)
    return False


addresses = st.one_of(
    st.builds(
        lambda bits, prefix: str(ipaddress.ip_network((bits << 24, prefix), strict=False)),
        st.integers(8, 11), st.sampled_from([6, 7, 8, 16, 32]),
    ),
    st.builds(
        lambda bits, prefix: str(ipaddress.ip_network((bits << 112, prefix), strict=False)),
        st.integers(1, 3), st.sampled_from([15, 16, 128]),
    ),
)  # fmt: skip
networks = st.just(("*",)) | st.lists(addresses, max_size=4, unique=True).map(sorted).map(tuple)
granted = st.just(("*",)) | st.lists(st.sampled_from("abcd"), unique=True).map(sorted).map(tuple)


@given(st.data(), st.sampled_from(["apis", "ipm"]))
@settings(max_examples=300, deadline=None)
def test_the_laws_of_meet(data: st.DataObject, dimension: str) -> None:
    """It is a part of both, the same from both sides, the same again, and `*` leaves the other as it is."""
    meet = all_kinds()["LoginToken"].meet
    values: st.SearchStrategy[Names] = networks if dimension == "ipm" else granted
    one, other = data.draw(values), data.draw(values)
    both = meet(dimension, one, other)
    assert within(dimension, both, one)
    assert within(dimension, both, other)
    assert both == meet(dimension, other, one)
    assert meet(dimension, both, other) == both
    assert meet(dimension, one, ("*",)) == one
    assert meet(dimension, ("*",), one) == one
