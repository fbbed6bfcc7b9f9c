"""The fleet and what happens to it. Times are seconds from the moment the demo starts; before that is history.

Sizes and names follow from the seed; roles do not: with every seed there is one hot key, one starved index, one queue
full of tombstones, one table whose items grew, one that is far too big for its traffic, and one that no longer fits.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

MINUTE, HOUR, DAY = 60, 3_600, 86_400

NOUNS = (
    "orders",
    "payments",
    "events",
    "catalogue",
    "sessions",
    "carts",
    "profiles",
    "inventory",
    "reviews",
    "shipments",
    "coupons",
    "devices",
    "invoices",
    "refunds",
    "messages",
    "badges",
    "wallets",
    "routes",
    "tickets",
    "bookings",
)
INDEX_NAMES = ("by-status", "by-customer", "by-day")
KEYSPACES = ("shop", "metering", "chat", "fleet")
QUEUES = ("jobs", "outbox", "tasks", "mail_queue")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happens to a table from `begins` to `ends`: load grows, one key takes a share, items grow."""

    begins: int
    ends: int
    load: float = 1.0
    hot_key_share: float = 0.0
    item_size: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPlan:
    name: str
    key: str
    writes_per_write: float
    capacity: int
    """Write units per second; 0 when the table is on demand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePlan:
    """One DynamoDB table: its mean traffic, the size of a request, and its settings."""

    name: str
    reads: float
    """Requests per second, on the mean of the day."""
    writes: float
    item_bytes: int
    items: int
    swing: float = 0.35
    """How far the day's wave goes up and down."""
    read_capacity: int = 0
    """Units per second; 0 is on demand."""
    write_capacity: int = 0
    indexes: tuple[IndexPlan, ...] = ()
    events: tuple[Event, ...] = ()
    declared: tuple[tuple[str, str | bool], ...] = ()

    @property
    def on_demand(self) -> bool:
        return self.read_capacity == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterPlan:
    name: str
    datacenter: str
    nodes: int
    keyspace: str
    queue: str
    """A table used as a queue: written, read from the head, deleted."""
    tables: tuple[str, ...]
    queue_cleaned_at: int
    """When somebody changes the readers to remember their position, and tombstones are no longer scanned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    seed: int
    region: str
    account: str
    tables: tuple[TablePlan, ...]
    cluster: ClusterPlan


def story(seed: int) -> Story:
    """The fleet of one seed."""
    dice = random.Random(seed)  # noqa: S311  # a simulation, no secret
    names = iter(dice.sample(NOUNS, len(NOUNS)))
    keyspace = dice.choice(KEYSPACES)
    tables = (*_troubled(names, dice), *(_healthy(next(names), dice) for _ in range(7)))
    return Story(
        seed=seed,
        region="us-east-1",
        account=f"{dice.randrange(10**11, 10**12)}",
        tables=tables,
        cluster=ClusterPlan(
            name=dice.choice(("metro", "harbour", "summit")),
            datacenter="dc1",
            nodes=6,
            keyspace=keyspace,
            queue=dice.choice(QUEUES),
            tables=("readings", "members", "timeline"),
            queue_cleaned_at=150 * MINUTE,
        ),
    )


def _troubled(names: Iterator[str], dice: random.Random) -> tuple[TablePlan, ...]:
    size = dice.uniform(0.9, 1.2)
    return (
        _with_a_hot_key(next(names), size),
        _with_a_small_index(next(names), size, dice.choice(INDEX_NAMES)),
        _grown_fat(next(names), size),
        _with_capacity_to_spare(next(names), size),
        _outgrown(next(names), size),
    )


def _with_a_hot_key(name: str, size: float) -> TablePlan:
    return TablePlan(
        name=name,
        reads=700 * size,
        writes=650 * size,
        item_bytes=900,
        items=40_000_000,
        swing=0.15,
        events=(Event(begins=6 * MINUTE, ends=95 * MINUTE, load=2.6, hot_key_share=0.85),),
    )


def _with_a_small_index(name: str, size: float, index: str) -> TablePlan:
    return TablePlan(
        name=name,
        reads=240 * size,
        writes=150 * size,
        item_bytes=800,
        items=9_000_000,
        swing=0.2,
        read_capacity=int(300 * size),
        write_capacity=int(330 * size),
        indexes=(IndexPlan(name=index, key="customer_id", writes_per_write=1.0, capacity=70),),
    )


def _grown_fat(name: str, size: float) -> TablePlan:
    return TablePlan(
        name=name,
        reads=220 * size,
        writes=160 * size,
        item_bytes=950,
        items=30_000_000,
        swing=0.3,
        events=(Event(begins=-6 * DAY, ends=400 * DAY, item_size=2.6),),
    )


def _with_capacity_to_spare(name: str, size: float) -> TablePlan:
    return TablePlan(
        name=name,
        reads=90 * size,
        writes=70 * size,
        item_bytes=700,
        items=12_000_000,
        read_capacity=2_400,
        write_capacity=1_300,
    )


def _outgrown(name: str, size: float) -> TablePlan:
    return TablePlan(
        name=name,
        reads=60 * size,
        writes=8 * size,
        item_bytes=2_600,
        items=5_000_000,
        declared=(("multi_cloud", True), ("joins_needed", True)),
    )


def _healthy(name: str, dice: random.Random) -> TablePlan:
    reads, writes = dice.uniform(10, 90), dice.uniform(4, 30)
    provisioned = dice.random() < 0.6
    return TablePlan(
        name=name,
        reads=reads,
        writes=writes,
        item_bytes=dice.randrange(300, 1_000),
        items=dice.randrange(100_000, 3_000_000),
        read_capacity=int(reads * 1.9) if provisioned else 0,
        write_capacity=int(writes * 1.9) if provisioned else 0,
    )
