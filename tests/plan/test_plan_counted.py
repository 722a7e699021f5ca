"""Which changes a brake counts: what takes a working token out of service, and what time alone asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from reconciler.plan.observed import ArtifactState
from tests.plan.kit import DAY, T0, declared, live, planned

Parts = Mapping[str, Mapping[str, object]]


def lifecycle(**fields: object) -> Parts:
    return {"lifecycle": fields}


@dataclass(frozen=True)
class Case:
    """A token was issued as `before`; the spec says `after` now, some days later."""

    claim: str
    before: Parts = field(default_factory=dict)
    after: Parts = field(default_factory=dict)
    days: int = 1
    kind: str = "RSAToken"
    found: ArtifactState = ArtifactState.SAME


OFF = lifecycle(enabled=False)
TURNING = lifecycle(rotate={"every": "90d"})
RESIZED: Parts = {"spec": {"keySize": 4096}}

DISABLING = (
    Case("switched off", after=OFF),
    Case("by its own switch", after={"spec": {"enable": False}}, kind="TokenAuth"),
    Case("an end that is past", after=lifecycle(expires="2020-01-01")),
    Case("an end moved to tomorrow", lifecycle(expires="90d"), lifecycle(expires="6d"), 5),
    Case("an end moved to this second", lifecycle(expires="90d"), lifecycle(expires="5d"), 5),
    Case("a rotation that also switches off", after={**RESIZED, **OFF}),
    Case("moved by hand and switched off", after=OFF, found=ArtifactState.MOVED),
)

NOT_DISABLING = (
    Case("an end moved to the day after tomorrow", lifecycle(expires="90d"), lifecycle(expires="7d"), 5),
    Case("fewer grants", after={"spec": {"apis": ["a"]}}),
    Case("off already", OFF, lifecycle(enabled=False, protect=True)),
    Case("over already", lifecycle(expires="5d"), lifecycle(expires="5d", enabled=False), 5),
    Case("switched on", OFF, lifecycle(protect=True)),
)

SCHEDULED = (
    Case("due", TURNING, TURNING, 90),
    Case("before its credential ends", days=83, kind="JWTToken"),
)

ASKED_FOR = (
    Case("due, and its artifact lost", TURNING, TURNING, 90, found=ArtifactState.MISSING),
    Case("its artifact is another's", found=ArtifactState.FOREIGN),
    Case("edited", after=RESIZED),
    Case("due, and edited", TURNING, {**TURNING, **RESIZED}, 90),
    Case("due, and a title came", TURNING, {**TURNING, "metadata": {"title": "x"}}, 90),
    Case("due by a schedule that comes now", after=TURNING, days=91),
    Case("due by a shorter interval", lifecycle(rotate={"every": "365d"}), TURNING, 91),
)


def _changed(case: Case) -> tuple[str, bool, bool]:
    token = live(declared(case.kind, "one", **case.before))
    wanted = [declared(case.kind, "one", **case.after)]
    (change,) = planned(wanted, [token], T0 + case.days * DAY, case.found)
    return change.action, change.disables, change.scheduled


@pytest.mark.parametrize("case", DISABLING, ids=lambda case: case.claim)
def test_what_takes_a_working_token_out_of_service(case: Case) -> None:
    """It works now, and by its new spec it does not, or not beyond tomorrow."""
    assert _changed(case)[1]


@pytest.mark.parametrize("case", NOT_DISABLING, ids=lambda case: case.claim)
def test_what_takes_no_working_token_out_of_service(case: Case) -> None:
    """It works on, or did not work before."""
    assert not _changed(case)[1]


@pytest.mark.parametrize("case", SCHEDULED, ids=lambda case: case.claim)
def test_what_nothing_but_time_asks_for(case: Case) -> None:
    """A rotation that is due, of a spec that stayed what it was when somebody approved it."""
    assert _changed(case) == ("rotate", False, True)


@pytest.mark.parametrize("case", ASKED_FOR, ids=lambda case: case.claim)
def test_what_somebody_or_something_else_asks_for(case: Case) -> None:
    """It may be due as well."""
    assert _changed(case) == ("rotate", False, False)
