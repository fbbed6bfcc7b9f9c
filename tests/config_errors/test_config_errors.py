"""Every mistake that a user can make in stillfit.yaml has a file here, and beside it the lines he is told.

`# env: NAME=value` at the top of a file sets a variable. `python -m tests.config_errors.rewrite` writes the expected
lines anew, to be read in the difference like code.
"""

from pathlib import Path

import pytest

from stillfit.configfile import load
from stillfit.errors import ConfigError

HERE = Path("tests/config_errors")
FILES = sorted(path.name for path in HERE.glob("*.yaml"))
CANARIES = ("canary", "4711004711")


def told(name: str) -> tuple[str, ...]:
    """What is said of a file; paths are relative, so that they are the same on every machine."""
    path = HERE / name
    lines = [line.removeprefix("# env: ") for line in path.read_text().splitlines() if line.startswith("# env: ")]
    try:
        load(path, dict(line.split("=", 1) for line in lines))
    except ConfigError as error:
        return error.mistakes
    return ("no mistake was found",)


@pytest.mark.parametrize("name", FILES)
def test_every_mistake_is_told_at_once_with_its_place(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    expected = (HERE / name).with_suffix(".expected").read_text().splitlines()

    assert list(told(name)) == expected


@pytest.mark.parametrize("name", FILES)
def test_no_mistake_repeats_a_secret(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    said = "\n".join(told(name))

    assert not [canary for canary in CANARIES if canary in said]


def test_every_file_says_what_is_expected_of_it() -> None:
    here = Path(__file__).parent

    assert {path.stem for path in here.glob("*.expected")} == {path.stem for path in here.glob("*.yaml")}
