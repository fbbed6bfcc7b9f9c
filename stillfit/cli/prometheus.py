"""`stillfit check --prometheus`: one look at what a Prometheus-compatible store already has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from collector.promql.source import PrometheusSource
from stillfit import cycle
from stillfit.cli.check import tell, verdict
from stillfit.cli.logs import quieten
from stillfit.cli.look import judged, passing_store, take
from stillfit.clock import Clock, SystemClock
from stillfit.config import SIGN_IN, Config, Prometheus
from stillfit.configsecrets import with_secrets
from stillfit.errors import SourceError, UsageError
from stillfit.model import Gap, GapReason
from stillfit.sources import prometheus_sources


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusLook:
    """What the command line says of one look."""

    url: str
    token_file: Path | None = None
    names_file: Path | None = None
    as_json: bool = False
    fail_on: str = "info"


def run_check_prometheus(look: PrometheusLook) -> int:
    """Read the store, judge, print, and say by the exit code what was found."""
    quieten()
    sources = prometheus_sources(_settings(look))
    try:
        outcome, gaps = looked(sources, SystemClock())
    except SourceError as error:
        said = _by_address(str(error), sources, look.url)
        raise SourceError(said, reason=error.reason, retryable=error.retryable) from error
    finally:
        for source in sources:
            source.close()
    tell(outcome, gaps, as_json=look.as_json)
    return verdict(outcome, look.fail_on)


def looked(sources: Sequence[PrometheusSource], clock: Clock) -> tuple[cycle.Turn, tuple[Gap, ...]]:
    """The judgement, and what could not be read. Raises SourceError when there is nothing to judge.

    An engine that the store has nothing of is left out of the telling, as long as it has something of another.
    """
    with passing_store(clock) as store:
        errors = [take(source, source.collect(None, clock.now()), store, clock.now()) for source in sources]
        known = {subject.engine for subject in store.subjects()}
        if not known:
            raise next((error for error in errors if error), _nothing(sources))
        heard = [source for source in sources if source.scope.engine in known]
        outcome, gaps = judged(store, heard, clock)
    silent = {source.id for source, error in zip(sources, errors, strict=True) if not error and source not in heard}
    return outcome, tuple(gap for gap in gaps if gap.source not in silent)


def _by_address(sentence: str, sources: Sequence[PrometheusSource], url: str) -> str:
    """A sentence that calls the store what its user typed, not what a configuration would call it."""
    for source in sources:
        sentence = sentence.replace(source.id, url)
    return sentence


def _nothing(sources: Sequence[PrometheusSource]) -> SourceError:
    sentence = "no series of a known name: docs/prometheus_source.md lists the names, and how to add your own"
    return SourceError(f"{sources[0].id}: {sentence}", reason=GapReason.NO_DATA, retryable=False)


def _settings(look: PrometheusLook) -> Prometheus:
    """The same settings as a section of the configuration. Raises UsageError with every mistake."""
    try:
        settings = Prometheus(url=look.url, token_file=look.token_file, names_file=look.names_file)
    except ValidationError as error:
        raise UsageError("; ".join(_mistakes(error))) from None  # the error would repeat what was typed
    mistakes: list[str] = []
    config = with_secrets(
        Config(prometheus=(settings,)), lambda _place, sentence: mistakes.append(f"--token-file: {sentence}")
    )
    if mistakes:
        raise UsageError("; ".join(mistakes))
    return config.prometheus[0]


def _mistakes(error: ValidationError) -> Iterator[str]:
    for one in error.errors(include_url=False, include_input=False):
        said = one["msg"].removeprefix("Value error, ").replace(SIGN_IN, "use --token-file")
        yield f"--prometheus: {said}"
