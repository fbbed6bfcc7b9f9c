"""GetMetricData answers byte by byte, as the service writes them in each protocol; no code of ours or of boto3 does it.

The JSON is that of answers which others have published: doubles as Java prints them (1.67119356E9), results before
their order was asked for newest first, `Messages` at the front, `StatusCode` before the points.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import numpy as np

from stillfit.standins.aws import cbor

Row = tuple[str, Sequence[int], Sequence[float]]
"""Id, instants, values."""
LABEL = 'reads "of" [1,2],{é} <&>'


def as_json(rows: Sequence[Row], number: Callable[[float], str], space: str = "") -> bytes:
    comma = f"{space},{space}"

    def array(numbers: Sequence[float]) -> str:
        return f"[{space}{comma.join(map(number, numbers))}{space}]"

    label = LABEL.replace('"', '\\"').replace("é", "\\u00e9")
    results = comma.join(
        f'{{"Id":"{id_}","Label":"{label}","StatusCode":"Complete","Timestamps":{array(times)},"Values":{array(values)}}}'
        for id_, times, values in rows
    )
    return f'{{"Messages":[]{comma}"MetricDataResults":[{space}{results}]}}\n'.encode()


def as_java(number: float) -> str:
    """A double by the rules of Java's Double.toString: 1.67119356E9, 5.0E-4, 12.5."""
    if number and not 1e-3 <= abs(number) < 1e7:
        digits, exponent = np.format_float_scientific(number, trim="0").split("e")
        return f"{digits}E{int(exponent)}"
    return repr(float(number))


def as_xml(rows: Sequence[Row]) -> bytes:
    def members(texts: Sequence[str]) -> str:
        return "".join(f"<member>{text}</member>" for text in texts)

    def instant(second: int) -> str:
        return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    label = LABEL.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    results = members(
        [
            f"<Timestamps>{members([instant(second) for second in times])}</Timestamps>"
            f"<Values>{members([repr(float(value)) for value in values])}</Values>"
            f"<Label>{label}</Label><Id>{id_}</Id><StatusCode>Complete</StatusCode>"
            for id_, times, values in rows
        ]
    )
    return (
        '<GetMetricDataResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/"><GetMetricDataResult>'
        f"<MetricDataResults>{results}</MetricDataResults><Messages/></GetMetricDataResult>"
        "<ResponseMetadata><RequestId>ff5e1b9b</RequestId></ResponseMetadata></GetMetricDataResponse>"
    ).encode()


def as_cbor(rows: Sequence[Row]) -> bytes:
    results = [
        {
            "Id": id_,
            "Label": LABEL,
            "StatusCode": "Complete",
            "Timestamps": [cbor.Timestamp(second) for second in times],
            "Values": list(values),
        }
        for id_, times, values in rows
    ]
    return cbor.dumps({"Messages": [], "MetricDataResults": results})


FORMS: tuple[tuple[str, Callable[[Sequence[Row]], bytes]], ...] = (
    ("json", lambda rows: as_json(rows, as_java)),
    ("json", lambda rows: as_json(rows, repr)),
    ("json", lambda rows: as_json(rows, as_java, space=" \n")),
    ("smithy-rpc-v2-cbor", as_cbor),
    ("query", as_xml),
)
"""The protocol of each form, and how rows are written in it."""
