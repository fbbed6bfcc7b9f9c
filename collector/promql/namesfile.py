"""Reads names files: the packaged table and an operator's own. Strict: every mistake with its line. Takes texts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from collector.promql.names import MINUTE, Exporter, Kind, Row, before
from stillfit.errors import ConfigError
from stillfit.metrics import METRICS
from stillfit.model import Engine, Statistic
from stillfit.yamlfile import Document, Place, did_you_mean, parse

ROLES = {
    Engine.DYNAMODB: ("table", "index", "dimension", "account", "region"),
    Engine.CASSANDRA: ("cluster", "datacenter", "node", "keyspace", "table", "dimension"),
}
NEEDED = {Engine.DYNAMODB: ("table",), Engine.CASSANDRA: ("node",)}
_EXPORTER = ("name", "engine", "like", "window_s", "every_s", "lag_s", "labels", "series")
_ROW = ("metric", "statistic", "kind", "scale", "where")
_SERIES = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")


@cache
def packaged() -> tuple[Exporter, ...]:
    """The table that comes with stillfit."""
    return read(files("collector.promql").joinpath("names.yaml").read_text("utf-8"), name="names.yaml")


def exporters(own: Path | None) -> tuple[Exporter, ...]:
    """The packaged exporters with an operator's before them. Raises ConfigError with every mistake of the file."""
    if own is None:
        return packaged()
    try:
        text = own.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror or "no reason given") if isinstance(error, OSError) else "not UTF-8 text"
        raise ConfigError((f"{own}:1: file: cannot be read: {reason}; check the path and its permissions",)) from error
    return before(read(text, name=str(own), known=packaged()), packaged())


def read(text: str, *, name: str, known: Sequence[Exporter] = ()) -> tuple[Exporter, ...]:
    """The exporters of one file; `like` may name those in `known`. Raises ConfigError with every mistake."""
    document = parse(text, name=name)
    reading = _Reading(document, {one.name: one for one in known})
    found = tuple(reading.exporters())
    if reading.mistakes:
        raise ConfigError(tuple(reading.mistakes))
    return found


class _Reading:
    """One file being read: what is wrong is noted and left out, so that all of it is told at once."""

    def __init__(self, document: Document, known: Mapping[str, Exporter]) -> None:
        self.mistakes: list[str] = []
        self._document = document
        self._known = dict(known)

    def exporters(self) -> Iterator[Exporter]:
        top = self._mapping(self._document.value, (), ("exporters",))
        listed = top.get("exporters")
        if not isinstance(listed, list) or not listed:
            self._wrong(("exporters",) if top else (), "a list of exporters is needed")
            return
        names: set[str] = set()
        for number, value in enumerate(listed):
            place = ("exporters", number)
            exporter = self._exporter(self._mapping(value, place, _EXPORTER), place)
            if exporter is not None and exporter.name in names:
                self._wrong((*place, "name"), f"{exporter.name!r} is given twice in this file; take another name")
            elif exporter is not None:
                names.add(exporter.name)
                yield exporter

    def _exporter(self, value: dict[str, Any], place: Place) -> Exporter | None:
        base = self._base(value, place)
        name = self._text(value, place, "name")
        if base is None or not name:
            return None
        labels = {**base.labels, **self._labels(value.get("labels", {}), (*place, "labels"), base.engine)}
        if lacking := [role for role in NEEDED[base.engine] if role not in labels]:
            self._wrong((*place, "labels"), f"says no label for {', '.join(lacking)}: no series could be placed")
        own = tuple(self._rows(value.get("series", {}), (*place, "series"), base.engine))
        taken = {row.series for row in own}
        return replace(
            base,
            name=name,
            labels=labels,
            rows=(*own, *(row for row in base.rows if row.series not in taken)),
            window_s=self._minutes(value, place, "window_s", base.window_s),
            every_s=self._minutes(value, place, "every_s", base.every_s),
            lag_s=self._minutes(value, place, "lag_s", base.lag_s),
        )

    def _base(self, value: dict[str, Any], place: Place) -> Exporter | None:
        """The exporter that this one is like, or an empty one of its engine."""
        if "like" in value:
            like = str(value["like"])
            if like not in self._known:
                self._wrong((*place, "like"), f"no exporter {like!r}{did_you_mean(like, self._known)}")
            return self._known.get(like)
        engines = [engine.value for engine in ROLES]
        engine = self._text(value, place, "engine")
        if engine and engine not in engines:
            self._wrong((*place, "engine"), f"no engine {engine!r}{did_you_mean(engine, engines)}")
        return Exporter(name="", engine=Engine(engine), labels={}, rows=()) if engine in engines else None

    def _labels(self, value: object, place: Place, engine: Engine) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for role, names in self._mapping(value, place, ROLES[engine]).items():
            listed = tuple(names) if isinstance(names, list) else (names,)
            if all(isinstance(one, str) and _LABEL.match(one) for one in listed) and listed:
                found[role] = listed
            else:
                self._wrong((*place, role), "a label name is needed, or a list of them")
        return found

    def _rows(self, value: object, place: Place, engine: Engine) -> Iterator[Row]:
        for series, rows in self._mapping(value, place, None).items():
            here = (*place, series)
            if not _SERIES.match(series):
                self._wrong(here, "is no name of a series")
                continue
            for number, one in enumerate(rows if isinstance(rows, list) else [rows]):
                inner = (*here, number) if isinstance(rows, list) else here
                row = self._row(series, self._mapping(one, inner, _ROW), inner, engine)
                if row is not None:
                    yield row

    def _row(self, series: str, value: dict[str, Any], place: Place, engine: Engine) -> Row | None:
        metric = self._choice(value, place, "metric", [one.name for one in METRICS.values() if one.engine is engine])
        kind = self._choice(value, place, "kind", [one.value for one in Kind])
        statistics = METRICS[metric].statistics if metric else ()
        statistic = self._choice(value, place, "statistic", [one.value for one in statistics]) if metric else ""
        where = self._where(value.get("where", {}), (*place, "where"))
        scale = value.get("scale", 1.0)
        if not isinstance(scale, (int, float)) or isinstance(scale, bool) or not 0 < scale < float("inf"):
            self._wrong((*place, "scale"), "a number above zero is needed")
            return None
        if not (metric and kind and statistic):
            return None
        return Row(
            series=series,
            metric=metric,
            statistic=Statistic(statistic),
            kind=Kind(kind),
            scale=float(scale),
            where=where,
        )

    def _where(self, value: object, place: Place) -> tuple[tuple[str, tuple[str, ...]], ...]:
        found: list[tuple[str, tuple[str, ...]]] = []
        for label, wanted in self._mapping(value, place, None).items():
            listed = tuple(wanted) if isinstance(wanted, list) else (wanted,)
            if _LABEL.match(label) and listed and all(isinstance(one, str) and one for one in listed):
                found.append((label, listed))
            else:
                self._wrong((*place, label), 'a label with its text is needed, in quotes, such as quantile: "0.99"')
        return tuple(sorted(found))

    def _choice(self, value: dict[str, Any], place: Place, key: str, choices: Sequence[str]) -> str:
        word = self._text(value, place, key)
        if word and word not in choices:
            self._wrong((*place, key), f"no {key} {word!r}{did_you_mean(word, choices)}")
            return ""
        return word

    def _text(self, value: dict[str, Any], place: Place, key: str) -> str:
        word = value.get(key)
        if not isinstance(word, str) or not word:
            self._wrong((*place, key), "is needed and missing" if word is None else "text is needed")
            return ""
        return word

    def _minutes(self, value: dict[str, Any], place: Place, key: str, default: int) -> int:
        seconds = value.get(key, default)
        least = 0 if key == "lag_s" else MINUTE
        if isinstance(seconds, int) and not isinstance(seconds, bool) and seconds >= least and not seconds % MINUTE:
            return seconds
        self._wrong((*place, key), "whole minutes in seconds are needed, such as 60 or 300")
        return default

    def _mapping(self, value: object, place: Place, keys: Sequence[str] | None) -> dict[str, Any]:
        """A mapping with text keys, only those in `keys`; anything else is noted, and an empty one goes on."""
        if not isinstance(value, dict):
            self._wrong(place, "a mapping of keys is needed")
            return {}
        for key in value:
            if keys is not None and key not in keys:
                self._wrong((*place, key), f"no such key{did_you_mean(str(key), keys)}")
        return {str(key): one for key, one in value.items() if keys is None or key in keys}

    def _wrong(self, place: Place, sentence: str) -> None:
        self.mistakes.append(self._document.mistake(place, sentence))
