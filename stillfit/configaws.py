"""The settings of AWS accounts: what to watch there, how closely, and for how much."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator

from stillfit.configbase import Seconds, Section

Region = Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d+$")]
RegionOrAll = Annotated[str, Field(pattern=r"^([a-z]{2}(-[a-z]+)+-\d+|all)$")]
Account = Annotated[str, Field(pattern=r"^\d{12}$")]
RoleArn = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/.+$")]
TagKey = Annotated[str, Field(min_length=1, max_length=128)]
TagValue = Annotated[str, Field(max_length=256)]


class Aws(Section):
    """One account seen through one set of credentials, in one or more regions."""

    regions: Annotated[tuple[RegionOrAll, ...], Field(min_length=1)]
    """Region names such as eu-west-1. Each becomes a source of its own, with its own limits and failures. `[all]`:
    every region that the account has enabled (account:ListRegions); one without tables costs nothing."""
    account: Account | None = None
    """Twelve digits, in quotes; asked of STS when absent. A mismatch with the credentials is refused at start."""
    profile: str | None = None
    """A profile of the AWS configuration files; the default credential chain when absent."""
    role_arn: RoleArn | None = None
    """A role to assume, one hour at a time."""
    external_id: SecretStr | None = None
    """Sent when assuming `role_arn`."""
    services: Annotated[tuple[Literal["dynamodb", "keyspaces", "dax"], ...], Field(min_length=1)] = ("dynamodb",)
    """What to watch there. DynamoDB alone unless told: further services need permissions of their own, and the one of
    Keyspaces, cassandra:Select, would let rows be read too (docs/aws.md). What a region does not use costs nothing."""
    include: tuple[str, ...] = ("*",)
    """Names or patterns (* and ?) to watch: DynamoDB tables, Keyspaces tables as keyspace.table, DAX clusters."""
    exclude: tuple[str, ...] = ()
    """Patterns not to watch; wins over `include`. What is left out is reported as "not asked"."""
    tags: dict[TagKey, TagValue] = {}  # noqa: RUF012  (pydantic copies it)
    """Tags that a table must all have to be watched, besides being included by name: `team: payments`. A value may have
    * and ?. A table whose tags cannot be read is not watched, and is reported with the reason."""
    every: Seconds = timedelta(minutes=5)
    """The tick: how often the tripwires of busy tables, and all of hot ones, are read. Quiet tables and all else are
    read more rarely, at the same one-minute resolution; `stillfit config check` prints the plan."""
    hot: tuple[str, ...] = ()
    """Patterns of tables that are always read as closely as those that hurt."""
    monthly_budget: Annotated[float, Field(gt=0)] | None = None
    """US dollars that a calendar month (UTC) of CloudWatch may come to, over all regions of this entry. What is spent
    of it already and the days that are left decide how far readings are stretched, what nobody is paged for first; no
    table is dropped. When it is used up only tripwires are read, and tables that are hot, and that is told. Absent:
    the freshest plan."""
    accepted_delay: Seconds | None = None
    """How late a message may be, at worst, where the budget cannot hold the freshness promise: `45m`. Without it such a
    budget fails `stillfit config check`, which prints the delay."""
    first_look: Seconds = timedelta(days=14)
    """How far back the very first read goes. CloudWatch keeps one-minute points for 15 days."""
    show_keys: bool = False
    """Whether hot keys are shown in clear behind their tags: key#3fa9c1⟨ann⟩. They then stand in the store, on the
    pages and in findings; never in Slack. Off: of a key nothing but its tag is kept anywhere."""
    prices: Literal["query", "bulk", "packaged"] = "query"
    """Where unit prices of these regions come from: `query` asks AWS's price list (pricing:GetProducts, free), `bulk`
    reads its public files over HTTPS without credentials, `packaged` asks nobody and prices us-east-1 alone."""
    cost_explorer: bool = False
    """Whether Cost Explorer is asked what was billed. 0.01 USD a request: five to seven requests once a day."""
    cost_tables: str | None = None
    """How Cost Explorer tells tables apart: `tag:NAME`, a cost-allocation tag whose value is the table's name, or
    `resource`, where the account has opted in to costs by resource. One request a day more. Absent: by region only."""
    cost_files: Path | None = None
    """A file or folder with exports of CUR 1, CUR 2 or FOCUS 1.x (csv, csv.gz), which then tell what was billed, by
    table where they have resource ids. Read again when they change."""

    @field_validator("cost_tables")
    @classmethod
    def _tells_tables_apart(cls, how: str | None) -> str | None:
        named = how.removeprefix("tag:").strip() if how and how.startswith("tag:") else how == "resource"
        if how is not None and not named:
            raise ValueError("write `resource`, or `tag:NAME` with the tag whose value is the table's name")
        return how

    @field_validator("regions")
    @classmethod
    def _all_or_some(cls, regions: tuple[str, ...]) -> tuple[str, ...]:
        if "all" in regions and len(regions) > 1:
            raise ValueError("`all` stands alone: leave out the names of single regions")
        return regions
