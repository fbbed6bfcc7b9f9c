"""`stillfit doctor`: tries everything that the configuration needs. Exit code 4 when something essential fails."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from rich.table import Table
from rich.text import Text

from stillfit.cli.logs import quieten
from stillfit.cli.probes import aws, cassandra, local, prometheus, slack
from stillfit.cli.probes.probe import Mark, Probe, Result, Tried, failed, ok, try_all, warning
from stillfit.cli.terminal import console, safe, show
from stillfit.clock import SystemClock
from stillfit.config import Config
from stillfit.configfile import load
from stillfit.errors import ConfigError

SIGNS = {Mark.OK: "ok", Mark.WARNING: "!", Mark.FAILED: "x"}
STYLES = {Mark.OK: "green", Mark.WARNING: "yellow", Mark.FAILED: "bold red"}
OK, BAD_CONFIG, BAD_TARGET = 0, 3, 4


def run_doctor(path: Path, *, as_json: bool) -> int:
    """Try everything, print it as it comes, and say by the exit code whether stillfit can work."""
    quieten()
    try:
        config = load(path)
    except ConfigError as error:
        _print([_wrong(error)], as_json=as_json)
        return BAD_CONFIG
    probes = (
        *local.probes(config),
        *aws.probes(config, SystemClock()),
        *cassandra.probes(config),
        *prometheus.probes(config),
        *slack.probes(config),
    )
    tried = _print([_read(path, config), *_tried(probes, as_json=as_json)], as_json=as_json)
    essential = [one for each in tried for one in each.results if one.mark is Mark.FAILED and one.essential]
    return BAD_TARGET if essential else OK


def _tried(probes: Iterable[Probe], *, as_json: bool) -> Iterable[Tried]:
    """All results, with a word to the person who waits for them."""
    if as_json or not sys.stderr.isatty():
        return tuple(try_all(probes))
    with console(stderr=True).status("trying everything ..."):
        return tuple(try_all(probes))


def _print(tried: list[Tried], *, as_json: bool) -> list[Tried]:
    if as_json:
        sys.stdout.write(json.dumps(document(tried), indent=2) + "\n")
    else:
        for one in tried:
            show(Text(one.area, style="bold"), _table(one.results))
        show(Text(f"\n{_summary(tried)}"))
    return tried


def document(tried: Iterable[Tried]) -> dict[str, object]:
    """What `--format json` prints."""
    rows = [
        {
            "area": each.area,
            "name": one.name,
            "result": one.mark.value,
            "sentence": one.sentence,
            "fix": one.fix,
            "essential": one.essential,
        }
        for each in tried
        for one in each.results
    ]
    return {"version": 1, "results": rows}


def _table(results: Iterable[Result]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=4, justify="right")
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for one in results:
        said = Text(safe(one.sentence))
        if one.fix:
            said.append(f"\n{safe(one.fix)}", style="dim")
        table.add_row(Text(SIGNS[one.mark], style=STYLES[one.mark]), Text(safe(one.name)), said)
    return table


def _summary(tried: Iterable[Tried]) -> str:
    results = [one for each in tried for one in each.results]
    bad = [one for one in results if one.mark is Mark.FAILED]
    noted = sum(one.mark is Mark.WARNING for one in results)
    if any(one.essential for one in bad):
        return f"{len(bad)} of {len(results)} failed, {noted} to look at: stillfit cannot work as configured."
    if bad or noted:
        return f"{len(bad)} of {len(results)} failed, {noted} to look at: stillfit works, and says what it is blind to."
    return f"All {len(results)} are well."


def _read(path: Path, config: Config) -> Tried:
    results = [ok("read", f"{path} has no mistakes")]
    if not (config.aws or config.cassandra or config.prometheus):
        results.append(failed("targets", "nothing is watched", "add aws:, cassandra: or prometheus: to the file"))
    if config.slack is None:
        fix = "add slack: to the file; until then look at the pages or `stillfit advice list`"
        results.append(warning("sinks", "nobody is told of advice", fix))
    return Tried(area="configuration", results=tuple(results))


def _wrong(error: ConfigError) -> Tried:
    return Tried(area="configuration", results=tuple(failed("mistake", line) for line in error.mistakes))
