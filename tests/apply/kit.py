"""A workspace to apply to: its specs, its live store, a clock that stands, and what must always hold."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import count
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from reconciler.apply.approval import Approved, approval
from reconciler.apply.interface import Ports, Result
from reconciler.apply.lease import Waiting, holder
from reconciler.apply.session import Session, apply
from reconciler.artifacts import agewrap, identities
from reconciler.artifacts.formats import candidates
from reconciler.artifacts.interface import Expected, Header, Parcel
from reconciler.artifacts.opener import FileOpener
from reconciler.canonical import digest
from reconciler.cli.sending import exchange
from reconciler.kinds import keys
from reconciler.kinds.keys import PrivateKey
from reconciler.live.interface import Credential, CredentialState, LiveStore, LiveToken, Run, TokenState
from reconciler.live.opening import open_store
from reconciler.plan.brakes import Overrides
from reconciler.plan.document import Plan
from reconciler.records.envelope import read
from reconciler.secret import Secret
from reconciler.surroundings import Surroundings
from reconciler.workspace import Workspace
from tests.records.kit import bodies

T0 = 1_800_000_000
DAY = 86_400
WORKERS = 2

_real_generate = keys.generate
_numbers = count()


class Silent:
    """No progress."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def start(self, what: str, total: int) -> None:
        """Nothing."""

    def advance(self) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Kept, for a test to look at."""
        self.notes.append(text)


@cache
def _rsa_pool() -> tuple[rsa.RSAPrivateKey, ...]:
    return tuple(rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(12))


def quick_generate(algorithm: str, rsa_bits: int = 2048) -> PrivateKey:
    """As `keys.generate`, but RSA keys come from a pool: making them is what takes the time."""
    if algorithm[:2] in ("RS", "PS") and rsa_bits <= 3072:
        return _rsa_pool()[next(_numbers) % 12]
    return _real_generate(algorithm, rsa_bits)


@cache
def owner() -> tuple[str, Secret]:
    """Recipient and identity of the one who owns every token in these tests."""
    return identities.generate()


@cache
def verifier() -> tuple[str, Secret]:
    """Recipient and identity of the verifier."""
    return identities.generate()


def spec(kind: str, name: str, **parts: Mapping[str, object]) -> dict[str, object]:
    """A spec document; JSON is YAML."""
    return {"apiVersion": "reconciler/v1", "kind": kind, "metadata": {"name": name}, **parts}


def rsa_token(name: str, apis: Sequence[str] = ("a",), **parts: Mapping[str, object]) -> dict[str, object]:
    """An RSA token of 2048 bits."""
    return spec("RSAToken", name, spec={"apis": list(apis), "projects": ["p"], "keySize": 2048}, **parts)


def jwt_token(
    name: str,
    apis: Sequence[str] = ("a",),
    users: Sequence[str] = ("u",),
    algorithm: str = "EdDSA",
    **parts: Mapping[str, object],
) -> dict[str, object]:
    """A JWT token."""
    what = {"apis": list(apis), "users": list(users), "algorithm": algorithm}
    return spec("JWTToken", name, spec=what, **parts)


def login_token(name: str, shop: str = "S", **parts: Mapping[str, object]) -> dict[str, object]:
    """A login token."""
    claims = {"aud": "App", "sap": "*", "jti": "1234", "api": "*", "shop": shop, "role": "*", "rule": "*"}
    return spec("LoginToken", name, spec=claims, **parts)


def auth_token(name: str, algorithm: str = "HS256", **parts: Mapping[str, object]) -> dict[str, object]:
    """A sign-in application."""
    return spec("TokenAuth", name, spec={"name": name, "algorithm": algorithm}, **parts)


@cache
def own_key(number: int = 0) -> str:
    """The public half of the n-th P-256 key of an owner: quick to make."""
    return keys.public_pem(_real_generate("ES256"))


def own_token(
    name: str, key: str, algorithm: str = "ES256", **parts: Mapping[str, object]
) -> dict[str, object]:
    """A sign-in application that brings its key."""
    return spec("TokenAuth", name, spec={"name": name, "algorithm": algorithm, "publicKey": key}, **parts)


@dataclass
class House:
    """One workspace folder and its live store."""

    root: Path
    url: str
    now: int = T0
    entropy: Callable[[int], bytes] = os.urandom
    settings: dict[str, object] = field(default_factory=dict)
    name: str = "acme"
    environ: dict[str, str] = field(default_factory=dict)
    _workspace: Workspace | None = None
    _store: LiveStore | None = None
    _place: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        rules = f"creation_rules:\n  - age: {owner()[0]}\n"
        (self.root / ".sops.yaml").write_text(rules, "utf-8")

    def declare(self, *documents: Mapping[str, object]) -> None:
        """Replaces all specs."""
        folder = self.root / "specs"
        folder.mkdir(exist_ok=True)
        brakes = {key: {"count": 1000, "percent": 100} for key in ("delete", "rotate", "disable")}
        settings = {
            "brakes": {**brakes, "perOwner": brakes},
            "verifier": {"recipients": [verifier()[0]]},
            **self.settings,
        }
        whole = spec("Workspace", self.name, spec=settings)
        text = "\n---\n".join(json.dumps(document) for document in (whole, *documents))
        (folder / "all.yaml").write_text(text, "utf-8")
        self._workspace = None

    def workspace(self) -> Workspace:
        """The workspace as it is on disk now."""
        if self._workspace is None:
            self._workspace = self._opened_workspace()
        return self._workspace

    def _opened_workspace(self) -> Workspace:
        around = Surroundings(
            environ={
                "RECONCILER_ACTOR": "tester",
                "RECONCILER_CACHE_KEY": "of the tests",
                "PATH": os.environ["PATH"],
                **self.environ,
            },
            home=self.root / "home",
            platform="linux",
            clock=lambda: self.now,
            sleep=lambda _: None,
            entropy=self.entropy,
            commit=lambda _: None,
            exchange=exchange,
        )
        return Workspace(self.root, around, self.url)

    def store(self) -> LiveStore:
        """The live store, opened once for each place."""
        place = (self.url, self.name)
        if self._store is None or self._place != place:
            self.close()
            self._store, self._place = open_store(*place, create=True), place
        return self._store

    def close(self) -> None:
        """Lets connections go, as a process must that forks, or that puts another store in the place."""
        if self._store is not None:
            self._store.close()

    def plan(self, overrides: Overrides | None = None) -> Plan:
        """What would change now."""
        return self.workspace().plan(self.store(), self.now, overrides or Overrides())

    def session(self, plan: Plan, approved: Approved | None) -> Session:
        """An apply of a plan, ready to go."""
        workspace, store = self.workspace(), self.store()
        return Session(
            specs=workspace.specs,
            ports=workspace.ports(store, Silent()),
            approved=approved,
            plan=lambda: workspace.plan_again(store, plan),
            run=Run(os.urandom(8).hex(), "", self.now, "tester", plan.commit),
            workers=WORKERS,
            waiting=Waiting(lambda: self.now, 0, lambda _: None, holder()),
        )

    def apply(
        self, wrap: Callable[[Ports], Ports] = lambda ports: ports, overrides: Overrides | None = None
    ) -> Result:
        """Plans and applies, through ports that a test may break."""
        plan = self.plan(overrides)
        interrupted = self.store().state().run is not None
        session = self.session(plan, None if interrupted else approval(plan))
        return apply(replace(session, ports=wrap(session.ports)))

    def go_on(self, plan: Plan) -> Result:
        """Applies what is left of a plan, by the approval that it had."""
        return apply(self.session(plan, approval(plan)))

    def files(self) -> dict[str, bytes]:
        """Everything below the artifacts folder."""
        top = self.root / "artifacts"
        return {
            path.relative_to(self.root).as_posix(): path.read_bytes()
            for path in sorted(top.rglob("*"))
            if path.is_file()
        }

    def reseal(self, name: str) -> None:
        """Encrypts a token's artifact anew, as a person who can open it does."""
        workspace = self.workspace()
        token = self.live()[name]
        opened = self.opened(token)
        path = str(token.artifact_path)
        form = candidates(path)[0].name
        data = workspace.sealer.seal(Parcel(header(token), opened, path, form, self.now, {"name": name}))
        (self.root / path).write_bytes(data)

    def live(self) -> dict[str, LiveToken]:
        """Live tokens by name."""
        return {token.name: token for token in self.store().tokens()}

    def opened(self, token: LiveToken) -> Mapping[str, str | Secret]:
        """What the owner of a token reads in its artifact; raises unless it is that token's."""
        path = str(token.artifact_path)
        opener = FileOpener(identities.parse(owner()[1], "test"))
        expected = Expected(header(token), token.artifact_contents)
        return opener.open((self.root / path).read_bytes(), path, expected).fields


def header(token: LiveToken) -> Header:
    """Whose a live token's artifact has to be."""
    return Header(token.kind, token.id, token.generation)


def text(value: str | Secret) -> str:
    """The text of a field."""
    return value.open() if isinstance(value, Secret) else value


def works(token: LiveToken, fields: Mapping[str, str | Secret]) -> bool:
    """Whether what the owner holds is the other half of what the live store holds."""
    credential = token.credentials[0]
    for name in ("jwt", "login_token"):
        if name in fields:
            return _signed(text(fields[name]), credential, token.id) and _hashed(fields, credential)
    if credential.sealed_secret is not None:
        opened = agewrap.unwrap(credential.sealed_secret, identities.parse(verifier()[1], "test").native)
        return opened.decode() == text(fields["secret"])
    return text(fields["public_key"]) == credential.public_key


def _signed(token: str, credential: Credential, token_id: str) -> bool:
    claims = jwt.decode(
        token,
        str(credential.public_key),
        algorithms=[credential.algorithm],
        options={"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False},
    )
    return (
        bool(claims["gen"] == credential.generation) and jwt.get_unverified_header(token)["kid"] == token_id
    )


def _hashed(fields: Mapping[str, str | Secret], credential: Credential) -> bool:
    if "secret_id" not in fields:
        return credential.secret_hash is None
    return keys.hash_of(Secret(text(fields["secret_id"]))) == credential.secret_hash


def check_settled(house: House) -> None:
    """What holds whenever no apply is under way: live, tree, journal and records agree."""
    store = house.store()
    state, tokens, records = store.state(), list(store.tokens()), list(store.records())
    assert state.run is None
    assert list(store.intents()) == []
    assert state.lease is None
    declared = [one.name for one in house.workspace().specs.tokens]
    assert [token.name for token in tokens] == declared
    for token in tokens:
        check_delivered(house, token)
        assert token.credentials[0].state is CredentialState.ACTIVE
        assert [one.state for one in token.credentials[1:]] in ([], [CredentialState.RETIRING])
        assert token.state is not TokenState.DELETED
    expected = {token.artifact_path for token in tokens if token.artifact_path is not None}
    written = {f"artifacts/records/{one.sequence:08d}-{one.run}.json": one.body.encode() for one in records}
    files = house.files()
    assert {path: data for path, data in files.items() if "/records/" in path} == written
    assert files.keys() - written.keys() == expected
    assert not (house.root / "artifacts" / ".staging").exists()
    assert all(record.published for record in records)
    check_chain([record.body for record in records])


def check_delivered(house: House, token: LiveToken) -> None:
    """The owner has the other half of what is live: in the artifact, or because it is the owner's key."""
    wanted = house.workspace().specs.token(token.name)
    assert wanted is not None
    if wanted.own_key is not None:
        assert token.credentials[0].public_key == wanted.own_key, token.name
        kept = (
            token.artifact_path,
            token.artifact_digest,
            token.artifact_contents,
            token.artifact_recipients,
        )
        assert kept == (None, None, None, None), token.name
        return
    assert works(token, house.opened(token)), token.name
    assert digest((house.root / str(token.artifact_path)).read_bytes()) == token.artifact_digest


def check_chain(bodies: Sequence[str]) -> None:
    """Each record names the digest of the one before."""
    previous = None
    for number, body in enumerate(bodies, 1):
        told = read(body).body
        assert (told.sequence, told.previous) == (number, previous)
        previous = digest(body.encode())


def recorded(house: House) -> list[tuple[str, str, str]]:
    """(action, kind, name) of every change in every record."""
    changes = [change for body in bodies(house.store()) for change in body.changes]
    return [(one.action, one.kind, one.name) for one in changes if one.outcome == "done"]


def check_quiet(house: House) -> None:
    """There is nothing more to do, and doing it changes nothing."""
    assert house.plan().changes == ()
    revision = house.store().state().revision
    before = house.files()
    assert house.apply().done == ()
    assert house.store().state().revision == revision
    assert house.files() == before
