"""Versions as the JDKs print them."""

import pytest

from tests.servers.java import parse_major


@pytest.mark.parametrize(
    ("printed", "major"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('openjdk version "25" 2026-03-17 LTS', 25),
        ('java version "1.8.0_402"', 8),
        ("Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version \"11.0.2\"", 11),
        ("no java here", None),
    ],
)  # fmt: skip
def test_the_major_version_is_read(printed: str, major: int | None) -> None:
    assert parse_major(printed) == major
