"""A token endpoint on this machine that speaks RFC 6749, and one that answers whatever it is told to."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

GIVEN = "eyJ.given.token"


@dataclass
class Endpoint:
    """What it was sent, and what it answers."""

    url: str = ""
    status: int = 200
    body: bytes = json.dumps({"access_token": GIVEN, "token_type": "Bearer", "expires_in": 300}).encode()
    headers: dict[str, str] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, str], dict[str, list[str]]]] = field(default_factory=list)
    """Path, headers and form of each request."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A handshake that fails is what a test is about."""


@contextmanager
def serving(certificate: Path | None = None) -> Iterator[Endpoint]:
    """An endpoint on a free port of the loopback, over TLS where a file with key and certificate is given."""
    endpoint = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            form = parse_qs(self.rfile.read(length).decode(), strict_parsing=True)
            endpoint.calls.append((self.path, dict(self.headers), form))
            self.send_response(endpoint.status)
            for name, value in {"Content-Length": str(len(endpoint.body)), **endpoint.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(endpoint.body)

        def do_GET(self) -> None:
            endpoint.calls.append((self.path, dict(self.headers), {}))
            self.send_error(405)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name where it comes from
            """Nothing on stderr, which is what the tests look at."""

    server = _Server(("127.0.0.1", 0), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    endpoint.url = f"http{'s' if certificate else ''}://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def saying(answer: bytes) -> Iterator[str]:
    """The address of a server that says the same to everybody and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def say() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(answer)

        thread = Thread(target=say)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join()


def certificate(file: Path) -> Path:
    """A key and a certificate for this machine that nobody vouches for, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(pem + made.public_bytes(Encoding.PEM))
    return file
