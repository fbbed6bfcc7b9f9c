"""`stillfit config`: look at the configuration without running it."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import yaml
from pydantic import BaseModel, SecretStr

from stillfit.cli.logs import quieten
from stillfit.cli.packaged import read
from stillfit.cli.reading_plan import mistakes, project, told_plan
from stillfit.cli.spending import estimate
from stillfit.cli.terminal import console, hanging, length, rows, show, waiting
from stillfit.clock import Clock, SystemClock
from stillfit.config import Cassandra, Config, Prometheus
from stillfit.configaws import Aws
from stillfit.configfile import load
from stillfit.errors import ConfigError, UsageError

EXAMPLE = "deploy/stillfit.yaml"
_SERVICES = {"dynamodb": "DynamoDB", "keyspaces": "Keyspaces", "dax": "DAX"}
_PASSWORD = re.compile(r"(://[^:/@\s]*:)[^@\s]*@")


def check_config(path: Path, *, offline: bool = False, clock: Clock | None = None) -> None:
    """Print what the daemon would do; a file with mistakes raises ConfigError with all of them.

    Unless `offline` the tables are found, which is free: a budget that cannot hold the freshness promise is a mistake.
    """
    config = load(path)
    budgets = not offline and any(one.monthly_budget is not None for one in config.aws)
    show(f"{path}: {'well formed; its budgets are tried below' if budgets else 'no mistakes'}", rows(_plan(config)))
    if config.aws and offline:
        show("\nWhat reading CloudWatch will cost:", *(f"  {line}" for line in estimate(config.aws)))
    elif config.aws:
        _check_budgets(config, clock or SystemClock())


def _check_budgets(config: Config, clock: Clock) -> None:
    """The plan of each account and its price. Raises ConfigError where a budget cannot be kept as it is."""
    quieten(logging.CRITICAL)
    with waiting("finding the tables, which is free ..."):
        projections = project(config, clock)
    for account, one in zip(config.aws, projections, strict=True):
        show(f"\nReading CloudWatch, {_account(account)}:", *map(hanging, told_plan(one)))
    if any(one.errors for one in projections):
        lines = (f"  {line}" for line in estimate(config.aws))
        show("\nWhat could not be counted is not in these figures. For each table:", *lines)
    wrong = tuple(line for position, one in enumerate(projections) for line in mistakes(position, one))
    if wrong:
        raise ConfigError(wrong)


def print_schema() -> None:
    """The JSON Schema of the file on standard output."""
    sys.stdout.write(schema())


def schema() -> str:
    return (
        json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **Config.model_json_schema()}, indent=2)
        + "\n"
    )


def show_config(path: Path) -> None:
    """The configuration as it is understood, as YAML that can be read back but for its secrets."""
    sys.stdout.write(yaml.safe_dump(plain(load(path)), sort_keys=False, allow_unicode=True))


def init_config(path: Path | None) -> None:
    """The commented example: to a file that must not exist yet, or to standard output."""
    example = read(EXAMPLE)
    if path is None:
        sys.stdout.write(example)
        return
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(example)
    except FileExistsError as error:
        raise UsageError(f"{path} is there already: remove it first, or name another file") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    console(stderr=True).print(f"{path} written: change it, then run `stillfit config check --config {path}`")


def plain(value: object) -> object:
    """A part of the configuration as plain values: lengths as people write them, secrets as ***."""
    match value:
        case BaseModel():
            return {name: plain(getattr(value, name)) for name in type(value).model_fields}
        case dict():
            return {name: plain(one) for name, one in value.items()}
        case tuple():
            return [plain(one) for one in value]
        case timedelta():
            return length(int(value.total_seconds())).replace(" ", "").replace("min", "m")
        case SecretStr():
            return "***"
        case date():
            return value.isoformat()
        case Path():
            return str(value)
        case str():
            return masked(value)
        case _:
            return value


def masked(url: str) -> str:
    """A URL without the password in it."""
    return _PASSWORD.sub(r"\1***@", url)


def _plan(config: Config) -> Iterator[tuple[str, str]]:
    """What the daemon would do, a line each."""
    watched = [*map(_account, config.aws), *map(_cluster, config.cassandra), *map(_store, config.prometheus)]
    yield from zip(
        ["watches", *[""] * len(watched)], watched or ["nothing: add aws:, cassandra: or prometheus:"], strict=False
    )
    yield "judges", f"every {_every(config.evaluate_every)}, the last {_every(config.lookback)} by the minute"
    kept = f"minutes {_every(config.retention.minutes)}, hours {_every(config.retention.hours)}"
    yield "keeps", f"{masked(config.store)} ({kept})"
    yield "tells", _told(config)
    yield "serves", f"http://{config.http.host}:{config.http.port}/ and /metrics"
    if config.workloads:
        facts = sum(len(one.declared) for one in config.workloads)
        yield "knows", f"{len(config.workloads)} workloads with {facts} declared facts"


def _account(one: Aws) -> str:
    who = one.role_arn or (f"profile {one.profile}" if one.profile else "the default credentials")
    account = f"account {one.account} by " if one.account else ""
    services = " and ".join(_SERVICES[service] for service in one.services)
    return f"{services} in {', '.join(one.regions)}, {account}{who}, every {_every(one.every)}{_patterns(one)}"


def _cluster(one: Cassandra) -> str:
    sign_in = f"as {one.username}" if one.username else "without signing in"
    tls = "TLS" if one.tls_ca_file else "no TLS"
    where = f"{one.cluster} ({', '.join(one.contact_points)})"
    return f"Cassandra {where}, {sign_in}, {tls}, every {_every(one.every)}{_patterns(one)}"


def _store(one: Prometheus) -> str:
    names = f", names of {one.names_file}" if one.names_file else ""
    return f"{' and '.join(one.reads)} series in {masked(one.url)}, every {_every(one.every)}{names}"


def _patterns(one: Aws | Cassandra) -> str:
    wanted = "" if one.include == ("*",) else f", tables {', '.join(one.include)}"
    tags = one.tags if isinstance(one, Aws) else {}
    tagged = f", tagged {', '.join(f'{key}={value}' for key, value in tags.items())}" if tags else ""
    return wanted + (f", not {', '.join(one.exclude)}" if one.exclude else "") + tagged


def _told(config: Config) -> str:
    if config.slack is None:
        return "nobody: there is no slack: section; advice is on the pages and in `stillfit advice list`"
    if config.slack.webhook_url:
        return "Slack by a webhook: no edits, no threads, and after a crash a message may repeat"
    return f"Slack channel {config.slack.channel}, one message for each advice"


def _every(value: timedelta) -> str:
    return length(int(value.total_seconds()))
