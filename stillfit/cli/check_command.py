"""`stillfit check` as it is typed: its options, and which of the three looks they choose."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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
    if prometheus is not None:
        from stillfit.cli.prometheus import PrometheusLook, run_check_prometheus

        asked = PrometheusLook(
            url=prometheus, token_file=token_file, names_file=names, as_json=output is Format.JSON, fail_on=fail_on
        )
        raise typer.Exit(run_check_prometheus(asked))
    if aws:
        from stillfit.cli.aws import AwsLook, run_check_aws
        from stillfit.cli.fleet import Wanted

        look = AwsLook(
            whose=Wanted(profiles=tuple(profile or ()), regions=tuple(region or ()), config=config),
            yes=yes,
            max_dollars=max_dollars,
            as_json=output is Format.JSON,
            everything=everything,
            fail_on=fail_on,
        )
        raise typer.Exit(run_check_aws(look))
    from stillfit.cli.check import run_check

    raise typer.Exit(run_check(observations or [], as_json=output is Format.JSON, fail_on=fail_on))
