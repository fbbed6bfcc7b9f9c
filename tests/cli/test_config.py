"""`stillfit config`: mistakes, the plan, the schema, the example, and no secret in any of them."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from collector.aws.spending.plan import Tier
from stillfit.cli.config import masked, schema
from stillfit.cli.spending import metrics_a_look, usd_a_month
from stillfit.configfile import load
from stillfit.model import Engine, Subject
from tests.cli.conftest import ROOT, Stillfit

TABLE = Subject(engine=Engine.DYNAMODB, scope=("", ""), table="orders")
INDEX = Subject(engine=Engine.DYNAMODB, scope=("", ""), table="orders", index="by-status")
PROSE = ("# What a person", "# A line drawn", "# store:")
FULL = """
aws:
  - {regions: [eu-west-1], every: 10m, exclude: ["test-*"]}
cassandra:
  - {cluster: prod, contact_points: [10.0.0.1], username: stillfit, password: hunter2}
store: postgresql+psycopg://stillfit:hunter2@db/stillfit
slack: {channel: databases, token: hunter2}
"""


@pytest.fixture
def full(tmp_path: Path) -> Path:
    path = tmp_path / "full.yaml"
    path.write_text(FULL)
    return path


def test_the_plan_says_what_is_watched_how_often_and_who_is_told(stillfit: Stillfit, full: Path) -> None:
    told = stillfit("config", "check", "-c", full)

    assert told.code == 0
    for part in ("no mistakes", "every 10 min", "not test-*", "Slack channel databases", "USD a month"):
        assert part in " ".join(told.out.split())  # where a line ends depends on the length of the path in it


@pytest.mark.parametrize("command", ["check", "show"])
def test_no_secret_is_ever_shown(stillfit: Stillfit, full: Path, command: str) -> None:
    told = stillfit("config", command, "-c", full)

    assert "hunter2" not in told.out + told.err


def test_what_is_shown_can_be_read_back(stillfit: Stillfit, config: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.yaml"
    again.write_text(stillfit("config", "show", "-c", config).out)

    assert load(again, {}) == load(config, {})


def test_a_file_with_mistakes_ends_with_all_of_them(stillfit: Stillfit, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("instnace: x\nhttp: {port: many}\n")
    told = stillfit("config", "check", "-c", path)

    assert (told.code, told.out, len(told.err.splitlines())) == (3, "", 2)


def test_the_published_schema_is_that_of_the_code(stillfit: Stillfit) -> None:
    assert stillfit("config", "schema").out == (ROOT / "docs/stillfit.schema.json").read_text() == schema()


def test_the_example_is_valid_by_the_schema_and_by_the_reader(stillfit: Stillfit, tmp_path: Path) -> None:
    example = tmp_path / "stillfit.yaml"
    assert stillfit("config", "init", example).code == 0

    jsonschema.validate(yaml.safe_load(example.read_text()), json.loads(schema()))
    assert load(example, {}).aws[0].regions == ("eu-west-1",)


def test_everything_that_is_commented_out_in_the_example_is_valid_too(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret")
    text = (ROOT / "deploy/stillfit.yaml").read_text()
    body = [line for line in text[text.index("instance:") :].splitlines() if not line.startswith(PROSE)]
    whole = "\n".join(re.sub(r"^( *)# ", r"\1", line) for line in body)
    whole = re.sub(r"/run/secrets/\w+", str(tmp_path / "secret"), whole)
    path = tmp_path / "all.yaml"
    path.write_text(whole)
    config = load(path, {})

    assert (config.cassandra[0].cluster, len(config.workloads[0].declared), len(config.thresholds)) == ("prod", 2, 1)


def test_an_example_never_overwrites_a_file(stillfit: Stillfit, config: Path) -> None:
    told = stillfit("config", "init", config)

    assert told.code == 2
    assert "is there already" in told.err


def test_the_estimate_is_what_the_queries_of_the_collector_come_to() -> None:
    table, index = metrics_a_look(TABLE, provisioned=False), metrics_a_look(INDEX, provisioned=True)

    assert (table.wires, index.wires) == (2, 2)
    assert usd_a_month(table, Tier.WARM, 300) == pytest.approx((2 * 8760 + table.rest * 730) * 0.01 / 1000, abs=0.003)


def test_only_the_password_of_a_url_is_masked() -> None:
    assert masked("postgresql://ann:secret@db:5432/x") == "postgresql://ann:***@db:5432/x"
    assert masked("sqlite:////var/lib/a:b@c.db") == "sqlite:////var/lib/a:b@c.db"


def test_every_service_that_is_watched_is_named(stillfit: Stillfit, config: Path) -> None:
    config.write_text("aws: [{regions: [eu-west-1], services: [dynamodb, dax], tags: {team: shop}}]\n")

    told = stillfit("config", "check", "--offline", "-c", config).out
    assert "watches  DynamoDB and DAX in eu-west-1" in told
    assert "tagged team=shop" in told
