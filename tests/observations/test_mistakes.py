"""Every mistake that a person can make in an observation file has its line, its key and its sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from stillfit.errors import ConfigError
from stillfit.observations.files import load, load_all, read

ROWS: list[dict[str, str]] = yaml.safe_load((Path(__file__).parent / "mistakes.yaml").read_text(encoding="utf-8"))
HEAD = "at: 2026-08-24T12:00:00Z\nsubjects:\n  - {engine: dynamodb, scope: ['1', us-east-1], table: orders"


def text(row: dict[str, str]) -> str:
    """A right file with the row's mistake on line 3 or 4."""
    if "subject" in row:
        return HEAD.replace("{engine: dynamodb, scope: ['1', us-east-1], table: orders", f"{{{row['subject']}}}\n")
    inside = {
        "attributes": "attributes: {%s}",
        "series": "series: [{%s}]",
        "gap": "gaps: [{%s}]",
        "change": "changes: [{%s}]",
    }
    for key, form in inside.items():
        if key in row:
            return f"{HEAD},\n    {form % row[key]}}}\n"
    return f"{HEAD}}}\n{row['put']}\n"


def mistakes(text_: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        read(text_, name="a.yaml")
    return caught.value.mistakes


@pytest.mark.parametrize("row", ROWS, ids=lambda row: next(iter(row.values()))[:60])
def test_a_mistake_is_told_at_its_line_with_its_key(row: dict[str, str]) -> None:
    (told,) = mistakes(text(row))

    assert told.startswith(("a.yaml:3: ", "a.yaml:4: ", "a.yaml:5: ")), told
    assert row["says"] in told


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    wrong = f"{HEAD},\n    atributes: {{}},\n    series: [{{metric: reeds, constant: 1}}]}}\nabuot: x\n"

    assert [line.split(": ")[0] for line in mistakes(wrong)] == ["a.yaml:4", "a.yaml:5", "a.yaml:6"]


def test_a_file_without_an_end_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^/dev/zero:1: file: larger than 64000000 bytes; split it$"):
        load(Path("/dev/zero"))


def test_a_series_said_twice_names_the_first() -> None:
    one = "{metric: read_throttle_events, constant: 1}"
    (told,) = mistakes(f"{HEAD},\n    series: [{one},\n    {one}]}}\n")

    assert told == "a.yaml:5: subjects[0].series[1]: read_throttle_events is said twice, first on line 4; say it once"


def test_the_same_metric_may_be_said_by_part_and_by_statistic() -> None:
    parts = "{metric: throttled_requests, dimension: Query, constant: 1}, {metric: throttled_requests, constant: 1}"

    assert len(read(f"{HEAD},\n    series: [{parts}]}}\n", name="a.yaml").batch.series) == 2


def test_a_short_form_cannot_fill_the_memory() -> None:
    wide = f"window: {{from: 2000-01-01T00:00:00Z}}\n{HEAD}, series: [{{metric: reeds, constant: 1, period: 1s}}]}}\n"

    assert "points, 1000000 are allowed" in mistakes(wide.replace("reeds", "read_throttle_events"))[0]


def test_many_series_cannot_fill_the_memory_either() -> None:
    each = ", ".join(f"{{metric: throttled_requests, dimension: d{i}, constant: 1, period: 1s}}" for i in range(300))

    assert "more than 1000000 points" in mistakes(f"{HEAD}, series: [{each}]}}\n")[0]


@pytest.mark.parametrize(
    ("bomb", "says"),
    [
        ("a: &a [x]\nb: *a\n", "is not plain text"),
        ("a: " + "[" * 40 + "]" * 40, "nested deeper than 32"),
        ("a: " + "x" * 1_000_001, "larger than 1000000 bytes"),
    ],
    ids=["alias", "depth", "size"],
)
def test_a_bomb_is_refused_before_it_is_built(bomb: str, says: str) -> None:
    assert says in mistakes(bomb)[0]


@pytest.mark.parametrize("text_", ["", "[]", "at", "3", "{}"])
def test_a_file_of_another_kind_is_refused(text_: str) -> None:
    assert mistakes(text_)


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load(tmp_path / "none.yaml")


def test_bytes_that_are_no_text_say_so(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(ConfigError, match="not UTF-8"):
        load(tmp_path / "a.yaml")


def test_the_mistakes_of_all_files_of_a_folder_are_told(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yml", "c.json"):
        (tmp_path / name).write_text("{}", encoding="utf-8")

    with pytest.raises(ConfigError) as caught:
        load_all([tmp_path])
    assert {line.split(":")[0].rsplit("/", 1)[1] for line in caught.value.mistakes} == {"a.yaml", "b.yml", "c.json"}


def test_an_empty_folder_says_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"holds no \.json, \.yaml, \.yml file"):
        load_all([tmp_path])
