"""One metrics store: reached, signed in, and how many of the names that are known it has, engine by engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing

from collector.promql.client import PromClient
from collector.promql.names import of_engine, queries
from collector.promql.namesfile import exporters
from stillfit.cli.probes.probe import Probe, Result, failed, ok, warning
from stillfit.config import Config, Prometheus
from stillfit.errors import ConfigError, SourceError
from stillfit.model import Engine, Span
from stillfit.sources import endpoint

LOOK_BACK_S = 3_600
PAGE = "docs/prometheus_source.md"


def probes(config: Config) -> tuple[Probe, ...]:
    return tuple(Probe(area=f"prometheus {one.name}", run=_look(one), deadline_s=45.0) for one in config.prometheus)


def _look(settings: Prometheus) -> Callable[[], Iterator[Result]]:
    def look() -> Iterator[Result]:
        now = int(time.time())
        try:
            known = exporters(settings.names_file)
            with closing(PromClient(endpoint(settings), settings.url)) as client:
                names = client.names(Span(now - LOOK_BACK_S, now))
        except ConfigError as error:
            yield failed("names_file", "; ".join(error.mistakes), f"mend it by {PAGE}")
            return
        except SourceError as error:
            yield failed("query", str(error), "nothing can be read from this store until then")
            return
        yield ok("query", f"answers at {settings.url}, with {len(names)} names of series in the last hour")
        for engine in dict.fromkeys(settings.reads):
            found = queries(of_engine(known, Engine(engine)), names)
            yield _found(engine, len({query.series for query in found}))

    return look


def _found(engine: str, count: int) -> Result:
    if count:
        return ok(engine, f"{count} of them are known and will be read")
    sentence = f"none of them is a known series of {engine}"
    return warning(engine, sentence, f"leave {engine} out of `reads`, or add the exporter's names ({PAGE})")
