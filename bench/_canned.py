"""GetMetricData out of a process of its own, fast enough to be no bottleneck: the same truth for whoever asks.

What a metric holds follows from its names by arithmetic, so that the bench can say without asking what must be stored.
Every answer is made for the request: its ids in their order, its window, its period. Of ten metrics six have a point a
minute, three one in seven minutes, one none. Signatures are not checked; `stillfit.standins.aws` does that, at 25 to
45 ms of CPU a request. Latency, quota and failures are as asked for.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import zlib
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from typing import Any, Self

import numpy as np
import orjson

CYCLE = 997
_VALUES = [float(number) for number in range(CYCLE)] * 3
LONGEST = 2 * CYCLE  # minutes
_REFUSED = b'{"__type":"com.amazonaws.cloudwatch#Throttling","message":"Rate exceeded"}'
_BROKEN = b'{"__type":"com.amazonaws.cloudwatch#InternalServiceFault","message":"try again"}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """How the service behaves. No quota: calls_per_s is None."""

    latency_s: float = 0.0
    calls_per_s: float | None = None
    failing: float = 0.0
    """Share of the calls that end in a 500."""


def seed_of(metric: str, dimensions: str, statistic: str) -> int:
    return zlib.crc32(f"{metric}|{dimensions}|{statistic}".encode())


def held(seeds: np.ndarray, minutes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[metric-statistic, minute]: where there is a point, and what it would say."""
    moved = seeds[:, None] + minutes
    kind = seeds[:, None] % 10
    return (kind < 6) | ((kind < 9) & (moved % 7 == 0)), (moved % CYCLE).astype(float)


def _result(query: dict[str, Any], start: int, minutes: list[float]) -> dict[str, Any]:
    metric = query["MetricStat"]["Metric"]
    dimensions = ",".join(one["Value"] for one in metric["Dimensions"])
    seed = seed_of(metric["MetricName"], dimensions, query["MetricStat"]["Stat"])
    first = (start // 60 + seed) % CYCLE
    times, values = minutes, _VALUES[first : first + len(minutes)]
    if seed % 10 == 9:
        times, values = [], []
    elif seed % 10 >= 6:
        skipped = -(start // 60 + seed) % 7
        times, values = times[skipped::7], values[skipped::7]
    return {"Id": query["Id"], "Label": "x", "StatusCode": "Complete", "Timestamps": times, "Values": values}


def answer(body: bytes) -> bytes:
    asked = orjson.loads(body)
    start, end = int(asked["StartTime"]), int(asked["EndTime"])
    minutes = [float(second) for second in range(start, end, 60)]  # JSON has doubles
    assert len(minutes) <= LONGEST
    results = [_result(query, start, minutes) for query in asked["MetricDataQueries"]]
    return orjson.dumps({"Messages": [], "MetricDataResults": results})


class _Server:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._random = random.Random(1)
        self._level, self._filled_at = service.calls_per_s or 0.0, 0.0
        self.served = self.refused = self.broken = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.lower().split(b"\r\n")
                length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
                if b"expect: 100-continue" in lines:
                    writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                body = await reader.readexactly(length)
                ends = loop.time() + self._service.latency_s
                status, said = self._said(body, loop.time())
                await asyncio.sleep(ends - loop.time())
                writer.write(
                    b"HTTP/1.1 %d X\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\n\r\n"
                    % (status, len(said))
                )
                writer.write(said)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _said(self, body: bytes, now: float) -> tuple[int, bytes]:
        if not self._has_token(now):
            self.refused += 1
            return 400, _REFUSED
        if self._random.random() < self._service.failing:
            self.broken += 1
            return 500, _BROKEN
        self.served += 1
        return 200, answer(body)

    def _has_token(self, now: float) -> bool:
        rate = self._service.calls_per_s
        if rate is None:
            return True
        self._level = min(rate, self._level + (now - self._filled_at) * rate)
        self._filled_at = now
        if self._level < 1:
            return False
        self._level -= 1
        return True


def serve(service: Service, pipe: Pipe) -> None:
    """The process: serves until told to stop, and tells how often it answered, refused and failed when asked."""
    asyncio.run(_serve(service, pipe))


async def _serve(service: Service, pipe: Pipe) -> None:
    server = _Server(service)
    listening = await asyncio.start_server(server.talk, "127.0.0.1", 0, limit=2**22)
    pipe.send(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}")
    while await asyncio.to_thread(pipe.recv) == "counts":
        pipe.send((server.served, server.refused, server.broken))


class CannedService:
    """The process that serves, from outside."""

    def __init__(self, service: Service) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(service, theirs), daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        self.url: str = self._pipe.recv()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()

    def counts(self) -> tuple[int, int, int]:
        """Calls answered, refused over quota, and failed."""
        self._pipe.send("counts")
        served, refused, broken = self._pipe.recv()
        return served, refused, broken
