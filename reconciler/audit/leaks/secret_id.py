"""Secret ids: they carry a prefix and a checksum, so what is found is one."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.audit.leaks.interface import Detector, Leak, same
from reconciler.kinds.keys import SECRET_ID, SECRET_PREFIX, is_secret_id


def find(text: bytes) -> Iterator[Leak]:
    """What is long enough and has the checksum of its letters, whatever stands around it."""
    # Latin-1 has one letter for each byte, so that offsets stay what they are.
    for found in SECRET_ID.finditer(text.decode("latin-1")):
        if is_secret_id(found[0]):
            yield Leak(found.start(), found.end(), same(found[0].encode()))


DETECTOR = Detector(
    name="secret-id",
    what=f"a secret id ({SECRET_PREFIX}…)",
    remedy="ask the verifier whose it is (reconcile verify, with the secret id on standard input); then"
    " reconcile rotate NAME, commit, and apply",
    find=find,
    literals=(SECRET_PREFIX.encode(),),
)
