"""The command line of `serve`: what is wrong is said before anything listens."""

from __future__ import annotations

import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from reconciler.verify.http.listening import place
from reconciler.verify.http.tls import TlsFiles, context
from tests.apply.kit import House
from tests.verify.http.conftest import key_file
from tests.verify.http.served import environ, served

Signer: TypeAlias = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


@pytest.fixture
def bare(tmp_path: Path) -> House:
    """A workspace with nothing live."""
    root = tmp_path / "bare"
    house = House(root, f"sqlite:///{root}/.reconciler/live.db")
    house.declare()
    return house


def ran(house: House, *arguments: str, code: str | None = None, **more: str) -> tuple[int, str]:
    """Exit code and stderr of a `serve` that does not get as far as to serve."""
    program = ["-c", code] if code else ["-m", "reconciler.cli"]
    command = [
        sys.executable,
        *program,
        "-C",
        str(house.root),
        "serve",
        "--listen",
        "127.0.0.1:0",
        *arguments,
    ]
    settings = {**environ(house), **more}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=settings)
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("--listen", "8400"),
        ("--listen", "::1:8400"),
        ("--listen", "127.0.0.1:65536"),
        ("--listen", "127.0.0.1:x"),
        ("--trust", "10.0.0.1/8"),
        ("--trust", "gateways"),
        ("--max-stale", "soon"),
        ("--leeway", "0"),
        ("--token-ttl", "11m"),
        ("--issuer", "ftp://x"),
        ("--issuer", "https://x/?a"),
        ("--audience", "a b"),
        ("--app", "a b"),
        ("--introspect-api", ""),
        ("--device-header", "X Device"),
        ("--device-header", "X_Device"),
        ("--workers", "0"),
        ("--tls-cert", "cert.pem"),
        ("--tls-client-ca", "ca.pem"),
        ("--nonsense",),
    ],
)
def test_a_flag_that_cannot_be_used_is_wrong_usage(bare: House, arguments: tuple[str, ...]) -> None:
    code, said = ran(bare, *arguments)
    assert code == 64, said
    assert "listening" not in said


def test_a_key_that_cannot_be_used_is_told_and_nothing_listens(bare: House, tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text("none")
    for arguments, more in (
        (("--signing-key", str(file)), {}),
        ((), {"RECONCILER_SIGNING_KEY_FILE": str(file)}),
    ):
        code, said = ran(bare, "--issuer", "https://x", *arguments, **more)
        assert code == 1
        assert "signing key" in said
        assert "listening" not in said


def test_a_certificate_that_cannot_be_used_is_told(bare: House, tmp_path: Path) -> None:
    file = tmp_path / "cert.pem"
    code, said = ran(bare, "--tls-cert", str(file), "--tls-key", str(file))
    assert (code, "cannot be used" in said) == (1, True)
    file.write_text("none")
    code, said = ran(bare, "--tls-cert", str(file), "--tls-key", str(file))
    assert (code, "cannot be used" in said) == (1, True)


def test_without_the_extra_it_says_how_to_get_it(bare: House) -> None:
    """The library is there in the tests, so it is made to be missing."""
    code = (
        "import sys, importlib.util as util; real = util.find_spec;"
        "util.find_spec = lambda name, *a: None if name == 'uvicorn' else real(name, *a);"
        "from reconciler.cli.main import main; main()"
    )
    ended, said = ran(bare, code=code)
    assert ended == 1
    assert "pip install 'reconciler[serve]'" in said


def test_specs_with_faults_stop_a_start(bare: House) -> None:
    (bare.root / "specs" / "all.yaml").write_text("kind: [")
    code, said = ran(bare)
    assert (code, "listening" in said) == (1, False)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:8400", "127.0.0.1", 8400),
        ("[::1]:0", "::1", 0),
        ("verifier.example:1", "verifier.example", 1),
    ],
)
def test_a_place_is_read_and_written_the_same(text: str, host: str, port: int) -> None:
    found = place(text)
    assert (found.host, found.port, str(found)) == (host, port, text)


def certificate(folder: Path, name: str, signer: Signer | None = None) -> tuple[Path, Path, Signer]:
    """A certificate for this machine with its key, in files; signed by itself or by another."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer[0].subject if signer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=signer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(signer[1] if signer else key, hashes.SHA256())
    )
    file = folder / f"{name}.crt"
    file.write_bytes(made.public_bytes(Encoding.PEM))
    return file, key_file(folder, key, f"{name}.key"), (made, key)


def test_tls_is_spoken_and_clients_show_a_certificate_where_an_authority_is_named(
    bare: House, tmp_path: Path
) -> None:
    file, key, authority = certificate(tmp_path, "authority")
    client_file, client_key, _ = certificate(tmp_path, "client", authority)
    known = ssl.create_default_context(cafile=str(file))
    known.check_hostname = False
    flags = ("--tls-cert", str(file), "--tls-key", str(key))
    with served(bare, *flags, tls=known) as server:
        assert server.get("/healthz")[0] == 200
        assert f"https://127.0.0.1:{server.port}" in server.err
        assert not server.raw(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").startswith(b"HTTP")
    with served(bare, *flags, "--tls-client-ca", str(file), tls=known) as server:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            server.get("/healthz")
        showing = ssl.create_default_context(cafile=str(file))
        showing.check_hostname = False
        showing.load_cert_chain(client_file, client_key)
        server.tls = showing
        assert server.get("/healthz")[0] == 200


def test_tls_is_1_2_or_newer(tmp_path: Path) -> None:
    file, key, _ = certificate(tmp_path, "authority")
    made = context(TlsFiles(file, key))
    assert made.minimum_version is ssl.TLSVersion.TLSv1_2
    assert made.verify_mode is ssl.CERT_NONE
    assert context(TlsFiles(file, key, file)).verify_mode is ssl.CERT_REQUIRED
