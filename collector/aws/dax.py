"""DAX as a service of an account and region: clusters, their nodes, and what is asked of each.

DescribeClusters is the inventory, one call for a hundred clusters, in every cycle; parameters and tags once an hour.
Whoever never made a cluster may not even have the role that DAX needs, and not every region offers DAX: both are an
empty inventory, no failure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from collector.aws.metrics import dax_specs as specs
from collector.aws.metrics.cloudwatch import WORKERS
from collector.aws.metrics.queries import Spec, dimensions
from collector.aws.metrics.reporting import Reporting
from collector.aws.service import Found, Want
from collector.aws.settings.dax import TTL, Description, Settings, cluster_settings, created, nodes, tags, times_to_live
from collector.aws.settings.offered import Offered
from collector.aws.settings.tagged import DENIED_AGAIN_S, EVERY_S, Tagged
from collector.aws.wire.access import Access
from collector.aws.wire.answers import readable
from collector.aws.wire.failures import GoneError
from collector.aws.wire.pool import Pool
from stillfit.errors import SourceError
from stillfit.model import Attributes, Engine, Gap, GapReason, Subject

SERVICE = "dax"
TOKENS = ("NextToken", "NextToken")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Member:
    """A cluster as last described, with its nodes."""

    cluster: Subject
    arn: str
    group: str
    settings: Settings
    nodes: tuple[tuple[Subject, Settings], ...]
    created: Mapping[Subject, datetime]


@dataclass(frozen=True, slots=True)
class _Parameters:
    """What a parameter group says, until when (monotonic seconds) that is good, and why it is not newer."""

    due: float = float("-inf")
    settings: Settings | None = None
    error: SourceError | None = None


class Dax:
    """Implements `collector.aws.service.Service`; remembers what it read last."""

    name = SERVICE
    namespace = specs.NAMESPACE

    def __init__(self, access: Access) -> None:
        """Raises SourceError where nobody can be signed in."""
        self.scope = Subject(engine=Engine.DAX, scope=(access.account(), access.target.region))
        self._access = access
        self._about = f"aws/{'/'.join(self.scope.scope)}/{self.name}"
        self.pool = Pool(WORKERS, self._about)
        self._tags = Tagged("dax_tags", self._read_tags, self.pool)
        self._parameters: dict[str, _Parameters] = {}
        self._members: tuple[_Member, ...] = ()
        self._offered = Offered(once=access.target.once)

    def look(self, at: datetime, _since: datetime, /) -> Found:
        """See Service. DAX dates nothing that it changed, so when it did is not asked."""
        every, now = self._clusters(), self._access.clock.monotonic()
        named = [one for one in every if self._access.target.watches(one.cluster.cluster)]
        self._tags.look({one.cluster: one.arn for one in named}, now)
        clusters = [one.cluster for one in named]
        untagged = self._tags.left_out(self._access.target.tags, clusters, self._about)
        self._members = tuple(one for one in named if one.cluster not in untagged)
        groups = {one.group for one in self._members if one.group}
        self._parameters = {group: self._group(group, now) for group in sorted(groups)}
        left_out = (self._left_out(one.cluster) for one in every if one not in named)
        told = (one.cluster for one in self._members)
        return Found(
            subjects=tuple(subject for one in self._members for subject in (one.cluster, *dict(one.nodes))),
            attributes=tuple(self._attributes(at)),
            gaps=(*left_out, *untagged.values(), *self._unknown(), *self._tags.gaps(told, self._about)),
            created={subject: at for one in self._members for subject, at in one.created.items()},
            undescribed=tuple(self._tags.untold(untagged)),
        )

    def wants(self, _reporting: Reporting, /) -> Iterator[Want]:
        """See Service. What is asked does not depend on what has reported: nothing here has parts."""
        for member in self._members:
            for spec in (specs.THROTTLED, specs.FAILED, specs.REQUESTS, *specs.OF_CLUSTER):
                yield Want(subject=member.cluster, spec=spec, stands=spec not in specs.OF_CLUSTER)
            for node, _ in member.nodes:
                for spec in (*specs.STRAIN, *specs.OF_NODE):
                    yield Want(subject=node, spec=spec, stands=spec in specs.STRAIN)

    @property
    def wires(self) -> tuple[Spec, ...]:
        """See Service. Failed requests are the user's too, a condition that did not hold among them: no tripwire."""
        return (specs.THROTTLED,)

    def serves(self, subject: Subject, reporting: Reporting, /) -> bool:
        """See Service."""
        return reporting.has(specs.REQUESTS.name, dimensions(subject))

    def causes(self, _spec: Spec, /) -> tuple[Spec, ...]:
        """See Service. Nothing that DAX counts is a part of another by definition."""
        return ()

    def _clusters(self) -> list[_Member]:
        ask = partial(self._listed, "DescribeClusters", "Clusters", self._about)
        try:
            told = self._offered.listed(ask, known=bool(self._members))
        except GoneError:
            return []
        with readable("dax:DescribeClusters", self._about):
            return [self._member(one) for one in told]

    def _member(self, told: Description) -> _Member:
        cluster = replace(self.scope, cluster=str(told["ClusterName"]))
        return _Member(
            cluster=cluster,
            arn=str(told["ClusterArn"]),
            group=str((told.get("ParameterGroup") or {}).get("ParameterGroupName", "")),
            settings=cluster_settings(told),
            nodes=tuple(nodes(cluster, told)),
            created=created(cluster, told),
        )

    def _group(self, group: str, now: float) -> _Parameters:
        known = self._parameters.get(group, _Parameters())
        if now < known.due:
            return known
        about = f'parameter group "{group}"'
        try:
            told = self._listed("DescribeParameters", "Parameters", about, ParameterGroupName=group)
            with readable("dax:DescribeParameters", about):
                return _Parameters(now + EVERY_S, times_to_live(told))
        except SourceError as error:
            wait = DENIED_AGAIN_S if error.reason is GapReason.DENIED else 0
            return replace(known, due=now + wait, error=error)

    def _attributes(self, at: datetime) -> Iterator[Attributes]:
        for one in self._members:
            ttl = self._parameters[one.group].settings if one.group else None
            yield Attributes.of(one.cluster, at, {**one.settings, **(ttl or {}), **self._tags.of(one.cluster)})
            for node, settings in one.nodes:
                yield Attributes.of(node, at, settings)

    def _unknown(self) -> Iterator[Gap]:
        for one in self._members:
            error = self._parameters[one.group].error if one.group else None
            if error is not None:
                yield from (self._gap(one.cluster, name, error) for name in TTL.values())

    def _listed(self, operation: str, expect: str, about: str, **asked: str) -> list[Description]:
        pages = self._access.connection.pages(SERVICE, operation, about, expect=expect, tokens=TOKENS, **asked)
        return [one for page in pages for one in page]

    def _read_tags(self, arn: str) -> Settings:
        told = self._listed("ListTags", "Tags", f'cluster "{arn.rpartition("/")[2]}"', ResourceName=arn)
        with readable("dax:ListTags", arn):
            return tags(told)

    def _left_out(self, cluster: Subject) -> Gap:
        detail = f'cluster "{cluster.cluster}" is left out by `include` and `exclude` of the configuration'
        return Gap(subject=cluster, missing="*", reason=GapReason.NOT_ASKED, detail=detail, source=self._about)

    def _gap(self, subject: Subject, missing: str, error: SourceError) -> Gap:
        return Gap(subject=subject, missing=missing, reason=error.reason, detail=str(error), source=self._about)
