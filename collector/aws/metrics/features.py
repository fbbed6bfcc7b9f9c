"""What is on at a table or index, as far as CloudWatch has metrics of it only then. Pure.

A metric whose feature is off cannot exist, so it is neither asked nor paid for. It is told as "not configured" where
somebody would look for it: where a feature is set up and stands still.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from collector.aws.metrics.queries import Ask, Questions
from collector.aws.metrics.specs import FEATURED, KINESIS, Feature
from collector.aws.settings.inventory import Member
from stillfit.model import Gap, GapReason, Level, Subject

SOURCES = ("Customer", "GlobalTable")
"""Who wrote: a client here, or replication from another region (developer guide, ConsumedWriteCapacityUnits)."""
LEGACY_GLOBAL_TABLE = "2017.11.29"
DELIVERING = frozenset({"ACTIVE", "UPDATING"})
"""States of a Kinesis destination in which changes are delivered (DescribeKinesisStreamingDestination)."""

Parts = Mapping[Feature, Sequence[str]]
"""Features that are on, each with the parts in which its metrics come: regions, streams; ("",) where there is one."""


def features(member: Member, subject: Subject, delegated: Sequence[str] = ()) -> Parts:
    """Of a table or index. `delegated`: the names under which CloudWatch has the table's delivery to Kinesis."""
    settings = member.settings[subject]
    capped = {
        Feature.READ_CAP: settings.get("on_demand_max_read_units"),
        Feature.WRITE_CAP: settings.get("on_demand_max_write_units"),
    }
    found: dict[Feature, Sequence[str]] = {}
    if not member.provisioned:
        found |= {feature: ("",) for feature, most in capped.items() if most is not None}
    if _names(member, "replica_regions"):
        found[Feature.SOURCES] = SOURCES
    own = _of_table(member, delegated) if subject.level is Level.TABLE else _of_index(settings.get("status"))
    return {**found, **own}


def featured(questions: Questions, subject: Subject, parts: Parts) -> Iterator[Ask]:
    """The metrics of the features that are on."""
    for spec in FEATURED:
        for part in parts.get(spec.feature, ()) if spec.feature else ():
            yield questions.ask(subject, spec, part)


def standing_still(member: Member, delegated: Sequence[str], source: str) -> Iterator[Gap]:
    """Delivery to Kinesis that was set up and is off, or of which CloudWatch has no name yet."""
    destinations = _names(member, "kinesis_destinations")
    if not destinations or (_delivers(member) and delegated):
        return
    off = ", ".join(one.rpartition("/")[2] for one in destinations)
    reason, detail = GapReason.NO_DATA, f"CloudWatch has published nothing yet of the delivery to {off}"
    if not _delivers(member):
        reason, detail = GapReason.NOT_CONFIGURED, f"no Kinesis destination is active: {off}"
    for metric in sorted({metric for spec in KINESIS for metric, _, _ in spec.brings}):
        yield Gap(subject=member.table, missing=metric, reason=reason, detail=detail, source=source)


def _of_table(member: Member, delegated: Sequence[str]) -> Parts:
    settings, regions = member.settings[member.table], _names(member, "replica_regions")
    stream, vectors = settings.get("stream_arn"), _names(member, "vector_indexes")
    is_legacy = member.description.get("GlobalTableVersion") == LEGACY_GLOBAL_TABLE
    parts: Parts = {
        Feature.STREAM: (stream.rpartition("/stream/")[2],) if isinstance(stream, str) else (),
        Feature.REPLICAS: regions,
        Feature.LEGACY_REPLICAS: regions if is_legacy else (),
        Feature.KINESIS: delegated if _delivers(member) else (),
        Feature.VECTORS: vectors,
    }
    return {feature: names for feature, names in parts.items() if names}


def _of_index(status: object) -> Parts:
    """Built while it is CREATING, which lasts as long as it is being filled (DescribeTable, IndexStatus)."""
    return {Feature.BUILDING: ("",)} if status == "CREATING" else {}


def _delivers(member: Member) -> bool:
    return any(one.rpartition("=")[2].split(",")[0] in DELIVERING for one in _names(member, "kinesis_destinations"))


def delivers_to_kinesis(members: Sequence[Member]) -> bool:
    """Whether any table does."""
    return any(_delivers(member) for member in members)


def _names(member: Member, setting: str) -> tuple[str, ...]:
    value = member.settings[member.table].get(setting)
    return value if isinstance(value, tuple) else ()
