"""A real VictoriaMetrics that holds what a test gives it."""

from __future__ import annotations

import httpx

from tests.servers.process import Command, ServerProcess, free_ports, new_folder

START_SECONDS = 180.0


class VictoriaMetricsServer:
    """Answers the Prometheus API at `url`. `history` is OpenMetrics text with timestamps in seconds."""

    def __init__(self, history: str) -> None:
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        self._history = history
        folder = new_folder("victoriametrics")
        self.process = ServerProcess(
            Command(
                name="VictoriaMetrics",
                arguments=(
                    "victoria-metrics",
                    f"-storageDataPath={folder / 'data'}",
                    f"-httpListenAddr=127.0.0.1:{port}",
                    "-retentionPeriod=1y",
                    "-search.latencyOffset=0s",
                    "-loggerLevel=WARN",
                ),
                folder=folder,
            )
        )

    def start(self) -> VictoriaMetricsServer:
        self.process.start(self._is_ready, START_SECONDS)
        rows = [line for line in self._history.splitlines() if not line.startswith("#")]
        text = "".join(f"{line}000\n" for line in rows)  # it takes milliseconds
        httpx.post(f"{self.url}/api/v1/import/prometheus", content=text, timeout=60.0).raise_for_status()
        httpx.get(f"{self.url}/internal/force_flush", timeout=60.0).raise_for_status()
        return self

    def close(self) -> None:
        self.process.close()

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health", timeout=1.0).status_code == 200
        except httpx.TransportError:
            return False
