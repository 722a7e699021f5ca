"""Traefik for tests."""

from __future__ import annotations

import re
import sysconfig
from pathlib import Path

STARTED_SO = re.compile(r"^#     (--\S+)$", re.MULTILINE)


def command(config: Path, text: str) -> list[str | Path]:
    """As the comment in the printed configuration says."""
    yaml = config.with_suffix(".yaml")
    yaml.write_text(text, encoding="utf-8")
    program = Path(sysconfig.get_path("scripts")) / "traefik"
    flags = [flag.replace("THIS_FILE", str(yaml)) for flag in STARTED_SO.findall(text)]
    assert flags
    return [program, *flags, "--log.level=ERROR"]
