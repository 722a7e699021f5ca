"""The digest of what was sealed: by it, whoever opens an artifact knows a forgery.

Anyone who has the public recipients can seal another secret under a true header, and SOPS takes it. The
digest is kept in the live store and in the records, from the moment the secret was made. It is over the
plain fields, so encrypting them anew leaves it as it is; every credential holds 128 random bits or more, so
it tells nobody what they are.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.artifacts.interface import Header
from reconciler.artifacts.text.canonical import canonical_text
from reconciler.canonical import digest
from reconciler.secret import Secret

SCHEMA = "reconciler/contents/v1"


def contents_digest(header: Header, fields: Mapping[str, str | Secret]) -> str:
    """`sha256:` of the header and the fields, whatever the order and the delivery format."""
    opened = {name: one.open() if isinstance(one, Secret) else one for name, one in fields.items()}
    return digest(
        canonical_text(
            {
                "schema": SCHEMA,
                "kind": header.kind,
                "id": header.token_id,
                "generation": header.generation,
                "fields": opened,
            }
        ).encode()
    )
