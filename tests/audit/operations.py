"""What people do to specs: edits by chance, none of which is a fault that was not meant."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TypeAlias

from tests.audit.declaring import CATALOG, KINDS, PLAIN, Catalog, Doc, State, Token

Patch: TypeAlias = Mapping[str, tuple[Doc | None, Doc | None]]
"""Key of a document → (what it was, what it is)."""
GROUPS = ("@read", "@write", "@all")
OWNERS = ("team-a", "team-b", "team-c", None)
OTHERS = ("plant-a", "plant-b", "svc-mes", "svc-erp")
NAMES = tuple(f"token-{number}" for number in range(400))


@dataclass
class Operations:
    """Edits of a state, by chance."""

    rng: Random
    most: int = 60
    """Tokens that there are at the most."""
    count: int = 0

    def found(self) -> Patch:
        """The first commit: a catalog, and some tokens."""
        members = (
            ("@read", ("device.read", "device.list")),
            ("@write", ("device.write",)),
            ("@all", GROUPS[:2]),
        )
        patch: dict[str, tuple[Doc | None, Doc | None]] = {CATALOG: (None, Catalog(members))}
        for _ in range(min(self.most, 5)):
            patch.update(self.create({key: new for key, (_, new) in patch.items() if new is not None}, {}))
        return patch

    def any(self, state: State, pending: Mapping[str, Patch], own: Patch | None = None) -> Patch:
        """Some edit that no branch stands in the way of; `own` is what this branch did already."""
        locked = {key for patch in pending.values() for key in patch}
        free = [key for key in state if key not in locked]
        broken = [key for key in free if _is_broken(state[key])]
        if broken:
            return self.mend(state, self.rng.choice(broken))
        tokens = [key for key in free if key != CATALOG and not self._in_broken(state, key)]
        if len(state) < self.most and (not tokens or self.rng.random() < 0.25):
            return self.create(state, {**pending, "": own or {}})
        if CATALOG in free and self.rng.random() < 0.06:
            return self.regroup(state)
        if not tokens:
            return {}
        key = self.rng.choice(tokens)
        edits: list[tuple[int, Callable[[State, str], Patch]]] = [
            (8, self.grant),
            (3, self.give),
            (3, self.switch),
            (2, self.end),
            (3, self.schedule),
            (2, self.ask),
            (3, self.move),
            (2, self.remark),
            (1, self.spoil),
            (4, self.remove),
        ]
        weights, made = zip(*edits, strict=True)
        if self.rng.random() < 0.1:
            return self.rename(state, key, {**pending, "": own or {}})
        edit: Callable[[State, str], Patch] = self.rng.choices(made, weights)[0]
        return edit(state, key)

    def create(self, state: State, pending: Mapping[str, Patch]) -> Patch:
        """A new token, in a file of its own or with others; its name may have been another's before."""
        name = self.name(state, pending)
        if name is None:
            return {}
        self.count += 1
        kind = _kind(name)
        file = f"specs/{'many' if self.rng.random() < 0.4 else name}.yaml"
        if self.rng.random() < 0.3:
            file = f"specs/team-{self.rng.randrange(3)}/more.yaml"
        if any(doc.file == file and _is_broken(doc) for doc in state.values()):
            file = f"specs/{name}-{self.count}.yaml"
        token = Token(file, name, kind, self.rng.choice(OWNERS), self._apis(), self._others())
        return {f"{self.count:06}": (None, token)}

    def grant(self, state: State, key: str) -> Patch:
        """Other grants."""
        return _edit(state, key, apis=self._apis(), others=self._others())

    def give(self, state: State, key: str) -> Patch:
        """Another owner."""
        return _edit(state, key, owner=self.rng.choice(OWNERS))

    def switch(self, state: State, key: str) -> Patch:
        """On or off."""
        return _edit(state, key, enabled=not _token(state, key).enabled)

    def end(self, state: State, key: str) -> Patch:
        """An end, or none."""
        day = datetime(2021, 1, 1, tzinfo=UTC) + timedelta(days=self.rng.randrange(3000))
        return _edit(state, key, expires=self.rng.choice((None, day.date().isoformat())))

    def schedule(self, state: State, key: str) -> Patch:
        """How often it is rotated."""
        return _edit(state, key, every=self.rng.choice((None, 30, 90, 180)))

    def ask(self, state: State, key: str) -> Patch:
        """A rotation that is asked for."""
        self.count += 1
        day = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(hours=self.count)
        return _edit(state, key, asked=day.strftime("%Y-%m-%dT%H:%M:%SZ"))

    def rename(self, state: State, key: str, pending: Mapping[str, Patch]) -> Patch:
        """Another name, of the same kind."""
        token = _token(state, key)
        name = self.name(state, pending, token.kind)
        if name is None:
            return {}
        return _edit(state, key, name=name, previously=(*token.previously, token.name))

    def move(self, state: State, key: str) -> Patch:
        """Another file."""
        self.count += 1
        return _edit(state, key, file=f"specs/moved/{self.count}.yaml")

    def remark(self, state: State, key: str) -> Patch:
        """A comment, which means nothing."""
        return _edit(state, key, remark=_token(state, key).remark + 1)

    def spoil(self, state: State, key: str) -> Patch:
        """A fault, in a file that holds this token alone."""
        token = _token(state, key)
        alone = [doc for doc in state.values() if doc.file == token.file] == [token]
        return _edit(state, key, broken=True) if alone and "/moved/" in token.file else {}

    def mend(self, state: State, key: str) -> Patch:
        return _edit(state, key, broken=False)

    def remove(self, state: State, key: str) -> Patch:
        return {key: (state[key], None)}

    def regroup(self, state: State) -> Patch:
        """Other members of a group."""
        catalog = state[CATALOG]
        assert isinstance(catalog, Catalog)
        groups = dict(catalog.groups)
        groups[self.rng.choice(GROUPS[:2])] = tuple(self.rng.sample(PLAIN, self.rng.randint(1, 3)))
        return {CATALOG: (catalog, Catalog(tuple(groups.items())))}

    def fits(self, patch: Patch, state: State, pending: Mapping[str, Patch]) -> bool:
        """Whether a patch can be laid on a state, and leaves nothing that is wrong there."""
        locked = {key for one in pending.values() for key in one}
        if locked & patch.keys() or any(state.get(key) != old for key, (old, _) in patch.items()):
            return False
        if patch.get(CATALOG, (None, CATALOG))[1] is None:
            return False  # what names its groups would be a fault
        after = {key: doc for key, doc in state.items() if key not in patch}
        taken = {*_names(after.values()), *_pending_names(pending)}
        after.update({key: new for key, (_, new) in patch.items() if new is not None})
        names = list(_names(new for _, new in patch.values()))
        files = {doc.file for doc in after.values() if _is_broken(doc)}
        crowded = any(sum(doc.file == file for doc in after.values()) > 1 for file in files)
        return not taken & set(names) and len(set(names)) == len(names) and not crowded

    def name(self, state: State, pending: Mapping[str, Patch], kind: str | None = None) -> str | None:
        """A name that nobody has, and no token there says that it had."""
        taken = {*_names(state.values()), *_pending_names(pending)}
        free = [one for one in NAMES[: 2 * self.most] if one not in taken and kind in (None, _kind(one))]
        return self.rng.choice(free) if free else None

    def broken(self, state: State) -> bool:
        """Whether a fault stands in it."""
        return any(map(_is_broken, state.values()))

    def _in_broken(self, state: State, key: str) -> bool:
        return any(doc.file == state[key].file and _is_broken(doc) for doc in state.values())

    def _apis(self) -> tuple[str, ...]:
        if self.rng.random() < 0.05:
            return ("*",)
        return tuple(self.rng.sample((*PLAIN, *GROUPS), self.rng.randint(1, 3)))

    def _others(self) -> tuple[str, ...]:
        return tuple(self.rng.sample(OTHERS, self.rng.randint(1, 2)))


def _kind(name: str) -> str:
    """Always the same for a name, so that no token of a name is taken for one of another kind."""
    return sorted(KINDS)[zlib.crc32(name.encode()) % len(KINDS)]


def _names(docs: Iterable[Doc | None]) -> Iterator[str]:
    for doc in docs:
        if isinstance(doc, Token):
            yield from (doc.name, *doc.previously)


def _pending_names(pending: Mapping[str, Patch]) -> Iterator[str]:
    for patch in pending.values():
        yield from _names(doc for pair in patch.values() for doc in pair)


def _token(state: State, key: str) -> Token:
    found = state[key]
    assert isinstance(found, Token)
    return found


def _edit(state: State, key: str, **fields: object) -> Patch:
    before = _token(state, key)
    after = before._replace(**fields)  # type: ignore[arg-type]
    return {} if after == before else {key: (before, after)}


def _is_broken(doc: Doc) -> bool:
    return isinstance(doc, Token) and doc.broken
