"""What other collectors ask of an account besides its metrics."""

from collections.abc import Callable
from typing import Any


def test_an_account_has_no_alias(connect: Callable[..., Any]) -> None:
    assert connect("iam", region="us-east-1").list_account_aliases()["AccountAliases"] == []
