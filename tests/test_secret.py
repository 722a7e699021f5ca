"""A Secret shows itself nowhere, and opens where it is asked to."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import io
import json
import logging
import pickle
import pprint
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from reconciler.errors import ReconcilerError
from reconciler.secret import Secret

CANARY = "hunter2-the-canary"
SHOWN = "Secret(***)"


class Model(BaseModel):
    secret: Secret
    more: list[Secret] = []
    maybe: Secret | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Holder:
    secret: Secret


def test_it_opens_by_one_call() -> None:
    assert Secret(CANARY).open() == CANARY
    assert Secret("").open() == ""


def logged(secret: Secret) -> str:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.emit(logging.LogRecord("x", logging.INFO, "f", 1, "%s %r", (secret, secret), None))
    return out.getvalue()


WAYS: dict[str, Callable[[Secret], str]] = {
    "repr": repr,
    "str": str,
    "f-string": lambda secret: f"{secret} {secret!r} {secret!s} {secret!a}",
    "format": lambda secret: format(secret, "") + format(secret, ">40") + "{:<3}".format(secret),  # noqa: UP032
    "percent": lambda secret: "%s %r" % (secret, secret),  # noqa: UP031
    "in a list": lambda secret: repr([secret, {"a": secret}, (secret,)]),
    "json": lambda secret: json.dumps({"a": secret}, default=str),
    "json of repr": lambda secret: json.dumps([secret], default=repr),
    "dataclass": lambda secret: repr(Holder(secret)),
    "asdict": lambda secret: repr(dataclasses.asdict(Holder(secret))),
    "astuple": lambda secret: repr(dataclasses.astuple(Holder(secret))),
    "model": lambda secret: repr(Model(secret=secret, more=[secret], maybe=secret)),
    "model python": lambda secret: repr(Model(secret=secret, more=[secret]).model_dump()),
    "model json mode": lambda secret: repr(Model(secret=secret, more=[secret]).model_dump(mode="json")),
    "model json": lambda secret: Model(secret=secret, more=[secret], maybe=secret).model_dump_json(),
    "pprint": pprint.pformat,
    "log": logged,
    "copy": lambda secret: repr(copy.copy(secret)),
    "deepcopy": lambda secret: repr(copy.deepcopy([secret])),
    "error": lambda secret: str(ValueError(secret)) + repr(ValueError("x", secret)),
}


@pytest.mark.parametrize("way", WAYS)
def test_it_shows_itself_as_stars(way: str) -> None:
    shown = WAYS[way](Secret(CANARY))
    assert SHOWN in shown
    assert CANARY not in shown


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_does_not_carry_it_and_what_comes_out_cannot_be_opened(protocol: int) -> None:
    data = pickle.dumps(Holder(Secret(CANARY)), protocol)
    assert CANARY.encode() not in data
    assert b"hunter2" not in data
    loaded = pickle.loads(data)  # noqa: S301
    assert repr(loaded.secret) == SHOWN
    with pytest.raises(ReconcilerError, match="a pickle does not carry it"):
        loaded.secret.open()


def test_two_that_came_out_of_a_pickle_are_not_equal_to_anything() -> None:
    loaded = pickle.loads(pickle.dumps(Secret(CANARY)))  # noqa: S301
    for other in (loaded, Secret(CANARY), Secret("")):
        with pytest.raises(ReconcilerError):
            assert loaded == other


def test_no_attribute_shows_it_by_a_name_that_somebody_would_try() -> None:
    secret = Secret(CANARY)
    with pytest.raises(TypeError):
        vars(secret)
    for name in ("value", "_value", "__value", "secret", "text", "__dict__"):
        assert not hasattr(secret, name)
    for name, found in inspect.getmembers(type(secret)):
        assert CANARY not in repr(found), name


def test_a_traceback_that_prints_locals_does_not_show_it() -> None:
    secret = Secret(CANARY)
    shown = ""
    try:
        int(f"{secret}")
    except ValueError as error:
        shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert SHOWN in shown


def test_equality_is_of_values_and_with_secrets_only() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("工") == Secret("工")
    assert Secret("a") != "a"
    assert Secret("a") != None  # noqa: E711


def test_it_cannot_be_hashed_measured_or_taken_apart() -> None:
    secret = Secret(CANARY)
    acts: list[Callable[[Any], object]] = [hash, len, list, iter, sorted, bytes, int, "".join, set]
    for act in acts:
        with pytest.raises(TypeError):
            act(secret)
        with pytest.raises(TypeError):
            act([secret] if act in ("".join, set) else secret)
    with pytest.raises(TypeError):
        json.dumps(secret)


def test_a_copy_is_the_secret_itself() -> None:
    secret = Secret(CANARY)
    assert copy.copy(secret) is secret
    assert copy.deepcopy({"a": [secret]})["a"][0] is secret
    assert Model(secret=secret).model_copy(deep=True).secret is secret


def test_a_model_takes_a_secret_and_never_a_plain_text() -> None:
    with pytest.raises(ValidationError) as caught:
        Model.model_validate({"secret": "x"})
    assert "Secret" in str(caught.value)
