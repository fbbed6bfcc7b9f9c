"""Why a Cassandra table has tombstones in its reads or on its disks: signs in settings, statements and storage.

The signatures follow the purge rule (a tombstone goes when a compaction includes it, it is older than gc_grace, and
nothing outside that compaction holds older data of the partition; Cassandra 5.0 documents, compaction overview and
twcs; The Last Pickle 2016-09-15 and 2019-09-11) and what was measured on 4.1.10 and 5.0.9.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from analyzers._tombstone_signs import growth, least, newest, ratios
from stillfit.case import Case
from stillfit.model import Confidence, Statistic

TIME_TYPES = frozenset({"timestamp", "timeuuid", "date", "bigint", "int", "varint"})
"""Clustering types that order a queue: by time or by a growing number."""
WIDE_INSERT = 5
"""Columns of an INSERT from which on some are likely bound to null (ours)."""
STABLE = 0.5
"""Relative spread of tombstones for each live row up to which the relation is stable (ours)."""


class Cause(NamedTuple):
    cause: str
    confidence: Confidence
    why: str


def cause_of(case: Case, *, tombstones_for_each_row: float | None) -> Cause:
    """Why reads meet tombstones. What hinders the purge comes first: it holds for every pattern."""
    for rung in (*_STORAGE, *_PATTERNS):
        found = rung(case)
        if found is not None:
            return found
    queue = _queue(case, tombstones_for_each_row)
    return queue or _gc_grace(case) or Cause("undetermined", Confidence.LOW, f"cannot tell which cause: {_open(case)}")


def storage_cause(case: Case) -> Cause | None:
    """What the disk alone shows, where reads are not hurt or not seen."""
    return next((found for rung in _STORAGE if (found := rung(case)) is not None), None)


def _droppable(case: Case) -> float | None:
    """The share of cells that could go by now, where it passes the line at which Cassandra itself would compact."""
    ratio = newest(case, "droppable_tombstone_ratio")
    return ratio if ratio is not None and ratio >= case.threshold("droppable_ratio") else None


def _twcs_blocked(case: Case) -> Cause | None:
    """Whole SSTables have expired and still stand: an overlap or an out-of-order write holds them."""
    if not _is_twcs(case) or not (due := _due_s(case)):
        return None
    oldest = newest(case, "oldest_sstable_age_s")
    if oldest is not None and oldest > due:
        words = f"the oldest SSTable is {_days(oldest)} old, though everything in it should be gone after {_days(due)}"
        return Cause("twcs_blocked", Confidence.MEDIUM, words)
    grown = disk_growth(case)
    if grown is None or grown < case.threshold("disk_growth"):
        return None
    words = f"the disks hold {grown:.1f} times what they held {_days(due)} ago, though all of that has expired since"
    return Cause("twcs_blocked", Confidence.LOW, f"{words}: unless far more is written now, expired SSTables stay")


def disk_growth(case: Case) -> float | None:
    """Bytes on disk now for each byte when the oldest data still alive was written; None where it is not known."""
    due = _due_s(case)
    return growth(case, due) if due else None


def _due_s(case: Case) -> float | None:
    """Age after which an SSTable under TWCS should be gone: life, grace and the window, twice for its edges.

    None where the grace is not known, or where statements give a life of their own, which may be longer.
    """
    ttl, grace, window = (case.number(name) for name in ("default_ttl_s", "gc_grace_s", "compaction_window_s"))
    if not ttl or grace is None or case.number("prepared_ttl"):
        return None
    return ttl + grace + 2 * (window or 86_400.0)


def _ttl_without_twcs(case: Case) -> Cause | None:
    if not _expires(case) or _is_twcs(case) or case.attribute("compaction") is None or _deletes(case):
        return None
    storage = _droppable(case)
    told = f" and {storage:.0%} of the cells could already be dropped" if storage else ""
    words = f"rows expire under {case.attribute('compaction')}, which does not drop them by age{told}"
    return Cause("ttl_without_twcs", Confidence.MEDIUM, words)


def _expired_on_disk(case: Case) -> Cause | None:
    return _ttl_without_twcs(case) if _droppable(case) else None


def _repair_behind(case: Case) -> Cause | None:
    if case.attribute("only_purge_repaired") is not True:
        return None
    repaired = least(case, "percent_repaired")
    age, grace = repair_age(case), case.number("gc_grace_s")
    if age is not None and grace and age.total_seconds() > grace:
        words = f"tombstones may only go after a repair, and the last one is {_days(age.total_seconds())} old"
        return Cause("repair_behind", Confidence.MEDIUM, words)
    if repaired is not None and repaired < case.threshold("percent_repaired"):
        words = f"tombstones may only go after a repair, and one replica has {repaired:.0f} % of its data repaired"
        return Cause("repair_behind", Confidence.MEDIUM, words)
    return None


def repair_age(case: Case) -> timedelta | None:
    """How long ago the whole table was last repaired; None where that is not known."""
    said = case.attribute("repaired_at")
    try:
        return case.at - datetime.fromisoformat(said) if isinstance(said, str) and said else None
    except (ValueError, TypeError):  # not a time, or one without a zone
        return None


def _compaction_behind(case: Case) -> Cause | None:
    touched = newest(case, "sstables_per_read", Statistic.P99)
    if touched is None or touched < case.threshold("sstables_per_read") or not _droppable(case):
        return None
    words = f"a read touches {touched:.0f} SSTables and dropping is due: compaction does not keep up"
    return Cause("compaction_behind", Confidence.MEDIUM, words)


def _purge_blocked(case: Case) -> Cause | None:
    ratio = _droppable(case)
    if ratio is None:
        return None
    words = f"{ratio:.0%} of the cells are tombstones older than gc_grace that no compaction drops"
    return Cause("purge_blocked", Confidence.MEDIUM, words)


def _null_inserts(case: Case) -> Cause | None:
    """A few tombstones for each live row, always about as many; nothing deleted, nothing expiring, wide inserts."""
    wide = case.number("prepared_insert_columns") or 0
    if _deletes(case) != 0 or _expires(case) is not False or wide < WIDE_INSERT:
        return None
    known = ratios(case)
    if not len(known) or known.mean() > wide or known.std() > STABLE * known.mean():
        return None
    words = f"each live row comes with about {known.mean():.1f} tombstones, nothing is deleted and nothing expires"
    return Cause("null_inserts", Confidence.MEDIUM, f"{words}: an INSERT of {wide:.0f} columns binds null to some")


def _range_deletes(case: Case) -> Cause | None:
    deletes, wide = _deletes(case), case.number("prepared_deletes_partition")
    if not deletes or not wide or wide < deletes:
        return None
    words = f"all {deletes:.0f} prepared DELETE statements remove a range or a partition"
    return Cause("range_deletes", Confidence.MEDIUM, words)


def _queue(case: Case, tombstones_for_each_row: float | None) -> Cause | None:
    """Rows are taken off the head of a partition that a time or a growing number orders."""
    types = case.attribute("clustering_types")
    first = types[0] if isinstance(types, tuple) and types else ""
    many = tombstones_for_each_row is not None and tombstones_for_each_row >= case.threshold("queue_ratio")
    deletes = _deletes(case)
    if first.lower() not in TIME_TYPES or not many or _expires(case) or (deletes == 0 and _inserts(case)):
        return None
    words = f"reads pass {tombstones_for_each_row:.0f} tombstones for each live row, in partitions ordered by {first}"
    sure = Confidence.MEDIUM if deletes else Confidence.LOW
    return Cause("queue_pattern", sure, f"{words}: rows are written, read and deleted like a queue")


def _gc_grace(case: Case) -> Cause | None:
    """Young tombstones: too few could be dropped yet, so the grace is what keeps them."""
    ratio, grace = newest(case, "droppable_tombstone_ratio"), case.number("gc_grace_s")
    if ratio is None or grace is None or ratio >= case.threshold("droppable_ratio") / 2 or not _deletes(case):
        return None
    words = f"hardly any tombstone could be dropped yet ({ratio:.0%}): gc_grace_seconds keeps them {_days(grace)}"
    return Cause("gc_grace_too_long", Confidence.LOW, words)


def overwrites(case: Case) -> Cause | None:
    """Whole collections assigned: each write leaves a range tombstone that reads do not count (4.1.10, 5.0.9)."""
    statements, columns = case.number("prepared_collection_overwrites"), case.attribute("collections")
    if not statements or not isinstance(columns, tuple) or not columns:
        return None
    words = f"{statements:.0f} prepared statements assign {', '.join(columns)} as a whole; likely: no metric counts it"
    return Cause("collection_overwrite", Confidence.LOW, words)


def _is_twcs(case: Case) -> bool:
    return str(case.attribute("compaction") or "").startswith("TimeWindow") or case.attribute("compaction") == "TWCS"


def _expires(case: Case) -> bool | None:
    """Whether rows get a time to live; None where neither the default nor the statements are known."""
    known = [n for n in (case.number("default_ttl_s"), case.number("prepared_ttl")) if n is not None]
    return any(known) if known else None


def _deletes(case: Case) -> float | None:
    return case.number("prepared_deletes")


def _inserts(case: Case) -> float | None:
    return case.number("prepared_inserts")


_TELLING = (
    ("clustering_types", "the schema (system_schema)"),
    ("compaction", "the compaction settings (system_schema)"),
    ("prepared_deletes", "the prepared statements (SELECT on system.prepared_statements)"),
)


def _open(case: Case) -> str:
    """What is not known and would tell, in words."""
    words = [text for name, text in _TELLING if case.attribute(name) is None]
    if newest(case, "droppable_tombstone_ratio") is None:
        words.append("the droppable ratio (nodetool tablestats or JMX)")
    return (
        f"{', '.join(words)} would tell" if words else "what is known fits no pattern; look at the queries themselves"
    )


def _days(seconds: float) -> str:
    return f"{seconds / 86_400:.1f} days" if seconds >= 86_400 else f"{seconds / 3600:.1f} hours"


_Rung = Callable[[Case], Cause | None]
_STORAGE: tuple[_Rung, ...] = (_twcs_blocked, _repair_behind, _compaction_behind, _expired_on_disk, _purge_blocked)
_PATTERNS: tuple[_Rung, ...] = (_ttl_without_twcs, _null_inserts, _range_deletes)
