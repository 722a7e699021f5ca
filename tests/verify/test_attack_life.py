"""What was good once: retired, ended, disabled, deleted, rolled back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.kinds.checking import Reason
from reconciler.live.interface import CredentialState, LiveToken, TokenState
from reconciler.verify.book import Book
from reconciler.verify.check import LEEWAY_SECONDS, Rules
from reconciler.verify.interface import Verdict
from tests.verify.attacks import refused, rotated, token
from tests.verify.kit import AUDIENCE, DAY, NOW, Desk, Owned, opens, owned

KINDS = ["RSAToken", "JWTToken", "LoginToken", "TokenAuth"]
CALL = {"address": "10.1.2.3", "device": "scanner-1"}


def shown(of: Owned) -> list[str]:
    """All that its owner may present."""
    match of.live.kind:
        case "RSAToken":
            return [of.signed({"exp": NOW + 600, "iat": NOW})]
        case "JWTToken":
            return [of.secret["jwt"], of.secret["secret_id"]]
        case "LoginToken":
            return [of.secret["login_token"]]
        case _:
            return [of.sign_in({"exp": NOW + 3600})]


def verdicts(of: Owned, desk: Desk) -> list[Verdict]:
    if of.live.kind == "TokenAuth":
        return [desk.sign_in(of.live.name, text) for text in shown(of)]
    return [desk.check(text, **CALL) for text in shown(of)]


def later(before: Owned, *after: LiveToken, read: str = "changed") -> Desk:
    """A desk that has seen a token, and then what became of it."""
    desk = Desk([before])
    for number, live in enumerate(after):
        follow = getattr(desk.book, read)
        desk.book = follow([live], number + 2)
    return desk


@pytest.mark.parametrize("kind", KINDS)
def test_a_disabled_token_is_refused_and_one_that_is_enabled_again_is_not(kind: str) -> None:
    of = token(kind)
    off = of.with_(state=TokenState.DISABLED)
    for verdict in verdicts(of, Desk([off])):
        refused(verdict, Reason.DISABLED, proven=True)
    assert all(verdict.active for verdict in verdicts(of, later(of, off.live, of.live)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_is_refused_from_the_very_second_of_its_end(kind: str) -> None:
    of = token(kind)
    ends = of.with_(expires_at=NOW + 10)
    for now, reason in ((9, Reason.ACCEPTED), (10, Reason.EXPIRED), (11, Reason.EXPIRED)):
        for verdict in verdicts(of, Desk([ends], now=NOW + now)):
            assert verdict.reason is reason
            assert verdict.expires_at == NOW + 10


@pytest.mark.parametrize("kind", KINDS)
def test_a_credential_is_refused_before_its_beginning_and_from_its_end_on(kind: str) -> None:
    of = token(kind)
    window = of.with_credential(not_before=NOW + 100, not_after=NOW + 200)
    edges = {
        99 - LEEWAY_SECONDS: Reason.EARLY,
        100 - LEEWAY_SECONDS: Reason.ACCEPTED,
        199: Reason.ACCEPTED,
        200: Reason.ENDED,
        200 + LEEWAY_SECONDS: Reason.ENDED,
    }
    for now, reason in edges.items():
        for verdict in verdicts(of, Desk([window], now=NOW + now)):
            assert verdict.reason is reason, now
            assert verdict.active or verdict.token is not None


def test_without_leeway_a_credential_begins_at_its_very_second() -> None:
    of = token("RSAToken")
    window = of.with_credential(not_before=NOW + 1)
    for now, reason in ((0, Reason.EARLY), (1, Reason.ACCEPTED)):
        desk = Desk([window], now=NOW + now, rules=Rules(AUDIENCE, leeway=0))
        assert desk.check(of.signed()).reason is reason


@pytest.mark.parametrize("kind", KINDS)
def test_in_its_overlap_a_retiring_credential_is_accepted_until_it_ends(kind: str) -> None:
    of = token(kind)
    after = rotated(of, not_after=NOW + 100)
    for now, reason in ((99, Reason.ACCEPTED), (100, Reason.ENDED)):
        found = verdicts(of, Desk([after], now=NOW + now))
        assert [verdict.reason for verdict in found] == [reason] * len(found)
        assert all(verdict.token is not None and verdict.token.generation == 1 for verdict in found)


@pytest.mark.parametrize("kind", ["RSAToken", "TokenAuth"])
def test_in_an_overlap_the_new_key_and_the_old_one_are_both_accepted(kind: str) -> None:
    """Whichever stands first on record."""
    old, new = token(kind), owned(kind)
    older, newer = old.live.credentials[0], replace(new.live.credentials[0], generation=2)
    both = old.with_(credentials=(newer, older), last_generation=2)
    for generation, holder in ((1, old), (2, Owned(both.live, new.secret))):
        for verdict in verdicts(holder, Desk([both])):
            assert verdict.active
            assert verdict.token is not None
            assert verdict.token.generation == generation


RETIRED = {
    "RSAToken": [Reason.SIGNATURE],
    "JWTToken": [Reason.RETIRED, Reason.UNKNOWN],
    "LoginToken": [Reason.RETIRED],
    "TokenAuth": [Reason.SIGNATURE],
}


@pytest.mark.parametrize("read", ["changed", "restarted"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_retired_credential_is_refused_whether_the_store_still_lists_it_or_not(
    kind: str, read: str
) -> None:
    of = token(kind)
    both = rotated(of)
    listed = rotated(of, CredentialState.RETIRED).live
    gone = replace(listed, credentials=listed.credentials[:1])
    for after in (listed, gone):
        desk = later(of, both.live, after, read=read)
        found = verdicts(of, desk)
        for verdict, reason in zip(found, RETIRED[kind], strict=True):
            assert verdict.reason in {reason, Reason.SIGNATURE_RANGE}
            assert verdict.token is None


def test_a_token_all_of_whose_credentials_are_retired_says_so() -> None:
    of = token("RSAToken")
    refused(Desk([of.with_(credentials=())]).check(of.signed()), Reason.RETIRED)
    refused(Desk([of.with_credential(state=CredentialState.RETIRED)]).check(of.signed()), Reason.RETIRED)


def deleted(of: Owned) -> LiveToken:
    """Its tombstone, which keeps what it can to tempt the check."""
    return replace(of.live, state=TokenState.DELETED, deleted_at=NOW)


@pytest.mark.parametrize("read", ["changed", "restarted"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_deleted_token_is_refused_even_with_its_credentials_still_in_the_store(
    kind: str, read: str
) -> None:
    of = token(kind)
    expected = {"JWTToken": [Reason.DELETED, Reason.UNKNOWN], "TokenAuth": [Reason.UNKNOWN]}
    for desk in (later(of, deleted(of), read=read), Desk([Owned(deleted(of), of.secret)])):
        found = verdicts(of, desk)
        for verdict, reason in zip(found, expected.get(kind, [Reason.DELETED]), strict=True):
            refused(verdict, reason)
        assert desk.book.live == 0
        assert desk.book.by_id[of.id].credentials == ()


@pytest.mark.parametrize("read", ["changed", "restarted"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_deleted_token_that_lives_again_in_the_store_does_not_live_again_here(kind: str, read: str) -> None:
    """Somebody restored the store, or wrote to it. Until the verifier is restarted, deleted is deleted."""
    of = token(kind)
    for steps in (
        [deleted(of), of.live],
        [deleted(of), of.live, of.live],
        [deleted(of), of.live, deleted(of), of.live],
    ):
        for verdict in verdicts(of, later(of, *steps, read=read)):
            refused(verdict, Reason.ROLLED_BACK, proven=True)


def test_deletion_is_remembered_though_the_store_forgets_the_token_in_between() -> None:
    of, other = token("RSAToken"), token("JWTToken")
    desk = later(of, deleted(of), other.live, of.live, read="restarted")
    refused(desk.check(of.signed()), Reason.ROLLED_BACK, proven=True)


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_that_is_used_again_does_not_bring_the_old_token_back(kind: str) -> None:
    """The id is the token; the name is only how people call it."""
    old, new = token(kind), owned(kind)
    assert old.live.name == new.live.name
    desk = Desk([Owned(deleted(old), old.secret), new])
    assert all(verdict.active for verdict in verdicts(new, desk))
    expected = {"JWTToken": [Reason.DELETED, Reason.UNKNOWN], "TokenAuth": [Reason.SIGNATURE]}
    for verdict, reason in zip(verdicts(old, desk), expected.get(kind, [Reason.DELETED]), strict=True):
        refused(verdict, reason)


def test_a_sign_in_that_names_the_old_token_is_refused_under_the_new_one() -> None:
    old, new = token("TokenAuth"), owned("TokenAuth")
    desk = Desk([Owned(deleted(old), old.secret), new])
    refused(desk.sign_in("tokenauth", old.sign_in(header={"kid": old.id})), Reason.KID)
    assert desk.sign_in("tokenauth", new.sign_in(header={"kid": new.id})).active


def test_order_in_one_read_does_not_matter_to_a_name_that_moves() -> None:
    old, new = token("TokenAuth"), owned("TokenAuth")
    for batch in ([deleted(old), new.live], [new.live, deleted(old)]):
        desk = Desk([old])
        desk.book = desk.book.changed(batch, 2)
        assert desk.sign_in("tokenauth", new.sign_in()).active


@pytest.mark.parametrize("read", ["changed", "restarted"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_generation_that_is_rolled_back_is_refused(kind: str, read: str) -> None:
    """The store is again as it was before a rotation: the key that was taken away there is live again."""
    of = token(kind)
    after = rotated(of).live
    for verdict in verdicts(of, later(of, after, of.live, read=read)):
        refused(verdict, Reason.ROLLED_BACK, proven=True)


@pytest.mark.parametrize("read", ["changed", "restarted"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_retired_generation_that_comes_back_beside_the_new_one_is_refused(kind: str, read: str) -> None:
    """Though the newest generation is what it was: a row came back, and with it a key."""
    of = token(kind)
    both = rotated(of).live
    alone = replace(both, credentials=both.credentials[:1])
    desk = later(of, both, alone, both, read=read)
    for verdict in verdicts(of, desk):
        refused(verdict, Reason.ROLLED_BACK, proven=True)
    assert all(verdict.active for verdict in verdicts(of, later(of, both, both, read=read)))


def test_a_generation_that_was_rolled_back_is_remembered_though_the_token_was_missing_in_between() -> None:
    of, other = token("RSAToken"), token("JWTToken")
    desk = later(of, rotated(of).live, other.live, of.live, read="restarted")
    refused(desk.check(of.signed()), Reason.ROLLED_BACK, proven=True)
    desk = later(of, rotated(of).live, other.live, rotated(of).live, read="restarted")
    assert desk.book.by_id[of.id].rolled_back is False


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_that_a_store_read_anew_does_not_have_is_unknown(kind: str) -> None:
    """Whatever was known of it: the store is what is live."""
    of, other = token(kind), token("RSAToken", "PS256")
    desk = later(of, other.live, read="restarted")
    for verdict in verdicts(of, desk):
        refused(verdict, Reason.UNKNOWN)
    assert desk.book.live == 1
    assert all(verdict.active for verdict in verdicts(of, later(of, other.live, of.live, read="restarted")))


def test_a_restarted_verifier_takes_the_store_as_it_is() -> None:
    of = token("RSAToken")
    desk = later(of, rotated(of).live, of.live)
    refused(desk.check(of.signed()), Reason.ROLLED_BACK, proven=True)
    desk.book = Book().changed([of.live], 9)
    assert desk.check(of.signed()).active


@pytest.mark.parametrize("read", ["changed", "restarted"])
def test_rotations_that_go_forward_are_accepted_each_in_its_turn(read: str) -> None:
    """A verifier that missed some of them, too."""
    of = token("JWTToken")
    first = of.live.credentials[0]

    def at(*generations: int) -> LiveToken:
        found = tuple(replace(first, generation=each, secret_hash=f"sha256:{each}") for each in generations)
        return replace(of.live, credentials=found, last_generation=max(generations))

    desk = Desk([])
    for number, generations in enumerate([(1,), (2, 1), (2,), (3, 2), (3,), (7, 3), (9, 8), (9,)]):
        follow = getattr(desk.book, read)
        desk.book = follow([at(*generations)], number + 1)
        assert desk.book.by_id[of.id].rolled_back is False, generations
        assert {value[1] for value in desk.book.by_secret.values()} == set(generations)


def test_the_first_thing_that_is_wrong_is_what_is_said() -> None:
    """Credential before token: what to fetch anew comes before what to change in a spec."""
    of = token("RSAToken")
    all_over = of.with_(state=TokenState.DISABLED, expires_at=NOW - 1).with_credential(not_after=NOW - 1)
    desk = Desk([all_over], now=NOW)
    refused(desk.check(of.signed({"exp": NOW - 1, "iat": NOW - DAY})), Reason.ENDED, proven=True)


def test_a_secret_id_of_a_disabled_or_retired_token_is_refused() -> None:
    of = token("JWTToken")
    secret_id = of.secret["secret_id"]
    refused(Desk([of.with_(state=TokenState.DISABLED)]).check(secret_id), Reason.DISABLED, proven=True)
    refused(Desk([of.with_(expires_at=NOW)]).check(secret_id), Reason.EXPIRED, proven=True)
    refused(Desk([of.with_credential(not_after=NOW)]).check(secret_id), Reason.ENDED, proven=True)
    refused(Desk([of.with_credential(secret_hash=None)]).check(secret_id), Reason.UNKNOWN)
    refused(Desk([rotated(of, CredentialState.RETIRED)]).check(secret_id), Reason.UNKNOWN)
    assert Desk([rotated(of)]).check(secret_id).active


def test_every_desk_here_can_open_what_is_sealed() -> None:
    """So that no refusal of a sign-in above comes from a secret that could not be opened."""
    of = token("TokenAuth")
    sealed = of.live.credentials[0].sealed_secret
    assert sealed is not None
    opened = opens()(sealed)
    assert opened is not None
    assert opened.open() == of.secret["secret"]
