"""`sarif`: SARIF 2.1.0, for code scanning.

It holds no line of a file: what can be read in the repository need not be read in a report too.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias
from urllib.parse import quote

from reconciler import __version__
from reconciler.cli.output import counted, echo_json, in_line
from reconciler.cli.reports.interface import Findings, Report
from reconciler.specs.faults import Fault
from reconciler.specs.ranking import about, worst_first

VERSION = "2.1.0"
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MOST = 5_000
"""Results that code scanning keeps of one run."""
TOP = "SRCROOT"
FINGERPRINT = "reconcilerFault/v1"
LINE_NUMBER = re.compile(r"(?<=:)[0-9]+|(?<=\bline )[0-9]+")
"""In messages that name another place, which moves."""
Part: TypeAlias = Mapping[str, object]


def echo(found: Findings) -> None:
    """One run, with the worst first where not all have room."""
    echo_json(as_sarif(found))


def as_sarif(found: Findings, command: str = "validate") -> Part:
    """What a command found as one log with one run."""
    ranked = [
        *(("error", fault) for fault in worst_first(found.faults)),
        *(("warning", fault) for fault in worst_first(found.warnings)),
    ]
    told, rest = ranked[:MOST], len(ranked) - MOST
    levels = {fault.rule: level for level, fault in told}
    numbers = {rule: number for number, rule in enumerate(levels)}
    prints = _fingerprints(fault for _, fault in told)
    return {
        "$schema": SCHEMA,
        "version": VERSION,
        "runs": [
            {
                "tool": {"driver": _driver(levels)},
                "automationDetails": {"id": f"reconcile-{command.replace(' ', '-')}/{in_line(found.prefix)}"},
                "originalUriBaseIds": {TOP: {"description": {"text": "The top of the repository."}}},
                "columnKind": "unicodeCodePoints",
                "invocations": [_invocation(command, rest, exit_code=1 if found.faults else 0)],
                "results": [
                    {
                        "ruleId": fault.rule,
                        "ruleIndex": numbers[fault.rule],
                        "level": level,
                        "message": {"text": _said(fault)},
                        "locations": [{"physicalLocation": _place(fault, found.prefix)}],
                        "partialFingerprints": {FINGERPRINT: printed},
                    }
                    for (level, fault), printed in zip(told, prints, strict=True)
                ],
            }
        ],
    }


def _driver(levels: Mapping[str, str]) -> Part:
    return {
        "name": "reconcile",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [
            {
                "id": rule,
                "shortDescription": {"text": plain(about(rule))},
                "fullDescription": {"text": f"{plain(about(rule))}."},
                "help": {"text": "Each result says what to write instead."},
                "defaultConfiguration": {"level": level},
            }
            for rule, level in levels.items()
        ],
    }


def _invocation(command: str, rest: int, *, exit_code: int) -> Part:
    """That the check was carried out, and how many results there was no room for."""
    ended: dict[str, object] = {"executionSuccessful": True, "exitCode": exit_code}
    if rest > 0:
        text = f"{counted(rest, 'result')} more: see them all with reconcile {command}."
        ended["toolExecutionNotifications"] = [{"level": "warning", "message": {"text": text}}]
    return ended


def _said(fault: Fault) -> str:
    """What is wrong, and what to do."""
    return plain(f"{fault.message}; {fault.hint}" if fault.hint else fault.message)


def plain(text: str) -> str:
    """A text as a message holds it: no placeholder in braces, no link in brackets."""
    return in_line(text).replace("{", "{{").replace("}", "}}").replace("](", "] (")


def _place(fault: Fault, prefix: str) -> Part:
    """The place in the repository. Of a line that may hold a secret, only the start is told."""
    region = {"startLine": fault.line, "startColumn": fault.column}
    if fault.source:
        meant = fault.source[fault.column - 1 :][: fault.width]
        region["endColumn"] = fault.column + len(meant)
    uri = quote(os.fsencode(f"{prefix}{fault.file}"))
    return {"artifactLocation": {"uri": uri, "uriBaseId": TOP}, "region": region}


def _fingerprints(faults: Iterable[Fault]) -> Iterator[str]:
    """What tells each fault from all others, and stays the same when its line moves.

    That is its rule, its file, and its line without its number; or, where that is not shown, its message:
    a digest of a line with a password would tell the password to whoever tries enough of them.
    """
    seen: Counter[Sequence[str]] = Counter()
    for fault in faults:
        same = (fault.rule, fault.file, fault.source.strip() or LINE_NUMBER.sub("", fault.message))
        seen[same] += 1
        whole = "\0".join((*same, str(seen[same])))
        yield hashlib.sha256(whole.encode(errors="surrogatepass")).hexdigest()


REPORT = Report("sarif", echo)
