"""What sealing is to the rest of the house: fields and a header go in, an encrypted file comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from reconciler.artifacts.names import is_age, once
from reconciler.secret import Secret


@dataclass(frozen=True, slots=True)
class Header:
    """Whose secret an artifact carries. It stands in the file in the clear, and again in the binding."""

    kind: str
    token_id: str
    generation: int


@dataclass(frozen=True, slots=True)
class Parcel:
    """One secret on its way to its owner, before it is sealed."""

    header: Header
    fields: Mapping[str, str | Secret]
    """What the owner receives, in the order in which it is shown."""
    path: str
    """Where the artifact will stand, relative to the workspace, with `/`: rules match on it."""
    format: str
    """A delivery format by its name: yaml, json, dotenv, pem, kubernetes."""
    sealed_at: int
    """Epoch seconds: the run's clock reading, and the file's `lastmodified`."""
    options: Mapping[str, str | Mapping[str, str]] = field(default_factory=dict)
    """What the format itself wants to know, such as the namespace of a Kubernetes Secret."""


@dataclass(frozen=True, slots=True)
class Recipients:
    """To whom an artifact is sealed, as its creation rule says (`.sops.yaml`).

    Recipients are named as in a file's metadata: see `names`.
    """

    rule: int
    """Which creation rule matched, counted from 0 as in the file."""
    groups: tuple[tuple[str, ...], ...] = ()
    """The recipients of each key group, as often as the rule writes them: age first, in its order."""
    threshold: int = 0
    """How many groups it takes to open the artifact; 0 when there is one group."""
    native: bool = True
    """Whether age recipients in one group are all there is, so that no other program is needed."""
    mac_only_encrypted: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Every recipient, each once."""
        return once(name for group in self.groups for name in group)

    @property
    def age(self) -> tuple[str, ...]:
        """Age and SSH recipients, each once: everyone, where the rule is native."""
        return tuple(name for name in self.names if is_age(name))


@dataclass(frozen=True, slots=True)
class Expected:
    """What an artifact should hold, as the live store or a record says."""

    header: Header
    contents: str | None = None
    """Digest of what was sealed (`contents_digest`); None where nobody kept it."""
    digest: str | None = None
    """Digest of the whole file, where that is all that was kept: then it may not have been encrypted anew."""

    @property
    def vouched(self) -> bool:
        """Whether it tells a forgery: whoever has the public recipients can make a file with a header."""
        return self.contents is not None or self.digest is not None


@dataclass(frozen=True, slots=True)
class Opened:
    """An artifact that was opened and found whole: its MAC, header, binding and structure agree."""

    header: Header
    fields: Mapping[str, str | Secret]
    """Secret fields as Secret; plain ones (token id, algorithm, public key) may be Secret too."""


class Sealer(Protocol):
    """Seals parcels. The one port through which a secret leaves the process."""

    def recipients(self, path: str) -> Recipients:
        """To whom the artifact at a path is sealed. Raises NoRecipients."""

    def seal(self, parcel: Parcel) -> bytes:
        """The bytes of the sealed file. Raises NoRecipients or SealFailed."""


class Opener(Protocol):
    """Opens sealed files with the reader's own identities."""

    def open(self, data: bytes, path: str, expected: Expected | None = None) -> Opened:
        """What the file holds, checked; `expected` is what it should hold.

        A whole file put in another's place is whole: only the caller knows whose it should be.
        Raises CannotOpen or ArtifactTampered.
        """
