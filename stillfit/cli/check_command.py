"""`stillfit check` as it is typed: its options, and which of the three looks they choose."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypedDict

import typer

from stillfit.cli.options import FailOn, Format, FormatOption

Observed = Annotated[
    list[Path] | None, typer.Option("--observations", "-o", help="An observation file, or a folder of them.")
]
Aws = Annotated[
    bool, typer.Option("--aws", help="Look once at DynamoDB, Keyspaces and DAX with the AWS credentials at hand.")
]
Profiles = Annotated[
    list[str] | None, typer.Option("--profile", help="With --aws: a profile of the AWS configuration, again for more.")
]
Regions = Annotated[
    list[str] | None,
    typer.Option(
        "--region", help="With --aws: where to look, again for more, or `all` that are enabled; else the profile's."
    ),
]
Configured = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", help="With --aws: look at the accounts that a configuration names.", show_default=False
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="With --aws: spend without asking.")]
MaxDollars = Annotated[
    float | None,
    typer.Option(
        "--max-dollars",
        help="With --aws: never spend more; 1.00 where nobody can be asked.",
        min=0,
        show_default=False,
    ),
]
Everything = Annotated[bool, typer.Option("--all", help="With --aws: evidence and steps too, not one screen only.")]
Store = Annotated[
    str | None,
    typer.Option(
        "--prometheus",
        metavar="URL",
        help="Look once at what a Prometheus-compatible store already has, at no AWS cost.",
    ),
]
TokenFile = Annotated[
    Path | None,
    typer.Option("--token-file", help="With --prometheus: a file with its bearer token.", show_default=False),
]
Names = Annotated[
    Path | None, typer.Option("--names", help="With --prometheus: names of your own exporters.", show_default=False)
]
LeastSeverity = Annotated[FailOn, typer.Option("--fail-on", help="The least severity that ends with exit code 1.")]


def check(  # noqa: PLR0913, PLR0917  (each is one option of the command)
    observations: Observed = None,
    aws: Aws = False,
    profile: Profiles = None,
    region: Regions = None,
    config: Configured = None,
    yes: Yes = False,
    max_dollars: MaxDollars = None,
    everything: Everything = False,
    prometheus: Store = None,
    token_file: TokenFile = None,
    names: Names = None,
    output: FormatOption = Format.TEXT,
    fail_on: LeastSeverity = FailOn.INFO,
) -> None:
    """Judge once: what a file says, with no network, or what an AWS account or a metrics store shows now."""
    if sum((aws, bool(observations), prometheus is not None)) != 1:
        raise typer.BadParameter("give one of --observations, --aws and --prometheus")
    shown = _Shown(as_json=output is Format.JSON, fail_on=fail_on)
    if prometheus is not None:
        raise typer.Exit(_of_a_store(shown, url=prometheus, token_file=token_file, names_file=names))
    if aws:
        whose = _Whose(profiles=tuple(profile or ()), regions=tuple(region or ()), config=config)
        raise typer.Exit(_of_accounts(shown, whose, yes=yes, max_dollars=max_dollars, everything=everything))
    from stillfit.cli.check import run_check

    raise typer.Exit(run_check(observations or [], **shown))


class _Shown(TypedDict):
    """What holds for each of the looks."""

    as_json: bool
    fail_on: FailOn


class _Whose(TypedDict):
    """Which accounts."""

    profiles: tuple[str, ...]
    regions: tuple[str, ...]
    config: Path | None


def _of_a_store(shown: _Shown, *, url: str, token_file: Path | None, names_file: Path | None) -> int:
    from stillfit.cli.prometheus import PrometheusLook, run_check_prometheus

    return run_check_prometheus(PrometheusLook(url=url, token_file=token_file, names_file=names_file, **shown))


def _of_accounts(shown: _Shown, whose: _Whose, *, yes: bool, max_dollars: float | None, everything: bool) -> int:
    from stillfit.cli.aws import AwsLook, run_check_aws
    from stillfit.cli.fleet import Wanted

    wanted = Wanted(**whose)
    return run_check_aws(AwsLook(whose=wanted, yes=yes, max_dollars=max_dollars, everything=everything, **shown))
