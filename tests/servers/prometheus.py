"""A real Prometheus that scrapes what a test serves, once a second, and `promtool` for files and texts."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import yaml

from tests.servers.process import POLL_SECONDS, Command, ServerProcess, free_ports, new_folder

START_SECONDS = 180.0
ANSWER_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One row of an instant query's answer."""

    labels: Mapping[str, str]
    value: float


class PrometheusServer:
    """Scrapes /metrics of the `targets` (host:port) as `job`, and evaluates the `rule_files`, every second.

    `history` is OpenMetrics text with timestamps that it holds from its start on.
    """

    def __init__(
        self, *targets: str, job: str = "stillfit", rule_files: Sequence[Path] = (), history: str = ""
    ) -> None:
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        folder = new_folder("prometheus")
        configuration = folder / "prometheus.yml"
        configuration.write_text(yaml.safe_dump(scrape_configuration(targets, job=job, rule_files=rule_files)))
        if history:
            _write_blocks(history, folder)
        self.process = ServerProcess(
            Command(
                name="Prometheus",
                arguments=(
                    "prometheus",
                    f"--config.file={configuration}",
                    f"--storage.tsdb.path={folder / 'data'}",
                    f"--web.listen-address=127.0.0.1:{port}",
                    "--log.level=warn",
                ),
                folder=folder,
            )
        )

    def start(self) -> PrometheusServer:
        self.process.start(self._is_ready, START_SECONDS)
        return self

    def close(self) -> None:
        self.process.close()

    def query(self, expression: str) -> list[Sample]:
        """The rows of an instant query; a scalar comes as one row without labels."""
        answer = httpx.get(f"{self.url}/api/v1/query", params={"query": expression}, timeout=ANSWER_SECONDS)
        assert answer.status_code == 200, f"{expression}: {answer.text}"
        result = answer.json()["data"]
        rows = [{"metric": {}, "value": result["result"]}] if result["resultType"] == "scalar" else result["result"]
        return [Sample(labels=row["metric"], value=float(row["value"][1])) for row in rows]

    def wait_for(self, expression: str, timeout: float = 180.0) -> list[Sample]:
        """The rows of the first answer that has any: a scrape, or a `for:` of a rule, takes its seconds."""
        deadline = time.monotonic() + timeout
        while not (rows := self.query(expression)):
            assert time.monotonic() < deadline, f"no rows within {timeout:.0f} s for {expression}"
            time.sleep(POLL_SECONDS)
        return rows

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/-/ready", timeout=1.0).status_code == 200
        except httpx.TransportError:
            return False


def scrape_configuration(
    targets: Sequence[str], *, job: str = "stillfit", rule_files: Sequence[Path] = ()
) -> dict[str, object]:
    return {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "scrape_configs": [{"job_name": job, "static_configs": [{"targets": list(targets)}]}],
        "rule_files": [str(path.resolve()) for path in rule_files],
    }


def _write_blocks(history: str, folder: Path) -> None:
    """As `promtool` makes them: what Prometheus takes for its own past."""
    text = folder / "history.txt"
    text.write_text(history)
    done = promtool("tsdb", "create-blocks-from", "openmetrics", text, folder / "data")
    assert done.returncode == 0, done.stderr + done.stdout


def promtool(*arguments: str | Path, text: str | None = None) -> subprocess.CompletedProcess[str]:
    """`promtool ARGUMENTS`, with `text` on its standard input; judge `returncode`, read `stdout` and `stderr`."""
    return subprocess.run(
        ["promtool", *arguments], input=text, capture_output=True, text=True, timeout=180, check=False
    )
