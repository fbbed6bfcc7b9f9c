"""What goes wrong inside one GetMetricData result while the answer as a whole says 200."""

from collections.abc import Callable

import numpy as np

from stillfit.standins.aws.calls import Answer, Call
from stillfit.standins.aws.faults import FaultKind
from stillfit.standins.aws.world import World


def spoilt(world: World, call: Call, metric: str, result: Answer) -> Answer:
    """The result as the faults in force leave it."""
    fault = world.faults.strike(_SPOILERS, call, metric)
    return result if fault is None else {**result, **_SPOILERS[fault.kind](world, call, result)}


def _internal_error(_: World, __: Call, ___: Answer) -> Answer:
    return _refused("InternalError", "InternalError", "An internal error occurred while this metric was read.")


def _forbidden(_: World, call: Call, __: Answer) -> Answer:
    return _refused("Forbidden", "AccessDenied", f"User: {call.arn} is not authorized to read this metric.")


def _refused(status: str, code: str, message: str) -> Answer:
    messages = [{"Code": code, "Value": message}]
    return {"Timestamps": [], "Values": [], "StatusCode": status, "Messages": messages}


def _partial(_: World, __: Call, result: Answer) -> Answer:
    half = (len(result["Values"]) + 1) // 2
    return {"Timestamps": result["Timestamps"][:half], "Values": result["Values"][:half], "StatusCode": "PartialData"}


def _duplicated(_: World, __: Call, result: Answer) -> Answer:
    """Every second point comes twice."""
    times = 1 + np.arange(len(result["Values"])) % 2
    return {"Timestamps": np.repeat(result["Timestamps"], times), "Values": np.repeat(result["Values"], times)}


def _unordered(world: World, _: Call, result: Answer) -> Answer:
    order = world.faults.shuffled(len(result["Values"]))
    return {"Timestamps": result["Timestamps"][order], "Values": result["Values"][order]}


_SPOILERS: dict[FaultKind, Callable[[World, Call, Answer], Answer]] = {
    FaultKind.RESULT_INTERNAL_ERROR: _internal_error,
    FaultKind.RESULT_FORBIDDEN: _forbidden,
    FaultKind.PARTIAL_DATA: _partial,
    FaultKind.DUPLICATE_TIMESTAMPS: _duplicated,
    FaultKind.UNORDERED_TIMESTAMPS: _unordered,
}
