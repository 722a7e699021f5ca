"""What doctor says of signing records: whether an apply here could do it."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.cli.doctor_check import Check
from reconciler.workspace import Workspace

NAME = "records"


def record_checks(workspace: Workspace) -> Iterator[Check]:
    """Nothing where none is to be signed. Raises SignFailed for a key that signs none."""
    from reconciler.records.signing import VARIABLE

    audit, named = workspace.specs.settings.audit, workspace.around.environ.get(VARIABLE)
    if named:
        workspace.signer.ready()
        hint = "" if audit.keys else "put its public line into spec.audit.keys, so that others can check that"
        yield Check(NAME, "ok" if audit.keys else "note", f"the key in {VARIABLE} signs records", hint)
    elif audit.records == "signed":
        yield Check(
            NAME,
            "note",
            "records are to be signed, and there is no signing key here",
            f"where apply is to run, name it in {VARIABLE}",
        )
