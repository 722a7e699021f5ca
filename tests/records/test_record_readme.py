"""What the README says of records holds: other tools read and check them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from reconciler.cli.sending import exchange
from reconciler.records.envelope import envelope, statement
from reconciler.records.signing import VARIABLE, signer
from reconciler.specs.auditing import AuditSettings
from tests.docs.session import README
from tests.records.test_record_form import body


def test_a_signature_is_checked_with_nothing_of_ours(tmp_path: Path) -> None:
    """By the program in the README; one byte more, and it fails."""
    (program,) = re.findall(r"```python\n(import json\n.*?)```", README.read_text("utf-8"), re.DOTALL)
    file = str(tmp_path / "records")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file], check=True, timeout=60)
    by = signer({VARIABLE: file}, exchange, AuditSettings())
    payload = statement(body())
    (tmp_path / "record.json").write_bytes(envelope(payload, by.sign(payload)))
    command = [sys.executable, "-c", program]
    assert subprocess.run(command, cwd=tmp_path, timeout=60, check=False).returncode == 0
    (tmp_path / "record.json").write_bytes(envelope(payload + b" ", by.sign(payload)))
    assert subprocess.run(command, cwd=tmp_path, timeout=60, check=False, capture_output=True).returncode == 1
