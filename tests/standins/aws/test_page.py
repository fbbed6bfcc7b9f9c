"""What docs/standins.md says that the stand-in answers is what it answers."""

from pathlib import Path

import pytest

from stillfit.standins.aws.dispatch import OPERATIONS

PAGE = Path("docs/standins.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("service", OPERATIONS)
def test_the_page_names_every_operation(service: str) -> None:
    assert [name for name in OPERATIONS[service] if f" {name}" not in PAGE] == []
