"""The record of each run: signed, the same whoever writes it, and there whatever became of the run."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from reconciler.apply.approval import approval
from reconciler.apply.interface import Ports, Publication, Published
from reconciler.apply.session import apply
from reconciler.errors import (
    PartlyApplied,
    PlanBlocked,
    PublishFailed,
    ReconcilerError,
    SealFailed,
    SignFailed,
)
from reconciler.kinds.keys import generate, private_pem, public_pem
from reconciler.plan.brakes import Overrides
from reconciler.records.body import Body
from reconciler.records.envelope import Signed, read
from reconciler.records.holding import live_digest
from reconciler.records.keys import read_keys, signed_by
from reconciler.records.making import Signatures
from reconciler.records.signing.interface import Signer
from tests.apply.breaking import BreakingPublisher, BrokenFor, Fuse, How
from tests.apply.kit import House, check_quiet, check_settled, jwt_token, rsa_token
from tests.apply.test_apply_expect import Line, line
from tests.records.kit import bodies

__all__ = ["line"]


@pytest.fixture
def signing(house: House, tmp_path: Path) -> House:
    """A workspace whose records are signed."""
    key = generate("ES256")
    file = tmp_path / "signing"
    file.write_text(private_pem(key).open())
    file.chmod(0o600)
    house.environ = {"RECONCILER_RECORD_KEY": str(file)}
    house.settings = {"audit": {"keys": [public_pem(key)], "records": "signed"}}
    return house


def check_told(house: House) -> None:
    """Every record is signed where it must be, and what is live is what the newest record of it says."""
    audit = house.workspace().specs.settings.audit
    keys, live = read_keys(audit.keys), dict[str, str]()
    for record in house.store().records():
        found = read(record.body)
        assert audit.records == "any" or signed_by(found, keys) is not None
        live |= found.body.live
    for token in house.store().tokens():
        assert live[token.id] == live_digest(token), token.name


def newest(house: House) -> Body:
    """What the newest record says."""
    return bodies(house.store())[-1]


def test_a_record_tells_what_each_token_may_do_since(house: House) -> None:
    """The spec where it is new, and a digest of it always."""
    house.declare(jwt_token("one"))
    house.apply()
    (issue,) = newest(house).changes
    token = house.live()["one"]
    assert issue.spec == token.spec_digest
    assert issue.declared is not None
    assert issue.declared["kind"] == "JWTToken"
    house.declare(jwt_token("one", apis=("b",)))
    house.apply()
    (modify,) = newest(house).changes
    assert modify.declared is not None
    assert modify.declared["spec"] != issue.declared["spec"]
    house.declare()
    house.apply(overrides=Overrides(allow_empty=True))
    (delete,) = newest(house).changes
    assert (delete.spec, delete.declared) == (None, None)
    gone = house.store().token_by_id(token.id)
    assert gone is not None
    assert newest(house).live == {token.id: live_digest(gone)}


@pytest.mark.parametrize("how", [How.BEFORE, How.AFTER, How.INTERRUPT])
def test_wherever_a_run_stops_what_is_live_is_told_and_signed(
    tmp_path: Path, signing: House, how: How
) -> None:
    """By itself or by the next run; a rotation that only narrowed before it stopped, too."""
    signing.declare(jwt_token("narrow", apis=("a", "b")), jwt_token("gone"))
    for at in count(1):
        house = House(
            tmp_path / f"house{at}", f"sqlite:///{tmp_path}/{at}.db", environ=signing.environ,
            settings=signing.settings,
        )  # fmt: skip
        house.declare(jwt_token("narrow", apis=("a", "b")), jwt_token("gone"))
        house.apply()
        house.declare(jwt_token("narrow", apis=("a",), algorithm="ES256"), jwt_token("new"))
        fuse = Fuse(at, how)
        try:
            house.apply(fuse.wrapped)
        except (ReconcilerError, RuntimeError, OSError, KeyboardInterrupt):
            assert fuse.blown is not None
        house.now += 600
        house.apply()
        check_settled(house)
        check_told(house)
        check_quiet(house)
        house.close()
        if fuse.blown is None:
            return


def unanswered(ports: Ports) -> Ports:
    """Ports by which a run publishes, and never learns that it did."""
    return replace(ports, publisher=_Unanswered(ports, Fuse(0, How.AFTER)))


class _Unanswered(BreakingPublisher):
    def publish(self, publication: Publication) -> Published | None:
        super().publish(publication)
        raise PublishFailed("the answer was lost")


def test_a_record_that_was_published_is_taken_as_it_is_signed(signing: House, tmp_path: Path) -> None:
    """By whatever key: the next run has another, and the payload is the same."""
    signing.declare(jwt_token("one"))
    with pytest.raises(PartlyApplied):
        signing.apply(unanswered)
    (path,) = (signing.root / "artifacts/records").iterdir()
    before = path.read_bytes()
    other = generate("EdDSA")
    file = tmp_path / "another"
    file.write_text(private_pem(other).open())
    file.chmod(0o600)
    signing.environ = {"RECONCILER_RECORD_KEY": str(file)}
    mine = signing.settings["audit"]["keys"][0]  # type: ignore[index]
    signing.settings = {"audit": {"keys": [mine, public_pem(other)], "records": "signed"}}
    signing.declare(jwt_token("one"))
    signing.apply()
    assert path.read_bytes() == before
    assert newest(signing).outcome == "done"
    check_settled(signing)
    check_told(signing)


class _Failing:
    """A signer that is ready, and then is not."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def ready(self) -> None:
        self._signer.ready()

    def sign(self, _: bytes) -> Signatures:
        raise SignFailed("the key server is gone", hint="start it")

    def accepts(self, signed: Signed) -> bool:
        return self._signer.accepts(signed)


def test_where_signing_fails_nothing_goes_live_and_the_next_run_converges(signing: House) -> None:
    """No record, no token; then both."""
    signing.declare(jwt_token("one"))
    with pytest.raises(SignFailed):
        signing.apply(lambda ports: replace(ports, signer=_Failing(ports.signer)))
    assert signing.live() == {}
    signing.apply()
    assert [body.outcome for body in bodies(signing.store())] == ["interrupted", "done"]
    check_settled(signing)
    check_told(signing)


def test_without_the_key_nothing_is_taken_away(signing: House) -> None:
    """It is asked for before anything is done."""
    signing.declare(jwt_token("one"), jwt_token("two"))
    signing.apply()
    signing.environ = {}
    signing.declare(jwt_token("one"))
    with pytest.raises(SignFailed, match="asks for signed records"):
        signing.apply()
    assert signing.live().keys() == {"one", "two"}
    assert signing.store().state().run is None


def test_a_run_in_which_everything_failed_is_recorded(house: House) -> None:
    """With what failed, and nothing that other programs said."""
    house.declare(jwt_token("one"))
    with pytest.raises(SealFailed):
        house.apply(BrokenFor("one"))
    told = newest(house)
    assert (told.outcome, told.error, told.live) == ("failed", "seal-failed", {})
    assert [(one.outcome, one.error, one.token) for one in told.changes] == [("failed", "seal-failed", None)]
    assert house.live() == {}
    house.apply()
    assert newest(house).outcome == "done"
    check_settled(house)


class _Refusing(BreakingPublisher):
    def publish(self, publication: Publication) -> Published | None:
        raise PublishFailed(f"the remote refuses run {publication.run}")


def test_a_run_that_was_stopped_on_its_way_is_recorded_with_what_stopped_it(house: House) -> None:
    """By the run that settles it; what it did after all is done, and has no error."""
    house.declare(jwt_token("one"))
    house.apply()
    house.declare(jwt_token("two"))
    with pytest.raises(PartlyApplied):
        house.apply(lambda ports: replace(ports, publisher=_Refusing(ports, Fuse(0, How.AFTER))))
    house.apply()
    stopped, then = bodies(house.store())[-2:]
    assert (stopped.outcome, stopped.error) == ("interrupted", "publish-failed")
    assert {one.action: (one.outcome, one.error) for one in stopped.changes} == {
        "delete": ("done", None),
        "issue": ("untried", "interrupted"),
    }
    assert (then.outcome, then.error) == ("done", None)
    check_told(house)


def test_a_run_that_was_stopped_before_anything_is_recorded(house: House) -> None:
    """All of it is told as not come to."""
    house.declare(jwt_token("one"), rsa_token("two"))
    with pytest.raises(PublishFailed):
        house.apply(Fuse(1, How.BEFORE).only_stage)
    told = newest(house)
    assert (told.outcome, told.error) == ("failed", "publish-failed")
    assert {(one.name, one.outcome, one.error) for one in told.changes} == {
        ("one", "untried", "interrupted"),
        ("two", "untried", "interrupted"),
    }
    check_chain_goes_on(house)


def check_chain_goes_on(house: House) -> None:
    """The next run has its record after that."""
    house.apply()
    assert newest(house).outcome == "done"
    check_settled(house)
    check_told(house)


BRAKES: dict[str, object] = {
    "brakes": {"delete": {"count": 1}, "perOwner": {"delete": {"count": 9, "percent": 100}}}
}


def blocked(house: House) -> None:
    """A plan that deletes two where one may be."""
    house.settings = BRAKES
    house.declare(jwt_token("one"), jwt_token("two"), jwt_token("three"))
    house.apply()
    house.declare(jwt_token("one"))


def test_a_run_that_was_blocked_is_recorded_with_what_held_it(house: House) -> None:
    """And goes out at once; nothing else happens."""
    blocked(house)
    live = house.live()
    with pytest.raises(PlanBlocked):
        house.apply()
    told = newest(house)
    assert (told.outcome, told.changes, told.live) == ("blocked", (), {})
    assert [one.rule for one in told.held] == ["brake-delete"]
    assert house.live() == live
    assert all(record.published for record in house.store().records())
    house.declare(jwt_token("one"), jwt_token("two"), jwt_token("three"))
    check_settled(house)
    check_told(house)


def test_a_key_that_may_not_sign_records_no_blocked_run(signing: House, tmp_path: Path) -> None:
    """By whomever the chain goes on, a record of it would be refused for good."""
    signing.declare(jwt_token("one"))
    signing.apply()
    own = signing.environ
    for audit in (signing.settings["audit"], {**signing.settings["audit"], "records": "any"}):  # type: ignore[dict-item]
        signing.settings = {"audit": audit, "brakes": {}}
        other = tmp_path / "other"
        other.write_text(private_pem(generate("EdDSA")).open())
        other.chmod(0o600)
        signing.environ = {"RECONCILER_RECORD_KEY": str(other)}
        signing.declare()
        with pytest.raises(PlanBlocked):
            signing.apply()
        assert [body.outcome for body in bodies(signing.store())] == ["done"]
    signing.environ = own
    check_told(signing)


def test_a_run_that_was_let_go_says_what_would_have_held_it_and_why(house: House) -> None:
    """So does the record that the next run writes of it."""
    blocked(house)
    plan = house.plan(Overrides(max_delete=2))
    session = house.session(plan, approval(plan))
    apply(replace(session, run=replace(session.run, reason="the fair is over")))
    told = newest(house)
    assert (told.overrides, told.reason) == ({"max_delete": 2}, "the fair is over")
    assert [one.rule for one in told.released] == ["brake-delete"]
    check_settled(house)


def test_a_store_that_cannot_be_written_does_not_change_why_a_run_ends(house: House, line: Line) -> None:
    """Somebody else holds the lease: it is blocked all the same, and it is said that no record tells."""
    blocked(house)
    before = len(bodies(house.store()))
    lease = house.store().acquire("somebody", "ab", house.now, 600)
    assert line("apply", "--yes") == 3
    assert "that this was blocked is not recorded: another apply holds the store" in line.err
    assert len(bodies(house.store())) == before
    house.store().release(lease)
    assert line("apply", "--yes", "--reason", "the fair is over") == 3
    assert (newest(house).outcome, newest(house).reason) == ("blocked", "the fair is over")


@pytest.mark.parametrize("reason", ["two\nlines", "x" * 501, f"rcn_{'a' * 49}", "\x1b[31mred"])
def test_a_reason_is_one_line_and_no_secret(house: House, line: Line, reason: str) -> None:
    """It is published."""
    house.declare(jwt_token("one"))
    assert line("apply", "--yes", "--reason", reason) == 64
    assert reason not in line.err
    assert house.store().state().revision == 0


def test_nothing_is_written_to_a_store_that_is_not_the_one(house: House) -> None:
    """An empty store beside the records of another stays empty: else the next run would issue all anew."""
    house.declare(jwt_token("one"))
    house.apply()
    house.url = f"sqlite:///{house.root}/.reconciler/other.db"
    house.declare(jwt_token("one"))
    for _ in range(2):
        with pytest.raises(PlanBlocked, match="is empty for workspace"):
            house.apply()
    assert house.store().state().revision == 0
