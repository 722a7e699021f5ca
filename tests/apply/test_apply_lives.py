"""Any sequence of edits, applies, failures, deaths and days passing keeps the promises.

A model knows what the specs ask for; the store, the tree and the records are the real ones.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from reconciler.errors import ReconcilerError
from reconciler.kinds import keys
from reconciler.live.interface import CredentialState, LiveToken, TokenState
from reconciler.plan.brakes import Overrides
from reconciler.times import timestamp
from tests.apply import kit
from tests.apply.breaking import BrokenFor, Fuse, How, breaking_system
from tests.apply.kit import DAY, House, check_settled, jwt_token, quick_generate, rsa_token
from tests.apply.lives import Memory, valid

NAMES = ("a", "b", "c", "d")
ALL = Overrides(max_delete=100, max_rotate=100, max_disable=100, allow_empty=True)
SCHEDULES = (None, {"every": "30d", "overlap": "3d"}, {"every": "2d", "overlap": "1d"})
LEASE = 600
"""Seconds after which the lease of a run that died has ended."""


class Lives(RuleBasedStateMachine):
    """Four names, and what becomes of the tokens that have them."""

    @initialize()
    def empty(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.house = House(self.folder / "house", f"sqlite:///{self.folder}/live.db")
        self.specs: dict[str, dict[str, Any]] = {}
        self.memory = Memory()
        self.leaked: set[tuple[str, int]] = set()
        """Credentials that were said to have leaked, by id and generation."""
        self.broken = False
        """Whether the last apply did not end well."""
        self.house.declare()
        # One thread and one source of ids, so that an example that fails fails again.
        self.house.entropy = Random(1).randbytes
        self.patches = ExitStack()
        self.patches.enter_context(mock.patch.object(keys, "generate", quick_generate))
        self.patches.enter_context(mock.patch.object(kit, "WORKERS", 1))

    def teardown(self) -> None:
        if hasattr(self, "patches"):
            self.patches.close()
            self.house.close()
            shutil.rmtree(self.folder)

    @rule(name=st.sampled_from(NAMES), kind=st.sampled_from([rsa_token, jwt_token]),
          rotate=st.sampled_from(SCHEDULES))  # fmt: skip
    def declare(self, name: str, kind: Any, rotate: dict[str, Any] | None) -> None:
        """A new spec, or one of another kind in the place of an old one."""
        if any(name in spec["metadata"].get("previously", []) for spec in self.specs.values()):
            return
        lifecycle = {} if rotate is None else {"rotate": dict(rotate)}
        self.specs[name] = kind(name, lifecycle=lifecycle)

    @precondition(lambda self: self.specs)
    @rule(data=st.data(), apis=st.lists(st.sampled_from("xyz"), min_size=1, unique=True))
    def grant(self, data: st.DataObject, apis: list[str]) -> None:
        """Other grants."""
        self._one(data)["spec"]["apis"] = apis

    @precondition(lambda self: self.specs)
    @rule(data=st.data(), enabled=st.booleans())
    def switch(self, data: st.DataObject, *, enabled: bool) -> None:
        """Off, or on again."""
        self._one(data)["lifecycle"]["enabled"] = enabled

    @precondition(lambda self: self.specs)
    @rule(data=st.data(), days=st.sampled_from([None, 1, 10, 400]))
    def end(self, data: st.DataObject, days: int | None) -> None:
        """Another end, or none."""
        lifecycle = self._one(data)["lifecycle"]
        lifecycle.pop("expires", None)
        if days is not None:
            lifecycle["expires"] = f"{days}d"

    @precondition(lambda self: self.specs)
    @rule(data=st.data(), leaked=st.booleans())
    def ask(self, data: st.DataObject, *, leaked: bool) -> None:
        """A rotation is asked for."""
        spec = self._one(data)
        rotate = spec["lifecycle"].setdefault("rotate", {})
        # A second later than the last one, as two may be asked for in one second of this clock.
        self.asked = getattr(self, "asked", 0) + 1
        rotate["asked"] = {"at": timestamp(self.house.now + self.asked), "reason": "asked", "leaked": leaked}
        token = self.house.live().get(spec["metadata"]["name"])
        if token is not None and token.kind == spec["kind"]:
            known = {(token.id, one.generation) for one in token.credentials}
            # What is asked for last counts: it takes the place of what was not applied yet.
            self.leaked = self.leaked | known if leaked else self.leaked - known

    @precondition(lambda self: self.specs)
    @rule(data=st.data())
    def ask_no_more(self, data: st.DataObject) -> None:
        """What was asked for is taken back, be it done, half done or not begun."""
        spec = self._one(data)
        spec["lifecycle"].get("rotate", {}).pop("asked", None)
        if not spec["lifecycle"].get("rotate", True):
            del spec["lifecycle"]["rotate"]
        token = self.house.live().get(spec["metadata"]["name"])
        if token is not None:
            self.leaked -= {(token.id, one.generation) for one in token.credentials}

    @precondition(lambda self: self.specs)
    @rule(data=st.data(), name=st.sampled_from(NAMES))
    def rename(self, data: st.DataObject, name: str) -> None:
        """Another name, if nobody has or had it."""
        taken = {*self.specs, *(old for one in self.specs.values() for old in self._names(one))}
        spec = self._one(data)
        old = spec["metadata"]["name"]
        held = self.house.live()
        kinds = {held[one].kind for one in (*self._names(spec), old) if one in held}
        if name in taken or name in held or kinds - {spec["kind"]}:
            return
        del self.specs[old]
        spec["metadata"] = {"name": name, "previously": [*self._names(spec), old]}
        self.specs[name] = spec

    @precondition(lambda self: self.specs)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        """A token is given up."""
        del self.specs[self._one(data)["metadata"]["name"]]

    @rule(seconds=st.sampled_from([1, 3600, DAY, 2 * DAY, 3 * DAY, 27 * DAY, 30 * DAY, 100 * DAY]))
    def pass_time(self, seconds: int) -> None:
        self.house.now += seconds

    @rule()
    def apply(self) -> None:
        """An apply with which nothing goes wrong."""
        self.house.now += LEASE * self.broken
        self._declare()
        before = self.house.live()
        self.house.apply(overrides=Overrides(100, 100, 100, allow_empty=True, retry=True))
        self.broken = False
        check_settled(self.house)
        self._check_whole(before)

    @rule(at=st.integers(1, 60), how=st.sampled_from([How.BEFORE, How.AFTER]))
    def apply_and_break(self, at: int, how: How) -> None:
        """An apply of which one effect fails, before it happened or after."""
        self.house.now += LEASE * self.broken
        self._declare()
        fuse = Fuse(at, how)
        with suppress(ReconcilerError, RuntimeError, OSError), breaking_system(fuse):
            self.house.apply(fuse.wrapped, ALL)
        self.broken = True

    @rule(names=st.sets(st.sampled_from(NAMES), min_size=1))
    def apply_without_a_key_server(self, names: set[str]) -> None:
        """An apply that cannot seal for some tokens."""
        self.house.now += LEASE * self.broken
        self._declare()
        with suppress(ReconcilerError):
            self.house.apply(BrokenFor(*names), ALL)
        self.broken = True

    @invariant()
    def nothing_that_was_promised_is_broken(self) -> None:
        if hasattr(self, "memory"):
            self.memory.look(self.house.store(), self.house.now)

    def _one(self, data: st.DataObject) -> dict[str, Any]:
        return self.specs[data.draw(st.sampled_from(sorted(self.specs)))]

    @staticmethod
    def _names(spec: dict[str, Any]) -> list[str]:
        return list(spec["metadata"].get("previously", []))

    def _declare(self) -> None:
        self.house.declare(*self.specs.values())

    def _check_whole(self, before: dict[str, LiveToken]) -> None:
        """After an apply that went well: what is live is what the specs say, and nothing is left to do."""
        now = self.house.now
        live = self.memory.look(self.house.store(), now)
        assert self.house.plan().changes == ()
        for name, spec in self.specs.items():
            token, on = live[name], spec["lifecycle"].get("enabled", True)
            assert token.grants["apis"] == tuple(sorted(spec["spec"]["apis"]))
            assert token.state is (TokenState.ACTIVE if on else TokenState.DISABLED)
            for key in ((token.id, one.generation) for one in token.credentials):
                assert key not in self.leaked, "what leaked works on"
            if token.state_at(now) is TokenState.ACTIVE:
                newest, *old = token.credentials
                assert newest in valid(token, now), "there is a gap"
                assert all(one.state is CredentialState.RETIRING for one in old)
            self._check_same(token, spec, before)
        for gone in self.house.store().graveyard():
            self.memory.dead.add(gone.id)
            assert valid(gone, now) == []
            assert all(one.state is CredentialState.RETIRED for one in gone.credentials)

    def _check_same(self, token: LiveToken, spec: dict[str, Any], before: dict[str, LiveToken]) -> None:
        """A token that only changed its name is the same token, with the credential that it had."""
        for old in reversed(self._names(spec)):
            held = before.get(old)
            if held is not None and held.kind == token.kind and token.name not in before:
                assert token.id == held.id
                if token.generation == held.generation and held.credentials:
                    assert token.credentials[0].public_key == held.credentials[0].public_key
                return


Lives.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestLives = Lives.TestCase
