"""awsJson 1.0 and 1.1, and restJson1 of operations that have everything in the body."""

from typing import Any

import numpy as np
import orjson
from botocore.model import OperationModel, Shape

from stillfit.standins.aws.calls import Answer
from stillfit.standins.aws.services import DYNAMODB, Service
from stillfit.standins.aws.wire import NoNumbers, RefusalForm, Wire, malformed, spelt


def _parameters(body: bytes, _: Shape | None) -> dict[str, Any]:
    try:
        parsed = orjson.loads(body or b"{}")
    except orjson.JSONDecodeError as error:
        raise malformed(f"The request body is not JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise malformed("Start of structure or map expected at the beginning of the request body.")
    return parsed


def _answer(_: OperationModel, answer: Answer, __: str) -> bytes:
    return orjson.dumps(answer, default=_written, option=orjson.OPT_SERIALIZE_NUMPY)


def _written(value: Any) -> Any:
    """A row read backwards is a view that orjson does not take; one with a value that is no number is spelt out."""
    if isinstance(value, NoNumbers):
        return [spelt(number) for number in value]
    if isinstance(value, np.ndarray):
        return np.ascontiguousarray(value)
    raise TypeError(f"No JSON form for {type(value).__name__}.")


_FRAMEWORK = {
    "ThrottlingException": ("com.amazon.coral.availability", "message"),
    "ValidationException": ("com.amazon.coral.validate", "message"),
    "AccessDeniedException": ("com.amazon.coral.service", "Message"),
}
_GATE = ("com.amazon.coral.service", "message")
"""Refusals that no model has come from what stands before every service, under names of its own, and one has another
key for its message (mhart/dynalite, test/helpers.js, whose tests are run against DynamoDB itself, whose throttling of
the control plane has that name too although its model knows one)."""


def _refusal(service: Service, form: RefusalForm, _: str) -> bytes:
    modelled = service.error_shape(form.shape)
    if modelled is None or (service is DYNAMODB and form.shape in _FRAMEWORK):
        namespace, message = _FRAMEWORK.get(form.shape, _GATE)
    else:
        namespace = error_namespace(service)
        message = next((name for name in modelled.members if name.lower() == "message"), "message")
    return orjson.dumps({"__type": f"{namespace}#{form.shape}", message: form.message})


def error_namespace(service: Service) -> str:
    """As the services write it: com.amazonaws.dynamodb.v20120810."""
    return f"com.amazonaws.{service.botocore.replace('-', '')}.v{service.version.replace('-', '')}"


JSON_1_0 = Wire(content_type="application/x-amz-json-1.0", parameters=_parameters, answer=_answer, refusal=_refusal)
JSON_1_1 = Wire(content_type="application/x-amz-json-1.1", parameters=_parameters, answer=_answer, refusal=_refusal)
REST_JSON = Wire(content_type="application/json", parameters=_parameters, answer=_answer, refusal=_refusal)
