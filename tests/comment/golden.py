"""`python -m tests.comment.golden` writes the golden comments anew. Read the difference."""

from __future__ import annotations

from pathlib import Path

from tests.comment.plans import GOLDEN, comment

FOLDER = Path(__file__).parent / "golden"


def main() -> None:
    """Writes each comment to its file."""
    FOLDER.mkdir(exist_ok=True)
    for name, made in GOLDEN.items():
        (FOLDER / f"{name}.md").write_text(comment(made()), "utf-8")


if __name__ == "__main__":
    main()
