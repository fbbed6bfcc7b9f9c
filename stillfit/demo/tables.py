"""How a DynamoDB table behaves, minute by minute: what is asked of it, what it serves, what it refuses and why.

The two ceilings are the service's own (developer guide, partitions): 3,000 read and 1,000 write units a second for one
partition. Reads are eventual: half a unit for each 4 KB; writes one unit for each 1 KB. A write that an index cannot
take fails as a whole (developer guide, back pressure of global secondary indexes), so the table does not serve it
either. There is no burst credit: who lives at the limit has none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from stillfit.demo.noise import Floats, Times, jitter
from stillfit.demo.story import DAY, Event, IndexPlan, TablePlan

READ_CEILING, WRITE_CEILING = 3_000.0, 1_000.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Minutes:
    """One direction of one table or index, a row per minute. Units are per second, requests per minute."""

    consumed: Floats
    served: Floats
    unit: Floats
    """Units of one request."""
    refused_key_range: Floats
    refused_provisioned: Floats
    failed_on_index: Floats
    """Writes of a table that one of its indexes refused: events of the index, failed requests of the table."""

    @property
    def refused(self) -> Floats:
        """Events at this table or index itself."""
        return self.refused_key_range + self.refused_provisioned

    @property
    def failed(self) -> Floats:
        """Requests that the caller saw fail."""
        return self.refused + self.failed_on_index


class TableModel:
    """One table of the story at any minute. `zero` is the epoch second at which the demo started."""

    def __init__(self, plan: TablePlan, *, zero: int, seed: int) -> None:
        self.plan = plan
        self._zero = zero
        self._seed = seed

    def reads(self, times: Times) -> Minutes:
        unit = 0.5 * np.ceil(self._item_bytes(times) / 4_096)
        return self._served(self._load(times, "reads", self.plan.reads) * unit, unit, times, "read")

    def writes(self, times: Times) -> Minutes:
        unit = np.ceil(self._item_bytes(times) / 1_024)
        asked = self._load(times, "writes", self.plan.writes) * unit
        taken = np.min([asked, *(_taken_by(index, asked) for index in self.plan.indexes)], axis=0)
        failed = np.round((asked - taken) * 60 / unit)
        return replace(self._served(taken, unit, times, "write"), failed_on_index=failed)

    def index_reads(self, times: Times) -> Minutes:
        """A tenth as many reads as the table has go through an index; that is far from its capacity."""
        unit = 0.5 * np.ceil(self._item_bytes(times) / 4_096)
        asked = self._load(times, "index reads", self.plan.reads / 10) * unit
        return _limited(asked, np.zeros_like(asked), unit, math.inf)

    def index_writes(self, index: IndexPlan, times: Times) -> Minutes:
        """An index is written by the table's writes; what its own capacity cannot take is refused."""
        unit = np.ceil(self._item_bytes(times) / 1_024)
        asked = self._load(times, "writes", self.plan.writes) * unit * index.writes_per_write
        return _limited(asked, np.zeros_like(asked), unit, float(index.capacity) or math.inf)

    def size_bytes(self, now: float) -> int:
        return int(self.plan.items * self._item_bytes(np.array([int(now)]))[0])

    def _served(self, asked: Floats, unit: Floats, times: Times, direction: str) -> Minutes:
        ceiling = READ_CEILING if direction == "read" else WRITE_CEILING
        capacity = self.plan.read_capacity if direction == "read" else self.plan.write_capacity
        share = np.zeros(len(times))
        for event in self.plan.events:
            share = np.where(self._during(event, times), event.hot_key_share, share)
        hot = np.maximum(0.0, asked * share - ceiling) if direction == "write" else np.zeros(len(times))
        return _limited(asked - hot, hot, unit, float(capacity) or math.inf)

    def _load(self, times: Times, stream: str, mean: float) -> Floats:
        """Requests per second: the day's wave, the weekend's dip, jitter, and what the story adds."""
        day = 2 * np.pi * ((times % DAY) / DAY - 0.4)
        weekend = np.where((times // DAY + 3) % 7 >= 5, 0.9, 1.0)  # Monday is 0; the epoch began on a Thursday
        load = mean * (1 + self.plan.swing * np.sin(day)) * weekend
        for event in self.plan.events:
            load = np.where(self._during(event, times), load * event.load, load)
        return load * jitter(times, f"{self.plan.name}/{stream}", self._seed, 0.04)

    def _item_bytes(self, times: Times) -> Floats:
        size = np.full(len(times), float(self.plan.item_bytes))
        for event in self.plan.events:
            size = np.where(self._during(event, times), size * event.item_size, size)
        return size

    def _during(self, event: Event, times: Times) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        return (times >= self._zero + event.begins) & (times < self._zero + event.ends)


def _taken_by(index: IndexPlan, asked: Floats) -> Floats:
    """What of the table's writes an index lets through."""
    return np.minimum(asked, (float(index.capacity) or math.inf) / index.writes_per_write)


def _limited(asked: Floats, hot: Floats, unit: Floats, capacity: float) -> Minutes:
    over = np.maximum(0.0, asked - capacity)
    consumed = asked - over
    return Minutes(
        consumed=consumed,
        served=np.round(consumed * 60 / unit),
        unit=unit,
        refused_key_range=np.round(hot * 60 / unit),
        refused_provisioned=np.round(over * 60 / unit),
        failed_on_index=np.zeros_like(asked),
    )
