"""Specs and live tokens to plan with, made without any store or file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from reconciler.live.interface import Credential, CredentialState, LiveToken
from reconciler.plan import transition
from reconciler.plan.change import Change
from reconciler.plan.diff import Inputs, difference
from reconciler.plan.observed import ArtifactState, Delivery, Observed
from reconciler.plan.transition import Circumstances, SealedArtifact
from reconciler.specs.layout import Layout
from reconciler.specs.reader import Declared, read_file

T0 = 1_800_000_000
HOUR, DAY = 3600, 86_400
LAYOUT = Layout("artifacts")
RECIPIENTS = ("age1one", "age1two")
DELIVERY = Delivery(lambda wanted: wanted.artifact_path(LAYOUT), lambda _: frozenset(RECIPIENTS))

WHAT: dict[str, dict[str, object]] = {
    "RSAToken": {"apis": ["a", "b"], "projects": ["p"]},
    "JWTToken": {"apis": ["a"], "users": ["u"]},
    "LoginToken": {
        "aud": "App", "sap": "*", "jti": "1", "api": "*", "shop": "S", "role": "*", "rule": "*",
        "ipm": ["10.0.0.0/8"],
    },
    "TokenAuth": {"name": "ERP"},
}  # fmt: skip


def declared(
    kind: str = "RSAToken",
    name: str = "one",
    **parts: Mapping[str, object],
) -> Declared:
    """A token as a spec file declares it; `spec` is laid over what the kind needs."""
    document = {
        "apiVersion": "reconciler/v1",
        "kind": kind,
        **parts,
        "metadata": {"name": name, **parts.get("metadata", {})},
        "spec": {**WHAT[kind], **parts.get("spec", {})},
    }
    found = read_file("specs/x.yaml", json.dumps(document, default=dict).encode())
    assert found.faults == []
    return found.tokens[0]


def credential(wanted: Declared, now: int, generation: int = 1, expires_at: int | None = None) -> Credential:
    """What the kind would mint, without a key."""
    spec = wanted.spec()
    ends = None if spec.renewal is None else now + spec.renewal
    if expires_at is not None and (ends is not None or spec.what.carries_end):
        ends = expires_at if ends is None else min(ends, expires_at)
    return Credential(generation, CredentialState.ACTIVE, "X", now, ends, public_key=f"{generation}")


def artifact(wanted: Declared) -> SealedArtifact | None:
    """Where it would be published; nowhere where its owner brings the key."""
    if wanted.own_key is not None:
        return None
    return SealedArtifact(
        LAYOUT.path(wanted.kind, wanted.name, None, wanted.spec().deliver.format),
        "sha256:0",
        RECIPIENTS,
        "sha256:1",
    )


def live(wanted: Declared, now: int = T0) -> LiveToken:
    """The token as it is after its issue."""
    half = credential(wanted, now, 1, wanted.spec().expires_at(now))
    return transition.issued(wanted, f"id-{wanted.name}", half, artifact(wanted), Circumstances(now, None))


def planned(
    wanted: Sequence[Declared],
    tokens: Sequence[LiveToken],
    now: int = T0,
    found: ArtifactState = ArtifactState.SAME,
    delivery: Delivery = DELIVERY,
) -> tuple[Change, ...]:
    """The changes, when every artifact is as given."""
    return difference(Inputs(wanted, [(token, Observed(found)) for token in tokens], delivery, now)).changes


def applied(tokens: Sequence[LiveToken], wanted: Sequence[Declared], now: int) -> list[LiveToken]:
    """The live tokens after a plan of their own was applied: a model of apply, without effects."""
    under = Circumstances(now, None)
    by_name = {token.name: token for token in tokens}
    specs = {one.name: one for one in wanted}
    for change in planned(wanted, tokens, now):
        name = change.name
        if change.previously is not None and change.previously in by_name:
            by_name[name] = by_name.pop(change.previously)
        if change.action == "delete":
            del by_name[name]
        elif change.action == "retire":
            by_name[name] = transition.retired(by_name[name], change.generations, under)
        elif change.action in ("modify", "rename"):
            token = by_name[name]
            if change.artifact is not None:
                moved = SealedArtifact(change.artifact, "sha256:0", RECIPIENTS)
                token = transition.resealed(token, moved, under)
            by_name[name] = transition.modified(token, specs[name], under)
        elif change.action == "issue":
            by_name[name] = live(specs[name], now)
        else:
            before = transition.retired(by_name[name], change.generations, under)
            expires = specs[name].spec().expires_at(before.created_at)
            half = credential(specs[name], now, before.generation + 1, expires)
            by_name[name] = transition.rotated(before, specs[name], half, artifact(specs[name]), under)
    return [stored(token) for token in by_name.values()]


def stored(token: LiveToken) -> LiveToken:
    """As the store gives it back: without the credentials that are retired."""
    kept = tuple(one for one in token.credentials if one.state is not CredentialState.RETIRED)
    return replace(token, credentials=kept)
