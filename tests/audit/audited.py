"""A workspace in git whose applies leave complete records, and what an auditor finds in it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic_core import from_json

from reconciler.apply.interface import Ports
from reconciler.audit.record import record as plain_record
from reconciler.audit.verifying.report import Report
from reconciler.canonical import digest
from reconciler.live.interface import LiveToken, Record, Run
from reconciler.plan.change import Done
from reconciler.readers.auditing_verify import Asked, verify
from reconciler.records.body import read_body
from reconciler.records.envelope import envelope, read, statement
from reconciler.records.holding import live_digest
from reconciler.records.keys import pae, read_keys
from reconciler.workspace import Workspace
from tests.apply.kit import House, jwt_token, login_token
from tests.git.kit import ENVIRON, Repo, made


@dataclass(frozen=True)
class Signer:
    """Somebody who signs records."""

    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def line(self) -> str:
        """The public half, as spec.audit.keys has it."""
        return self.key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()

    def sign(self, payload: bytes) -> tuple[tuple[str, bytes], ...]:
        """Signatures for an envelope."""
        (known,) = read_keys([self.line])
        return ((known.id, self.key.sign(pae(payload))),)


@dataclass
class Audited(House):
    """A workspace folder that is a git repository; each apply is committed by whoever runs it."""

    signer: Signer | None = None
    top: Path | None = None
    """Of the repository, where the workspace lies below it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.repo: Repo = made(self.top or self.root)
        (self.root / ".gitignore").write_text(".reconciler/\nhome/\n", "utf-8")

    def _opened_workspace(self) -> Workspace:
        workspace = super()._opened_workspace()
        around = replace(
            workspace.around,
            environ={**ENVIRON, **workspace.around.environ},
            commit=lambda _: self.repo.git("rev-parse", "HEAD"),
        )
        return Workspace(self.root, around, self.url)

    def commit(self, message: str) -> str:
        """Commits all that is there, a minute later than the commit before."""
        self.now += 60
        at = f"{self.now} +0000"
        self.repo.git("add", "--all")
        self.repo.git(
            "-c", f"user.name={message}", "commit", "--quiet", "--allow-empty", "-m", message, f"--date={at}"
        )
        self._workspace = None
        return self.repo.git("rev-parse", "HEAD")

    def asks(self, *documents: Mapping[str, object], message: str = "specs") -> str:
        """Declares all specs anew, and commits that."""
        self.declare(*documents)
        return self.commit(message)

    def applies(self, message: str = "apply") -> str:
        """Applies what is declared, and commits what that left."""
        self.now += 60
        self._workspace = None
        self.apply(self.recording)
        return self.commit(message)

    def recording(self, ports: Ports) -> Ports:
        """Ports of an apply that makes complete records."""
        return replace(ports, recorder=Recorder(self, ports))

    def found(self, **asked: object) -> Report:
        """What an auditor finds."""
        self._workspace = None
        return verify(self.workspace(), replace(Asked(), **asked))  # type: ignore[arg-type]

    def records(self) -> list[Path]:
        """The files of the records."""
        return sorted((self.root / "artifacts" / "records").glob("*.json"))


@dataclass
class Recorder:
    """Makes complete records."""

    house: Audited
    ports: Ports

    def __call__(self, run: Run, done: Sequence[Done], previous: Record | None) -> Record:
        document = from_json(plain_record(run, done, previous).body)
        document["outcome"] = "done"
        after = self._after(done)
        for change, one in zip(document["changes"], done, strict=True):
            token = after.get(one.token_id)
            if token is not None and token.spec_digest and one.action != "delete" and one.outcome == "done":
                change["spec"] = token.spec_digest
                change["declared"] = from_json(token.declared)
        document["live"] = {token_id: live_digest(token) for token_id, token in sorted(after.items())}
        payload = statement(read_body(document))
        data = envelope(payload, self.house.signer.sign(payload) if self.house.signer else ())
        return Record(document["sequence"], run.id, data.decode(), digest(data))

    def _after(self, done: Sequence[Done]) -> dict[str, LiveToken]:
        """What the store will hold of each token that the run touched."""
        store = self.ports.store
        ids = {one.token_id for one in done if one.token_id}
        after = {one: token for one in ids if (token := store.token_by_id(one)) is not None}
        for intent in store.intents():
            if intent.after is not None:
                after[intent.token_id] = replace(intent.after, last_generation=intent.after.generation)
        return after


def rewritten(
    house: Audited,
    number: int,
    parts: Mapping[str, object],
    signer: Signer | None,
    *,
    keep: bool = False,
) -> None:
    """Parts of a record replaced, and every digest after it made to fit; `keep` keeps the old signatures."""
    previous = None
    for count, path in enumerate(house.records(), 1):
        old = read(path.read_bytes())
        body = {
            **from_json(old.payload)["predicate"],
            "previous": previous,
            **(parts if count == number else {}),
        }
        payload = statement(read_body(body))
        kept = old.signatures if keep else ()
        path.write_bytes(envelope(payload, kept if signer is None else signer.sign(payload)))
        previous = digest(path.read_bytes())


def changes_of(house: Audited, number: int) -> list[dict[str, object]]:
    """The changes of a record, by its number."""
    found: list[dict[str, object]] = from_json(read(house.records()[number - 1].read_bytes()).payload)[
        "predicate"
    ]["changes"]
    return found


def a_life(house: Audited) -> None:
    """A few months of a small workspace: each kind of change, and an artifact that was encrypted anew."""
    day = 86_400
    house.asks(jwt_token("mes"), login_token("shop"), jwt_token("old"))
    house.applies()
    house.asks(jwt_token("mes", apis=("a", "b")), login_token("shop"), jwt_token("old"))
    house.applies()
    house.now += day
    house.asks(jwt_token("mes", apis=("a", "b")), login_token("shop", shop="T"), jwt_token("old"))
    house.applies()
    renamed = jwt_token("line", apis=("b",))
    renamed["metadata"] = {"name": "line", "previously": ["mes"]}
    house.asks(renamed, login_token("shop", shop="T"))
    house.applies()
    house.reseal("shop")
    house.commit("reseal")
    house.applies()


def lived(root: Path, top: Path | None = None) -> Audited:
    """A workspace with that history, its records signed."""
    signer = Signer()
    house = Audited(root, f"sqlite:///{root}/.reconciler/live.db", signer=signer, top=top)
    house.settings = {"audit": {"keys": [signer.line], "records": "signed"}}
    a_life(house)
    return house


def copied(house: Audited, root: Path) -> Audited:
    """The same workspace in another place, for somebody to tamper with."""
    house.close()
    shutil.copytree(house.root, root, symlinks=True)
    url = f"sqlite:///{root}/.reconciler/live.db"
    return Audited(root, url, now=house.now, settings=house.settings, signer=house.signer)


def told(report: Report) -> set[tuple[str, str]]:
    """(check, where) of each fault."""
    return {(one.check.value, one.where) for one in report.faults}
