"""What goes wrong with a whole call: refused, delayed, lost or spoilt on its way."""

from collections.abc import Callable
from dataclasses import replace

from stillfit.standins.aws.calls import Call, RefusedError
from stillfit.standins.aws.faults import Fault, FaultKind
from stillfit.standins.aws.misshapen import misshapen
from stillfit.standins.aws.world import World
from stillfit.standins.server import Delivery, Response

HTML_PAGE = (
    b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Sign in to the network</h1></body></html>"
)
DRIP_S = 0.05
GARBAGE = b"\xff\xfe{]<\x00not an answer"


def unsent(world: World, call: Call) -> Response | None:
    """The answer that never comes, where a fault says so."""
    fault = world.faults.strike(_UNSENT, call)
    return None if fault is None else Response(delivery=_UNSENT[fault.kind], pause_s=fault.seconds or DRIP_S)


def refuse_or_wait(world: World, call: Call) -> None:
    """Latency first, then a refusal: a slow service can refuse too."""
    slow = world.faults.strike({FaultKind.LATENCY}, call)
    if slow is not None:
        world.faults.sleep(slow.seconds)
    fault = world.faults.strike({*_REFUSALS, FaultKind.REFUSED}, call)
    if fault is not None:
        raise _refusal(fault, call)


def travelling(world: World, call: Call, response: Response) -> Response:
    """The served answer, as it arrives."""
    fault = world.faults.strike({*_TRAVELLING, FaultKind.GARBAGE, FaultKind.HTML, FaultKind.MISSHAPEN}, call)
    if fault is None:
        return response
    if fault.kind is FaultKind.GARBAGE:
        return replace(response, body=GARBAGE)
    if fault.kind is FaultKind.MISSHAPEN:
        return replace(response, body=misshapen(response.body, response.headers["Content-Type"], world.faults))
    if fault.kind is FaultKind.HTML:
        return Response(status=fault.status, headers={"Content-Type": "text/html"}, body=HTML_PAGE)
    return replace(response, delivery=_TRAVELLING[fault.kind], pause_s=fault.seconds or DRIP_S)


def _refusal(fault: Fault, call: Call) -> RefusedError:
    if fault.kind is FaultKind.REFUSED:
        return RefusedError(fault.code, f"{call.action} is refused.", status=fault.status)
    return _REFUSALS[fault.kind](call)


def _throttled(_: Call) -> RefusedError:
    return RefusedError("ThrottlingException", "Rate exceeded")


def _internal_error(call: Call) -> RefusedError:
    code = _INTERNAL_ERRORS.get(call.service, "InternalFailure")
    return RefusedError(code, "The service could not answer because of an internal error.", status=500)


def _unavailable(_: Call) -> RefusedError:
    return RefusedError("ServiceUnavailable", "The service is unable to answer now. Please try again.", status=503)


def _denied(call: Call) -> RefusedError:
    action = _GRANTS.get(call.service, call.action)
    reason = f"because no identity-based policy allows the {action} action"
    return RefusedError("AccessDeniedException", f"User: {call.arn} is not authorized to perform: {action} {reason}")


def _expired(_: Call) -> RefusedError:
    return RefusedError("ExpiredTokenException", "The security token included in the request is expired")


def _skewed(_: Call) -> RefusedError:
    return RefusedError("InvalidSignatureException", "Signature expired: it is now earlier than the time less 5 min.")


def _not_found(call: Call) -> RefusedError:
    code = _NOT_FOUND.get(call.operation, "ResourceNotFoundException")
    return RefusedError(code, "Requested resource not found")


_UNSENT = {
    FaultKind.RESET: Delivery.RESET,
    FaultKind.HANG: Delivery.HANG,
    FaultKind.SLOW_HEAD: Delivery.DRIP_HEAD,
}
_TRAVELLING = {
    FaultKind.TRUNCATED: Delivery.TRUNCATED,
    FaultKind.RESET_MIDWAY: Delivery.RESET_MIDWAY,
    FaultKind.SLOW_DRIP: Delivery.DRIP,
}
_NOT_FOUND = {"DescribeContinuousBackups": "TableNotFoundException"}
_GRANTS = {"cassandra": "cassandra:Select"}  # one action for all reads of Keyspaces (its API reference)
_INTERNAL_ERRORS = {
    "cassandra": "InternalServerException",
    "cloudwatch": "InternalServiceFault",
    "dynamodb": "InternalServerError",
    "application-autoscaling": "InternalServiceException",
    "pricing": "InternalErrorException",
}
_REFUSALS: dict[FaultKind, Callable[[Call], RefusedError]] = {
    FaultKind.THROTTLE: _throttled,
    FaultKind.INTERNAL_ERROR: _internal_error,
    FaultKind.UNAVAILABLE: _unavailable,
    FaultKind.ACCESS_DENIED: _denied,
    FaultKind.EXPIRED_TOKEN: _expired,
    FaultKind.CLOCK_SKEW: _skewed,
    FaultKind.NOT_FOUND: _not_found,
}
