"""The flags of `serve` as the setup of a server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from ssl import SSLContext

from reconciler.errors import SettingsError, UsageError
from reconciler.kinds.checking import OWNER_SIGNED_SECONDS
from reconciler.verify.check import Rules
from reconciler.verify.http import signing, tls
from reconciler.verify.http.forward import Gateways, Match
from reconciler.verify.http.introspect import Introspection
from reconciler.verify.http.oauth import Issuer
from reconciler.verify.http.peers import LOOPBACK, Network, Trust, trusted
from reconciler.verify.http.setup import Setup
from reconciler.verify.http.signing import SigningKey
from reconciler.verify.interface import IssuerKey
from reconciler.verify.remembering import remembering
from reconciler.verify.routes import Routes
from reconciler.verify.unsealing import unsealing
from reconciler.workspace import Workspace

KEY_FILE = "RECONCILER_SIGNING_KEY_FILE"


@dataclass(frozen=True, slots=True)
class Flags:
    """What the command line said."""

    trust: tuple[Network, ...]
    max_stale: int
    leeway: int
    audience: str | None
    issuer: str | None
    app: str | None
    device_header: bytes | None
    user_header: bytes | None
    introspect_api: str
    token_ttl: int
    signing_keys: tuple[Path, ...]
    tls: tuple[Path | None, Path | None, Path | None]
    """Certificate, key, and the clients' authority."""
    access_log: bool


def setup(workspace: Workspace, flags: Flags, clock: Callable[[], float]) -> Setup:
    """How the server is set up; `clock` gives epoch seconds.

    Raises UsageError, SettingsError, SpecsInvalid.
    """
    if flags.token_ttl > OWNER_SIGNED_SECONDS:
        raise UsageError("--token-ttl is longer than 10m", hint="issued tokens last 10m at the most")
    specs = workspace.specs
    issuer_url = flags.issuer or specs.settings.verifier.url
    audience = flags.audience or specs.audience
    keys = signing.load(flags.signing_keys or _from_environment(workspace))
    return Setup(
        store=workspace.opening(),
        rules=Rules(
            audience=audience,
            leeway=flags.leeway,
            issuer=issuer_url,
            issuer_keys={key.kid: IssuerKey(key.kid, key.algorithm, key.public_pem) for key in keys},
            holds=remembering(),
            unseal=unsealing(workspace.identities.native),
        ),
        max_stale=flags.max_stale,
        match=routes_of(workspace),
        read_routes=_reading(workspace),
        gateways=Gateways(
            trust=Trust(flags.trust) if flags.trust else trusted(LOOPBACK),
            realm=specs.name,
            app=flags.app,
            device_header=flags.device_header,
            user_header=flags.user_header,
        ),
        introspection=Introspection(flags.introspect_api, specs.name, issuer_url, audience),
        issuer_url=issuer_url,
        issuer=_issuer(keys, issuer_url, audience, flags.token_ttl),
        keys=keys,
        clock=clock,
        entropy=workspace.around.entropy,
        access_log=flags.access_log,
        tls=_tls(*flags.tls),
    )


def routes_of(workspace: Workspace) -> Match:
    """The routes of the catalog, as the workspace has read it."""
    return Routes.of(workspace.specs.apis).match


def _reading(workspace: Workspace) -> Callable[[], Match]:
    return lambda: routes_of(Workspace(workspace.root, workspace.around, workspace.named_store))


def _from_environment(workspace: Workspace) -> tuple[Path, ...]:
    named = workspace.around.environ.get(KEY_FILE)
    return (Path(named),) if named else ()


def _issuer(keys: tuple[SigningKey, ...], url: str | None, audience: str, ttl: int) -> Issuer | None:
    if not keys:
        return None
    if url is None:
        raise SettingsError(
            "there is a signing key, and tokens need an issuer",
            hint="name this verifier's address: --issuer, or spec.verifier.url in the Workspace document",
        )
    return Issuer(url, audience, ttl, keys[0])


def _tls(certificate: Path | None, key: Path | None, authority: Path | None) -> SSLContext | None:
    if certificate is None and key is None and authority is None:
        return None
    if certificate is None or key is None:
        raise UsageError("TLS needs both --tls-cert and --tls-key", hint="name both files, or none")
    return tls.context(tls.TlsFiles(certificate, key, authority))
