"""Answers of another shape: one value, anywhere, in every form that can hold one."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from stillfit.standins.aws import Faults, cbor
from stillfit.standins.aws.misshapen import misshapen

ANSWER = {"Metrics": [{"MetricName": "ReadThrottleEvents", "Dimensions": [{"Name": "TableName"}]}], "NextToken": "a"}
FORMS: dict[str, tuple[bytes, Callable[[bytes], Any]]] = {
    "application/x-amz-json-1.1": (orjson.dumps(ANSWER), orjson.loads),
    "application/cbor": (cbor.dumps(ANSWER), cbor.loads),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_place_is_struck_sooner_or_later_and_the_answer_can_be_read(form: str) -> None:
    body, read = FORMS[form]
    faults = Faults(seed=1)
    struck = {orjson.dumps(read(misshapen(body, form, faults))) for _ in range(500)}

    told = [orjson.loads(one) for one in struck]
    assert [one for one in told if not isinstance(one, dict)]  # the whole
    assert [one for one in told if isinstance(one, dict) and "Metrics" not in one]
    named = [one["Metrics"][0]["MetricName"] for one in told if _is_named(one)]
    assert ["ReadThrottleEvents"] in named


def _is_named(told: object) -> bool:
    metrics = told.get("Metrics") if isinstance(told, dict) else None
    return isinstance(metrics, list) and bool(metrics) and isinstance(metrics[0], dict) and "MetricName" in metrics[0]


def test_a_seed_repeats_the_damage() -> None:
    body, _ = FORMS["application/cbor"]
    first, second = (misshapen(body, "application/cbor", Faults(seed=3)) for _ in range(2))

    assert first == second != body


def test_xml_holds_nothing_but_texts_and_is_left_alone() -> None:
    assert misshapen(b"<a>7</a>", "text/xml", Faults()) == b"<a>7</a>"
