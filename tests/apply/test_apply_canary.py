"""No secret is anywhere but in memory and in sealed files."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from reconciler.apply.interface import Ports
from reconciler.artifacts.interface import Parcel, Recipients, Sealer
from reconciler.errors import PartlyApplied
from reconciler.kinds import tokenauth
from reconciler.records.envelope import read
from reconciler.secret import Secret
from tests.apply.breaking import Fuse, How, breaking_system
from tests.apply.fleet import aged_fleet, edit_fleet
from tests.apply.kit import House, auth_token, jwt_token, login_token, rsa_token, text
from tests.apply.processes import ended, start
from tests.apply.test_apply_processes import Pause


@dataclass
class Canary:
    """A sealer that remembers every secret that goes through it."""

    seen: list[str] = field(default_factory=list, repr=False)

    def ports(self, ports: Ports) -> Ports:
        """Ports that it listens to."""
        return replace(ports, sealer=_Listening(ports.sealer, self.seen))

    def check(self, what: str, data: bytes | str) -> None:
        """None of the secrets is in there, whole or in part, in any spelling of its line ends."""
        shown = data if isinstance(data, str) else data.decode("utf-8", "replace")
        for secret in self.seen:
            for part in _parts(secret):
                assert part not in shown, what


def _parts(secret: str) -> list[str]:
    """The lines of a key without its first and last; a token without its public claims."""
    if "-----" in secret:
        return [line for line in secret.splitlines() if line and not line.startswith("-----")]
    return [secret.rpartition(".")[2]] if secret.count(".") == 2 else [secret]


class _Listening:
    def __init__(self, sealer: Sealer, seen: list[str]) -> None:
        self._sealer, self._seen = sealer, seen

    def recipients(self, path: str) -> Recipients:
        return self._sealer.recipients(path)

    def seal(self, parcel: Parcel) -> bytes:
        self._seen.extend(one.open() for one in parcel.fields.values() if isinstance(one, Secret))
        return self._sealer.seal(parcel)


SECRETS = ("private_key", "secret_id", "jwt", "login_token", "secret")


def everything_on_disk(house: House) -> Iterator[tuple[str, bytes]]:
    """Every file of the workspace: the store and its log, specs, artifacts, records, staging.

    What a record says stands in base64, so it is looked at as it reads, too.
    """
    for path in sorted(house.root.rglob("*")):
        if path.is_file():
            yield path.name, path.read_bytes()
        if path.is_file() and path.parent.name == "records":
            yield f"what {path.name} says", read(path.read_bytes()).payload


def test_no_secret_is_on_disk_or_in_a_plan_or_a_log(
    house: House, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """After an apply with every action; the store's write-ahead log is read too."""
    caplog.set_level(logging.DEBUG)
    canary = Canary()
    aged_fleet(house)
    edit_fleet(house)
    canary.check("plan", house.plan().to_bytes())
    result = house.apply(canary.ports)
    assert len(canary.seen) >= 6
    names = [name for name, _ in everything_on_disk(house)]
    assert any(name.startswith("what 0000000") for name in names)
    assert "live.db-wal" in names
    for name, data in everything_on_disk(house):
        canary.check(name, data)
    canary.check("result", repr(result) + repr(result.to_json()))
    canary.check("live", repr(house.live()))
    canary.check("log", caplog.text)
    canary.check("output", "".join(capfd.readouterr()))
    canary.check("plan", house.plan().to_bytes())


@pytest.mark.parametrize("at", range(1, 60, 4))
def test_no_secret_is_in_an_error_whatever_breaks(house: House, at: int) -> None:
    """Nor in its causes, nor in a traceback with the values of all variables, nor left on disk."""
    canary = Canary()
    house.declare(rsa_token("r"), jwt_token("j"), login_token("l"), auth_token("t"))
    fuse = Fuse(at, How.BEFORE)

    def wrap(ports: Ports) -> Ports:
        return canary.ports(fuse.wrapped(ports))

    try:
        with breaking_system(fuse):
            house.apply(wrap)
    except Exception as error:  # noqa: BLE001 - every kind of error is looked at
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        canary.check("traceback", "".join(shown.format()))
        canary.check("error", repr(error) + str(error))
    for name, data in everything_on_disk(house):
        canary.check(name, data)


def test_a_fault_that_was_not_foreseen_is_named_and_not_quoted(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another library says may hold what it was given."""
    house.declare(jwt_token("old"))
    house.apply()
    house.declare(auth_token("new"))

    def fail(*_: object, **__: object) -> None:
        raise ValueError("hunter2")

    monkeypatch.setattr(tokenauth, "Minted", fail)
    with pytest.raises(PartlyApplied, match=r"a fault that was not foreseen \(ValueError\)") as raised:
        house.apply()
    assert "hunter2" not in str(raised.value)


def test_no_secret_is_in_a_process_that_others_can_look_at(house: House, tmp_path: Path) -> None:
    """Arguments and environment while it publishes; what it wrote to stdout and stderr; its files."""
    house.declare(rsa_token("r"), jwt_token("j"), login_token("l"), auth_token("t"))
    pause = Pause(tmp_path, "replace")
    process = start(house, "--debug", "apply", "--yes", prelude=pause.prelude)
    pause.reached()
    looked_at = {name: Path(f"/proc/{process.pid}/{name}").read_bytes() for name in ("cmdline", "environ")}
    staged = dict(everything_on_disk(house))
    done = ended(process)
    assert done.code == 0, done
    canary = Canary()
    for token in house.live().values():
        fields = house.opened(token)
        canary.seen += [text(fields[name]) for name in SECRETS if name in fields]
    assert len(canary.seen) == 5
    for name, data in {**looked_at, **staged, **dict(everything_on_disk(house))}.items():
        canary.check(name, data)
    canary.check("output", done.out + done.err)
