"""Sealing and opening through the sops program, and every way in which the program can fail."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.artifacts import process
from reconciler.artifacts.age import NativeSealer
from reconciler.artifacts.formats import all_formats
from reconciler.artifacts.identities import Identities
from reconciler.artifacts.opener import FileOpener, metadata_of
from reconciler.artifacts.packing import packed
from reconciler.artifacts.process import Program, child_environment, find
from reconciler.artifacts.program import ProgramOpener, ProgramSealer
from reconciler.artifacts.rules import parse
from reconciler.artifacts.sealing import RuleSealer
from reconciler.errors import ArtifactTampered, CannotOpen, SealFailed
from reconciler.secret import Secret

from .kit import EXPECTED, HEADER, SOPS, Bench, opened_text, parcel

CANARY = "canary-3f9b1c"
FORMATS = tuple(all_formats())


def fake(folder: Path, script: str, version: str = "sops 3.11.0") -> str:
    """A program that answers `--version`, and does what the script says otherwise."""
    place = folder / "sops"
    place.write_text(f'#!/bin/sh\nif [ "$1" = --version ]; then echo "{version}"; exit 0; fi\n{script}\n')
    place.chmod(place.stat().st_mode | stat.S_IXUSR)
    return str(place)


def sealer(bench: Bench, executable: str | None, timeout: float = 30) -> ProgramSealer:
    return ProgramSealer(Program(executable, bench.environ, timeout))


@pytest.mark.parametrize("form", FORMATS)
def test_the_program_ignores_a_rules_own_selection(bench: Bench, form: str) -> None:
    """A rule that would encrypt nothing does not make a secret plain: the format's selection holds."""
    config = bench.rules(
        f"creation_rules: [{{path_regex: plant, age: {bench.recipient}, encrypted_regex: ^nothing$}}]"
    )
    one = parcel(form)
    for data in (
        ProgramSealer(bench.program()).seal(packed(one), config.match(one.path)),
        NativeSealer(os.urandom).seal(packed(one), config.match(one.path)),
    ):
        assert b"MIIEvQIBADANBgkq" not in data
        assert opened_text(bench.opener().open(data, one.path, EXPECTED).fields) == opened_text(one.fields)


@pytest.mark.parametrize("form", FORMATS)
def test_a_pgp_recipient(bench: Bench, form: str, pgp: tuple[str, dict[str, str]]) -> None:
    """A PGP rule is sealed by the program and opened by it; the recipient is listed."""
    fingerprint, environ = pgp
    program = Program(SOPS, environ)
    config = parse(f"creation_rules: [{{pgp: {fingerprint}}}]".encode())
    one = parcel(form)
    data = RuleSealer(config.match, NativeSealer(os.urandom), ProgramSealer(program)).seal(one)
    assert metadata_of(data, one.path).recipients == (f"pgp {fingerprint}",)
    found = FileOpener(Identities(), ProgramOpener(program)).open(data, one.path, EXPECTED)
    assert opened_text(found.fields) == opened_text(one.fields)


def test_key_groups(bench: Bench) -> None:
    """A data key split over two groups is sealed and opened by the program, never natively."""
    group = f"{{age: [{bench.recipient}]}}"
    config = bench.rules(f"creation_rules: [{{key_groups: [{group}, {group}], shamir_threshold: 2}}]")
    one = parcel("yaml")
    data = RuleSealer(config.match, NativeSealer(os.urandom), ProgramSealer(bench.program())).seal(one)
    assert metadata_of(data, one.path).recipients == (bench.recipient, bench.recipient)
    assert bench.program_opener().open(data, one.path).header == HEADER
    with pytest.raises(CannotOpen):
        bench.opener().open(data, one.path)


def test_secrets_go_by_stdin_only(bench: Bench, tmp_path: Path) -> None:
    """No argument, no variable and no file that the program gets holds the secret; its stdin does."""
    log = tmp_path / "log"
    script = f'echo "$@" > {log}\nenv >> {log}\ncat "$2" >> {log}\ncat > {tmp_path}/stdin\nexit 1'
    one = parcel("yaml", {"secret_id": Secret(CANARY)})
    with pytest.raises(SealFailed):
        sealer(bench, fake(tmp_path, script)).seal(packed(one), bench.config().match(one.path))
    seen = log.read_text()
    assert CANARY not in seen
    assert "SOPS_AGE_KEY" not in seen
    assert bench.recipient in seen
    assert CANARY in (tmp_path / "stdin").read_text()


def test_an_error_never_repeats_a_secret(bench: Bench, tmp_path: Path) -> None:
    """Even a program that prints the secret does not get it into our error; else it is quoted."""
    one = parcel("yaml", {"secret_id": Secret(CANARY)})
    rule = bench.config().match(one.path)
    with pytest.raises(SealFailed) as caught:
        sealer(bench, fake(tmp_path, "cat >&2; exit 1")).seal(packed(one), rule)
    assert CANARY not in str(caught.value)
    assert "exit 1" in str(caught.value)
    with pytest.raises(SealFailed, match="access denied by KMS"):
        sealer(bench, fake(tmp_path, "cat > /dev/null; echo access denied by KMS >&2; exit 1")).seal(
            packed(one), rule
        )


@pytest.mark.parametrize(
    ("code", "reason"), [(100, "found no file"), (203, "sealed already"), (25, "exit 25"), (200, "exit 200")]
)
def test_exit_codes_when_sealing(bench: Bench, tmp_path: Path, code: int, reason: str) -> None:
    """Each exit code of the program becomes SealFailed with its meaning and a hint."""
    one = parcel("yaml")
    program = sealer(bench, fake(tmp_path, f"cat > /dev/null; exit {code}"))
    with pytest.raises(SealFailed, match=f"{one.path}: .*{reason}") as caught:
        RuleSealer(parse(b"creation_rules: [{pgp: AB}]").match, program, program).seal(one)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("code", "error", "reason"),
    [
        (25, ArtifactTampered, "tree cannot be walked"),
        (51, ArtifactTampered, "MAC does not match"),
        (52, ArtifactTampered, "no MAC"),
        (128, CannotOpen, "found no key"),
        (100, CannotOpen, "exit 100"),
        (1, CannotOpen, "exit 1"),
    ],
)
def test_exit_codes_when_opening(
    bench: Bench, tmp_path: Path, code: int, error: type[Exception], reason: str
) -> None:
    """Each exit code becomes CannotOpen or ArtifactTampered; past the key, stderr is not quoted."""
    one = parcel("yaml")
    data = bench.seal(one)
    program = Program(fake(tmp_path, f"cat > /dev/null; echo {CANARY} >&2; exit {code}"), {})
    with pytest.raises(error, match=reason) as caught:
        FileOpener(Identities(foreign=True), ProgramOpener(program)).open(data, one.path)
    assert (CANARY in str(caught.value)) is (code == 128)


def test_the_real_program_finds_no_key(bench: Bench) -> None:
    """Without any identity the real program's refusal becomes CannotOpen."""
    one = parcel("yaml")
    data = bench.seal(one)
    program = Program(SOPS, {"PATH": os.environ["PATH"], "HOME": "/nonexistent"})
    with pytest.raises(CannotOpen, match="no key that opens"):
        FileOpener(Identities(foreign=True), ProgramOpener(program)).open(data, one.path)


@pytest.mark.parametrize(
    ("script", "version", "reason"),
    [
        ("exit 0", "sops 3.8.1", "sops 3.8 is too old"),
        ("exit 0", "hello", "is not the sops program"),
        ("exec tail -f /dev/null", "sops 3.11.0", "did not end within 0.3 seconds"),
        ("cat > /dev/null; echo '{}'", "sops 3.11.0", "file is not sealed"),
    ],
)
def test_an_unfit_program(bench: Bench, tmp_path: Path, script: str, version: str, reason: str) -> None:
    """Too old, another program, one that hangs, one that writes nonsense: an error with a remedy."""
    one = parcel("yaml")
    program = sealer(bench, fake(tmp_path, script, version), timeout=0.3)
    with pytest.raises((SealFailed, ArtifactTampered), match=reason) as caught:
        program.seal(packed(one), bench.config().match(one.path))
    assert caught.value.hint


def test_a_program_that_leaves_a_secret_plain_is_caught(bench: Bench, tmp_path: Path) -> None:
    """What comes back is checked: an unencrypted leaf is never published."""
    one = parcel("json")
    names = ("binding", "token_id", "algorithm", "private_key")
    head = {"kind": HEADER.kind, "id": HEADER.token_id, "generation": HEADER.generation}
    tree = {"reconciler": head, **dict.fromkeys(names, "x"), "sops": {"lastmodified": "x"}}
    plain = json.dumps(tree)
    with pytest.raises(SealFailed, match="wrote another file than it was asked for"):
        sealer(bench, fake(tmp_path, f"cat > /dev/null; echo '{plain}'")).seal(
            packed(one), bench.config().match(one.path)
        )


@pytest.mark.parametrize("executable", [None, "/nonexistent/sops"])
def test_a_missing_program_says_how_to_get_it(bench: Bench, executable: str | None) -> None:
    """Without the program both directions fail with the remedy."""
    one = parcel("yaml")
    with pytest.raises(SealFailed) as sealing:
        sealer(bench, executable).seal(packed(one), bench.config().match(one.path))
    program = ProgramOpener(Program(executable, {}))
    with pytest.raises(CannotOpen) as opening:
        FileOpener(Identities(foreign=True), program).open(bench.seal(one), one.path)
    assert "RECONCILER_SOPS" in sealing.value.hint
    assert "RECONCILER_SOPS" in opening.value.hint


def test_half_a_surrogate_pair_never_reaches_the_program(bench: Bench) -> None:
    """Text that the program would replace is refused before it runs."""
    one = parcel("yaml", {"a": Secret("x\ud800")})
    with pytest.raises(SealFailed, match="not valid Unicode"):
        sealer(bench, None).seal(packed(one), bench.config().match(one.path))


def test_the_environment_is_small() -> None:
    """Clouds and keyrings get through; our settings do not; identities only for opening."""
    environ = {
        "PATH": "p",
        "AWS_PROFILE": "a",
        "VAULT_TOKEN": "v",
        "GNUPGHOME": "g",
        "RECONCILER_STORE": CANARY,
        "PGPASSWORD": CANARY,
        "SOPS_AGE_RECIPIENTS": "x",
        "SOPS_AGE_KEY": "k",
    }
    sealing, opening = (child_environment(environ, sealing=mode) for mode in (True, False))
    assert set(sealing) == {"PATH", "AWS_PROFILE", "VAULT_TOKEN", "GNUPGHOME", "SOPS_DISABLE_VERSION_CHECK"}
    assert set(opening) == set(sealing) | {"SOPS_AGE_KEY"}


def test_where_the_program_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting wins, then PATH, then the folder of this Python."""
    other = tmp_path / "bin"
    other.mkdir()
    beside = fake(tmp_path, "")
    on_path = fake(other, "")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert find("/x/sops", str(other)) == "/x/sops"
    assert find(None, str(other)) == on_path
    assert find(None, str(tmp_path / "nothing")) == beside
    (tmp_path / "sops").unlink()
    assert find(None, str(tmp_path / "nothing")) is None


def test_a_run_does_not_show_what_it_printed() -> None:
    """The repr of an ended run holds neither output."""
    assert repr(process.Ended(0, CANARY.encode(), CANARY)) == "Ended(code=0)"


def test_the_program_that_ended_meanwhile_is_no_error() -> None:
    """Killing a process group that is gone already does nothing."""
    with subprocess.Popen(["true"], start_new_session=True) as child:
        child.wait()
        process._kill(child)
    assert child.returncode == 0
