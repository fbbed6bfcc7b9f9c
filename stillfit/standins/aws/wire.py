"""The three protocols on one port: which one a request speaks, and how each writes answers and refusals."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite, isnan
from typing import Any

from botocore.model import OperationModel, Shape

from stillfit.standins.aws.calls import Answer, RefusedError
from stillfit.standins.aws.services import Service

# Codes as clients of CloudWatch and STS see them in every protocol, with their HTTP status (CloudWatch and STS API
# references, "Common Errors"; Throttling as the services send it).
QUERY_CODES = {
    "ThrottlingException": ("Throttling", 400),
    "ValidationException": ("ValidationError", 400),
    "SerializationException": ("MalformedInput", 400),
    "AccessDeniedException": ("AccessDenied", 403),
    "ExpiredTokenException": ("ExpiredToken", 403),
    "UnrecognizedClientException": ("InvalidClientTokenId", 403),
    "InvalidSignatureException": ("SignatureDoesNotMatch", 403),
    "IncompleteSignatureException": ("IncompleteSignature", 400),
    "MissingAuthenticationTokenException": ("MissingAuthenticationToken", 403),
    "UnknownOperationException": ("InvalidAction", 400),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalForm:
    """A refusal with the names that one service gives it."""

    shape: str  # the JSON and CBOR __type
    code: str  # the query code
    message: str
    status: int

    @property
    def sender(self) -> bool:
        return self.status < 500

    @classmethod
    def of(cls, service: Service, error: RefusedError) -> "RefusalForm":
        if service.speaks_query and error.code in QUERY_CODES:
            code, status = QUERY_CODES[error.code]
            return cls(shape=error.code, code=code, message=error.message, status=status)
        modelled = service.error_shape(error.code)
        if modelled is None:
            return cls(shape=error.code, code=error.code, message=error.message, status=error.status)
        status = int(modelled.metadata.get("error", {}).get("httpStatusCode", error.status))
        return cls(shape=modelled.name, code=modelled.error_code, message=error.message, status=status)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """One protocol: bytes to parameters by the input shape, answers and refusals to bytes."""

    content_type: str
    parameters: Callable[[bytes, Shape | None], dict[str, Any]]
    answer: Callable[[OperationModel, Answer, str], bytes]  # the last argument is the request id
    refusal: Callable[[Service, RefusalForm, str], bytes]


class NoNumbers(tuple[float, ...]):
    """A row of values of which some are no numbers: each protocol has its own way to write them."""

    __slots__ = ()


def spelt(number: float) -> str | float:
    """A number, or its name where it is none: as awsJson and the query protocol write NaN and the infinities."""
    if isfinite(number):
        return number
    return "NaN" if isnan(number) else "Infinity" if number > 0 else "-Infinity"


def malformed(reason: str) -> RefusedError:
    return RefusedError("SerializationException", reason)
