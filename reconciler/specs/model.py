"""A token spec around its kind: metadata, lifecycle, delivery, and its normal form."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Generic, Literal, TypeAlias, TypeVar, cast

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, Strict
from pydantic_core import PydanticCustomError, from_json

from reconciler.artifacts.formats import all_formats
from reconciler.kinds import all_kinds
from reconciler.kinds.fields import (
    Duration,
    Ending,
    Labels,
    Line,
    Model,
    Moment,
    Owner,
    TokenName,
    end_of_date,
    one_or_many,
    parse_duration,
)
from reconciler.kinds.interface import AnyKind
from reconciler.specs.layout import Layout

API_VERSION = "reconciler/v1"
DEFAULT_OVERLAP = "7d"
DEFAULT_FORMAT = "yaml"
DELIVERED_NAME = "deliver.kubernetes.name"
"""The field that names what is delivered, where that has a name; by default it is the token's."""

S = TypeVar("S", bound=Model)


def _known_format(name: str) -> str:
    if name not in all_formats():
        raise PydanticCustomError("choice", "unknown format", {"choices": sorted(all_formats())})
    return name


def _formats_in_schema(schema: dict[str, Any]) -> None:
    schema["enum"] = sorted(all_formats())


FormatName: TypeAlias = Annotated[
    str, AfterValidator(_known_format), Field(json_schema_extra=_formats_in_schema)
]


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise PydanticCustomError("twice", "a name stands here twice")
    return names


Previously: TypeAlias = Annotated[
    tuple[TokenName, ...],
    Strict(strict=False),
    Field(max_length=100, json_schema_extra={"uniqueItems": True}),
    BeforeValidator(one_or_many, json_schema_input_type=TokenName | list[TokenName]),
    AfterValidator(_each_once),
]


class Metadata(Model):
    """Which token it is, and whose."""

    name: TokenName
    """Unique over the whole workspace, all kinds."""
    title: Line | None = None
    """Free text in any script; `list` searches it too."""
    owner: Owner | None = None
    """Who answers for it, and gets it."""
    labels: Labels = Field(default={})
    """Free pairs of words."""
    previously: Previously = ()
    """Names that it had before. A live token of such a name is renamed, and keeps its credential."""


class Asked(Model):
    """A rotation that somebody asks for, as `reconcile rotate` writes it."""

    at: Moment
    """When it was asked for, in UTC. A later one asks anew."""
    reason: Line
    """Why, for who reads the plan and the history."""
    leaked: bool = False
    """Somebody else may hold the secret: the old credential ends at once, without overlap."""


class Rotation(Model):
    """When a new credential is made, and how long the old one goes on working."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    every: Duration | None = None
    """From one credential to the next, at the most: due dates are spread over the last tenth."""
    overlap: Duration = DEFAULT_OVERLAP
    """How long the old credential stays valid beside the new one."""
    asked: Asked | None = None
    """A rotation that is asked for now."""


def _rotation(rotation: Rotation | None) -> Rotation | None:
    """None for a rotation of which all is as it is without one: it means the same."""
    if rotation is not None and not rotation.model_fields_set:
        raise PydanticCustomError("empty", "write how often, as in rotate: {every: 90d}")
    return rotation if rotation != Rotation() else None


class Lifecycle(Model):
    """When a token works, and when it ends."""

    enabled: bool = True
    """Off: refused at once, and back when it is on again."""
    expires: Ending | None = None
    """A date (the token works until that day is over, in UTC), or a duration from issue."""
    rotate: Annotated[Rotation | None, AfterValidator(_rotation)] = None
    """Rotation, on a schedule or asked for."""
    protect: bool = False
    """Refuse to delete it; kept in the live store too, so dropping the spec does not drop it."""


class KubernetesOptions(Model):
    """How the `v1/Secret` is called."""

    name: TokenName | None = None
    """Name of the Secret; by default the token's."""
    namespace: TokenName | None = None
    """Namespace of the Secret."""
    labels: Labels = Field(default={})
    """Labels of the Secret."""
    type: Line | None = None
    """Type of the Secret; by default Opaque."""


def _options(options: KubernetesOptions | None) -> KubernetesOptions | None:
    """None for options that say nothing: they mean the same as no options."""
    return options if options != KubernetesOptions() else None


class Deliver(Model):
    """In which form the owner receives the secret."""

    format: FormatName = DEFAULT_FORMAT
    """Format of the sealed file."""
    kubernetes: Annotated[KubernetesOptions | None, AfterValidator(_options)] = None
    """For `format: kubernetes`."""


class TokenSpec(Model, Generic[S]):
    """One declared token."""

    apiVersion: Literal["reconciler/v1"]
    """Version of the format."""
    kind: str
    """Kind of the token."""
    metadata: Metadata
    """Which token it is, and whose."""
    spec: S
    """What the kind needs."""
    lifecycle: Lifecycle = Lifecycle()
    """When it works, when it ends, and how often it is renewed."""
    deliver: Deliver = Deliver()
    """How the owner receives it."""

    def normal_form(self) -> str:
        """JSON of what is not a default, in the order of the model: one text for one meaning."""
        return self.model_dump_json(exclude_defaults=True)

    @property
    def what(self) -> AnyKind:
        """The kind it declares."""
        return all_kinds()[self.kind]

    def artifact_path(self, layout: Layout) -> str | None:
        """Where its artifact stands, relative to the workspace; None where its owner brings the key."""
        if self.own_key is not None:
            return None
        return layout.path(self.kind, self.metadata.name, self.metadata.owner, self.deliver.format)

    @property
    def own_key(self) -> str | None:
        """The public key that its owner brings, if any."""
        return self.what.own_key(self.spec)

    def delivery_options(self) -> dict[str, str | dict[str, str]]:
        """What the delivery format wants to know beside the fields."""
        options: dict[str, str | dict[str, str]] = {"name": self.metadata.name}
        if self.deliver.kubernetes is not None:
            options.update(self.deliver.kubernetes.model_dump(exclude_defaults=True))
        return options

    @property
    def enabled(self) -> bool:
        """Whether it is to work at all."""
        return self.lifecycle.enabled and self.what.enabled(self.spec)

    @property
    def overlap(self) -> int:
        """Seconds for which a replaced credential goes on working."""
        rotate = self.lifecycle.rotate
        return parse_duration(rotate.overlap if rotate else DEFAULT_OVERLAP)

    @property
    def every(self) -> int | None:
        """Seconds from one credential to the next, by its schedule."""
        rotate = self.lifecycle.rotate
        return parse_duration(rotate.every) if rotate and rotate.every else None

    @property
    def asked(self) -> Asked | None:
        """The rotation that was asked for last."""
        return self.lifecycle.rotate.asked if self.lifecycle.rotate else None

    @property
    def delivers_name(self) -> bool:
        """Whether what its owner receives carries the token's name."""
        options = self.deliver.kubernetes
        named = options is not None and options.name is not None
        return all_formats()[self.deliver.format].carries_name and not named

    def expires_at(self, issued_at: int) -> int | None:
        """Epoch seconds at which the token ends, if it does, given when it was issued."""
        expires = self.lifecycle.expires
        if expires is None:
            return None
        return end_of_date(expires) if "-" in expires else issued_at + parse_duration(expires)

    @property
    def renewal(self) -> int | None:
        """Seconds after which a credential of this spec ends by itself, if it does."""
        return self.what.renewal(self.spec)

    def lasts(self, made_at: int, issued_at: int) -> int | None:
        """Epoch seconds at which a credential of this spec ends by itself, if it does.

        Given when it was made, and when its token was issued: the end of the token is its own too.
        """
        ends = self.expires_at(issued_at)
        if self.renewal is None:
            return None
        return made_at + self.renewal if ends is None else min(made_at + self.renewal, ends)


AnyTokenSpec: TypeAlias = TokenSpec[Any]


@cache
def token_spec(kind: str) -> type[AnyTokenSpec]:
    """The model of a token spec of one kind."""
    return cast("type[AnyTokenSpec]", TokenSpec.__class_getitem__(all_kinds()[kind].spec))


def from_normal_form(text: str) -> AnyTokenSpec:
    """The spec that a normal form was made from. Raises pydantic's ValidationError or KeyError."""
    return token_spec(from_json(text)["kind"]).model_validate_json(text)
