"""That every benchmark works, at a tiny scale. No test here looks at a time."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.benchmarks import peers
from tests.benchmarks.__main__ import MEASUREMENTS, main

TINY = ["--scale", "0.0005", "--runs", "1"]
ROWS = {
    "cold_plan": 2,
    "no_change": 3,
    "rsa_apply": 1,
    "sealing": 3,
    "opening": 1,
    "checking": 8,
    "freshness": 3,
    "serving": 4,
    "audit_access": 2,
    "memory": 2,
    "startup": 1,
    "audit_verify": 2,
}


def measured(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines that one benchmark prints below the heading of the table."""
    assert main(["--only", name, "--folder", str(folder), *TINY]) == 0
    machine, heading, *lines = capsys.readouterr().out.splitlines()
    assert re.match(r"reconciler .* Python .* cores", machine)
    assert heading.split() == ["work", "ours", "peer", "ratio", "target", "reached"]
    return lines


@pytest.mark.parametrize("name", MEASUREMENTS)
def test_each_benchmark_prints_its_rows_with_what_each_side_took(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever peer is not installed is named, and how to install it; the rest is still measured."""
    lines = measured(name, tmp_path, capsys)
    rows = [line for line in lines if not line.startswith(" ")]
    assert len(rows) == ROWS[name]
    for row in rows:
        assert re.search(r"\d (s|ms|µs|MiB)  ", row)
        assert row.endswith(("yes", "NO", "-", "not measured"))
    assert sum(bool(re.match(r" +ours: 1 run, .* user\+sys ", line)) for line in lines) == len(rows)
    assert list(tmp_path.iterdir()) == []


def test_a_peer_that_is_not_installed_is_named_with_how_to_install_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row is there, with our own time and without a ratio."""
    there = peers.found
    monkeypatch.setattr(peers, "found", lambda name: None if name == "octodns-sync" else there(name))
    first, said, *_ = measured("cold_plan", tmp_path, capsys)
    assert re.search(r"not installed +- +5 × faster +not measured$", first)
    assert said.strip() == (
        "peer not installed: octodns-sync; install it with:"
        " pip install 'reconciler[bench]', or pip install octodns==1.22.0"
    )


def test_a_command_that_fails_ends_the_measurement_with_exit_code_1_and_no_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A number for work that was not done would be a lie."""
    there = peers.found
    monkeypatch.setattr(peers, "found", lambda name: there("false" if name == "reconcile" else name))
    assert main(["--only", "startup", "--folder", str(tmp_path), *TINY]) == 1
    out, err = capsys.readouterr()
    assert "error: false exited with 1" in err
    assert "reconcile --help" not in out
