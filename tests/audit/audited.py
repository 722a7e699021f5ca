"""A workspace in git whose applies leave complete records, and what an auditor finds in it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from pydantic_core import from_json

from reconciler.apply.interface import Ports, Publication, Published
from reconciler.audit.verifying.verified import Verified
from reconciler.canonical import digest
from reconciler.errors import PublishFailed, ReconcilerError
from reconciler.readers.auditing_verify import Asked, verify
from reconciler.records.body import read_body
from reconciler.records.envelope import envelope, read, statement
from reconciler.records.keys import pae, read_keys
from reconciler.workspace import Workspace
from tests.apply.breaking import BreakingPublisher, BrokenFor, Fuse, How
from tests.apply.kit import T0, House, jwt_token, login_token
from tests.git.kit import ENVIRON, Repo, made


@dataclass(frozen=True)
class Signer:
    """Somebody who signs records."""

    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def line(self) -> str:
        """The public half, as spec.audit.keys has it."""
        return self.key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()

    @property
    def private(self) -> bytes:
        """The private half, as a file of it."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def pem(self) -> str:
        """The same in PEM."""
        public = self.key.public_key()
        return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

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
            environ={**ENVIRON, **workspace.around.environ, **self._signing()},
            commit=lambda _: self.repo.git("rev-parse", "HEAD"),
        )
        return Workspace(self.root, around, self.url)

    def _signing(self) -> dict[str, str]:
        """Where the key is that signs records, if there is one; no commit brings it."""
        if self.signer is None:
            return {}
        file = self.root / ".reconciler" / "signing.pem"
        file.parent.mkdir(exist_ok=True)
        file.touch(0o600)
        file.write_bytes(self.signer.private)
        return {"RECONCILER_RECORD_KEY": str(file)}

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
        self.apply()
        return self.commit(message)

    def found(self, **asked: object) -> Verified:
        """What an auditor finds."""
        self._workspace = None
        return verify(self.workspace(), replace(Asked(), **asked))  # type: ignore[arg-type]

    def records(self) -> list[Path]:
        """The files of the records."""
        return sorted((self.root / "artifacts" / "records").glob("*.json"))


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


def breaks(house: Audited, wrap: Callable[[Ports], Ports] = lambda ports: ports) -> None:
    """An apply that something stands in the way of, and a commit of what it left."""
    house.now += 60
    house._workspace = None
    with suppress(ReconcilerError):
        house.apply(wrap)
    house.commit("apply")


class _Publishing(BreakingPublisher):
    """One that publishes no artifact, or does, and says that it did not."""

    def __init__(self, ports: Ports, how: How) -> None:
        super().__init__(ports, Fuse(0, how))
        self._how = how

    def publish(self, publication: Publication) -> Published | None:
        if self._how is How.AFTER:
            self._publisher.publish(publication)
        raise PublishFailed("the remote does not answer")


def publishing(how: How) -> Callable[[Ports], Ports]:
    """Ports whose publisher fails."""
    return lambda ports: replace(ports, publisher=_Publishing(ports, how))


ENDS = ("done",) * 4 + ("partly", "failed", "blocked", "failed", "interrupted", "done", "done", "done")
"""How each run of `a_life` ended, in its order."""
LIFE = len(ENDS)
"""Records that it leaves."""


def setbacks(house: Audited, line: Mapping[str, object], shop: Mapping[str, object]) -> None:
    """Every way in which a run can end badly; what is live at the end is what was."""
    wider = {**line, "spec": {**jwt_token("line", apis=("a", "b"))["spec"]}}  # type: ignore[dict-item]
    late, settings = jwt_token("late"), house.settings
    house.asks(wider, shop, late)
    breaks(house, BrokenFor("late"))
    breaks(house, BrokenFor("late"))
    house.settings = {**settings, "brakes": {"delete": {"count": 0}}}
    house.asks(shop)
    breaks(house)
    house.settings = settings
    house.asks(wider, shop, late)
    breaks(house, Fuse(1, How.BEFORE).only_stage)
    house.asks(line, shop, late)
    breaks(house, publishing(How.BEFORE))
    house.asks(line, shop)
    house.applies()
    other = {**line, "spec": {**jwt_token("line", apis=("b",), algorithm="ES256")["spec"]}}  # type: ignore[dict-item]
    house.asks(other, shop)
    breaks(house, publishing(How.AFTER))
    house.asks(line, shop)
    house.applies()


def a_life(house: Audited) -> None:
    """A few months of a small workspace: each kind of change, each way that a run ends, and an artifact that
    was encrypted anew.
    """
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
    setbacks(house, renamed, login_token("shop", shop="T"))
    house.reseal("shop")
    house.commit("reseal")
    house.applies()


def lived(root: Path, top: Path | None = None, at: int = T0, url: str | None = None) -> Audited:
    """A workspace with that history, its records signed."""
    signer = Signer()
    store = url or f"sqlite:///{root}/.reconciler/live.db"
    house = Audited(root, store, now=at, signer=signer, top=top)
    house.settings = {"audit": {"keys": [signer.line], "records": "signed"}}
    a_life(house)
    return house


def copied(house: Audited, root: Path) -> Audited:
    """The same workspace in another place, for somebody to tamper with."""
    house.close()
    shutil.copytree(house.root, root, symlinks=True)
    url = f"sqlite:///{root}/.reconciler/live.db"
    return Audited(root, url, now=house.now, settings=house.settings, signer=house.signer)


def told(report: Verified) -> set[tuple[str, str]]:
    """(check, where) of each fault."""
    return {(one.check.value, one.where) for one in report.faults}
