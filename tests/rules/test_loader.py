"""Every mistake in a rule file is one line with file, line, key and the nearest valid word; all of them at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from stillfit.errors import ConfigError
from stillfit.rulebook import read_folders
from stillfit.rules.loader import load_rules
from tests.rules.builders import text

CASES: list[dict[str, Any]] = yaml.safe_load(Path("tests/cases/rules/mistakes.yaml").read_text(encoding="utf-8"))
DETECTORS = {"dynamodb/throttling": frozenset({"provisioned", "key_range"})}


def mistakes(changes: dict[str, Any]) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as refused:
        load_rules({"mine.yaml": text(changes)}, DETECTORS)
    return refused.value.mistakes


def test_the_rule_that_the_mistakes_are_made_in_is_a_good_one() -> None:
    assert load_rules({"mine.yaml": text()}, DETECTORS)[0].id == "dynamodb/example"


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_mistake_is_named_with_its_place(case: dict[str, Any]) -> None:
    found = mistakes(case["change"])

    assert len(found) == len(case["says"]), found
    for line, (key, sentence) in zip(found, case["says"], strict=True):
        assert line.startswith("mine.yaml:")
        assert f": {key}: " in line
        assert sentence in line


def test_the_line_is_that_of_the_key() -> None:
    written = text({"cooldown": "5m"})
    (line,) = mistakes({"cooldown": "5m"})

    assert (
        line
        == f"mine.yaml:{written[: written.index('cooldown')].count(chr(10)) + 1}: cooldown: is too short: at least 30m"
    )


def test_mistakes_of_all_files_come_at_once() -> None:
    with pytest.raises(ConfigError) as refused:
        load_rules({"a.yaml": text({"version": 0}), "b.yaml": "id: [", "c.yaml": "just words"})

    assert [line.split(":")[0] for line in refused.value.mistakes] == ["a.yaml", "b.yaml", "c.yaml"]


def test_two_rules_of_one_id_are_refused() -> None:
    with pytest.raises(ConfigError, match="given by more than one file"):
        load_rules({"a.yaml": text(), "b.yaml": text()})


def test_rules_come_in_order_of_id() -> None:
    texts = {"a.yaml": text({"id": "dynamodb/second"}), "b.yaml": text({"id": "dynamodb/first"})}
    assert [rule.id for rule in load_rules(texts)] == ["dynamodb/first", "dynamodb/second"]


def test_rules_of_a_folder_are_read(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(text(), encoding="utf-8")
    (tmp_path / "notes.txt").write_text("no rule", encoding="utf-8")

    assert [rule.id for rule in load_rules(read_folders([tmp_path]))] == ["dynamodb/example"]


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_bytes(b"\xff\xfe\xff")

    with pytest.raises(ConfigError) as refused:
        read_folders([tmp_path, tmp_path / "nowhere"])

    assert "not UTF-8 text" in refused.value.mistakes[0]
    assert "is no folder" in refused.value.mistakes[1]
