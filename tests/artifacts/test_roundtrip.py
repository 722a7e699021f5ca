"""What we seal, sops opens; what sops seals, we open; whatever the values."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings

from reconciler.artifacts.formats import all_formats
from reconciler.artifacts.formats.interface import Format
from reconciler.artifacts.interface import Expected
from reconciler.artifacts.opener import FileOpener, metadata_of, read_header
from reconciler.artifacts.packing import packed
from reconciler.artifacts.tree import Tree
from reconciler.canonical import digest
from reconciler.secret import Secret

from .kit import AWKWARD, EXPECTED, FORMATS, HEADER, PEM, Bench, fields, opened_text, parcel

every_format = pytest.mark.parametrize("form", FORMATS)


def by_sops(bench: Bench, data: bytes, form: Format) -> Tree:
    """The plain tree, as the real program decrypts it."""
    done = bench.sops(
        "decrypt", "--input-type", form.store, "--output-type", "json", "--filename-override", "x", stdin=data
    )
    assert done.returncode == 0, done.stderr
    tree: Tree = json.loads(done.stdout)
    return tree


@every_format
@settings(max_examples=12, deadline=None)
@given(contents=fields())
def test_sops_opens_what_we_seal(bench: Bench, form: str, contents: dict[str, str | Secret]) -> None:
    """The real program decrypts every value of a natively sealed file to what was sealed."""
    one = parcel(form, contents)
    tree = by_sops(bench, bench.sealer().seal(one), all_formats()[form])
    if form == "pem":
        assert tree["data"] == opened_text(contents)["private_key"]
    else:
        assert opened_text(all_formats()[form].fields(tree)) == opened_text(contents)


@every_format
@settings(max_examples=40, deadline=None)
@given(contents=fields())
def test_we_open_what_we_seal(bench: Bench, form: str, contents: dict[str, str | Secret]) -> None:
    """Sealing and opening natively gives the same header and fields, and shows no secret leaf."""
    one = parcel(form, contents)
    data = bench.sealer().seal(one)
    found = bench.opener().open(data, one.path, EXPECTED)
    assert found.header == HEADER
    assert opened_text(found.fields) == opened_text(contents)
    assert all(isinstance(value, Secret) for value in found.fields.values() if value != "")


@every_format
@settings(max_examples=8, deadline=None)
@given(contents=fields())
def test_we_open_what_sops_seals(bench: Bench, form: str, contents: dict[str, str | Secret]) -> None:
    """A file sealed through the program opens natively, with the same fields."""
    one = parcel(form, contents)
    data = bench.seal_by_program(one)
    assert opened_text(bench.opener().open(data, one.path, EXPECTED).fields) == opened_text(contents)


@every_format
def test_sops_opens_for_the_opener(bench: Bench, form: str) -> None:
    """Without a native identity the program decrypts, and the same checks are made."""
    one = parcel(form)
    found = bench.program_opener().open(bench.seal(one), one.path, EXPECTED)
    assert opened_text(found.fields) == opened_text(one.fields)


@every_format
def test_plain_sops_decrypt_needs_no_flags(bench: Bench, form: str) -> None:
    """`sops decrypt FILE` goes by the extension and prints what the owner wants."""
    one = parcel(form)
    bench.seal(one)
    done = bench.sops("decrypt", one.path)
    assert done.returncode == 0, done.stderr
    if form == "pem":
        assert done.stdout.decode() == PEM
    elif form == "dotenv":
        assert f"TOKEN_ID={HEADER.token_id}\n" in done.stdout.decode()
    elif form == "json":
        assert json.loads(done.stdout)["private_key"] == PEM
    else:
        assert HEADER.token_id in done.stdout.decode()


@every_format
@pytest.mark.parametrize("value", AWKWARD)
def test_awkward_values_come_back(bench: Bench, form: str, value: str) -> None:
    """Each awkward value comes back exactly."""
    one = parcel(form, {"private_key": Secret(value), "other": value})
    found = bench.opener().open(bench.sealer().seal(one), one.path)
    assert opened_text(found.fields) == {"private_key": value, "other": value}


@every_format
@pytest.mark.parametrize("both", [True, False])
def test_both_mac_modes_work(bench: Bench, form: str, *, both: bool) -> None:
    """With mac_only_encrypted and without, we and sops agree on the MAC."""
    one = parcel(form)
    only = "true" if both else "false"
    config = bench.rules(f"creation_rules: [{{age: {bench.recipient}, mac_only_encrypted: {only}}}]")
    sealer = bench.sealer()
    sealer._match = config.match
    data = sealer.seal(one)
    assert (b"mac_only_encrypted" in data) is both
    by_sops(bench, data, all_formats()[form])
    assert bench.opener().open(data, one.path).header == HEADER


@every_format
def test_the_header_reads_without_a_key(bench: Bench, form: str) -> None:
    """Header, recipients and digest need no key; a reformatted file gives the same header."""
    one = parcel(form)
    data = bench.seal(one)
    assert read_header(data, one.path) == HEADER
    assert metadata_of(data, one.path).recipients == (bench.recipient,)
    assert digest(data).startswith("sha256:")
    other = b"# comment\n" + data if form not in {"json", "pem"} else json.dumps(json.loads(data)).encode()
    assert read_header(other, one.path) == HEADER
    assert read_header(data, "no-extension") == HEADER


@every_format
@pytest.mark.parametrize("token_id", ["12345678", "1e5", "0x1f", "null", "0a1b", "a.b-c_d", "12345e67", "No"])
def test_numberlike_ids_stay_text(bench: Bench, form: str, token_id: str) -> None:
    """A token id that looks like a number or a word of YAML is the same text for us and for sops."""
    header = type(HEADER)("LoginToken", token_id, 0)
    one = parcel(form, header=header)
    data = bench.seal(one)
    assert read_header(data, one.path) == header
    assert all_formats()[form].header(by_sops(bench, data, all_formats()[form])) == header
    assert bench.opener().open(data, one.path, Expected(header)).header == header


@every_format
@pytest.mark.parametrize("change", ["rotate", "updatekeys", "set"])
def test_what_sops_writes_back_still_opens(bench: Bench, form: str, change: str) -> None:
    """After sops rotate, updatekeys (another recipient) and set, our reader accepts the file."""
    one = parcel(form)
    place = bench.write(one.path, bench.sealer().seal(one))
    where = {"pem": '["data"]', "dotenv": '["PRIVATE_KEY"]', "kubernetes": '["stringData"]["private_key"]'}
    if change == "rotate":
        done = bench.sops("rotate", "-i", one.path)
    elif change == "set":
        done = bench.sops("set", one.path, where.get(form, '["private_key"]'), '"new value"')
    else:
        bench.rules(f"creation_rules: [{{age: '{bench.recipient},{_other()}'}}]")
        done = bench.sops("updatekeys", "--yes", one.path)
    assert done.returncode == 0, done.stderr
    data = place.read_bytes()
    found = bench.opener().open(data, one.path, EXPECTED)
    assert opened_text(found.fields)["private_key"] == ("new value" if change == "set" else PEM)
    assert read_header(data, one.path) == HEADER
    assert len(metadata_of(data, one.path).recipients) == (2 if change == "updatekeys" else 1)


def _other() -> str:
    from .kit import key_pair

    return key_pair(1)[0]


@every_format
def test_sops_changes_few_lines(bench: Bench, form: str) -> None:
    """Of our layout, `sops updatekeys` changes only the lines of the new recipient."""
    one = parcel(form)
    before = bench.seal(one)
    bench.rules(f"creation_rules: [{{age: '{bench.recipient},{_other()}'}}]")
    assert bench.sops("updatekeys", "--yes", one.path).returncode == 0
    kept = set((bench.root / one.path).read_bytes().splitlines())
    gone = [line for line in before.splitlines() if line not in kept]
    assert not [line for line in gone if b"ENC[" in line or b"{" in line]
    assert len(gone) <= before.count(b"\n", before.find(b"-----BEGIN AGE"), before.find(b"-----END AGE")) + 2


def test_ssh_recipients_work_both_ways(bench: Bench, ssh_key: tuple[str, str]) -> None:
    """An SSH recipient is sealed to natively; sops and we open it with the SSH key."""
    public, private = ssh_key
    from reconciler.artifacts.identities import find

    bench.rules(f"creation_rules: [{{age: '{public}'}}]")
    one = parcel("yaml")
    from reconciler.artifacts.age import NativeSealer
    from reconciler.artifacts.rules import load

    data = NativeSealer(lambda n: bytes(range(n))).seal(packed(one), load(bench.root).match(one.path))
    named = {"SOPS_AGE_SSH_PRIVATE_KEY_FILE": private}
    mine = FileOpener(find(named, bench.root, "linux"))
    assert opened_text(mine.open(data, one.path).fields) == opened_text(one.fields)
    owner = Bench(bench.root, public, Secret(""), {"PATH": bench.environ["PATH"], **named})
    assert by_sops(owner, data, all_formats()["yaml"])["private_key"] == PEM
