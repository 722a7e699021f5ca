"""An answer for machines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from reconciler.audit.access import to_json
from reconciler.cli.accesses.interface import AccessFormat
from reconciler.cli.output import json_text
from reconciler.readers.accessing import Answer
from reconciler.times import timestamp

SCHEMA = "reconciler/audit-access/v1"


def _lines(answer: Answer) -> Iterator[str]:
    yield json_text(
        {
            "schema": SCHEMA,
            "source": answer.source.value,
            "commit": answer.commit,
            "since": timestamp(answer.window.since),
            "until": timestamp(answer.window.until),
            "whole": answer.whole,
            "tokens": [to_json(one) for one in answer.periods],
            "unknown": [asdict(one) for one in answer.unknown],
            "notes": list(answer.notes),
        }
    )


FORMAT = AccessFormat("json", _lines)
