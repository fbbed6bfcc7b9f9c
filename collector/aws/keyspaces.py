"""Amazon Keyspaces as a service of an account and region: keyspaces, tables, and what is asked of each table.

ListKeyspaces, ListTables and GetTable are the inventory, in every cycle (they cost nothing); tags once an hour. What
cannot be read now keeps its last known settings, because the store takes one that is missing for one that was removed.
What is listed is there, whether it may be described or not. The service's own keyspaces (system, system_...) cost
nothing, cannot be changed, and are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from collector.aws.metrics import keyspaces_specs as specs
from collector.aws.metrics.cloudwatch import WORKERS
from collector.aws.metrics.queries import Spec, dimensions
from collector.aws.metrics.reporting import Reporting
from collector.aws.service import Found, Want
from collector.aws.settings.keyspaces import (
    Description,
    Settings,
    created,
    is_provisioned,
    keyspace_settings,
    other_regions,
    table_settings,
    tags,
)
from collector.aws.settings.keyspaces_scaling import ATTRIBUTES as SCALING_ATTRIBUTES
from collector.aws.settings.keyspaces_scaling import KeyspacesScaling
from collector.aws.settings.offered import Offered
from collector.aws.settings.tagged import Tagged
from collector.aws.wire.access import Access
from collector.aws.wire.answers import readable
from collector.aws.wire.pool import Pool
from stillfit.errors import SourceError
from stillfit.model import AttributeChange, Attributes, Engine, Gap, GapReason, Level, Subject

SERVICE = "keyspaces"
TOKENS = ("nextToken", "nextToken")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A keyspace or a table as last described."""

    subject: Subject
    arn: str
    settings: Settings
    provisioned: bool = False
    replicas: tuple[str, ...] = ()
    created: datetime | None = None


class Keyspaces:
    """Implements `collector.aws.service.Service`; remembers what it read last."""

    name = SERVICE
    namespace = specs.NAMESPACE

    def __init__(self, access: Access) -> None:
        """Raises SourceError where nobody can be signed in."""
        self.scope = Subject(engine=Engine.KEYSPACES, scope=(access.account(), access.target.region))
        self._access = access
        self._about = f"aws/{'/'.join(self.scope.scope)}/{self.name}"
        self.pool = Pool(WORKERS, self._about)
        self._tags = Tagged("keyspaces_tags", self._read_tags, self.pool)
        self._autoscaling = KeyspacesScaling(access.connection, self.scope, self._about)
        self._scaling: Mapping[Subject, Settings] = {}
        self._members: dict[Subject, Member] = {}
        self._offered = Offered(once=access.target.once)

    def look(self, at: datetime, since: datetime, /) -> Found:
        """See Service."""
        keyspaces = [self._keyspace(one) for one in self._keyspaces()]
        own = [one for one in keyspaces if not _is_system(one.subject.keyspace)]
        lost: list[Gap] = []
        left_out: list[Gap] = []
        found = {one.subject: one for one in own}
        for one in own:
            found |= self._tables(one.subject, lost, left_out)
        self._tags.look({subject: one.arn for subject, one in found.items()}, self._access.clock.monotonic())
        tables = [subject for subject in found if subject.level is Level.TABLE]
        untagged = self._tags.left_out(self._access.target.tags, tables, self._about)
        self._members = {subject: one for subject, one in found.items() if subject not in untagged}
        scaling, changes = self._scaled(since)
        return Found(
            subjects=tuple(self._members),
            attributes=tuple(self._attributes(at)),
            changes=changes,
            gaps=(*lost, *left_out, *untagged.values(), *scaling, *self._tags.gaps(self._members, self._about)),
            created={subject: one.created for subject, one in self._members.items() if one.created},
            undescribed=(*(gap.subject for gap in lost), *self._tags.untold(untagged)),
        )

    def wants(self, reporting: Reporting, /) -> Iterator[Want]:
        """See Service."""
        tables = [one for one in self._members.values() if one.subject.level is Level.TABLE]
        of_account = specs.OF_ACCOUNT if tables else ()
        if any(one.provisioned for one in tables):
            of_account = (*of_account, *specs.OF_PROVISIONED_ACCOUNT)
        for spec in of_account:
            yield Want(subject=self.scope, spec=spec, stands=True)
        for table in tables:
            yield from _of_table(table)
            yield from _by_operation(table.subject, reporting.parts(dimensions(table.subject), specs.OPERATION))

    @property
    def wires(self) -> tuple[Spec, ...]:
        """See Service."""
        return tuple(specs.THROTTLES.values())

    def serves(self, subject: Subject, reporting: Reporting, /) -> bool:
        """See Service."""
        return bool(reporting.parts(dimensions(subject), specs.OPERATION))

    def causes(self, spec: Spec, /) -> tuple[Spec, ...]:
        """See Service."""
        return specs.CAUSES if spec in specs.THROTTLES.values() else ()

    def _tables(self, keyspace: Subject, lost: list[Gap], left_out: list[Gap]) -> dict[Subject, Member]:
        """The tables of a keyspace; as they were last where they cannot be listed or read now."""
        known = {one: told for one, told in self._members.items() if told.subject.table and _within(one, keyspace)}
        try:
            about, asked = f'keyspace "{keyspace.keyspace}"', {"keyspaceName": keyspace.keyspace}
            names = [_named(one) for one in self._listed("ListTables", "tables", about, **asked)]
        except SourceError as error:
            lost.append(self._gap(keyspace, "*", error))
            return known
        subjects = [replace(keyspace, table=name) for name in names]
        watched = [one for one in subjects if self._access.target.watches(one.name)]
        left_out += [self._left_out(one) for one in subjects if one not in watched]
        looks = [(one, self.pool.submit(self._described, one)) for one in watched]
        found: dict[Subject, Member] = {}
        for subject, task in looks:
            member = task.result()
            if isinstance(member, Member):
                found[subject] = member
                continue
            lost.append(self._gap(subject, "*", member))
            if subject in known:
                found[subject] = known[subject]
        return found

    def _described(self, table: Subject) -> Member | SourceError:
        asked = {"keyspaceName": table.keyspace, "tableName": table.table}
        about = f'table "{table.name}"'
        try:
            answer = self._access.connection.call(SERVICE, "GetTable", about, expect="resourceArn", **asked)
            with readable("cassandra:GetTable", about):
                return self._table(table, answer)
        except SourceError as error:
            return error

    def _table(self, subject: Subject, answer: Description) -> Member:
        region = self.scope.scope[1]
        return Member(
            subject=subject,
            arn=str(answer["resourceArn"]),
            settings=table_settings(answer, region),
            provisioned=is_provisioned(answer),
            replicas=other_regions(answer, region),
            created=created(answer),
        )

    def _keyspace(self, told: Description) -> Member:
        with readable("cassandra:ListKeyspaces", self._about):
            subject = replace(self.scope, keyspace=str(told["keyspaceName"]))
            return Member(subject=subject, arn=str(told["resourceArn"]), settings=keyspace_settings(told))

    def _scaled(self, since: datetime) -> tuple[tuple[Gap, ...], tuple[AttributeChange, ...]]:
        """Refresh what auto scaling may do and did; on failure the last known stays, and a Gap for each table."""
        tables = [one.subject for one in self._members.values() if one.provisioned]
        if not tables:
            return (), ()
        gaps: list[Gap] = []
        changes: tuple[AttributeChange, ...] = ()
        try:
            self._scaling = self._autoscaling.look()
        except SourceError as error:
            gaps += [self._gap(one, name, error) for one in tables for name in SCALING_ATTRIBUTES]
        try:
            changes = tuple(one for one in self._autoscaling.changes(since) if one.subject in self._members)
        except SourceError as error:
            gaps.append(self._gap(self.scope, "scaling_activities", error))
        return tuple(gaps), changes

    def _attributes(self, at: datetime) -> Iterator[Attributes]:
        for subject, member in self._members.items():
            scaling = self._scaling.get(subject, {}) if member.provisioned else {}
            yield Attributes.of(subject, at, {**member.settings, **scaling, **self._tags.of(subject)})

    def _keyspaces(self) -> list[Description]:
        ask = partial(self._listed, "ListKeyspaces", "keyspaces", self._about)
        return self._offered.listed(ask, known=bool(self._members))

    def _listed(self, operation: str, expect: str, about: str, **asked: str) -> list[Description]:
        pages = self._access.connection.pages(SERVICE, operation, about, expect=expect, tokens=TOKENS, **asked)
        return [one for page in pages for one in page]

    def _read_tags(self, arn: str) -> Settings:
        told = self._listed("ListTagsForResource", "tags", arn.rpartition(":")[2], resourceArn=arn)
        with readable("cassandra:ListTagsForResource", arn):
            return tags(told)

    def _left_out(self, table: Subject) -> Gap:
        detail = f'table "{table.name}" is left out by `include` and `exclude` of the configuration'
        return Gap(subject=table, missing="*", reason=GapReason.NOT_ASKED, detail=detail, source=self._about)

    def _gap(self, subject: Subject, missing: str, error: SourceError) -> Gap:
        return Gap(subject=subject, missing=missing, reason=error.reason, detail=str(error), source=self._about)


def _of_table(table: Member) -> Iterator[Want]:
    standing = (*specs.CONSUMED, specs.SIZE, *(specs.PROVISIONED if table.provisioned else ()))
    for spec in standing:
        yield Want(subject=table.subject, spec=spec, stands=True)
    for region in table.replicas:
        yield Want(subject=table.subject, spec=specs.REPLICATION, part=region, stands=True)
    for spec in specs.OF_TABLE:
        yield Want(subject=table.subject, spec=spec)


def _by_operation(table: Subject, operations: tuple[str, ...]) -> Iterator[Want]:
    """Throttle events stand for what the table serves; what it does not serve is not listed, so vouched for."""
    for direction, kinds in (("read", specs.READS), ("write", specs.WRITES)):
        served = [one for one in operations if one in kinds]
        for operation in served or ("",):
            yield Want(subject=table, spec=specs.THROTTLES[direction], part=operation, stands=bool(served))
    for operation in _unheard_of(operations):
        for spec in (*(specs.THROTTLES.values() if operation else ()), *specs.CAUSES):
            yield Want(subject=table, spec=spec, part=operation)
    for operation in operations or ("",):
        for spec in specs.BY_OPERATION:
            yield Want(subject=table, spec=spec, part=operation)


def _unheard_of(operations: tuple[str, ...]) -> tuple[str, ...]:
    """Operations whose direction is not known, so that no tripwire stands for them; "" where there is none at all."""
    return tuple(one for one in operations if one not in {*specs.READS, *specs.WRITES}) if operations else ("",)


def _named(told: Mapping[str, Any]) -> str:
    with readable("cassandra:ListTables", "its tables"):
        return str(told["tableName"])


def _within(table: Subject, keyspace: Subject) -> bool:
    return table.keyspace == keyspace.keyspace


def _is_system(keyspace: str) -> bool:
    return keyspace == "system" or keyspace.startswith("system_")
