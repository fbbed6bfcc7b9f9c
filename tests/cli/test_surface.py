"""Habits of every command: quick help, exit codes, colours only where they are wanted, names shown literally."""

import errno
import io
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
import structlog

from stillfit.cli import app as cli_app
from stillfit.cli.logs import set_up_logs
from stillfit.cli.terminal import console, safe
from tests.cli.conftest import CASE, ROOT, Stillfit

HEAVY = ("boto3", "botocore", "cassandra", "sqlalchemy", "numpy", "pydantic", "slack_sdk", "apscheduler")
COMMANDS = ("demo", "check", "run", "explain", "doctor", "config", "advice")


def shell(*arguments: str, **environ: str) -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-c", "from stillfit.cli import main; main()", *arguments]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **environ}, capture_output=True, check=False)


def test_help_imports_nothing_heavy() -> None:
    code = f"""
import sys
sys.argv = ["stillfit", "--help"]
from stillfit.cli import main
try:
    main()
except SystemExit:
    print([name for name in {HEAVY!r} if name in sys.modules])
"""
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, text=True)

    assert told.stdout.splitlines()[-1] == "[]"


def test_help_takes_less_than_four_tenths_of_a_second() -> None:
    assert min(_seconds() for _ in range(3)) < 0.4


def _seconds() -> float:
    """Processor time, since other tests run beside this one."""
    before = os.times()
    shell("--help")
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def test_help_names_every_command(stillfit: Stillfit) -> None:
    told = stillfit("--help")

    assert told.code == 0
    assert all(f"  {command}" in told.out for command in COMMANDS)


def test_nothing_found_is_0_and_something_found_is_1(stillfit: Stillfit) -> None:
    quiet = ROOT / "tests/cases/observations/d19_a_handful_of_throttles.yaml"

    assert stillfit("check", "-o", quiet).code == 0
    assert stillfit("check", "-o", CASE).code == 1


@pytest.mark.parametrize(("fail_on", "code"), [("info", 1), ("warning", 1), ("critical", 0), ("never", 0)])
def test_the_least_severity_that_fails_is_chosen(stillfit: Stillfit, fail_on: str, code: int) -> None:
    assert stillfit("check", "-o", CASE, "--fail-on", fail_on).code == code


def test_wrong_usage_is_2(stillfit: Stillfit) -> None:
    assert stillfit("check", "--no-such-option").code == 2


def test_a_wrong_file_is_3(stillfit: Stillfit, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("subjcts: []\n")
    told = stillfit("check", "-o", path)

    assert told.code == 3
    assert "bad.yaml:1: subjcts: unknown key" in told.err


def test_what_nobody_thought_of_is_5_with_its_trace(stillfit: Stillfit, monkeypatch: pytest.MonkeyPatch) -> None:
    def defect() -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(cli_app, "app", defect)
    told = stillfit("check")

    assert told.code == 5
    assert "Traceback" in told.err
    assert "ZeroDivisionError: a defect" in told.err


@pytest.mark.parametrize(
    "arguments", [["explain", "cassandra/tombstones"], ["check", "-o", str(CASE)]], ids=["explain", "check"]
)
def test_a_pipe_gets_no_escapes_and_no_blanks_at_line_ends(arguments: list[str]) -> None:
    told = shell(*arguments).stdout.decode()

    assert "\x1b" not in told
    assert not [line for line in told.splitlines() if line != line.rstrip()]


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_no_color_ends_the_colours_of_logs_too(
    no_color: str, coloured: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    try:
        set_up_logs("text")
        structlog.get_logger().warning("a line")
    finally:
        structlog.reset_defaults()

    assert ("\x1b" in capsys.readouterr().err) is coloured


def test_an_ascii_terminal_is_written_to_all_the_same() -> None:
    told = shell("explain", "dynamodb/throttling", PYTHONIOENCODING="ascii", PYTHONUTF8="0")

    assert told.returncode == 0
    assert told.stdout.isascii()


def test_names_from_outside_cannot_steer_a_terminal() -> None:
    assert safe("a\x1b[31m\nb\u202ec [bold]") == "a\\u001b[31m\\u000ab\\u202ec [bold]"


def test_json_is_the_only_thing_on_standard_output(stillfit: Stillfit) -> None:
    assert json.loads(stillfit("check", "-o", CASE, "--format", "json").out)["version"] == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is full")
def test_a_full_disk_ends_in_a_sentence() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", "from stillfit.cli import main; main()", "check", "-o", str(CASE)],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert done.returncode == 5
    assert done.stderr.strip() == "standard output cannot be written: No space left on device: send it elsewhere"


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"])
def test_a_stream_that_is_closed_from_the_start_breaks_nothing(closed: str) -> None:
    command = f"{sys.executable} -c 'from stillfit.cli import main; main()' check -o {CASE} {closed}"
    told = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, check=False, text=True)

    assert told.returncode == 1
    assert told.stderr == ""
    assert ("Found" in told.stdout) == ("1>&-" not in closed)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_full_streams_are_no_findings() -> None:
    command = f"{sys.executable} -c 'from stillfit.cli import main; main()' check -o {CASE} >/dev/full 2>/dev/full"

    assert subprocess.run(["sh", "-c", command], cwd=ROOT, check=False).returncode == 5


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EPIPE])
def test_a_log_that_cannot_be_written_ends_nothing(monkeypatch: pytest.MonkeyPatch, error: int) -> None:
    class Full(io.StringIO):
        def write(self, _text: str) -> int:
            raise OSError(error, os.strerror(error))

        def flush(self) -> None:
            raise OSError(error, os.strerror(error))

    monkeypatch.setattr(sys, "stderr", Full())
    set_up_logs("json")

    structlog.get_logger().error("a line")
    logging.getLogger("botocore").error("another")


@pytest.mark.parametrize(("columns", "widest"), [("0", 1_000), ("-5", 1_000), ("much", 1_000), ("1", 20), ("60", 60)])
def test_a_width_that_is_none_loses_no_line(
    stillfit: Stillfit, monkeypatch: pytest.MonkeyPatch, columns: str, widest: int
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    told = stillfit("check", "-o", CASE).out

    assert "".join(told.split()).startswith("Found")
    assert max(map(len, told.splitlines())) <= widest
    assert console().width == widest


def test_what_ends_a_command_cannot_steer_the_terminal(stillfit: Stillfit, tmp_path: Path) -> None:
    told = stillfit("check", "-o", tmp_path / "a\x1b[2Jb\u202e.yaml")

    assert told.code != 0
    assert "a\\u001b[2Jb\\u202e.yaml" in told.err
