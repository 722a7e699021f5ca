"""Rows of the store to values, and back.

A row is not trusted: hands may have edited it, a bad disk may have turned it. What does not fit
raises StoreUnreadable and says which row it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from types import NoneType
from typing import TypeAlias, cast

from sqlalchemy import Column

from reconciler.errors import StoreUnreadable
from reconciler.live import schema
from reconciler.live.interface import (
    Credential,
    CredentialState,
    Holder,
    Intent,
    LiveToken,
    Record,
    Run,
    Setback,
    TokenState,
)

Value: TypeAlias = "str | int | None"
Row: TypeAlias = "dict[str, Value]"
Shape: TypeAlias = "tuple[type, ...]"

TOKEN_COLUMNS = tuple(
    column for column in schema.token.c if column.name not in {"workspace", "credential_count"}
)
CREDENTIAL_COLUMNS = tuple(column for column in schema.credential.c if column.name != "token_id")
INTENT_COLUMNS = tuple(column for column in schema.intent.c if column.name != "workspace")
RECORD_COLUMNS = tuple(column for column in schema.record.c if column.name != "workspace")
RUN_COLUMNS = tuple(column for column in schema.run.c if column.name not in {"workspace", "ended_revision"})
JOINED_COLUMNS = (*TOKEN_COLUMNS, *CREDENTIAL_COLUMNS, schema.token.c.credential_count)
HOLDER_COLUMNS = (
    schema.credential.c.public_key,
    schema.token.c.name,
    schema.token.c.id,
    schema.credential.c.generation,
    schema.credential.c.state,
)
WIDTH = len(TOKEN_COLUMNS)
NOT_KEPT = {"last_generation": 0}
"""What stands in a column that an older version did not have, where it may not be empty."""
NO_CREDENTIAL = [None] * len(CREDENTIAL_COLUMNS)

STATES = {str(state): state for state in TokenState if state is not TokenState.EXPIRED}
CREDENTIAL_STATES = {str(state): state for state in CredentialState}
FLAGS = {0: False, 1: True}

_TokenRow: TypeAlias = (
    "tuple[str, str, str, str, str, str, str, str | None, int, int, int | None, int,"
    " str | None, str | None, int, int | None, int | None, str | None, str | None, int, str | None]"
)
_CredentialRow: TypeAlias = "tuple[int, str, str, int, int | None, str | None, str | None, str | None]"
_IntentRow: TypeAlias = (
    "tuple[str, int, str, str, str, str, int, str | None, str | None, str | None, str | None]"
)
_HolderRow: TypeAlias = "tuple[str, str, str, int, str]"
_RecordRow: TypeAlias = "tuple[int, str, str, str, int]"
_RunRow: TypeAlias = "tuple[str, str, int, str, str | None, str, str, str | None, str | None]"

MALFORMED = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What building a value raises when a row does not fit."""

HINT = "restore the live store from a backup; rows in it are not edited by hand"


def tokens(rows: Iterable[Sequence[object]]) -> Iterator[LiveToken]:
    """Tokens from rows of JOINED_COLUMNS, those of one token together.

    Raises StoreUnreadable for a row that does not fit, and where a credential is missing.
    """
    for key, group in groupby(rows, key=itemgetter(0)):
        joined = list(group)
        try:
            yield _complete(_token(joined), joined[0][-1])
        except MALFORMED as error:
            raise unreadable(f"token {joined[0][1] or key}", error) from error


def holder(row: Sequence[object]) -> Holder:
    """A holder of a public key, from its row. Raises StoreUnreadable for a row that does not fit."""
    try:
        fit = cast("_HolderRow", _fitting(_holder_shape, row))
        return Holder(*fit[:4], CREDENTIAL_STATES[fit[4]])
    except MALFORMED as error:
        raise unreadable(f"a credential of token {row[1]}", error) from error


def intent(row: Sequence[object]) -> Intent:
    """An intent from its row. Raises StoreUnreadable for a row that does not fit."""
    try:
        fit = cast("_IntentRow", _fitting(_intent_shape, row))
        return Intent(*fit[:9], None if fit[9] is None else _after(fit[9]), fit[10])
    except MALFORMED as error:
        raise unreadable(f"the journal entry for {row[4]}", error) from error


def record(row: Sequence[object]) -> Record:
    """A record from its row. Raises StoreUnreadable for a row that does not fit."""
    try:
        sequence, run, body, digest, published = cast("_RecordRow", _fitting(_record_shape, row))
        return Record(sequence, run, body, digest, FLAGS[published])
    except MALFORMED as error:
        raise unreadable(f"record {row[0]}", error) from error


def run(row: Sequence[object]) -> Run:
    """A run from its row. Raises StoreUnreadable for a row that does not fit."""
    try:
        fit = cast("_RunRow", _fitting(_run_shape, row))
        return Run(*fit[:5], _overrides(fit[5]), _released(fit[6]), *fit[7:])
    except MALFORMED as error:
        raise unreadable(f"run {row[0]}", error) from error


def unreadable(what: str, error: Exception) -> StoreUnreadable:
    """The error for a row that does not fit."""
    return StoreUnreadable(
        f"{what} in the live store cannot be read: {type(error).__name__}: {error}", hint=HINT
    )


def token_row(token: LiveToken, workspace: str, revision: int) -> Row:
    """The token as a row of `token`, without its credentials."""
    return {
        "id": token.id,
        "workspace": workspace,
        "name": token.name,
        "kind": token.kind,
        "state": str(token.state),
        "grants": _dump({key: list(values) for key, values in token.grants.items()}),
        "declared": token.declared,
        "spec_digest": token.spec_digest,
        "git_commit": token.commit,
        "created_at": token.created_at,
        "changed_at": token.changed_at,
        "expires_at": token.expires_at,
        "protect": int(token.protect),
        "artifact_path": token.artifact_path,
        "artifact_digest": token.artifact_digest,
        "revision": revision,
        "deleted_at": token.deleted_at,
        "credential_count": 0,  # counted when the credentials are there
        "due_at": token.due_at,
        "artifact_contents": token.artifact_contents,
        "artifact_recipients": _dump_names(token.artifact_recipients),
        "last_generation": token.generation,
        "setback": None if token.setback is None else _dump(asdict(token.setback)),
    }


def credential_rows(token: LiveToken) -> list[Row]:
    """The token's credentials as rows. Those of a deleted token are retired, whatever they say."""
    dead = CredentialState.RETIRED if token.state is TokenState.DELETED else None
    return [_credential_row(token.id, each, dead or each.state) for each in token.credentials]


def intent_row(intent: Intent, workspace: str) -> Row:
    """The intent as a row of `intent`; `after` as the rows it will be written as."""
    after = intent.after
    return {
        "workspace": workspace,
        "run": intent.run,
        "number": intent.number,
        "action": intent.action,
        "kind": intent.kind,
        "name": intent.name,
        "token_id": intent.token_id,
        "generation": intent.generation,
        "path": intent.path,
        "digest": intent.digest,
        "after": None if after is None else _dump_after(after),
        "failed": intent.failed,
    }


def run_row(run: Run, workspace: str) -> Row:
    """The run as a row of `run`."""
    return {
        "workspace": workspace,
        "id": run.id,
        "plan_digest": run.plan_digest,
        "started_at": run.started_at,
        "actor": run.actor,
        "git_commit": run.commit,
        "overrides": _dump(dict(run.overrides)),
        "released": _dump([list(one) for one in run.released]),
        "reason": run.reason,
        "stopped": run.stopped,
    }


def record_row(record: Record, workspace: str) -> Row:
    """The record as a row of `record`."""
    return {
        "workspace": workspace,
        "sequence": record.sequence,
        "run": record.run,
        "body": record.body,
        "digest": record.digest,
        "published": int(record.published),
    }


def _credential_row(token_id: str, credential: Credential, state: CredentialState) -> Row:
    return {
        "token_id": token_id,
        "generation": credential.generation,
        "state": str(state),
        "algorithm": credential.algorithm,
        "not_before": credential.not_before,
        "not_after": credential.not_after,
        "public_key": credential.public_key,
        "secret_hash": credential.secret_hash,
        "sealed_secret": credential.sealed_secret,
    }


def _complete(token: LiveToken, expected: object) -> LiveToken:
    usable = sum(half.state is not CredentialState.RETIRED for half in token.credentials)
    if usable != expected:
        raise ValueError(f"it has {usable} usable credentials of {expected}")
    return token


def _token(joined: Sequence[Sequence[object]]) -> LiveToken:
    for row in joined:
        _fitting(_joined_shape, row)
    fit = cast("_TokenRow", joined[0][:WIDTH])
    halves = tuple([_credential(row[WIDTH:-1]) for row in joined if row[WIDTH] is not None])
    id_, name, kind, state, grants, declared, digest, commit, *_ = fit
    created, changed, expires, protect, path, artifact, revision, deleted, due = fit[8:17]
    contents, names, last, setback = fit[17:]
    first = (id_, name, kind, STATES[state], _grants(grants), declared, digest, commit)
    then = (created, changed, expires, FLAGS[protect], path, artifact, revision, deleted, due)
    return LiveToken(*first + then, contents, _names(names), last, _setback(setback), halves)


def _credential(row: Sequence[object]) -> Credential:
    fit = cast("_CredentialRow", row)
    return Credential(fit[0], CREDENTIAL_STATES[fit[1]], *fit[2:])


@lru_cache(maxsize=4096)  # many tokens are granted the same
def _grants(text: str) -> Mapping[str, tuple[str, ...]]:
    return {key: _strings(values) for key, values in json.loads(text).items()}


@lru_cache(maxsize=4096)
def _names(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else _strings(json.loads(text))


def _setback(text: str | None) -> Setback | None:
    if text is None:
        return None
    found = Setback(**json.loads(text))
    if (type(found.count), type(found.retry_at), type(found.spec)) != (int, int, str):
        raise TypeError("a setback holds a value of the wrong type")
    return found


def _dump_names(names: tuple[str, ...] | None) -> str | None:
    return None if names is None else _dump(list(names))


def _overrides(text: str) -> Mapping[str, int | bool]:
    found = json.loads(text)
    if not isinstance(found, dict) or not all(isinstance(value, int) for value in found.values()):
        raise TypeError("what should be overrides is none")
    return found


def _released(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((rule, message) for rule, message in map(_strings, json.loads(text)))


def _strings(values: object) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError("what should be a list of strings is none")
    return tuple(values)


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _dump_after(token: LiveToken) -> str:
    rows = credential_rows(token)
    return _dump({"token": token_row(token, "", token.revision), "credentials": rows})


def _after(text: str) -> LiveToken:
    data = json.loads(text)
    # A run that an older version began names fewer columns; one that may not be empty is missed below.
    token = [data["token"].get(column.name, NOT_KEPT.get(column.name)) for column in TOKEN_COLUMNS]
    halves = [[row[column.name] for column in CREDENTIAL_COLUMNS] for row in data["credentials"]]
    return _token([[*token, *half, 0] for half in halves or [NO_CREDENTIAL]])


def _fitting(shape: Callable[[Shape], bool], row: Sequence[object]) -> Sequence[object]:
    if not shape(tuple(map(type, row))):
        raise ValueError("a column holds a value of the wrong type")
    return row


def _shape_of(columns: Sequence[Column[str] | Column[int]]) -> Callable[[Shape], bool]:
    """Whether the types of a row's values are those of the columns. Remembered: shapes are few."""
    allowed = [
        {column.type.python_type, NoneType} if column.nullable else {column.type.python_type}
        for column in columns
    ]
    return lru_cache(lambda shape: all(map(set.__contains__, allowed, shape)))


@lru_cache
def _joined_shape(shape: Shape) -> bool:
    half = shape[WIDTH:-1]
    none = all(each is NoneType for each in half)
    return _token_shape(shape[:WIDTH]) and (none or _credential_shape(half))


_token_shape = _shape_of(TOKEN_COLUMNS)
_credential_shape = _shape_of(CREDENTIAL_COLUMNS)
_holder_shape = _shape_of(HOLDER_COLUMNS)
_intent_shape = _shape_of(INTENT_COLUMNS)
_record_shape = _shape_of(RECORD_COLUMNS)
_run_shape = _shape_of(RUN_COLUMNS)
