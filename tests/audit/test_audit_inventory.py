"""The list of live tokens, its filters, and the search over it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from reconciler.audit.inventory import NEAR, Filters, entry, listed, score
from reconciler.live.interface import LiveToken
from tests.plan.kit import DAY, T0, declared, live


def token(
    name: str,
    kind: str = "RSAToken",
    title: str | None = None,
    owner: str | None = None,
    expires: str | None = None,
    *,
    enabled: bool = True,
    labels: dict[str, str] | None = None,
) -> LiveToken:
    metadata = {"title": title, "owner": owner, "labels": labels or {}}
    lifecycle: dict[str, object] = {"enabled": enabled, **({"expires": expires} if expires else {})}
    return live(declared(kind, name, metadata=metadata, lifecycle=lifecycle))


FLEET = (
    token("bridge", "JWTToken", owner="team-mes"),
    token("erp", "TokenAuth", title="财务系统", owner="team-erp", labels={"env": "prod"}),
    token("kiosk", "LoginToken", owner="team-shop", expires="10d"),
    token("plant-a-historian", title="工厂 A 历史库", owner="team-historian", enabled=False),
)


def names(query: str | None = None, filters: Filters | None = None, now: int = T0) -> list[str]:
    return [one.name for one in listed(FLEET, query, filters or Filters(), now)]


def test_an_entry_tells_all_but_secrets() -> None:
    """As `reconciler/tokens/v1`; it is JSON."""
    shown = json.loads(json.dumps(entry(FLEET[2], T0).to_json()))
    assert (shown["name"], shown["state"], shown["expires"]) == ("kiosk", "active", "2027-01-25T08:00:00Z")
    assert shown["artifact"] == "artifacts/LoginToken/kiosk.yaml"
    assert shown["credentials"] == [
        {
            "generation": 1, "state": "active", "algorithm": "X",
            "from": "2027-01-15T08:00:00Z", "until": "2027-01-25T08:00:00Z",
        }
    ]  # fmt: skip
    assert entry(FLEET[2], T0 + 10 * DAY).state == "expired"


def test_without_a_query_everything_in_its_order() -> None:
    """The order of the store, which is by name."""
    assert names() == ["bridge", "erp", "kiosk", "plant-a-historian"]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (Filters(kind="JWTToken"), ["bridge"]),
        (Filters(owner="team-erp"), ["erp"]),
        (Filters(state="disabled"), ["plant-a-historian"]),
        (Filters(expiring_before=T0 + 30 * DAY), ["kiosk"]),
        (Filters(expiring_before=T0 + 5 * DAY), []),
        (Filters(kind="JWTToken", owner="team-erp"), []),
    ],
)
def test_filters_narrow(filters: Filters, found: list[str]) -> None:
    """Each by itself, and all together."""
    assert names(filters=filters) == found


def test_what_is_over_is_not_about_to_end() -> None:
    """`--expiring` is about the future."""
    assert names(filters=Filters(expiring_before=T0 + 30 * DAY), now=T0 + 10 * DAY) == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("historian", ["plant-a-historian"]),
        ("HISTORAIN", ["plant-a-historian"]),
        ("工厂", ["plant-a-historian"]),
        ("env prod", ["erp"]),
        ("env=prod", ["erp"]),
        ("id-kiosk", ["kiosk"]),
        ("mes", ["bridge"]),
        ("xyz", []),
        ("---", []),
        ("kiosk-of-the-second-floor-in-the-west", []),
    ],
)
def test_a_query_finds_by_name_title_owner_label_and_id(query: str, found: list[str]) -> None:
    """Misspelt words too; short ones only to the letter; a short text is not in every long query."""
    assert names(query) == found


def test_the_best_match_comes_first() -> None:
    """And what is equally good, by name."""
    found = listed(
        (token("b-historian"), token("a-historian"), token("c-historain")), "historian", Filters(), T0
    )
    assert [one.name for one in found] == ["a-historian", "b-historian", "c-historain"]
    assert score("historian", found[2]) >= NEAR


def test_nothing_is_found_in_nothing() -> None:
    """An entry without any text."""
    empty = replace(entry(FLEET[0], T0), name="", owner=None, id="")
    assert score("team", empty) == 0.0
