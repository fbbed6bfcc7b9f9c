"""Every command with its options and one-line meaning; what each does is in the module of its name.

Exit codes: 0 ok, 1 findings, 2 usage, 3 config, 4 target or credential, 5 internal.
"""

from __future__ import annotations

import errno
import os
import sys
import traceback
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from stillfit import __version__
from stillfit.cli.check_command import check
from stillfit.cli.options import Format, FormatOption

INTERNAL = 5
STDIN, STDOUT, STDERR = 0, 1, 2
UNWRITABLE = frozenset({errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EFBIG})
"""Why what is printed cannot be kept: no error of the program, and nothing to send a trace of."""

app = typer.Typer(
    name="stillfit",
    help="Watches DynamoDB tables and Cassandra clusters, names the cause of what hurts, prices it, "
    "and says whether each workload still fits its database.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"max_content_width": 100},
)
config_app = typer.Typer(help="Look at the configuration without running it.", no_args_is_help=True)
advice_app = typer.Typer(help="See advice, and tell stillfit what you do with it.", no_args_is_help=True)
app.add_typer(config_app, name="config")
app.add_typer(advice_app, name="advice")


ConfigPath = Annotated[
    Path, typer.Option("--config", "-c", envvar="STILLFIT_CONFIG", help="The configuration file.", show_default=True)
]
DEFAULT_CONFIG = Path("stillfit.yaml")
Who = Annotated[str, typer.Option("--by", help="Who says so; your login name when left out.")]
AdviceId = Annotated[str, typer.Argument(help="The advice, such as A-3F9K2C.")]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"stillfit {__version__}")
        raise typer.Exit


@app.callback()
def stillfit(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """The root command; its only own option ends it."""


@app.command()
def demo(  # noqa: PLR0913, PLR0917  (each is one option of the command)
    seed: Annotated[int, typer.Option(help="Names, sizes and noise follow from it; the story stays.")] = 7,
    speed: Annotated[
        float,
        typer.Option(
            help="Simulated seconds in one real second; beyond 240 reading cannot keep up with the story.",
            min=1,
            max=240,
        ),
    ] = 60.0,
    port: Annotated[int, typer.Option(help="Port of the status page; 0 takes a free one.", min=0, max=65535)] = 9877,
    host: Annotated[str, typer.Option(help="Address of the status page; loopback by default.")] = "127.0.0.1",
    seconds: Annotated[float, typer.Option("--for", help="End by itself after this many real seconds.", min=0)] = 0.0,
    headless: Annotated[bool, typer.Option("--headless", help="Print addresses and one line per change only.")] = False,
) -> None:
    """Run the whole program on a simulated fleet: no account, nothing leaves this machine."""
    from stillfit.cli.demo import DemoOptions, run_demo

    run_demo(DemoOptions(seed=seed, speed=speed, host=host, port=port, seconds=seconds, headless=headless))


app.command()(check)


@app.command("iam-policy")
def iam_policy(
    features: Annotated[
        list[str] | None,
        typer.Option(help="Of core, settings, scaling: only these beside core; all when left out."),
    ] = None,
    account: Annotated[str, typer.Option(help="Twelve digits: grant on the tables of this account only.")] = "",
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Grant also what this configuration needs: roles to assume.")
    ] = None,
) -> None:
    """Print the least that stillfit needs in an AWS account, as a policy document."""
    from stillfit.cli.policy import print_policy

    print_policy(features or (), account, config)


@app.command()
def prices(
    region: Annotated[list[str] | None, typer.Option(help="Whose prices; again for more.", show_default=False)] = None,
    profile: Annotated[
        str | None, typer.Option(help="A profile of the AWS configuration that may call pricing:GetProducts.")
    ] = None,
    bulk: Annotated[bool, typer.Option("--bulk", help="Read the public files instead: HTTPS, no credentials.")] = False,
) -> None:
    """Print AWS's unit prices of regions as a price file, for `prices.files`."""
    from stillfit.cli.prices import PricesWanted, run_prices

    raise typer.Exit(run_prices(PricesWanted(regions=tuple(region or ()), profile=profile, bulk=bulk)))


@app.command()
def run(config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Run the daemon until SIGTERM; SIGHUP reloads the configuration."""
    from stillfit.cli.run import run_daemon

    run_daemon(config)


@app.command()
def backfill(  # noqa: PLR0913, PLR0917  (each is one option of the command)
    days: Annotated[int, typer.Option(help="How far back; CloudWatch keeps hours for 455 days.", min=1, max=455)],
    minutes: Annotated[
        bool, typer.Option("--minutes", help="By the minute of every table, not only where a burst asks for it.")
    ] = False,
    table: Annotated[str, typer.Option(help="Only tables of this name or pattern (* and ?).")] = "*",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Spend without asking.")] = False,
    max_dollars: Annotated[
        float | None, typer.Option(help="Never spend more; 1.00 where nobody can be asked.", min=0, show_default=False)
    ] = None,
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Read history from CloudWatch into the store; it may be killed and begun again."""
    from stillfit.cli.backfill import BackfillOptions, run_backfill

    options = BackfillOptions(config=config, days=days, minutes=minutes, table=table, yes=yes, max_dollars=max_dollars)
    raise typer.Exit(run_backfill(options))


@app.command()
def explain(
    topic: Annotated[str, typer.Argument(help="A detector, a rule, an advice id, or `declared`.")],
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Say what a detector, rule or advice means, what it rests on, and how to silence it."""
    from stillfit.cli.explain import run_explain

    run_explain(topic, config, path_given=config != DEFAULT_CONFIG)


@app.command()
def doctor(config: ConfigPath = DEFAULT_CONFIG, output: FormatOption = Format.TEXT) -> None:
    """Try everything that the configuration needs; say what is missing and what goes blind."""
    from stillfit.cli.doctor import run_doctor

    raise typer.Exit(run_doctor(config, as_json=output is Format.JSON))


@config_app.command("check")
def config_check(
    config: ConfigPath = DEFAULT_CONFIG,
    offline: Annotated[bool, typer.Option("--offline", help="Do not look for tables: prices for each only.")] = False,
) -> None:
    """Say every mistake of the file at once, or what it would make the daemon do, and for how much."""
    from stillfit.cli.config import check_config

    check_config(config, offline=offline)


@config_app.command("init")
def config_init(
    path: Annotated[Path | None, typer.Argument(help="A new file; standard output when left out.")] = None,
) -> None:
    """Write a commented example to start from."""
    from stillfit.cli.config import init_config

    init_config(path)


@config_app.command("schema")
def config_schema() -> None:
    """Print the JSON Schema of the file, for editors."""
    from stillfit.cli.config import print_schema

    print_schema()


@config_app.command("show")
def config_show(config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Print the configuration as it is understood, defaults filled in, secrets masked."""
    from stillfit.cli.config import show_config

    show_config(config)


@advice_app.command("list")
def advice_list(
    config: ConfigPath = DEFAULT_CONFIG,
    output: FormatOption = Format.TEXT,
    everything: Annotated[bool, typer.Option("--all", help="Also what waits, is resolved or dismissed.")] = False,
) -> None:
    """List advice, worst first."""
    from stillfit.cli.advice import list_advice

    list_advice(config, as_json=output is Format.JSON, everything=everything)


@advice_app.command("show")
def advice_show(advice: AdviceId, config: ConfigPath = DEFAULT_CONFIG, output: FormatOption = Format.TEXT) -> None:
    """Show one piece of advice whole: evidence, steps, risk, way back, history."""
    from stillfit.cli.advice import show_advice

    show_advice(config, advice, as_json=output is Format.JSON)


@advice_app.command("acknowledge")
def advice_acknowledge(advice: AdviceId, config: ConfigPath = DEFAULT_CONFIG, by: Who = "") -> None:
    """Say that you have seen it and are on it."""
    from stillfit.cli.advice import acknowledge_advice

    acknowledge_advice(config, advice, by)


@advice_app.command("snooze")
def advice_snooze(
    advice: AdviceId,
    length: Annotated[str, typer.Option("--for", help="How long: 4h, 1d, 7d, 30d.")] = "1d",
    config: ConfigPath = DEFAULT_CONFIG,
    by: Who = "",
) -> None:
    """Be quiet about it for a while."""
    from stillfit.cli.advice import snooze_advice

    snooze_advice(config, advice, length, by)


@advice_app.command("dismiss")
def advice_dismiss(
    advice: AdviceId,
    reason: Annotated[str, typer.Option(help="Why it does not apply; it is kept and shown.")],
    length: Annotated[str, typer.Option("--for", help="How long: 30d, 180d, at most 365d.")] = "180d",
    config: ConfigPath = DEFAULT_CONFIG,
    by: Who = "",
) -> None:
    """Say that it does not apply, and why."""
    from stillfit.cli.advice import Dismissal, dismiss_advice

    dismiss_advice(config, advice, Dismissal(reason=reason, length=length, by=by))


def main() -> None:
    """Run the command line; what stillfit raises on purpose ends as its sentence and exit code."""
    _open_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name must not end a command on an ASCII terminal
    try:
        code = _ran()
        sys.stdout.flush()  # what is left is written here, where it can still be told that it was not
    except Exception as error:  # noqa: BLE001  # python would end with 1, which here means "findings"
        code = INTERNAL
        with suppress(OSError):  # standard error may be full as well
            code = _told(error)
    sys.exit(code)


def _open_streams() -> None:
    """Whoever starts a command may have closed a stream (`>&-`): what is opened later must not take its place."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= STDERR:
        pass
    os.close(number)
    sys.stdin = sys.stdin or os.fdopen(STDIN, encoding="utf-8", closefd=False)
    sys.stdout = sys.stdout or os.fdopen(STDOUT, "w", encoding="utf-8", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(STDERR, "w", encoding="utf-8", closefd=False)


def _ran() -> int:
    try:
        app()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return 0


def _told(error: Exception) -> int:
    """Print what ended a command, and give its exit code."""
    from stillfit.errors import StillfitError

    if isinstance(error, StillfitError):
        from stillfit.cli.terminal import safe_lines

        print(safe_lines(str(error)), file=sys.stderr)  # noqa: T201  # the command line's own way out
        return error.exit_code
    if isinstance(error, OSError) and error.filename is None and error.errno in UNWRITABLE:
        print(f"standard output cannot be written: {error.strerror}: send it elsewhere", file=sys.stderr)  # noqa: T201
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # python writes what is left once more
        return INTERNAL
    traceback.print_exception(error)
    return INTERNAL
