"""What goes wrong inside one GetMetricData result while the answer as a whole says 200."""

from collections.abc import Callable

import numpy as np

from stillfit.standins.aws.calls import Answer, Call
from stillfit.standins.aws.faults import FaultKind
from stillfit.standins.aws.points import Floats
from stillfit.standins.aws.wire import NoNumbers
from stillfit.standins.aws.world import World

HOUR = 3_600
SHIFT_S = 7
HUGE = 1e300


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


def _repeated_hour(_: World, __: Call, result: Answer) -> Answer:
    times, values = np.asarray(result["Timestamps"]), np.asarray(result["Values"])
    last = times > (times.max() - HOUR if times.size else 0)
    return {"Timestamps": np.concatenate([times, times[last]]), "Values": np.concatenate([values, values[last]])}


def _shifted(_: World, __: Call, result: Answer) -> Answer:
    return {"Timestamps": np.asarray(result["Timestamps"]) + SHIFT_S}


def _negative(_: World, __: Call, result: Answer) -> Answer:
    return {"Values": _every_second(result, -1.0)}


def _huge(_: World, __: Call, result: Answer) -> Answer:
    return {"Values": _every_second(result, HUGE)}


def _every_second(result: Answer, value: float) -> Floats:
    values = np.array(result["Values"], dtype=np.float64)
    values[::2] = value
    return values


def no_numbers(world: World, call: Call, answer: Answer) -> Answer:
    """The checked answer with values in it that are none: no model allows them, some day one arrives all the same."""
    if not world.faults.armed or "MetricDataResults" not in answer:
        return answer
    return {**answer, "MetricDataResults": [_no_number(world, call, one) for one in answer["MetricDataResults"]]}


def _no_number(world: World, call: Call, result: Answer) -> Answer:
    queries = call.parameters["MetricDataQueries"]
    metric = next(query["MetricStat"]["Metric"]["MetricName"] for query in queries if query["Id"] == result["Id"])
    fault = world.faults.strike(_NO_NUMBERS, call, metric)
    if fault is None:
        return result
    value = _NO_NUMBERS[fault.kind]
    return {**result, "Values": NoNumbers(_every_second(result, value))}


_NO_NUMBERS = {FaultKind.NAN_VALUES: float("nan"), FaultKind.INFINITE_VALUES: float("inf")}
_SPOILERS: dict[FaultKind, Callable[[World, Call, Answer], Answer]] = {
    FaultKind.RESULT_INTERNAL_ERROR: _internal_error,
    FaultKind.RESULT_FORBIDDEN: _forbidden,
    FaultKind.PARTIAL_DATA: _partial,
    FaultKind.DUPLICATE_TIMESTAMPS: _duplicated,
    FaultKind.UNORDERED_TIMESTAMPS: _unordered,
    FaultKind.REPEATED_HOUR: _repeated_hour,
    FaultKind.SHIFTED_TIMESTAMPS: _shifted,
    FaultKind.NEGATIVE_VALUES: _negative,
    FaultKind.HUGE_VALUES: _huge,
}
