"""What a good file becomes: lengths, secrets from files and from the environment, places in lists."""

from datetime import timedelta
from pathlib import Path

import pytest

from stillfit.configbase import length
from stillfit.configfile import load

FILE = """
aws:
  - regions: [eu-west-1]
    every: 10m
cassandra:
  - cluster: prod
    contact_points: [10.0.0.1]
    username: stillfit
    password_file: {folder}/password
slack:
  channel: "#databases"
"""
ENVIRONMENT = {"STILLFIT_SLACK__TOKEN": "xoxb-1", "STILLFIT_CONFIG": "elsewhere.yaml", "PATH": "/bin"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "password").write_text("s3cret\n")
    path = tmp_path / "stillfit.yaml"
    path.write_text(FILE.format(folder=tmp_path))
    return path


def test_a_password_file_is_read_without_its_line_end(file: Path) -> None:
    password = load(file, ENVIRONMENT).cassandra[0].password

    assert password is not None
    assert password.get_secret_value() == "s3cret"


def test_the_environment_wins_over_the_file(file: Path) -> None:
    config = load(file, {**ENVIRONMENT, "STILLFIT_AWS__0__REGIONS": "us-east-1, us-east-2", "STILLFIT_HTTP__PORT": "0"})

    assert (config.aws[0].regions, config.http.port) == (("us-east-1", "us-east-2"), 0)
    assert config.slack is not None
    assert config.slack.token is not None
    assert config.slack.token.get_secret_value() == "xoxb-1"


def test_secrets_never_show_in_the_text_of_a_configuration(file: Path) -> None:
    config = load(file, ENVIRONMENT)

    assert "s3cret" not in repr(config) + config.model_dump_json()
    assert "xoxb-1" not in repr(config) + config.model_dump_json()


def test_a_length_is_a_number_and_a_unit(file: Path) -> None:
    assert load(file, ENVIRONMENT).aws[0].every == timedelta(minutes=10)
    assert [length(text) for text in ("90s", "4h", "14d")] == [timedelta(seconds=90), timedelta(hours=4), timedelta(14)]


@pytest.mark.parametrize("text", ["", "4", "0s", "-1d", "4 weeks", "1.5h", "h"])
def test_anything_else_is_no_length(text: str) -> None:
    assert length(text) is None
