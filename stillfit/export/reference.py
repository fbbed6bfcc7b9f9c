"""docs/metrics.md from the catalogue: `python -m stillfit.export.reference > docs/metrics.md`."""

from __future__ import annotations

import sys

from stillfit.export.catalogue import CASSANDRA, DYNAMODB, JUDGED, PROCESS
from stillfit.export.catalogue_own import ABOUT_ITSELF, BILL, TARGETS
from stillfit.export.exported import Exported

_HEAD = """# Metrics

Everything that `/metrics` can show. Printed from `stillfit/export/catalogue.py`; do not edit.

- Names and labels are a contract: they are added, never renamed.
- Base units. CloudWatch values are window sums there; here they are rates per second or levels, without timestamps of
  their own. A reading older than half an hour is left out: a gap in a graph is true, a flat line would not be.
- Zero is said of throttles and errors only for time that the source vouches for.
- Partition keys, ids of advice and texts of errors are never labels. Controls and bidirectional marks in names are
  shown as U+FFFD.
- `target` is the id of a source, such as `aws/123456789012/eu-west-1` or `cassandra/prod`; `table` is a DynamoDB table,
  or keyspace.table.
"""
_PARTS = (
    ("What was judged", JUDGED),
    ("Targets", TARGETS),
    ("What looking costs, and how fresh it is", BILL),
    ("DynamoDB", DYNAMODB),
    ("Cassandra", CASSANDRA),
    ("stillfit itself", ABOUT_ITSELF),
)


def reference() -> str:
    """The page."""
    parts = [f"## {title}\n\n" + "\n".join(_described(one) for one in metrics) for title, metrics in _PARTS]
    process = "\n".join(f"- `{name}`" for name in sorted(PROCESS))
    tail = f"## The process\n\nOn Linux, from prometheus-client:\n\n{process}\n"
    return "\n".join((_HEAD, *parts, tail))


def _described(one: Exported) -> str:
    labels = ", ".join(f"`{label}`" for label in one.labels) or "none"
    values = "".join(f"\n- `{label}`: {', '.join(f'`{value}`' for value in values)}" for label, values in one.values)
    return f"### {one.name}\n\n{one.help}.\n{one.meaning}\n\n- {one.type}; labels: {labels}{values}\n"


if __name__ == "__main__":
    sys.stdout.write(reference())
