"""Stories for machines."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.audit.events import SCHEMA
from reconciler.cli.output import json_text
from reconciler.cli.stories.interface import Shown, StoryFormat


def _lines(shown: Shown) -> Iterator[str]:
    document: dict[str, object] = {"schema": SCHEMA, "commit": shown.commit, "whole": shown.whole}
    if shown.stories is None:
        document["events"] = [one.to_json() for one in shown.log]
    else:
        document["tokens"] = [one.to_json() for one in shown.stories]
    yield json_text({**document, "notes": list(shown.notes)})


FORMAT = StoryFormat("json", _lines)
