"""Any sequence of edits and applies, some of which break off, on a real store with real artifacts."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.errors import ReconcilerError
from tests.apply.breaking import Fuse, How, breaking_system
from tests.apply.kit import DAY, House, auth_token, check_quiet, check_settled, jwt_token, login_token

Document = Mapping[str, object]

LIFECYCLES: tuple[Mapping[str, object], ...] = (
    {},
    {"enabled": False},
    {"expires": "20d"},
    {"rotate": {"every": "10d", "overlap": "2d"}},
)


@st.composite
def documents(draw: st.DrawFn, name: str) -> Document:
    """A spec of a fast kind."""
    lifecycle = draw(st.sampled_from(LIFECYCLES))
    deliver = {"format": draw(st.sampled_from(["yaml", "json"]))}
    grants = draw(st.sampled_from([("a",), ("a", "b"), ("b", "c"), ("*",)]))
    kind = draw(st.integers(0, 2))
    if kind == 0:
        return jwt_token(name, apis=grants, lifecycle=lifecycle, deliver=deliver)
    if kind == 1:
        algorithm = draw(st.sampled_from(["HS256", "ES256"]))
        return auth_token(name, algorithm=algorithm, lifecycle=lifecycle, deliver=deliver)
    return login_token(name, shop=draw(st.sampled_from("ST")), lifecycle=lifecycle, deliver=deliver)


@st.composite
def folders(draw: st.DrawFn) -> list[Document]:
    """Specs of some of four names; one stays, so that a folder is never empty."""
    names = draw(st.lists(st.sampled_from("wxyz"), unique=True))
    return [jwt_token("stays"), *(draw(documents(name)) for name in names)]


steps = st.tuples(folders(), st.sampled_from([0, DAY, 3 * DAY, 12 * DAY]), st.none() | st.integers(1, 40))


@given(st.lists(steps, min_size=1, max_size=5))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_was_edited_and_broke_off_the_last_apply_puts_right(
    history: list[tuple[list[Document], int, int | None]],
) -> None:
    """Live equals specs, artifacts open, records are chained, ids of deleted tokens never come back."""
    folder = Path(tempfile.mkdtemp())
    house = House(folder / "house", f"sqlite:///{folder}/live.db")
    try:
        dead: set[str] = set()
        for wanted, later, broken in history:
            house.now += later
            house.declare(*wanted)
            before = {token.id for token in house.live().values()}
            if broken is not None:
                _break(house, broken)
                house.now += 600
            house.apply()
            check_settled(house)
            check_quiet(house)
            after = {token.id for token in house.live().values()}
            assert not after & dead
            dead |= before - after
        buried = {token.id for name in ("stays", *"wxyz") for token in house.store().tombstones(name)}
        assert dead <= buried
        assert not buried & {token.id for token in house.live().values()}
    finally:
        house.close()
        shutil.rmtree(folder)


def _break(house: House, at: int) -> None:
    fuse = Fuse(at, How.AFTER)
    with suppress(ReconcilerError, RuntimeError, OSError), breaking_system(fuse):
        house.apply(fuse.wrapped)
