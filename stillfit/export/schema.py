"""docs/findings.schema.json from the types of the document: `python -m stillfit.export.schema > FILE`."""

from __future__ import annotations

import json
import sys
from typing import Any

from stillfit.export.findings import FindingsDocument

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TITLE = "stillfit findings"


def findings_schema() -> str:
    """The schema of what `--format json` and /api/findings.json give, for other people's programs."""
    schema = _open(FindingsDocument.model_json_schema(mode="serialization"))
    return json.dumps({"$schema": DIALECT, **schema, "title": TITLE}, indent=2, sort_keys=True) + "\n"


def _open(part: Any) -> Any:
    """Without the refusal of further fields: later versions add some, and older readers must go on."""
    if isinstance(part, list):
        return [_open(one) for one in part]
    if isinstance(part, dict):
        return {key: _open(value) for key, value in part.items() if key != "additionalProperties"}
    return part


if __name__ == "__main__":
    sys.stdout.write(findings_schema())
