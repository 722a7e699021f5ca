"""What a live token becomes by each change. Pure: the time and the new credential are values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256

from reconciler.live.interface import Credential, CredentialState, LiveToken, Setback, TokenState
from reconciler.specs.model import AnyTokenSpec
from reconciler.specs.reader import Declared

SPREAD = 10
"""Due dates are spread over one part in so many of the interval."""
FIRST_PAUSE, LONGEST_PAUSE = 600, 86_400
"""Seconds before a rotation that failed is tried again: at first, and at the most."""

NARROWED = ""
"""Spec digest of a token that lost access and was not yet given what its spec asks for. It equals no
digest, so whatever becomes of the run, the next plan brings the token to what its spec says."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a change happens under."""

    now: int
    """Epoch seconds: the run's one clock reading."""
    commit: str | None
    """The commit that the specs were read at."""


@dataclass(frozen=True, slots=True)
class SealedArtifact:
    """An artifact that is about to be published."""

    path: str
    digest: str
    recipients: tuple[str, ...]
    """To whom it is sealed, by name."""
    contents: str | None = None
    """Digest of what was sealed; None where it is not new, and stays what it was."""

    def of(self, token: LiveToken) -> LiveToken:
        """The token with this artifact. Whoever it was sealed to before has seen what it holds."""
        new = self.contents is not None
        before = () if new else token.artifact_recipients or ()
        return replace(
            token,
            artifact_path=self.path,
            artifact_digest=self.digest,
            artifact_contents=self.contents if new else token.artifact_contents,
            artifact_recipients=tuple(dict.fromkeys((*before, *self.recipients))),
        )


def due_at(
    spec: AnyTokenSpec, credential: Credential, expires_at: int | None, token_id: str | None
) -> int | None:
    """When a credential is due for rotation, if it is ever: by schedule, or ahead of its own end.

    Up to a tenth of the interval earlier, by its token's id, so that tokens of one day do not all fall
    due on one day. Without an id, the latest that it can be. A credential that lasts until its token
    ends is not renewed for that end.
    """
    start, ends, times = credential.not_before, credential.not_after, list[int]()
    if spec.every is not None:
        times.append(start + spec.every)
    if ends is not None and (expires_at is None or ends < expires_at):
        times.append(ends - spec.overlap)
    if not times:
        return None
    return min(times) - (jitter(token_id, min(times) - start, spec.overlap) if token_id else 0)


def jitter(token_id: str, interval: int, overlap: int) -> int:
    """Seconds by which a token is due early: the same for a token, and spread evenly over all.

    A tenth of the interval at the most, and no more than leaves the overlap whole.
    """
    most = min(interval // SPREAD, interval - overlap)
    return int.from_bytes(sha256(token_id.encode()).digest()[:8]) % (most + 1) if most > 0 else 0


def issued(
    declared: Declared,
    token_id: str,
    credential: Credential,
    artifact: SealedArtifact | None,
    under: Circumstances,
) -> LiveToken:
    """A new token with its first credential; without an artifact where its owner brought the key."""
    blank = LiveToken(
        id=token_id,
        name=declared.name,
        kind=declared.kind,
        state=TokenState.ACTIVE,
        grants={},
        declared="",
        spec_digest="",
        commit=under.commit,
        created_at=under.now,
        changed_at=under.now,
        expires_at=None,
        protect=False,
        artifact_path=None,
        artifact_digest=None,
        credentials=(credential,),
    )
    return modified(_delivered(blank, artifact), declared, under)


def modified(token: LiveToken, declared: Declared, under: Circumstances) -> LiveToken:
    """The token as its spec now says, with the credentials that it has."""
    spec = declared.spec()
    expires_at = spec.expires_at(token.created_at)
    newest = token.credentials[0] if token.credentials else None
    return replace(
        token,
        name=declared.name,
        state=TokenState.ACTIVE if spec.enabled else TokenState.DISABLED,
        grants=spec.what.grants(spec.spec),
        declared=declared.normal,
        spec_digest=declared.digest,
        commit=under.commit,
        changed_at=under.now,
        expires_at=expires_at,
        due_at=due_at(spec, newest, expires_at, token.id) if newest else None,
        protect=spec.lifecycle.protect,
    )


def rotated(
    token: LiveToken,
    declared: Declared,
    credential: Credential,
    artifact: SealedArtifact | None,
    under: Circumstances,
) -> LiveToken:
    """The token with a new credential; the one before goes on until the overlap ends, older ones end."""
    previous = token.credentials[:1]
    overlap = declared.spec().overlap
    kept = tuple(_retiring(one, under.now, overlap) for one in previous)
    ended = tuple(retire(one, under.now) for one in token.credentials[1:])
    renewed = replace(token, credentials=(credential, *kept, *ended), setback=None)
    return modified(_delivered(renewed, artifact), declared, under)


def _delivered(token: LiveToken, artifact: SealedArtifact | None) -> LiveToken:
    """The token with the artifact of its newest credential, or with none."""
    if artifact is not None:
        return artifact.of(token)
    return replace(
        token, artifact_path=None, artifact_digest=None, artifact_contents=None, artifact_recipients=None
    )


def _retiring(credential: Credential, now: int, overlap: int) -> Credential:
    """The credential until its overlap is over; one that has ended by itself is over at once."""
    end = now + overlap
    if credential.not_after is not None:
        end = min(end, credential.not_after)
    if end <= now:
        return retire(credential, now)
    return replace(credential, state=CredentialState.RETIRING, not_after=end)


def retire(credential: Credential, now: int) -> Credential:
    """The credential, over for good."""
    ends = now if credential.not_after is None else min(now, credential.not_after)
    return replace(credential, state=CredentialState.RETIRED, not_after=ends)


def retired(token: LiveToken, generations: tuple[int, ...], under: Circumstances) -> LiveToken:
    """The token without the generations named. Without its newest, it waits for no due date any more."""
    credentials = tuple(
        retire(one, under.now) if one.generation in generations else one for one in token.credentials
    )
    ended = token.generation in generations
    return replace(
        token,
        credentials=credentials,
        changed_at=under.now,
        due_at=None if ended else token.due_at,
    )


def set_back(token: LiveToken, declared: Declared, under: Circumstances) -> LiveToken:
    """The token after no new credential could be made for it: the next try waits, longer each time."""
    before = token.setback
    count = before.count + 1 if before is not None and before.spec == declared.digest else 1
    pause = min(FIRST_PAUSE << min(count - 1, 16), LONGEST_PAUSE)
    setback = Setback(count, under.now + pause, declared.digest)
    return replace(token, setback=setback, changed_at=under.now)


def resealed(token: LiveToken, artifact: SealedArtifact, under: Circumstances) -> LiveToken:
    """The token with its artifact encrypted anew, or in another place."""
    return replace(artifact.of(token), changed_at=under.now)


def deleted(token: LiveToken, under: Circumstances) -> LiveToken:
    """The tombstone: no credential works, and all else stays that tells what the token was.

    So when it was issued, last changed and deleted, what it was granted, and by which spec of which commit.
    """
    return replace(
        _delivered(token, None),
        state=TokenState.DELETED,
        credentials=tuple(retire(one, under.now) for one in token.credentials),
        deleted_at=under.now,
        due_at=None,
        protect=False,
    )


def narrowed(token: LiveToken, declared: Declared, under: Circumstances) -> LiveToken | None:
    """The token with what its new spec takes away already gone, and nothing given yet.

    None when the spec takes nothing away. This is written before anything is minted.
    """
    spec = declared.spec()
    wanted = spec.what.grants(spec.spec)
    grants = {name: spec.what.meet(name, held, wanted.get(name, ())) for name, held in token.grants.items()}
    expires_at = _sooner(token.expires_at, spec.expires_at(token.created_at))
    state = token.state if spec.enabled else TokenState.DISABLED
    if (grants, expires_at, state) == (dict(token.grants), token.expires_at, token.state):
        return None
    return replace(
        token,
        grants=grants,
        expires_at=expires_at,
        state=state,
        spec_digest=NARROWED,
        changed_at=under.now,
    )


def _sooner(one: int | None, other: int | None) -> int | None:
    times = [time for time in (one, other) if time is not None]
    return min(times, default=None)
