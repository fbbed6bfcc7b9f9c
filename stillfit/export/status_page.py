"""The status page."""

from __future__ import annotations

from datetime import datetime
from html import escape

from stillfit.export.view import View

STYLE_SOURCE = "'unsafe-inline'"


def status_page(view: View, now: datetime, *, troubles: tuple[str, ...]) -> str:
    """The page as HTML."""
    lines = "".join(f"<li>{escape(record.title)}" for record in view.advice)
    return f"<!doctype html><title>stillfit</title><p>{now:%F %T} {escape('; '.join(troubles))}<ul>{lines}</ul>"
