"""How log lines look: JSON for machines, key=value for a terminal; libraries' own lines come out the same way."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress
from typing import Literal, TextIO, cast

import structlog


class _Enduring:
    """Where log lines go: a disk that is full, or a reader that went away, loses lines and does not end the daemon."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def quieten(least: int = logging.ERROR) -> None:
    """For commands whose standard output is data: only errors are logged, and on standard error.

    `least`: CRITICAL for commands that say by themselves what they find wrong.
    """
    set_up_logs("text")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(least))
    logging.getLogger().setLevel(logging.CRITICAL)


def set_up_logs(form: Literal["auto", "json", "text"], least: int = logging.INFO) -> None:
    """Send every log line from `least` on to standard error in one form; `auto` asks whether that is a terminal."""
    as_json = form == "json" or (form == "auto" and not sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    colours = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    last: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=colours)
    )
    lines = cast("TextIO", _Enduring(sys.stderr))
    traces = [structlog.processors.format_exc_info] if as_json else []
    structlog.configure(
        processors=[*shared, *traces, last],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.PrintLoggerFactory(lines),
    )
    handler = logging.StreamHandler(lines)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *traces, last],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # what it would warn of, the timetable says itself
    logging.getLogger("cassandra").setLevel(logging.CRITICAL)  # its failures come back to us as gaps, with their reason
