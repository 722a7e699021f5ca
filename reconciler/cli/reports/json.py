"""`json`: for scripts. `reconciler/faults/v1`."""

from __future__ import annotations

from reconciler.cli.output import echo_json
from reconciler.cli.reports.interface import Findings, Report
from reconciler.specs.faults import Fault

SCHEMA = "reconciler/faults/v1"


def echo(found: Findings) -> None:
    """Every fault and every warning. Files are named from the workspace, columns count characters."""
    echo_json(
        {
            "schema": SCHEMA,
            "faults": [as_json(fault) for fault in found.faults],
            "warnings": [as_json(fault) for fault in found.warnings],
        }
    )


def as_json(fault: Fault) -> dict[str, str | int]:
    """A fault as machines read it."""
    return {
        "file": fault.file,
        "line": fault.line,
        "column": fault.column,
        "rule": fault.rule,
        "message": fault.message,
        "hint": fault.hint,
    }


REPORT = Report("json", echo)
