"""Histories made by hand: each commit with the time, the people, the parents and the bytes that it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.audit.declared import History, blobs, declared
from reconciler.audit.history import Line, line
from reconciler.audit.meanings import meanings
from reconciler.audit.spans import Span
from reconciler.git.repository import Repository
from tests.git.kit import Repo, made

DAY = 86_400
START = 1_700_000_000


def rsa(name: str, *apis: str, more: str = "", meta: str = "", projects: str = "p1") -> str:
    """A spec of a token that may call APIs."""
    named = ", ".join(f'"{api}"' for api in apis or ("a.read",))
    return (
        f"apiVersion: reconciler/v1\nkind: RSAToken\nmetadata: {{name: {name}{meta}}}\n"
        f'spec: {{apis: [{named}], projects: ["{projects}"]}}\n{more}'
    )


def jwt(name: str, *users: str, meta: str = "") -> str:
    """A spec of a token of users."""
    return (
        f"apiVersion: reconciler/v1\nkind: JWTToken\nmetadata: {{name: {name}{meta}}}\n"
        f"spec: {{apis: [a.read], users: [{', '.join(users or ('u1',))}]}}\n"
    )


def catalog(**groups: Sequence[str]) -> str:
    """A catalog of APIs with groups."""
    names = sorted({one for members in groups.values() for one in members if not one.startswith("@")})
    lines = [f"    - {name}" for name in names]
    lines += [f'    - {{name: "@{group}", members: [{_quoted(held)}]}}' for group, held in groups.items()]
    listed = "\n".join(lines)
    return f"apiVersion: reconciler/v1\nkind: Catalog\nmetadata: {{name: c}}\nspec:\n  apis:\n{listed}\n"


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


@dataclass
class Made:
    """A repository that grows commit by commit, each a day after the one before."""

    repo: Repo
    prefix: str = ""
    at: int = START
    ids: list[str] = field(default_factory=list)

    def commit(
        self,
        files: Mapping[str, str | bytes | None],
        *,
        at: int | None = None,
        parents: Sequence[str] | None = None,
        branch: str = "main",
        message: str = "m",
        who: str = "Ann <ann@example.org>",
    ) -> str:
        """A commit that writes files, and removes those that are None; a path may have a mode before it."""
        self.at = self.at + DAY if at is None else at
        head = f"commit refs/heads/{branch}\nmark :1\nauthor {who} {self.at} +0000\n"
        head += f"committer Com <com@example.org> {self.at} +0000\n"
        told = message.encode()
        stream = head.encode() + b"data %d\n%s\n" % (len(told), told)
        above = self.ids[-1:] if parents is None else parents
        for word, parent in zip(["from", *["merge"] * len(above)], above, strict=False):
            stream += f"{word} {parent}\n".encode()
        for path, text in files.items():
            stream += self._file(path, text)
        marks = self.repo.root / ".git" / "marks"
        self.repo.git("fast-import", "--quiet", "--force", f"--export-marks={marks}", given=stream)
        one = marks.read_text().split()[1]
        if branch == "main":
            self.ids.append(one)
        return one

    def _file(self, path: str, text: str | bytes | None) -> bytes:
        mode, _, name = path.rpartition(" ")
        place = f"{self.prefix}{name}"
        if text is None:
            return f'D "{place}"\n'.encode()
        data = text.encode() if isinstance(text, str) else text
        if mode == "160000":
            return f'M 160000 {data.decode()} "{place}"\n'.encode()
        return f'M {mode or "100644"} inline "{place}"\n'.encode() + b"data %d\n%s\n" % (len(data), data)

    @property
    def opened(self) -> Repository:
        """As the package reads it."""
        return self.repo.opened(self.prefix.rstrip("/"))

    def line(self, commit: str | None = None) -> Line:
        """The line of a commit, the last one without."""
        return line(self.opened, commit or self.ids[-1], ("specs",))

    def history(self, commit: str | None = None) -> History:
        """What it declared."""
        return read(self.opened, commit or self.ids[-1])

    def spans(self, name: str | None = None) -> list[Span]:
        """The spans of the last commit, of one name or all."""
        return [span for span in self.history().spans if name in (None, span.name)]

    def when(self, number: int) -> int:
        """The time of a commit of `main`, by its number."""
        return int(self.repo.git("log", "-1", "--format=%ct", self.ids[number]))


def read(repository: Repository, commit: str) -> History:
    """What the line of a commit declared."""
    found = line(repository, commit, ("specs",))
    return declared(found, meanings(repository, blobs(found)))


def start(folder: Path, *options: str, prefix: str = "") -> Made:
    """A new repository, with a workspace below a prefix."""
    repo = made(folder, *options)
    if prefix:
        (folder / prefix / "specs").mkdir(parents=True)
    return Made(repo, prefix)
