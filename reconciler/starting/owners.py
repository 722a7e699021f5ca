"""CODEOWNERS out of `metadata.owner`: who is asked to review which spec file. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from reconciler.errors import SettingsError, UsageError

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
"""Where forges look, in their order: of several files, the first one counts."""
BEGIN = re.compile(r"# reconcile owners(?P<options>( .+)?): begin\s*")
END = "# reconcile owners: end"
ABOUT = "# Made from metadata.owner of the specs. Edit those, then run: reconcile owners --write"

_HANDLE = re.compile(r"@[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9_.-]+)*")
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_TEAM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_ORG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9_.-]+)*")
_MEANING = re.compile(r"[ #\[\]*?!\\]")
"""What means something in a pattern, and so stands behind a backslash."""


@dataclass(frozen=True, slots=True)
class Naming:
    """How owners are called on the forge."""

    org: str | None = None
    """The organisation, or group, whose teams owners are."""
    named: Mapping[str, str] = field(default_factory=dict)
    """Owners that are called otherwise there."""

    def handle(self, owner: str) -> str | None:
        """What CODEOWNERS calls an owner: a handle or an address. None where it can be called nothing."""
        called = self.named.get(owner, owner)
        if _HANDLE.fullmatch(called) or _EMAIL.fullmatch(called):
            return called
        return f"@{self.org}/{called}" if self.org and _TEAM.fullmatch(called) else None

    @property
    def options(self) -> str:
        """The options that say the same on a command line, each with a blank before it."""
        said = [f" --org {self.org}"] if self.org else []
        said += [f" --map {shlex.quote(f'{owner}={name}')}" for owner, name in sorted(self.named.items())]
        return "".join(said)


def naming(org: str | None, pairs: Sequence[str]) -> Naming:
    """From the options of the command line. Raises UsageError."""
    if org is not None and not _ORG.fullmatch(org.removeprefix("@")):
        raise UsageError("--org is no organisation", hint="give its name on the forge, such as acme")
    named = {}
    for pair in pairs:
        owner, _, called = pair.rpartition("=")
        if not owner or not (_HANDLE.fullmatch(called) or _EMAIL.fullmatch(called)):
            raise UsageError(
                "--map takes an owner and what the forge calls it", hint='write it as "li.wei=@liwei"'
            )
        named[owner] = called
    return Naming(org.removeprefix("@") if org else None, named)


def lines(files: Mapping[str, Sequence[str]], calls: Naming) -> list[tuple[str, tuple[str, ...]]]:
    """Paths from the top of the repository, sorted, each with who is asked; a folder ends in `/`.

    `files` are all spec files with the owners of their tokens. A folder stands for its files where all of
    them are one owner's. Raises SettingsError for owners that the forge cannot know.
    """
    _check(files, calls)
    called = {
        path: tuple(sorted({name for owner in owners if (name := calls.handle(owner))}))
        for path, owners in files.items()
    }
    folders = _of_one(called)
    alone = {
        path: names
        for path, names in called.items()
        if names and not any(f"{up}/" in folders for up in PurePosixPath(path).parents)
    }
    whole = {
        folder: names
        for folder, names in folders.items()
        if not any(f"{up}/" in folders for up in PurePosixPath(folder).parents)
    }
    return sorted({**alone, **whole}.items())


def _check(files: Mapping[str, Sequence[str]], calls: Naming) -> None:
    """A file without a line is one that anybody may approve: so an owner without a handle is an error."""
    unknown = {owner: path for path in sorted(files) for owner in files[path] if not calls.handle(owner)}
    if not unknown:
        return
    owner, path = min(unknown.items())
    more = f" (and {len(unknown) - 1} more)" if len(unknown) > 1 else ""
    hint = f'--map "{owner}=@HANDLE" says how the forge calls it'
    raise SettingsError(
        f"{owner!r}{more}, an owner in {path}, is neither a handle such as @acme/team nor an e-mail address",
        hint=hint if calls.org else f"--org ORG makes owners the teams of an organisation, and {hint}",
    )


def _of_one(called: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Folders with several files, all of which are the same one owner's."""
    below: dict[str, list[tuple[str, ...]]] = {}
    for path, names in called.items():
        for folder in PurePosixPath(path).parents:
            if folder.parts:
                below.setdefault(f"{folder}/", []).append(names)
    return {
        folder: found[0]
        for folder, found in below.items()
        if len(found) > 1 and len(found[0]) == 1 and len(set(found)) == 1
    }


def pattern(path: str) -> str:
    """A path from the top of the repository, as CODEOWNERS takes it for that path and for no other."""
    return "/" + _MEANING.sub(lambda found: f"\\{found[0]}", path)


def section(found: Sequence[tuple[str, tuple[str, ...]]], calls: Naming) -> str:
    """The lines between their two marks. The first mark says with which options they were made."""
    inner = "".join(f"{pattern(path)} {' '.join(names)}\n" for path, names in found)
    return f"# reconcile owners{calls.options}: begin\n{ABOUT}\n{inner}{END}\n"


def placed(text: str, made: str) -> str:
    """A CODEOWNERS with its section replaced, or with one at its end, where it counts most.

    Raises SettingsError where the marks do not make one section.
    """
    found = _section(text)
    if found is None:
        gap = "\n" if text and not text.endswith("\n\n") else ""
        return f"{text}{'' if not text or text.endswith(chr(10)) else chr(10)}{gap}{made}"
    before, after = found
    return "".join([*before, made, *after])


def made_with(text: str) -> Naming | None:
    """The naming that the section of a CODEOWNERS was made with; None where it has no section.

    Raises SettingsError.
    """
    mark = next((found for line in text.splitlines() if (found := BEGIN.fullmatch(line))), None)
    if mark is None:
        return None
    try:
        words = shlex.split(mark["options"] or "")
        return naming(*_parsed(words))
    except (ValueError, UsageError) as error:
        raise SettingsError(
            "the first mark of the owners in CODEOWNERS has options that are none",
            hint="give them anew: reconcile owners --org ORG --write",
        ) from error


def _parsed(words: Sequence[str]) -> tuple[str | None, list[str]]:
    org, pairs = None, []
    for option, value in zip(words[::2], words[1::2], strict=True):
        if option == "--map":
            pairs.append(value)
        elif option == "--org":
            org = value
        else:
            raise ValueError
    return org, pairs


def _section(text: str) -> tuple[list[str], list[str]] | None:
    """The lines before and after the section."""
    rows = text.splitlines(keepends=True)
    starts = list(_numbers(rows, begin=True))
    ends = list(_numbers(rows, begin=False))
    if not starts and not ends:
        return None
    if len(starts) != 1 or len(ends) != 1 or ends[0] < starts[0]:
        raise SettingsError(
            "the marks of the owners in CODEOWNERS do not make one section",
            hint=f"keep one line that ends in ': begin' and one '{END}' after it, or take out both",
        )
    return rows[: starts[0]], rows[ends[0] + 1 :]


def _numbers(rows: Sequence[str], *, begin: bool) -> Iterator[int]:
    for number, row in enumerate(rows):
        if BEGIN.fullmatch(row) if begin else row.strip() == END:
            yield number
