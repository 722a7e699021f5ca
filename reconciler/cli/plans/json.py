"""A plan for machines: the plan document."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.cli.output import json_text
from reconciler.cli.plans.interface import PlanFormat, Shown


def _lines(shown: Shown) -> Iterator[str]:
    yield json_text(shown.plan.to_json())


FORMAT = PlanFormat("json", _lines)
