"""What a service was asked, and the way it says no."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request after the signature scope was read and the parameters were checked against the service model."""

    service: str  # as in an IAM action: cloudwatch, dynamodb, application-autoscaling, sts
    operation: str
    account: str
    region: str
    arn: str  # of the caller
    user_id: str
    at: float  # epoch seconds, by the world's clock
    parameters: Mapping[str, Any]
    client_port: int = 0  # of the connection that it came on

    @property
    def action(self) -> str:
        return f"{self.service}:{self.operation}"


class RefusedError(Exception):
    """The service says no. `code` is the error shape's name, or the common code of the AWS JSON protocols."""

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def invalid(message: str) -> RefusedError:
    return RefusedError("ValidationException", message)


def not_modelled(what: str) -> RefusedError:
    """The service could, this stand-in cannot: a 501, which no SDK retries, so that nobody takes it for the service."""
    return RefusedError("NotModelledByStandIn", f"{what} is not modelled by the stand-in.", status=501)
