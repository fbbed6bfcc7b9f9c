"""Smithy RPC v2 CBOR: what the Go and Java SDKs speak to CloudWatch."""

from typing import Any

import numpy as np
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from stillfit.standins.aws import cbor
from stillfit.standins.aws.calls import Answer
from stillfit.standins.aws.services import Service
from stillfit.standins.aws.wire import RefusalForm, Wire, malformed
from stillfit.standins.aws.wire_json import error_namespace


def _parameters(body: bytes, _: Shape | None) -> dict[str, Any]:
    try:
        parsed = cbor.loads(body) if body else {}
    except cbor.CborError as error:
        raise malformed(str(error)) from error
    if not isinstance(parsed, dict):
        raise malformed("The request body is not a CBOR map.")
    return parsed


def _answer(operation: OperationModel, answer: Answer, _: str) -> bytes:
    return cbor.dumps(_prepared(operation.output_shape, answer))


def _refusal(service: Service, form: RefusalForm, _: str) -> bytes:
    return cbor.dumps({"__type": f"{error_namespace(service)}#{form.shape}", "message": form.message})


def _prepared(shape: Shape | None, value: Any) -> Any:
    """The answer with CBOR's own types where the shape asks for them: tagged timestamps, doubles that are doubles."""
    if shape is None:
        return value
    match shape:
        case StructureShape():
            return {name: _prepared(shape.members[name], item) for name, item in value.items()}
        case ListShape():
            return _prepared_list(shape, value)
        case MapShape():
            return {key: _prepared(shape.value, item) for key, item in value.items()}
    match shape.type_name:
        case "timestamp":
            return cbor.Timestamp(value)
        case "float" | "double":
            return float(value)
    return value


def _prepared_list(shape: ListShape, value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return cbor.timestamps(value) if shape.member.type_name == "timestamp" else cbor.doubles(value)
    return [_prepared(shape.member, item) for item in value]


CBOR = Wire(content_type="application/cbor", parameters=_parameters, answer=_answer, refusal=_refusal)
