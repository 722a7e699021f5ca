"""The README's console blocks, run for real. `python -m tests.docs.session` writes what they print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPLIT = "\x1e"

VARYING = (
    (r"age1[0-9a-z]{50,}", "AGE"),
    (r"sha256:[0-9a-f]{4}…[0-9a-f]{4}", "DIGEST"),
    (r"sha256:[0-9a-f]{64}", "DIGEST"),
    (r"\bat (`?)[0-9a-f]{7}\b", r"at \1COMMIT"),
    (r"\bFrom [0-9a-f]{7} to\b", "From COMMIT to"),
    (r"\([0-9a-f]{7}\)", "(COMMIT)"),
    (r"run [0-9a-f]{16}", "run RUN"),
    (r"\bcommit [0-9a-f]{10}\b", "commit COMMIT"),
    (r"[0-9]{8}-[0-9a-f]{16}\.json", "RECORD"),
    (r"ssh-ed25519 …\S{12} ", "ssh-ed25519 …KEY "),
    (r"\bci [0-9a-f]{12}\b", "ci KEY"),
    (r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:]{8}Z)?", "TIME"),
    (r"\b[0-9]{2}:[0-9]{2} UTC", "TIME UTC"),
    (r"\b[a-z2-7]{20}\b", "ID"),
)


def commands(block: str) -> list[str]:
    """The commands of a block: the lines that start with `$ `."""
    return [line[2:] for line in block.splitlines() if line.startswith("$ ")]


def run(blocks: list[str]) -> list[list[str]]:
    """What each command of each block prints, in one shell session in an empty folder."""
    lines = [f"printf '{SPLIT}'\n{command}\n" for block in blocks for command in commands(block)]
    with tempfile.TemporaryDirectory() as folder:
        environ = {
            "HOME": folder,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "LANG": "C.UTF-8",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "COVERAGE_PROCESS_START": os.environ.get("COVERAGE_PROCESS_START", ""),
        }
        done = subprocess.run(
            ["bash", "-c", "exec 2>&1\n" + "".join(lines)],
            cwd=folder,
            env=environ,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    outputs = done.stdout.replace(folder, "~").split(SPLIT)[1:]
    sizes = [len(commands(block)) for block in blocks]
    starts = [sum(sizes[:index]) for index in range(len(sizes))]
    return [outputs[start : start + size] for start, size in zip(starts, sizes, strict=True)]


def rendered(block: str, outputs: list[str]) -> str:
    """The block with what its commands printed."""
    pairs = zip(commands(block), outputs, strict=True)
    return "".join(f"$ {command}\n{output}" for command, output in pairs)


def normal(text: str) -> str:
    """The text with what differs from run to run taken out, and blanks evened where columns depend on it."""
    for pattern, word in VARYING:
        text = re.sub(pattern, word, text)
    return re.sub(r" +", " ", text)


def main() -> None:
    """Writes the README anew, with what the commands print today."""
    text = README.read_text()
    blocks = BLOCK.findall(text)
    fresh = iter([rendered(block, outputs) for block, outputs in zip(blocks, run(blocks), strict=True)])
    README.write_text(BLOCK.sub(lambda _: f"```console\n{next(fresh)}```", text))


if __name__ == "__main__":
    main()
