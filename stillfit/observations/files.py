"""Reads observation files, and AWS answers as the AWS command line prints them, from disk."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from pydantic import ValidationError

from stillfit.errors import ConfigError
from stillfit.model import Batch, Span
from stillfit.observations.document import ObservationShape
from stillfit.observations.mistakes import in_order, mistakes, without
from stillfit.observations.statements import Observations, Statements
from stillfit.yamlfile import Document, Place, parse

MOST_BYTES = 64_000_000
"""Ours: of anything that is read at all; an answer of CloudWatch may be larger than an observation file."""
SUFFIXES = (".json", ".yaml", ".yml")
_PAIR = re.compile(r"(?<!\\)((?:\\\\)*)(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})")
_AWS_KEYS = frozenset({"Table", "MetricDataQueries", "MetricDataResults"})


def load(path: Path) -> Observations:
    """One observation file. Raises ConfigError with every mistake in it."""
    return read(_text(path), name=str(path))


def load_all(paths: Iterable[Path]) -> tuple[Observations, ...]:
    """Files, and the files of folders by name. Files that speak of the same moment are one observation.

    What the AWS command line printed is taken together. Raises ConfigError with every mistake of every file.
    """
    found: list[Observations] = []
    captured: list[Path] = []
    wrong: list[str] = []
    for path in paths:
        for file in _files(path, wrong):
            try:
                text = _text(file)
                if is_capture(file, text):
                    captured.append(file)
                else:
                    found.append(read(text, name=str(file)))
            except ConfigError as error:
                wrong += error.mistakes
    if wrong:
        raise ConfigError(tuple(wrong))
    found += [_captured(captured)] if captured else []
    by_moment = groupby(sorted(found, key=lambda one: one.at), key=lambda one: one.at)
    return tuple(_joined(tuple(same)) for _, same in by_moment)


def read(text: str, *, name: str) -> Observations:
    """The text of one file. Raises ConfigError with every mistake in it."""
    document = parse(_paired(text) if name.endswith(".json") else text, name=name)
    wrong: list[tuple[Place, str]] = []
    statements = Statements(document, _shape(document, wrong))
    observations = statements.observations()
    misshapen = [place for place, _ in wrong]
    wrong += [one for one in statements.mistakes if not any(_holds(one[0], place) for place in misshapen)]
    if wrong:
        raise ConfigError(in_order(document, wrong))
    return observations


def _shape(document: Document, wrong: list[tuple[Place, str]]) -> ObservationShape:
    """The file in its shape. What is wrong goes to `wrong`; without it the rest may still be read for more mistakes."""
    try:
        return ObservationShape.model_validate(document.value)
    except ValidationError as error:
        wrong += mistakes(error, ObservationShape)
        rest = without(document.value, error)
    try:
        return ObservationShape.model_validate(rest)
    except ValidationError as error:
        raise ConfigError(in_order(document, wrong)) from error


def _holds(outer: Place, inner: Place) -> bool:
    """Whether a place holds another: what is said of it then follows from the mistake inside."""
    return inner[: len(outer)] == outer


def _paired(text: str) -> str:
    """JSON escapes an emoji as a pair of surrogates, which YAML would take for two broken characters: joined here."""
    return _PAIR.sub(lambda found: found[1] + json.loads(f'"{found[2]}"'), text)


def is_capture(path: Path, text: str) -> bool:
    """Whether a file is input or output of the AWS command line, by the keys that only that has."""
    if path.suffix != ".json" or not any(f'"{key}"' in text for key in _AWS_KEYS):
        return False
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):  # for the strict reader to say what and where
        return False
    return isinstance(content, dict) and not _AWS_KEYS.isdisjoint(content)


def _captured(paths: list[Path]) -> Observations:
    from collector.aws.captured import Capture  # noqa: PLC0415  # boto3 is loaded only by those who bring its answers
    from stillfit.observations.captures import observations  # noqa: PLC0415  # likewise

    captures = [Capture(str(path), json.loads(_text(path))) for path in paths]
    written = max(path.stat().st_mtime for path in paths)
    return observations(captures, datetime.fromtimestamp(written, UTC))


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:  # a pipe and a device have no size to ask for
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise ConfigError((f"{path}:1: file: larger than {MOST_BYTES} bytes; split it",))
        return content.decode("utf-8")
    except OSError as error:
        raise ConfigError((f"{path}:1: file: cannot be read: {error.strerror}",)) from error
    except UnicodeDecodeError as error:
        raise ConfigError((f"{path}:1: file: is not UTF-8 text; save it as UTF-8",)) from error


def _files(path: Path, wrong: list[str]) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    files = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES)
    if not files:
        wrong.append(f"{path}:1: file: the folder holds no {', '.join(SUFFIXES)} file")
    yield from files


def _joined(same: tuple[Observations, ...]) -> Observations:
    """Files of one moment as one: later ones add, and win where both say the same thing."""
    if len(same) == 1:
        return same[0]
    batches = [one.batch for one in same]
    together = Batch(
        source=", ".join(batch.source for batch in batches),
        at=same[0].at,
        series=tuple(one for batch in batches for one in batch.series),
        attributes=tuple(one for batch in batches for one in batch.attributes),
        changes=tuple(one for batch in batches for one in batch.changes),
        gaps=tuple(one for batch in batches for one in batch.gaps),
        subjects_seen=tuple(dict.fromkeys(subject for batch in batches for subject in batch.subjects_seen)),
    )
    span = Span(min(one.span.start for one in same), max(one.span.end for one in same))
    every = {workload.tables: workload for one in same for workload in one.workloads}
    return replace(same[0], batch=together, span=span, workloads=tuple(every.values()))
