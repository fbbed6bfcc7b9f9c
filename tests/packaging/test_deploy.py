"""Container, compose and systemd files: what they name exists, and nothing runs as root or in the open."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
UNIT = (DEPLOY / "systemd/stillfit.service").read_text()


def test_everything_that_is_copied_into_the_image_exists() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)

    assert copied
    assert not [name for line in copied for name in line.split() if not (ROOT / name).exists()]


def test_the_image_runs_as_a_numbered_user_and_says_whether_it_is_well() -> None:
    assert re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE) == ["65532:65532"]
    assert "/-/healthy" in DOCKERFILE


def test_every_package_of_the_image_is_taken_by_its_hash() -> None:
    installs = re.findall(r"pip install ([^\n]+)", DOCKERFILE)

    assert all("--require-hashes" in line or "--no-index" in line for line in installs)


def test_the_image_can_keep_its_store_in_postgresql() -> None:
    assert re.search(r"^psycopg-binary==", (ROOT / "requirements.lock").read_text(), re.MULTILINE)


@pytest.mark.parametrize("service", ["stillfit", "prometheus", "grafana"])
def test_what_compose_mounts_exists(service: str) -> None:
    mounted = [one.split(":")[0] for one in COMPOSE["services"][service]["volumes"]]
    paths = [path for path in mounted if path.startswith(".")]

    assert not [path for path in paths if not (DEPLOY / path).exists()]


@pytest.mark.parametrize("service", ["stillfit", "demo", "prometheus", "grafana"])
def test_compose_publishes_on_loopback_only(service: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in COMPOSE["services"][service]["ports"])


def test_the_demo_of_compose_starts_only_when_asked() -> None:
    assert COMPOSE["services"]["demo"]["profiles"] == ["demo"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_the_unit_is_as_closed_as_systemd_can_judge(tmp_path: Path) -> None:
    path = tmp_path / "stillfit.service"
    path.write_text(UNIT)
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=15", "--no-pager", str(path)]

    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_a_wrong_configuration_does_not_make_systemd_start_it_for_ever() -> None:
    assert "RestartPreventExitStatus=2 3" in UNIT  # it holds for the main process only
    assert "\nExecStartPre=" not in UNIT


def test_the_policy_denies_every_way_to_rows() -> None:
    policy = yaml.safe_load((DEPLOY / "aws/iam-policy.json").read_text())
    (denied,) = [one["Action"] for one in policy["Statement"] if one["Effect"] == "Deny"]

    assert {"dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:PartiQL*"} <= set(denied)
