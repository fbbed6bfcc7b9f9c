"""The wheel, installed in an environment of its own away from the source tree: all its files, and the main commands."""

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from stillfit import __version__

ROOT = Path(__file__).parents[2]
CARRIED = (  # a folder of the source tree, its place in the wheel, and what of it must be there
    ("docs/analyzers", "stillfit/pages/analyzers", "*.md"),
    ("docs/rules", "stillfit/pages/rules", "*.md"),
    ("dashboards", "stillfit/dashboards", "**/*.json"),
    ("dashboards", "stillfit/dashboards", "**/*.y*ml"),
    ("deploy", "stillfit/deploy", "**/*"),
    ("stillfit", "stillfit", "**/*.py"),
    ("stillfit/rules", "stillfit/rules", "*.yaml"),
    ("stillfit/costs/books", "stillfit/costs/books", "*.yaml"),
    ("stillfit/store/migrations/versions", "stillfit/store/migrations/versions", "*.py"),
    ("stillfit/standins", "stillfit/standins", "**/*.json"),
    ("stillfit/standins", "stillfit/standins", "**/*.html"),
    ("collector", "collector", "**/*.py"),
    ("analyzers", "analyzers", "**/*.py"),
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of a new environment. Dependencies are those of this one, so that nothing is downloaded."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin/python"), "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin"


def run(installed: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """The installed command, away from the source tree."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV"))}
    command = [str(installed / "stillfit"), *arguments]
    return subprocess.run(command, cwd=installed, env=environ, capture_output=True, check=False, text=True, timeout=600)


@pytest.mark.parametrize(("source", "place", "pattern"), CARRIED)
def test_the_wheel_carries_every_file_it_needs(wheel: Path, source: str, place: str, pattern: str) -> None:
    folder = ROOT / source
    needed = {f"{place}/{path.relative_to(folder)}" for path in folder.glob(pattern) if path.is_file()}
    needed = {name for name in needed if "__pycache__" not in name}

    assert needed
    assert needed <= set(zipfile.ZipFile(wheel).namelist())


@pytest.mark.parametrize("package", ["stillfit", "collector", "analyzers"])
def test_each_package_says_that_it_is_typed(wheel: Path, package: str) -> None:
    assert f"{package}/py.typed" in zipfile.ZipFile(wheel).namelist()


def test_no_test_and_no_bytecode_is_in_the_wheel(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    assert not [name for name in names if name.startswith(("tests/", "bench/")) or name.endswith(".pyc")]


def test_the_installed_package_is_the_one_of_the_wheel(installed: Path) -> None:
    where = [str(installed / "python"), "-c", "import stillfit; print(stillfit.__file__)"]
    told = subprocess.run(where, cwd=installed, capture_output=True, check=True, text=True).stdout

    assert str(installed.parent) in told
    assert run(installed, "--version").stdout == f"stillfit {__version__}\n"


def test_a_case_is_judged_by_the_installed_command(installed: Path) -> None:
    case = ROOT / "tests/cases/observations/d08_throttled_after_scale_in.yaml"
    told = run(installed, "check", "-o", str(case), "--format", "json")

    assert told.returncode == 1
    assert json.loads(told.stdout)["findings"][0]["cause"] == "scaled_in"


def test_pages_and_the_example_come_with_the_installed_command(installed: Path) -> None:
    assert "How to silence it" in run(installed, "explain", "dynamodb/throttling").stdout
    assert run(installed, "config", "init").stdout == (ROOT / "deploy/stillfit.yaml").read_text()


def test_the_demo_runs_from_the_wheel_and_ends_by_itself(installed: Path) -> None:
    told = run(installed, "demo", "--for", "5", "--headless", "--port", "0")

    assert told.returncode == 0, told.stderr
    assert "stillfit demo" in told.stdout
