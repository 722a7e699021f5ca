"""TLS for the listening side: 1.2 or newer, by files that the operator names."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import SettingsError


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Where certificate, key and the clients' authority stand."""

    certificate: Path
    key: Path
    client_authority: Path | None = None
    """Clients must show a certificate of it."""


def context(files: TlsFiles) -> ssl.SSLContext:
    """What a server speaks TLS by. Raises SettingsError."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_alpn_protocols(["http/1.1"])
    try:
        # A passphrase is never asked for: nobody is there to give one.
        made.load_cert_chain(files.certificate, files.key, password=lambda: "")
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"the certificate {files.certificate} with the key {files.key} cannot be used: {_said(error)}",
            hint="name a certificate chain with --tls-cert and its unencrypted key with --tls-key, both PEM",
        ) from None
    if files.client_authority is not None:
        made.verify_mode = ssl.CERT_REQUIRED
        try:
            made.load_verify_locations(files.client_authority)
        except (OSError, ValueError) as error:
            raise SettingsError(
                f"the clients' authority {files.client_authority} cannot be used: {_said(error)}",
                hint="name a PEM file of certificates with --tls-client-ca",
            ) from None
    return made


def _said(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "it is no PEM file").lower().replace("_", " ")
    return (error.strerror if isinstance(error, OSError) else None) or "it is not what it should be"
