"""The `sops` program: found, checked, and run with an environment that holds no secret of ours."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reconciler.artifacts.vaults import FAMILIES, strangers, without_token
from reconciler.errors import ArtifactError

OLDEST = (3, 9)
"""The first version that reads stdin for `encrypt` and `decrypt`."""
TIMEOUT = 60.0
"""Seconds that one run may take: a key service may be asked, a person may not."""

_INSTALL = "install sops 3.9 or newer (pip install 'reconciler[sops]'), or name it in RECONCILER_SOPS"
_SAID = 20_000
_VERSION = re.compile(rb"sops (\d+)\.(\d+)")
_KEPT = frozenset(
    (
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "LANG",
        "TZ",
        "TMPDIR",
        "TEMP",
        "TMP",
        "USERPROFILE",
        "APPDATA",
        "LOCALAPPDATA",
        "SYSTEMROOT",
        "GNUPGHOME",
        "GPG_TTY",
        "GPG_AGENT_INFO",
        "SOPS_GPG_EXEC",
        "XDG_CONFIG_HOME",
        "XDG_RUNTIME_DIR",
        "XDG_DATA_HOME",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "no_proxy",
        "all_proxy",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "SOPS_ENABLE_LOCAL_KEYSERVICE",
        "SOPS_KEYSERVICE",
        "ACTIONS_ID_TOKEN_REQUEST_URL",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    )
)
_KEPT_FAMILIES = (
    "LC_",
    "AWS_",
    "GOOGLE_",
    "CLOUDSDK_",
    "GCE_",
    "AZURE_",
    "IDENTITY_",
    "MSI_",
    *FAMILIES,
    "HUAWEICLOUD_",
)
_KEPT_TO_OPEN = (
    "SOPS_AGE_KEY",
    "SOPS_AGE_KEY_FILE",
    "SOPS_AGE_KEY_CMD",
    "SOPS_AGE_SSH_PRIVATE_KEY_FILE",
    "SOPS_AGE_SSH_PRIVATE_KEY_CMD",
    "SOPS_DECRYPTION_ORDER",
)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended."""

    code: int
    out: bytes
    said: str
    """What it wrote to stderr; of very much, the end."""

    def __repr__(self) -> str:
        return f"Ended(code={self.code})"

    @property
    def how(self) -> str:
        """What became of it, as the end of a sentence: it failed, or something killed it."""
        if self.code >= 0:
            return f"failed (exit {self.code})"
        known = {number.value: number.name for number in signal.Signals}
        return f"was killed ({known.get(-self.code, f'signal {-self.code}')})"


def find(setting: str | None, path: str | None) -> str | None:
    """The program: as RECONCILER_SOPS says, else on PATH, else beside this Python."""
    beside = str(Path(sys.executable).parent)
    return setting or shutil.which("sops", path=path) or shutil.which("sops", path=beside)


def child_environment(environ: Mapping[str, str], *, sealing: bool) -> dict[str, str]:
    """What of an environment the program gets: what keyrings, clouds and vaults need, no more.

    When sealing, variables of SOPS that name recipients or identities stay out: the rule decides.
    """
    kept = {
        name: value
        for name, value in environ.items()
        if name in _KEPT or name.startswith(_KEPT_FAMILIES) or (not sealing and name in _KEPT_TO_OPEN)
    }
    return {**kept, "SOPS_DISABLE_VERSION_CHECK": "1"}


class Program:
    """One sops program. It is looked at when first run: a workspace that needs none may have none."""

    def __init__(self, executable: str | None, environ: Mapping[str, str], timeout: float = TIMEOUT) -> None:
        self._executable = executable
        self._environ = environ
        self._timeout = timeout
        self._checked = False

    def version(self) -> str:
        """Which version it is. Raises ArtifactError when it is missing, or is not sops."""
        ended = self._start(["--version"], b"", child_environment(self._environ, sealing=True))
        found = _VERSION.match(ended.out)
        if found is None:
            raise ArtifactError(f"{self._executable} is not the sops program", hint=_INSTALL)
        return f"{int(found[1])}.{int(found[2])}"

    def strangers(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those of the recipients that are keys on a server which the environment does not name."""
        return strangers(names, self._environ)

    def run(self, arguments: Sequence[str], stdin: bytes, *, sealing: bool, bare: bool = False) -> Ended:
        """Runs it to its end; `bare`, with no token of a key server (see `vaults`).

        Raises ArtifactError when it is missing, too old, or hangs.
        """
        if not self._checked:
            self._check()
        environ = without_token(self._environ) if bare else self._environ
        return self._start(arguments, stdin, child_environment(environ, sealing=sealing))

    def _check(self) -> None:
        version = self.version()
        if tuple(map(int, version.split("."))) < OLDEST:
            raise ArtifactError(f"sops {version} is too old", hint=_INSTALL)
        self._checked = True

    def _start(self, arguments: Sequence[str], stdin: bytes, environ: Mapping[str, str]) -> Ended:
        if self._executable is None:
            raise ArtifactError(
                "the sops program is needed for these recipients, and is not here", hint=_INSTALL
            )
        try:
            child = subprocess.Popen(
                [self._executable, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environ,
                start_new_session=True,
            )
        except OSError as fault:
            raise ArtifactError(
                f"{self._executable} cannot be started: {fault.strerror}", hint=_INSTALL
            ) from None
        with child:
            return self._finish(child, stdin)

    def _finish(self, child: subprocess.Popen[bytes], stdin: bytes) -> Ended:
        # What follows is raised outside of the block: the error that Python makes carries the output.
        try:
            with suppress(subprocess.TimeoutExpired):
                out, err = child.communicate(stdin, timeout=self._timeout)
                return Ended(child.returncode, out, err.decode(errors="replace")[-_SAID:])
        finally:
            # Whoever interrupts us means this program too: it has a session of its own, and hears nothing.
            if child.returncode is None:
                _kill(child)
        raise ArtifactError(
            f"the sops program did not end within {self._timeout:g} seconds",
            hint="check the network and the agents (gpg-agent, vault) that it asks",
        )


def _kill(child: subprocess.Popen[bytes]) -> None:
    """Ends the program and all that it started; what it had printed goes unread."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
