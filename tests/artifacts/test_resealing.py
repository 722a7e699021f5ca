"""Encrypting anew: quiet where somebody comes, thorough where somebody leaves, and never of a forgery."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

import pytest

from reconciler.artifacts import identities
from reconciler.artifacts.age import NativeSealer
from reconciler.artifacts.contents import contents_digest
from reconciler.artifacts.interface import Expected, Parcel
from reconciler.artifacts.opener import FileOpener, metadata_of
from reconciler.artifacts.program import ProgramOpener, ProgramSealer
from reconciler.artifacts.resealing import Resealer
from reconciler.artifacts.rules import Config
from reconciler.artifacts.sealing import RuleSealer
from reconciler.errors import ArtifactTampered, CannotOpen, NoRecipients
from reconciler.secret import Secret

from .kit import EXPECTED, FORMATS, HEADER, NOW, Bench, key_pair, opened_text, parcel

LATER = NOW + 86_400
OTHER, OTHER_KEY = key_pair(1)
THIRD = key_pair(2)[0]
every_format = pytest.mark.parametrize("form", FORMATS)


def resealer(bench: Bench, config: Config, opener: FileOpener | None = None) -> Resealer:
    program = ProgramSealer(bench.program())
    sealer = RuleSealer(config.match, NativeSealer(os.urandom), program)
    return Resealer(opener or FileOpener(identities.parse(bench.identity, "mine")), sealer, program)


def rules(bench: Bench, *age: str) -> Config:
    return bench.rules(f"creation_rules: [{{age: '{','.join(age)}'}}]")


def sealed(bench: Bench, one: Parcel, *age: str) -> bytes:
    return RuleSealer(rules(bench, *age).match, NativeSealer(os.urandom), NativeSealer(os.urandom)).seal(one)


def anew(bench: Bench, data: bytes, one: Parcel, *age: str) -> bytes:
    config = rules(bench, *age)
    return resealer(bench, config).reseal(data, one.path, config.match(one.path), EXPECTED, LATER)


def lost(before: bytes, after: bytes) -> list[bytes]:
    """Lines of the one that are not in the other."""
    kept = set(after.splitlines())
    return [line for line in before.splitlines() if line not in kept]


@every_format
def test_who_is_sealed_to_as_the_rule_says_is_left_alone(bench: Bench, form: str) -> None:
    """The same recipients in another order give the same bytes, and no key is asked for."""
    one = parcel(form)
    data = sealed(bench, one, bench.recipient, OTHER)
    config = rules(bench, OTHER, bench.recipient)
    nobody = resealer(bench, config, FileOpener(identities.Identities()))
    assert nobody.reseal(data, one.path, config.match(one.path), EXPECTED, LATER) == data


@every_format
def test_a_new_recipient_adds_lines_and_changes_none(bench: Bench, form: str) -> None:
    """Not one line leaves the file; those of the new stanza come, and none besides."""
    one = parcel(form)
    before = bench.seal(one)
    after = anew(bench, before, one, bench.recipient, OTHER)
    removed, added = lost(before, after), len(after.splitlines()) - len(before.splitlines())
    # JSON lists end without a comma, so the stanza that was last gets one.
    assert [line.strip() for line in removed] == ([] if form not in {"json", "pem"} else removed)
    assert len(removed) <= 1
    stanza = metadata_of(after, one.path).age[-1].enc
    assert added == {"dotenv": 2, "json": 4, "pem": 4}.get(form, 2 + len(stanza.splitlines()))
    assert metadata_of(after, one.path).lastmodified == metadata_of(before, one.path).lastmodified
    for key in (bench.identity, OTHER_KEY):
        found = FileOpener(identities.parse(key, "a reader")).open(after, one.path, EXPECTED)
        assert opened_text(found.fields) == opened_text(one.fields)
    bench.write(one.path, after)
    assert bench.sops("decrypt", one.path).returncode == 0


@every_format
def test_resealing_twice_is_resealing_once(bench: Bench, form: str) -> None:
    """The second finds nothing to do."""
    one = parcel(form)
    after = anew(bench, bench.seal(one), one, bench.recipient, OTHER)
    assert anew(bench, after, one, bench.recipient, OTHER) == after
    fewer = anew(bench, after, one, bench.recipient)
    assert anew(bench, fewer, one, bench.recipient) == fewer


@every_format
def test_who_leaves_takes_the_old_data_key_along_and_it_opens_nothing(bench: Bench, form: str) -> None:
    """No encrypted value, stanza or MAC stays as it was, and the plain ones do."""
    one = parcel(form)
    before = sealed(bench, one, bench.recipient, OTHER)
    after = anew(bench, before, one, bench.recipient)
    values = re.compile(rb"ENC\[AES256_GCM,[^\]]*\]")
    assert not set(values.findall(before)) & set(values.findall(after))
    assert len(values.findall(before)) == len(values.findall(after))
    assert metadata_of(after, one.path).recipients == (bench.recipient,)
    with pytest.raises(CannotOpen):
        FileOpener(identities.parse(OTHER_KEY, "who left")).open(after, one.path)
    contents = contents_digest(HEADER, one.fields)
    assert bench.opener().open(after, one.path, Expected(HEADER, contents)).header == HEADER
    bench.write(one.path, after)
    assert bench.sops("decrypt", one.path).returncode == 0


def test_one_comes_and_one_leaves(bench: Bench) -> None:
    """Then there is a new data key: what is thorough wins."""
    one = parcel("yaml")
    after = anew(bench, sealed(bench, one, bench.recipient, OTHER), one, bench.recipient, THIRD)
    assert metadata_of(after, one.path).recipients == (bench.recipient, THIRD)
    assert metadata_of(after, one.path).lastmodified == "2026-09-22T14:13:20Z"


@every_format
def test_what_sops_wrote_is_resealed_as_quietly(bench: Bench, form: str) -> None:
    """After sops has written the file itself, no value changes when somebody comes."""
    one = parcel(form)
    rules(bench, bench.recipient)
    place = bench.write(one.path, bench.seal(one))
    assert bench.sops("rotate", "-i", one.path).returncode == 0
    before = place.read_bytes()
    after = anew(bench, before, one, bench.recipient, OTHER)
    values = re.compile(rb"ENC\[AES256_GCM,[^\]]*\]")
    assert values.findall(before) == values.findall(after)
    assert len(lost(before, after)) <= 1


@every_format
def test_a_pgp_key_comes_and_leaves(bench: Bench, form: str, pgp: tuple[str, dict[str, str]]) -> None:
    """By the program: values stay as they are when it comes, and none does when it leaves."""
    fingerprint, environ = pgp
    bench.environ = {**environ, **bench.environ}
    one = parcel(form)
    before = sealed(bench, one, bench.recipient)
    both = bench.rules(f"creation_rules: [{{age: {bench.recipient}, pgp: {fingerprint}}}]")
    after = resealer(bench, both).reseal(before, one.path, both.match(one.path), EXPECTED, LATER)
    assert metadata_of(after, one.path).recipients == (bench.recipient, f"pgp {fingerprint}")
    values = re.compile(rb"ENC\[AES256_GCM,[^\]]*\]")
    assert values.findall(before) == values.findall(after)
    by_pgp = FileOpener(identities.Identities(), ProgramOpener(bench.program()))
    assert by_pgp.open(after, one.path, EXPECTED).header == HEADER
    alone = anew(bench, after, one, bench.recipient)
    assert metadata_of(alone, one.path).recipients == (bench.recipient,)
    assert not set(values.findall(alone)) & set(values.findall(after))


def test_other_key_groups_need_a_new_data_key(bench: Bench) -> None:
    """Where two of three groups were enough, all are needed now: any two had the key."""
    one = parcel("yaml")
    keys = [(bench.recipient, bench.identity), key_pair(1), key_pair(2)]
    groups = ", ".join(f"{{age: [{recipient}]}}" for recipient, _ in keys)
    bench.environ["SOPS_AGE_KEY"] = "\n".join(key.open() for _, key in keys)
    opener, program = bench.program_opener(), ProgramSealer(bench.program())
    two = bench.rules(f"creation_rules: [{{key_groups: [{groups}], shamir_threshold: 2}}]")
    before = RuleSealer(two.match, program, program).seal(one)
    every = bench.rules(f"creation_rules: [{{key_groups: [{groups}], shamir_threshold: 3}}]")
    after = resealer(bench, every, opener).reseal(before, one.path, every.match(one.path), EXPECTED, LATER)
    assert (metadata_of(before, one.path).threshold, metadata_of(after, one.path).threshold) == (2, 3)
    assert not {line for line in before.splitlines() if b"ENC[" in line} & set(after.splitlines())


FORGED: dict[str, Callable[[bytes], bytes]] = {
    "a header": lambda data: data.replace(b"k7ylkf3mq2pzabcd2345", b"k7ylkf3mq2pzabcd2346"),
    "a value": lambda data: re.sub(rb"data:[A-Za-z0-9+/]{4}", b"data:AAAA", data, count=1),
    "the MAC": lambda data: re.sub(rb"(mac.*data:)[A-Za-z0-9+/]{4}", rb"\1AAAA", data, count=1),
}


@pytest.mark.parametrize("what", FORGED)
@pytest.mark.parametrize("age", ["more", "fewer"])
def test_what_was_tampered_with_is_not_made_presentable(bench: Bench, what: str, age: str) -> None:
    """It is refused as it is for its owner, whether somebody comes or leaves."""
    one = parcel("yaml")
    data = FORGED[what](sealed(bench, one, bench.recipient, OTHER))
    with pytest.raises(ArtifactTampered):
        anew(bench, data, one, *((bench.recipient, OTHER, THIRD) if age == "more" else (bench.recipient,)))


def test_a_forgery_is_not_resealed(bench: Bench) -> None:
    """Sealed by somebody else under the true header: its contents are not those that were sealed."""
    one = parcel("yaml")
    expected = Expected(HEADER, contents_digest(HEADER, one.fields))
    rules(bench, bench.recipient)
    forged = bench.seal(parcel("yaml", {**one.fields, "private_key": Secret("forged")}))
    config = rules(bench, bench.recipient, OTHER)
    with pytest.raises(ArtifactTampered, match="does not hold what was sealed"):
        resealer(bench, config).reseal(forged, one.path, config.match(one.path), expected, LATER)


def test_a_mix_of_post_quantum_and_classic_recipients_is_refused(bench: Bench) -> None:
    """Nothing is sealed to it, since whoever breaks the classic one reads everything."""
    one = parcel("yaml")
    data = sealed(bench, one, bench.recipient)
    config = rules(bench, bench.recipient, "age1pq1qqqq")
    with pytest.raises(NoRecipients, match="post-quantum"):
        resealer(bench, config).reseal(data, one.path, config.match(one.path), EXPECTED, LATER)


def test_who_cannot_open_cannot_reseal(bench: Bench) -> None:
    """And is told whose identity it takes."""
    one = parcel("yaml")
    data = sealed(bench, one, bench.recipient)
    config = rules(bench, bench.recipient, OTHER)
    stranger = resealer(bench, config, FileOpener(identities.parse(OTHER_KEY, "a stranger's keys")))
    with pytest.raises(CannotOpen, match=bench.recipient):
        stranger.reseal(data, one.path, config.match(one.path), EXPECTED, LATER)
