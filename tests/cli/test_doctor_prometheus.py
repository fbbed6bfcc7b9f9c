"""`stillfit doctor` on a metrics store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Stillfit
from tests.collector.promql.fake_store import FakeStore, Reply


@pytest.fixture
def store() -> Iterator[FakeStore]:
    with FakeStore(names=("aws_dynamodb_read_throttle_events_sum", "up")).serving() as one:
        yield one


def told(stillfit: Stillfit, config: Path, section: str) -> dict[str, tuple[str, str]]:
    config.write_text(f"{config.read_text()}http: {{port: 0}}\nprometheus:\n  - {{{section}}}\n")
    rows = json.loads(stillfit("doctor", "-c", config, "-f", "json").out)["results"]
    return {row["name"]: (row["result"], row["sentence"]) for row in rows if row["area"] == "prometheus main"}


def test_known_names_are_counted_engine_by_engine(stillfit: Stillfit, config: Path, store: FakeStore) -> None:
    found = told(stillfit, config, f"url: {store.url}")

    assert found["query"] == ("ok", f"answers at {store.url}, with 2 names of series in the last hour")
    assert found["dynamodb"] == ("ok", "1 of them are known and will be read")
    assert found["cassandra"] == ("warning", "none of them is a known series of cassandra")


def test_a_refusal_says_what_to_give(stillfit: Stillfit, config: Path, store: FakeStore) -> None:
    store.always = Reply(body=b"", status=401)

    mark, sentence = told(stillfit, config, f"url: {store.url}")["query"]

    assert mark == "failed"
    assert "give it a token, --token-file or token_file in the configuration" in sentence


def test_mistakes_of_a_names_file_are_told(stillfit: Stillfit, config: Path, store: FakeStore, tmp_path: Path) -> None:
    (tmp_path / "names.yaml").write_text("exporters:\n  - {name: a, like: yaci}\n")

    mark, sentence = told(stillfit, config, f"url: {store.url}, names_file: {tmp_path}/names.yaml")["names_file"]

    assert mark == "failed"
    assert "did you mean 'yace'?" in sentence
