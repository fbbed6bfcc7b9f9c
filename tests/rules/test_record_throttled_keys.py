"""The advice to switch Contributor Insights on states its price at the table's own rate, and prefers the cheap mode."""

from __future__ import annotations

import pytest

from analyzers.dynamodb_throttling import ANALYZER
from stillfit.evidence import gather
from stillfit.model import Value
from stillfit.rulebook import packaged_rules
from stillfit.rules.render import Rendered, render
from tests.builders import BY_STATUS, ORDERS, ask, case

RULES = {one.id: one for one in packaged_rules()}


def advised(sort_key: str, *, index: bool = False) -> Rendered:
    """A full key range: 9,000 of 909,000 requests of the hour were refused."""
    settings: dict[str, Value] = {"contributor_insights": "", "encryption": "AWS_OWNED", "sort_key": sort_key}
    told = case(
        BY_STATUS if index else ORDERS,
        settings=settings,
        read_throttle_events=0,
        write_throttle_events=9_000,
        write_key_range_throttle_events=9_000,
        consumed_read_units__count=9_000,
        consumed_write_units__count=891_000,
    )
    rule = RULES["dynamodb/record_throttled_index_keys" if index else "dynamodb/record_throttled_keys"]
    return render(rule, gather(ask(ANALYZER, told), told))


@pytest.mark.parametrize(
    ("sort_key", "cheap", "whole"),
    [("", "0.70 USD", "21 USD"), ("at", "1.40 USD", "41 USD")],
    ids=["one rule", "two rules"],
)
def test_both_modes_are_priced_at_the_rate_of_the_window(sort_key: str, cheap: str, whole: str) -> None:
    first, second, _ = advised(sort_key).option.steps

    assert first.startswith(f"Switch Contributor Insights on in the mode THROTTLED_KEYS, about {cheap} a month")
    assert f"every request is recorded, about {whole} a month" in second


@pytest.mark.parametrize(("index", "named"), [(False, ""), (True, " --index-name by-status")], ids=["table", "index"])
def test_the_command_names_the_cheap_mode_and_what_it_is_for(index: bool, named: str) -> None:
    (command,) = advised("", index=index).option.commands

    assert command == (
        f"aws dynamodb update-contributor-insights --table-name orders{named} "
        "--contributor-insights-action ENABLE --contributor-insights-mode THROTTLED_KEYS"
    )
