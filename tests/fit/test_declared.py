from __future__ import annotations

import pytest

from stillfit.fit.declared import DECLARED
from stillfit.model import Value


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        ("multi_cloud", True, True),
        ("multi_cloud", "yes", False),
        ("multi_cloud", 1.0, False),
        ("dba_fte", 0.0, True),
        ("dba_fte", 2, True),
        ("dba_fte", -1.0, False),
        ("dba_fte", True, False),
        ("ad_hoc_queries", "primary", True),
        ("ad_hoc_queries", "often", False),
        ("compliance", ("PCI DSS",), True),
        ("compliance", "PCI DSS", False),
        ("cql_features", (), True),
        ("cql_features", ("trigger",), True),
        ("cql_features", ("triggers",), False),
        ("contract_end", "2027-03-31", True),
    ],
)
def test_an_answer_is_of_its_questions_kind(name: str, value: Value, accepted: bool) -> None:
    assert DECLARED[name].accepts(value) is accepted


def test_every_question_is_a_question() -> None:
    assert all("?" in question.question for question in DECLARED.values())
    assert list(DECLARED) == sorted(DECLARED)
