"""Records that were edited, removed, reordered, replayed or forged are found, and named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from reconciler.audit.recorded import in_order
from reconciler.audit.verifying import chain, sealed, signing
from reconciler.audit.verifying.finding import Check, Finding
from reconciler.errors import RecordUnreadable
from reconciler.records.chain import RecordFile
from reconciler.records.envelope import envelope, read
from reconciler.records.keys import read_keys
from tests.apply.kit import jwt_token, login_token
from tests.audit.audited import LIFE, Audited, Signer, copied, lived, rewritten, told


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Audited:
    """A workspace with some history, signed: not to be written to."""
    return lived(tmp_path_factory.mktemp("records") / "house")


@pytest.fixture
def house(whole: Audited, tmp_path: Path) -> Audited:
    """A copy to tamper with."""
    return copied(whole, tmp_path / "house")


def name(house: Audited, number: int) -> str:
    """Path of a record, as findings name it; negative from the end."""
    return house.records()[number].relative_to(house.root).as_posix()


def flipped(data: bytes, at: int) -> bytes:
    """One bit of a byte."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def without(data: bytes, at: int) -> bytes:
    """A few bytes less."""
    return data[:at] + data[at + 3 :]


def inserted(data: bytes, at: int) -> bytes:
    """A byte more; a blank, which JSON would not mind."""
    return data[:at] + b" " + data[at:]


def cut(data: bytes, at: int) -> bytes:
    """All behind a place is gone."""
    return data[:at]


def replaced(data: bytes, at: int) -> bytes:
    """A range of zeros."""
    return data[:at] + b"0" * len(data[at : at + 8]) + data[at + 8 :]


@pytest.mark.parametrize("edit", [flipped, without, inserted, cut, replaced])
@pytest.mark.parametrize("number", range(LIFE))
def test_no_byte_of_a_record_can_be_changed(
    number: int, edit: Callable[[bytes, int], bytes], whole: Audited
) -> None:
    """Wherever it is, and in whatever record, the first and the last too: the file itself is named."""
    files = [RecordFile(path.name, path.read_bytes()) for path in whole.records()]
    data, step = files[number].data, 1 if number == LIFE - 1 and edit is flipped else 17
    for at in range(0, len(data), step):
        edited = edit(data, at)
        if edited != data:
            found = list(
                _checked(
                    [*files[:number], RecordFile(files[number].path, edited), *files[number + 1 :]], whole
                )
            )
            assert files[number].path in {one.where for one in found}, at


def _checked(files: list[RecordFile], house: Audited) -> Iterator[Finding]:
    """By the chain and the signatures alone: no history helps."""
    assert house.signer is not None
    found: list[Finding] = []
    links = chain.linked(files, "", found)
    yield from found
    yield from chain.chain(links, "records")
    yield from signing.signatures(links, read_keys([house.signer.line]), signing.Tally(), required=True)


def altered(files: list[RecordFile], rng: Random) -> list[RecordFile]:
    """Something that may be wrong with records, or nothing: lost, doubled, swapped, renamed, edited."""
    number, other = rng.randrange(len(files)), rng.randrange(len(files))
    one, two = files[number], files[other]
    names = [one.name, two.name, f"{other + 1:08d}-{one.name[9:]}", f"{number + 1:08d}-ff.json"]
    more = RecordFile(rng.choice(names), rng.choice([one.data, two.data, b"{}"]))
    return [*files[:number], *rng.choice([(), (one,), (more,), (one, more)]), *files[number + 1 :]]


def test_what_verify_finds_wrong_with_the_chain_is_what_log_and_access_refuse(whole: Audited) -> None:
    """The two read it apart, one to its first fault and one to its end: neither takes what the other does
    not.
    """
    files = [RecordFile(path.name, path.read_bytes()) for path in whole.records()]
    rng, refused = Random(7), 0
    for _ in range(300):
        tried = files
        for _ in range(rng.randrange(3)):
            tried = altered(tried, rng)
        found: list[Finding] = []
        found += chain.chain(chain.linked(tried, "", found), "")
        try:
            in_order(tried)
        except RecordUnreadable:
            refused += 1
            assert found, tried
        else:
            assert found == [], tried
    assert 50 < refused < 290


def test_an_edit_is_found_by_the_history_as_well(house: Audited) -> None:
    """The commit that made it is told."""
    path = house.records()[1]
    path.write_bytes(path.read_bytes().replace(b'"payload"', b'"payloae"'))
    commit = house.commit("edit")
    found = house.found().faults
    later = next(one for one in found if one.check is Check.RECORD_CHANGED_LATER)
    assert (later.where, commit[:10] in later.message) == (name(house, 1), True)
    assert (Check.RECORD_EDITED, name(house, 1)) in told(house.found())


def test_an_edit_that_was_taken_back_is_found(house: Audited) -> None:
    """The record is as it was, and the history is not."""
    path = house.records()[-1]
    data = path.read_bytes()
    path.write_bytes(data + b"\n")
    house.commit("edit")
    path.write_bytes(data)
    house.commit("back")
    assert told(house.found()) == {(Check.RECORD_CHANGED_LATER, name(house, -1))}


@pytest.mark.parametrize("number", [0, 2, LIFE - 1])
def test_a_record_that_was_removed_is_found(number: int, house: Audited) -> None:
    """Its number is missing, or its removal is in the history: of the last one too."""
    gone = name(house, number)
    (house.root / gone).unlink()
    house.commit("remove")
    found = told(house.found())
    assert (Check.RECORD_REMOVED, gone) in found
    if number < LIFE - 1:
        missing = f"artifacts/records/{number + 1:08d}-*.json"
        assert (Check.RECORD_MISSING, missing) in found


def test_a_record_that_was_removed_and_restored_is_found(house: Audited) -> None:
    """Whoever looked meanwhile did not see it."""
    path = house.records()[-1]
    data = path.read_bytes()
    path.unlink()
    house.commit("remove")
    path.write_bytes(data)
    house.commit("restore")
    assert told(house.found()) == {(Check.RECORD_REMOVED, name(house, -1))}


def test_the_end_of_a_line_that_was_rewritten_is_found_by_an_anchor(house: Audited) -> None:
    """The last commits are taken away as if they had never been: git cannot tell, a noted digest can."""
    noted = house.found().head
    house.repo.git("reset", "--quiet", "--hard", "HEAD~2")
    assert told(house.found()) == set()
    assert told(house.found(anchors=[noted])) == {(Check.ANCHOR_MISSING, "artifacts/records")}


def test_records_in_another_order_are_found(house: Audited) -> None:
    """Two files that hold each other's bytes."""
    one, other = house.records()[1:3]
    data = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(data)
    house.commit("swap")
    found = told(house.found())
    assert {(Check.RECORD_MISNAMED, name(house, 1)), (Check.RECORD_MISNAMED, name(house, 2))} <= found


def test_a_record_that_is_replayed_is_found(house: Audited) -> None:
    """An old one stands at the end again, under the next number."""
    last, again = house.records()[-1], house.records()[0]
    new = last.with_name(f"{LIFE + 1:08d}-{again.stem.partition('-')[2]}.json")
    new.write_bytes(again.read_bytes())
    house.commit("replay")
    assert (Check.RECORD_MISNAMED, name(house, -1)) in told(house.found())


def test_two_records_of_one_number_are_found(house: Audited) -> None:
    """Whichever of the two came with the run."""
    first = house.records()[2]
    first.with_name("00000003-ff.json").write_bytes(first.read_bytes())
    house.commit("double")
    assert Check.RECORD_DOUBLED in {check for check, _ in told(house.found())}


def test_what_is_no_record_among_the_records_is_found(house: Audited) -> None:
    """A file, and a link."""
    folder = house.root / "artifacts" / "records"
    (folder / "note.json").write_text("{}")
    (folder / "99999999-ab.json").symlink_to(house.records()[0].name)
    house.commit("more")
    found = told(house.found())
    assert (Check.RECORD_FOREIGN, "artifacts/records/note.json") in found
    assert (Check.RECORD_FOREIGN, "artifacts/records/99999999-ab.json") in found


def rechained(house: Audited, signer: Signer | None, *, keep: bool = False) -> None:
    """Another actor in the second record, in a line without a past."""
    rewritten(house, 2, {"actor": "somebody else"}, signer, keep=keep)
    house.repo.git("checkout", "--quiet", "--orphan", "forged")
    house.commit("forged")


def test_a_forged_line_without_a_key_is_found_by_its_signatures(house: Audited) -> None:
    """Each record from the one that was edited on is unsigned."""
    names = [name(house, number) for number in range(LIFE)]
    rechained(house, None)
    assert {(Check.RECORD_UNSIGNED, one) for one in names[1:]} <= told(house.found())


def test_signatures_of_other_records_do_not_fit(house: Audited) -> None:
    """The old signatures stand beside what was edited."""
    names = [name(house, number) for number in range(LIFE)]
    rechained(house, None, keep=True)
    assert {(Check.RECORD_SIGNATURE, one) for one in names[1:]} <= told(house.found())


def test_a_forged_line_by_a_key_of_the_forger_is_found(house: Audited) -> None:
    """It is none of those that the Workspace document names."""
    rechained(house, Signer())
    assert (Check.RECORD_SIGNATURE, name(house, 1)) in told(house.found())


def test_a_forger_who_names_the_key_is_told_and_found_by_keys_of_ones_own(house: Audited) -> None:
    """Keys in the clone are as good as the clone: who changed them is a note, and --keys finds the rest."""
    own, forger = house.signer, Signer()
    assert own is not None
    house.settings = {"audit": {"keys": [forger.line], "records": "signed"}}
    house.asks(message="keys")
    rechained(house, forger)
    report = house.found()
    assert Check.RECORD_SIGNATURE not in {check for check, _ in told(report)}
    assert Check.KEYS_CHANGED in {one.check for one in report.notes}
    assert (Check.RECORD_SIGNATURE, name(house, 0)) in told(house.found(keys=[own.line]))


def test_one_wrong_signature_beside_a_right_one_is_found(house: Audited) -> None:
    """A signature that is there and wrong is a finding, whatever stands beside it."""
    assert house.signer is not None
    path = house.records()[-1]
    signed = read(path.read_bytes())
    good = house.signer.sign(signed.payload)
    path.write_bytes(envelope(signed.payload, (*good, (good[0][0], bytes(64)))))
    house.commit("more")
    assert (Check.RECORD_SIGNATURE, name(house, -1)) in told(house.found())


def test_a_record_that_a_merge_drops_is_found(house: Audited) -> None:
    """No commit removed it: the merge took the other side's tree."""
    gone = name(house, -1)
    house.repo.git("checkout", "--quiet", "-b", "side", "HEAD~2")
    house.repo.commit(("README.md", "x"))
    house.repo.git("merge", "--quiet", "--strategy=ours", "-m", "merge", "main")
    assert (Check.RECORD_REMOVED, gone) in told(house.found())


def test_a_record_that_two_lines_brought_alike_is_one(house: Audited) -> None:
    """A pull request of artifacts that was squashed, and merged again: nothing was edited."""
    house.repo.git("checkout", "--quiet", "-b", "squashed", "HEAD~1")
    house.repo.git("checkout", "main", "--", "artifacts")
    house.commit("squash")
    house.repo.git("merge", "--quiet", "-m", "merge", "main")
    assert told(house.found()) == set()


def resigned(house: Audited, settings: dict[str, object], message: str) -> None:
    """A commit that changes what the Workspace document asks of records and commits."""
    assert house.signer is not None
    house.settings = {"audit": {"keys": [house.signer.line], **settings}}
    house.asks(jwt_token("line", apis=("b",)), login_token("shop", shop="T"), message=message)


def test_keys_of_ones_own_ask_for_signatures_whatever_the_clone_asks(house: Audited) -> None:
    """Else whoever may force-push strips them, without any key; `records=False` takes them as they are."""
    own = house.signer
    assert own is not None
    resigned(house, {"records": "any"}, "weaker")
    rechained(house, None)
    unsigned = {(Check.RECORD_UNSIGNED, name(house, number)) for number in range(LIFE)}
    assert Check.RECORD_UNSIGNED not in {check for check, _ in told(house.found())}
    assert unsigned - {(Check.RECORD_UNSIGNED, name(house, 0))} <= told(house.found(keys=[own.line]))
    assert unsigned <= told(house.found(records=True))
    assert Check.RECORD_UNSIGNED not in {
        check for check, _ in told(house.found(keys=[own.line], records=False))
    }


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"records": "any"}, "audit.records from signed to any"),
        ({"records": "signed", "commits": "signed"}, "audit.commits from any to signed"),
        (
            {"records": "signed", "commitsSince": "2099-01-01"},
            "audit.commitsSince from nothing to 2099-01-01",
        ),
    ],
)
def test_what_must_be_signed_changes_with_a_note(
    settings: dict[str, object], message: str, house: Audited
) -> None:
    """By the commit that changed it: what the newest document asks says nothing of what was taken before."""
    resigned(house, settings, "policy")
    commit = house.repo.git("rev-parse", "HEAD")
    (note,) = [one for one in house.found().notes if one.check is Check.POLICY_CHANGED]
    assert (note.where, message in note.message) == (f"commit {commit[:10]}", True)


def test_keys_that_yaml_hides_are_told(house: Audited) -> None:
    """A letter may be written as an escape: what reads specs reads it, and so does the audit."""
    path = next(one for one in (house.root / "specs").rglob("*.yaml") if b"Workspace" in one.read_bytes())
    forger = Signer()
    escaped = '{"a\\u0075dit": {keys: ["%s"], "rec\\u006frds": signed}}' % forger.line  # noqa: UP031
    head = "apiVersion: reconciler/v1\nkind: Workspace\nmetadata: {name: plant}\nspec: "
    path.write_text(f"{head}{escaped}\n", "utf-8")
    house.commit("hidden")
    told_of = [one.message for one in house.found().notes if one.check is Check.KEYS_CHANGED]
    assert any(forger.line.split()[1][-12:] in one for one in told_of)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("log.showRoot", "false"),
        ("log.follow", "true"),
        ("log.showSignature", "true"),
        ("log.diffMerges", "off"),
        ("diff.relative", "true"),
        ("i18n.logOutputEncoding", "UTF-16"),
    ],
)
def test_what_git_is_set_to_changes_nothing(setting: str, value: str, tmp_path: Path) -> None:
    """On the auditor's machine, or in the clone: the records of a first commit are looked at too."""
    root = tmp_path / "one" / "house"
    house = Audited(root, f"sqlite:///{root}/.reconciler/live.db")
    house.asks(jwt_token("one"))
    house.applies()
    house.repo.git("checkout", "--quiet", "--orphan", "first")
    house.commit("all at once")
    before = house.found()
    assert before.checked["artifacts when recorded"] == "1 artifact"
    house.repo.git("config", setting, value)
    after = house.found()
    assert (told(after), after.checked) == (told(before), before.checked)


def test_a_record_that_no_commit_brought_is_told(whole: Audited) -> None:
    """It is not left out in silence: what it says of artifacts, nobody looks at."""
    files = [RecordFile(path.name, path.read_bytes()) for path in whole.records()]
    links = chain.linked(files, "", [])
    looks, found = sealed.to_look_at(links, {link.name: "0" * 40 for link in links[1:]})
    assert [(one.check, one.where) for one in found if one.check is Check.RECORD_UNTRACED] == [
        (Check.RECORD_UNTRACED, links[0].path)
    ]
    assert looks
