"""Whether an answer has the shape that the service's own model promises. Pure.

botocore checks what it sends and not what it gets: in JSON and CBOR a list where a text was promised, or a text where a
number was, goes through its parsers as it is (botocore 1.44.5, parsers.py). What is missing is left to whoever reads
the answer, because only that one knows what it needs; and so is what a model cannot say, as how large a number may be.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from botocore.model import Shape

_LONGEST = 2.0**63
_NOT_FINITE = frozenset({"NaN", "Infinity", "-Infinity"})
"""How awsJson writes numbers that are none (Smithy, "AWS JSON 1.0 protocol", shape serialization)."""


def unlike(value: Any, shape: Shape) -> str:
    """Where in an answer the first thing of another shape is and what was promised there; empty: nowhere.

    Says nothing of what the answer holds, which may be keys. A member that is null is as good as left out.
    """
    kind = shape.type_name
    match kind:
        case "structure":
            return _unlike_structure(value, shape)
        case "list":
            return _unlike_list(value, shape)
        case "map":
            return _unlike_map(value, shape)
    return "" if _is_scalar(value, kind) else f" is no {kind}"


def _unlike_structure(value: Any, shape: Any) -> str:
    if not isinstance(value, dict):
        return " is no structure"
    members = shape.members
    for name, one in value.items():
        member = members.get(name)
        if member is None or one is None or (member.type_name == "string" and type(one) is str):  # as most are
            continue
        found = unlike(one, member)
        if found:
            return f".{name}{found}"
    return ""


def _unlike_list(value: Any, shape: Any) -> str:
    if not isinstance(value, list):
        return " is no list"
    member = shape.member
    if member.type_name == "string":  # most lists: names
        return "" if all(type(one) is str for one in value) else "[] is no string"
    check = _unlike_structure if member.type_name == "structure" else unlike
    for one in value:
        found = check(one, member)
        if found:
            return f"[]{found}"
    return ""


def _unlike_map(value: Any, shape: Any) -> str:
    if not isinstance(value, dict):
        return " is no map"
    if not all(isinstance(key, str) for key in value):
        return " has a key that is no string"
    return next((f"[]{found}" for found in (unlike(one, shape.value) for one in value.values()) if found), "")


def _is_scalar(value: Any, kind: str) -> bool:
    if kind in {"string", "character"}:
        return isinstance(value, str)
    if kind == "boolean":
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    if kind in {"integer", "long"}:
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer() and abs(value) < _LONGEST)
    if kind in {"float", "double"}:
        return isinstance(value, int | float) or (isinstance(value, str) and value in _NOT_FINITE)
    if kind == "timestamp":
        return isinstance(value, int | float | str | datetime)
    return True  # a blob, or what a later botocore knows: left to the reader
