"""Every way in which delivery fails: what it says, that nothing becomes live, and that the mend works."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import pytest

from reconciler import workspace
from reconciler.artifacts.process import Program
from tests.artifacts.kit import SOPS
from tests.artifacts.test_program import fake
from tests.cli.kit import RSA, spawn
from tests.delivery.kit import BRIDGE, ERP, Depot, Keys
from tests.servers import OpenBao, free_port, openbao

UNKNOWN = "0123456789ABCDEF0123456789ABCDEF01234567"


@pytest.fixture
def by_gpg(depot: Depot, gpg: Keys) -> Iterator[Depot]:
    """One token is live and a second one declared, sealed by PGP; after the mend, both must be live."""
    yield from _one_live(depot, gpg)


@pytest.fixture
def by_transit(depot: Depot, transit: Keys) -> Iterator[Depot]:
    """The same, sealed by OpenBao."""
    yield from _one_live(depot, transit)


def _one_live(depot: Depot, keys: Keys) -> Iterator[Depot]:
    depot.seal(keys, BRIDGE)
    first = depot.artifact("bridge").read_bytes()
    depot.declare(BRIDGE, ERP)
    yield depot
    depot.seal(keys, BRIDGE, ERP)
    assert depot.live() == {"bridge": 1, "erp": 1}
    assert depot.artifact("bridge").read_bytes() == first
    assert depot.both("erp", keys)["secret"]


@pytest.mark.parametrize(
    ("script", "version", "told"),
    [
        ("exit 0", "sops 3.8.1 (latest)", ("sops 3.8 is too old", "install sops 3.9 or newer")),
        ("exit 0", "Usage: something else", ("is not the sops program", "RECONCILER_SOPS")),
        ("exec tail -f /dev/null", "sops 3.11.0", ("did not end within 0.3 seconds", "gpg-agent, vault")),
        ("kill -9 $$", "sops 3.11.0", ("the sops program was killed (SIGKILL)", "run this again")),
        ("kill -42 $$", "sops 3.11.0", ("the sops program was killed (signal 42)", "run this again")),
        ("exit 77", "sops 3.11.0", ("the sops program failed (exit 77)", "check that the rule's keys")),
    ],
)
def test_an_unfit_program(by_gpg: Depot, gpg: Keys, script: str, version: str, told: tuple[str, str]) -> None:
    """Too old, another program, one that hangs, that is killed, that fails: exit 1 and what to do."""
    unfit = {"RECONCILER_SOPS": fake(by_gpg.log.parent, script, version)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workspace, "Program", partial(Program, timeout=0.3))
        ran = by_gpg.fails(*told, gpg.writer, unfit)
        assert ran.code == 1


@pytest.mark.parametrize("echo", ["cat", "grep -o 'private_key.*'", "grep -o 'private_key.\\{200\\}'"])
def test_a_program_that_repeats_what_it_was_given(depot: Depot, gpg: Keys, echo: str) -> None:
    """All of its input, the key escaped, or the start of it: no line of a key gets into our message."""
    depot.rule(gpg.rule)
    depot.declare(RSA)
    seen = depot.log.parent / "stdin"
    unfit = {"RECONCILER_SOPS": fake(depot.log.parent, f"tee {seen} | {echo} >&2; exit 1")}
    ran = depot.fails("the sops program failed (exit 1)", "check that the rule's keys", gpg.writer, unfit)
    key = json.loads(seen.read_text())["private_key"].splitlines()
    assert len(key) > 20
    assert not [line for line in key[1:-1] if line[:20] in ran.out + ran.err]


def test_a_missing_program(by_gpg: Depot, gpg: Keys) -> None:
    """Named and not there, or not named and nowhere: both say how to get it."""
    install = "pip install 'reconciler[sops]'"
    named = {"RECONCILER_SOPS": "/nonexistent/sops"}
    ran = by_gpg.fails("/nonexistent/sops cannot be started: No such file", install, gpg.writer, named)
    assert ran.code == 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "executable", "/nonexistent/python")
        ran = by_gpg.fails(
            "needed for these recipients, and is not here", install, gpg.writer, {"PATH": "/none"}
        )
        assert ran.code == 1


@pytest.mark.parametrize(
    ("rule", "environ", "message", "hint"),
    [
        (None, {}, "(encryption failed: No public key)", "gpg --import"),
        (f"{{pgp: {UNKNOWN}}}", {}, f"cannot seal to {UNKNOWN} (", "correct the fingerprint"),
        ("{pgp: hello}", {}, "'hello' is not a valid long keyID", "correct the fingerprint"),
        (None, {"SOPS_GPG_EXEC": "/nonexistent/gpg"}, "GnuPG gave no answer", "install gpg"),
    ],
)
def test_an_unusable_pgp_key(
    by_gpg: Depot, rule: str | None, environ: Mapping[str, str], message: str, hint: str
) -> None:
    """A key that the keyring lacks, one that nobody has, no fingerprint at all, no gpg."""
    keyring = by_gpg.temporary.parent / "keyring"
    keyring.mkdir(0o700)
    if rule is not None:
        by_gpg.rule(rule)
    ran = by_gpg.fails(message, hint, {"GNUPGHOME": str(keyring)}, environ)
    assert ran.code == 1


@pytest.mark.parametrize("token", ["", "wrong"])
def test_no_permission_to_use_the_transit_key(by_transit: Depot, bao: OpenBao, token: str) -> None:
    """Without VAULT_TOKEN, and with one that grants nothing, the refusal and the remedy are told."""
    message = f"cannot seal to {bao.uri()} (HTTP 403: permission denied)"
    ran = by_transit.fails(message, "set VAULT_TOKEN", {**bao.environ(), "VAULT_TOKEN": token})
    assert ran.code == 1


def test_the_token_of_the_owner_does_not_seal(by_transit: Depot, transit: Keys) -> None:
    """A token that may decrypt and not encrypt is refused in the same words."""
    ran = by_transit.fails("permission denied", "update encrypt/KEY to seal", transit.reader)
    assert ran.code == 1


def test_a_sealed_server(by_transit: Depot, transit: Keys, bao: OpenBao) -> None:
    """A server that is sealed says so."""
    with bao.sealed():
        ran = by_transit.fails("is sealed)", "have the key server unsealed", transit.writer)
        assert ran.code == 1


def test_a_server_that_is_down(depot: Depot, transit: Keys) -> None:
    """Nobody answers: nothing becomes live; once the server runs, the same command delivers."""
    port = free_port()
    down = OpenBao(port, depot.log)
    depot.rule(f'{{hc_vault_transit_uri: "{down.uri()}"}}')
    depot.declare(ERP)
    depot.fails("connection refused", "see that the key service runs", down.environ())
    with openbao(port) as running, depot.acting(running.environ()):
        depot.shop.ok("apply", "--yes")
        assert depot.downloaded("erp") == depot.decrypted("erp")


def test_opening_says_why_it_cannot(depot: Depot, gpg: Keys, transit: Keys) -> None:
    """No secret key, no permission: `download` says which key, why, and what to do."""
    for keys, why, hint in (
        (gpg, "(decryption failed: No secret key)", "secret key into the keyring"),
        (transit, "(HTTP 403: permission denied)", "decrypt/KEY to open"),
    ):
        depot.seal(keys, BRIDGE if keys is gpg else ERP)
        with depot.acting(keys.writer):
            ran = depot.refused("download", *depot.live(), "--stdout")
        assert "no key that opens artifacts/" in ran.err
        assert why in ran.err
        assert hint in ran.err


def test_all_that_refuse_are_named(depot: Depot, shamir: Keys, bao: OpenBao) -> None:
    """Where two of three recipients cannot be sealed to, both are told in one message."""
    depot.rule(shamir.rule)
    depot.declare(ERP)
    ran = depot.fails("No public key", "gpg --import", {"GNUPGHOME": str(depot.temporary)}, bao.environ("no"))
    assert f"{bao.uri()} (HTTP 403: permission denied)" in ran.err


def test_no_place_for_temporary_files(by_gpg: Depot, gpg: Keys) -> None:
    """A TMPDIR that is gone after the start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", "/nonexistent")
        ran = by_gpg.fails("No such file or directory", "TMPDIR", gpg.writer)
        assert ran.code == 1


def test_a_full_disk_for_temporary_files(by_gpg: Depot, gpg: Keys) -> None:
    """No room for the program's config; what was begun of it is gone."""
    written = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if path.name == "rules.yaml":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return written(path, data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        ran = by_gpg.fails("No space left on device", "make room there", gpg.writer)
        assert ran.code == 1
    assert list(by_gpg.temporary.iterdir()) == []


def test_an_apply_that_dies_while_the_program_runs(by_gpg: Depot, gpg: Keys, tmp_path: Path) -> None:
    """Killed at once, it leaves nothing live, and only public recipients in TMPDIR."""
    killer = fake(tmp_path, f'kill -9 $PPID; exec {SOPS} "$@"')
    before = by_gpg.live()
    with by_gpg.acting(gpg.writer, {"RECONCILER_SOPS": killer}):
        assert spawn(["apply", "--yes"]).returncode == -signal.SIGKILL
    assert by_gpg.live() == before
    (left,) = (path for path in by_gpg.temporary.rglob("*") if path.is_file())
    assert "pgp" in left.read_text()
    assert "ENC[" not in left.read_text()


def test_an_interrupted_download_takes_the_program_along(depot: Depot, gpg: Keys, tmp_path: Path) -> None:
    """Ctrl-C while the program waits for a key: exit 130, and the program is gone too."""
    depot.seal(gpg, BRIDGE)
    started = tmp_path / "started"
    os.mkfifo(started)
    # It tells of itself once it has read all: by then somebody waits for its answer.
    hanging = fake(tmp_path, f"cat > /dev/null; echo $$ > {started}; exec tail -f /dev/null")
    command = [sys.executable, "-m", "reconciler.cli", "download", "bridge", "--stdout"]
    with (
        depot.acting(gpg.reader, {"RECONCILER_SOPS": hanging}),
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process,
    ):
        program = int(started.read_text())
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, b"")
    with pytest.raises(ProcessLookupError):
        os.kill(program, 0)
