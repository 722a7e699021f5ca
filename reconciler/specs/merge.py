"""An edit carried over into the lines that a person wrote.

ruamel.yaml writes a whole document in its own way. So the document is written twice, without the
edit and with it, and what differs between the two is put into the original lines: all other lines
stay to the byte, and no comment goes with a field that is removed.
"""

from __future__ import annotations

from difflib import SequenceMatcher


def merged(original: str, before: str, after: str) -> str:
    """The original text with what leads from `before`, which stands for it, to `after`.

    Where the lines of `before` are not those of the original one by one, it is `after`.
    """
    lines, old, new = (text.split("\n") for text in (original, before, after))
    if len(lines) != len(old):
        return after
    made: list[str] = []
    for what, start, end, new_start, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            made.extend(lines[start:end])
            continue
        remarks = [line for line in lines[start:end] if _is_remark(line)]
        put = [line for line in new[new_start:new_end] if line not in remarks]
        _put(made, put)
        made.extend(remarks)
    return "\n".join(made)


def realigned(original: str, made: str) -> str:
    """The written text, its comment lines as far to the right as what they stood in line with before."""
    lines, new = original.split("\n"), made.split("\n")
    if len(lines) != len(new):
        return made
    below = len(lines) - 1
    for number in reversed(range(len(lines))):
        if not _is_remark(lines[number]):
            below = number
        elif lines[number].strip() and _indent(lines[number]) == _indent(lines[below]):
            new[number] = " " * _indent(new[below]) + new[number].lstrip()
    return "\n".join(new)


def _is_remark(line: str) -> bool:
    """A comment or a blank line."""
    return not line.strip() or line.lstrip().startswith("#")


def _put(made: list[str], new: list[str]) -> None:
    """Adds lines; remarks that stand further to the left belong to what comes below, and stay there."""
    fields = [line for line in new if not _is_remark(line)]
    below: list[str] = []
    depth = min((_indent(line) for line in fields), default=0)
    while fields and made and _is_remark(made[-1]) and _indent(made[-1]) < depth:
        below.insert(0, made.pop())
    made.extend([*new, *below])


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
