"""What a plan warns of, and stops no apply: tokens near their end."""

from __future__ import annotations

from tests.apply.kit import DAY, T0, House, jwt_token


def ending(house: House) -> list[str]:
    """What the plan says of tokens that end soon."""
    return [warned.message for warned in house.plan().warnings if warned.rule == "ending"]


def test_a_token_near_its_end_is_named_with_its_day(house: House) -> None:
    """From 14 days before, the nearest first, until it is over; then it is no news."""
    house.declare(
        jwt_token("later", lifecycle={"expires": "40d"}),
        jwt_token("sooner", lifecycle={"expires": "30d"}),
        jwt_token("never"),
    )
    house.apply()
    house.now = T0 + 16 * DAY - 1
    assert ending(house) == []
    house.now = T0 + 16 * DAY
    assert ending(house) == ["1 token ends within 14 days: sooner (2027-02-14)"]
    house.now = T0 + 28 * DAY
    assert ending(house) == ["2 tokens end within 14 days: sooner (2027-02-14), later (2027-02-24)"]
    house.now = T0 + 30 * DAY
    assert ending(house) == ["1 token ends within 14 days: later (2027-02-24)"]


def test_what_the_plan_settles_is_not_warned_of(house: House) -> None:
    """A later end, a deletion, or a token that is off."""
    near = {"expires": "10d"}
    house.declare(*(jwt_token(name, lifecycle=near) for name in ("longer", "gone", "off", "stays")))
    house.apply()
    house.declare(
        jwt_token("longer", lifecycle={"expires": "100d"}),
        jwt_token("off", lifecycle={**near, "enabled": False}),
        jwt_token("stays", lifecycle=near),
    )
    assert ending(house) == ["2 tokens end within 14 days: off (2027-01-25), stays (2027-01-25)"]
    house.apply()
    assert ending(house) == ["1 token ends within 14 days: stays (2027-01-25)"]


def test_many_are_counted_and_a_few_named(house: House) -> None:
    """A line has room for five names."""
    house.declare(*(jwt_token(f"t{number}", lifecycle={"expires": "9d"}) for number in range(7)))
    house.apply()
    (message,) = ending(house)
    assert message.startswith("7 tokens end within 14 days: t0 (")
    assert message.endswith("t4 (2027-01-24) …")
