"""Fields of one spec that are right by themselves and wrong together."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.kinds.fields import parse_duration
from reconciler.kinds.ownkeys import FIELD
from reconciler.specs.explain import Finding
from reconciler.specs.model import AnyTokenSpec, Deliver

_PLAIN = Deliver()


def contradictions(spec: AnyTokenSpec) -> Iterator[Finding]:
    """Every pair of fields of a spec that cannot both hold."""
    yield from _names(spec)
    yield from _own_key(spec)
    yield from _overlap(spec)
    yield from _format(spec)


def _names(spec: AnyTokenSpec) -> Iterator[Finding]:
    if spec.metadata.name in spec.metadata.previously:
        yield Finding(
            ("metadata", "previously"),
            "metadata.previously",
            f"{spec.metadata.name} is its name now",
            "write the names that it had before",
        )


def _own_key(spec: AnyTokenSpec) -> Iterator[Finding]:
    """What has a meaning only where apply makes the key."""
    if spec.own_key is None:
        return
    rotate = spec.lifecycle.rotate
    if rotate and spec.every is not None:
        yield Finding(
            ("lifecycle", "rotate", "every"),
            "lifecycle.rotate.every",
            f"a new key is to come every {rotate.every}, and nothing here makes one: its owner brings it",
            f"remove it; to rotate, the owner puts a new key into {FIELD}, and the old one works on until the"
            " overlap ends",
        )
    if spec.deliver != _PLAIN:
        yield Finding(
            ("deliver",),
            "deliver",
            f"deliver says how a secret is delivered, and none is to an owner who brings {FIELD}",
            "remove it",
            at_key=True,
        )


def _overlap(spec: AnyTokenSpec) -> Iterator[Finding]:
    rotate = spec.lifecycle.rotate
    if rotate and rotate.every and spec.overlap >= parse_duration(rotate.every):
        yield Finding(
            ("lifecycle", "rotate", "overlap"),
            "lifecycle.rotate.overlap",
            f"overlap is {rotate.overlap}, and a new credential comes every {rotate.every}",
            "make the overlap shorter than the interval, so that two credentials at most are valid",
        )
    renewal = spec.renewal
    if renewal is not None and 2 * spec.overlap > renewal:
        yield Finding(
            ("lifecycle", "rotate", "overlap") if rotate else ("spec", "lifetime"),
            "lifecycle.rotate.overlap",
            "the overlap is longer than half the lifetime of the credential, which is renewed before it ends",
            "make the lifetime longer, or lifecycle.rotate.overlap shorter: then two at most are valid",
        )


def _format(spec: AnyTokenSpec) -> Iterator[Finding]:
    deliver = spec.deliver
    if deliver == _PLAIN or spec.own_key is not None:
        return
    if deliver.format == "pem" and not spec.what.pem(spec.spec):
        yield Finding(
            ("deliver", "format"),
            "deliver.format",
            "format is pem, and the owner of this token gets no private key",
            "use yaml, json or dotenv",
        )
    if deliver.kubernetes is not None and deliver.format != "kubernetes":
        yield Finding(
            ("deliver", "kubernetes"),
            "deliver.kubernetes",
            f"these options are for format kubernetes, and the format is {deliver.format}",
            "set format: kubernetes, or remove them",
            at_key=True,
        )
