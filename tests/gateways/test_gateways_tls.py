"""Where verifier and upstream are https, their certificates are checked: nobody else is asked or believed."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from reconciler.verify.gateways.places import Endpoint
from tests.gateways.conftest import ASKING, printed
from tests.gateways.kit import WHO, Client, echo, judge
from tests.gateways.recording import HOST, Recorder
from tests.servers.fronts import front

DAY = timedelta(days=1)


class Authority:
    """A certificate authority, made for the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "ca.pem"
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name.from_rfc4514_string("CN=tests")
        made = self._building("tests", self._key.public_key())
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.file.write_bytes(made.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))

    def server(self, host: str) -> ssl.SSLContext:
        """What a server of a name or an address needs."""
        key = ec.generate_private_key(ec.SECP256R1())
        named = x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
        made = self._building(host, key.public_key())
        made = made.add_extension(x509.SubjectAlternativeName([named]), critical=False)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        pem += made.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)
        file = self.folder / f"{host}.pem"
        file.write_bytes(pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _building(self, name: str, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name.from_rfc4514_string(f"CN={name}"))
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - DAY)
            .not_valid_after(now + DAY)
        )


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The one that is trusted."""
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """What ends with the test."""
    with ExitStack() as opened:
        yield opened


def _served(stack: ExitStack, server: Recorder, tls: ssl.SSLContext) -> Endpoint:
    server.tls = tls
    server.start()
    stack.callback(server.stop)
    return Endpoint("https", HOST, server.port)


@pytest.mark.parametrize("name", ASKING)
def test_over_tls_a_granted_call_passes(name: str, authority: Authority, stack: ExitStack) -> None:
    verifier, upstream = Recorder(judge), Recorder(echo)
    asked = _served(stack, verifier, authority.server(HOST))
    called = _served(stack, upstream, authority.server(HOST))
    configure = printed(name, asked, called, str(authority.file))
    running = stack.enter_context(front(name, ASKING[name], configure))
    assert Client(running.port).ask().status == 200
    (reached,) = upstream.seen
    assert {key: reached.one(key) for key in WHO} == WHO


@pytest.mark.parametrize("who", ["verifier", "upstream"])
@pytest.mark.parametrize("name", ASKING)
def test_a_server_with_the_certificate_of_another_is_not_spoken_to(
    name: str, who: str, authority: Authority, stack: ExitStack
) -> None:
    verifier, upstream = Recorder(judge), Recorder(echo)
    hosts = {"verifier": HOST, "upstream": HOST, who: "other.example"}
    asked = _served(stack, verifier, authority.server(hosts["verifier"]))
    called = _served(stack, upstream, authority.server(hosts["upstream"]))
    configure = printed(name, asked, called, str(authority.file))
    running = stack.enter_context(front(name, ASKING[name], configure))
    assert Client(running.port).ask().status in (500, 502, 503)
    assert upstream.seen == []
    assert bool(verifier.seen) == (who == "upstream")
