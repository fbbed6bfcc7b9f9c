"""HTML that is escaped by construction: a plain string is text, only `Html` is markup, and only `tag` makes it."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from stillfit.export.labels import visible


class Html(str):
    """Markup made by this module; everything else is text and gets escaped."""

    __slots__ = ()


Child = str | Iterable[str] | None
"""Text, markup, several of them, or nothing."""

_VOID = frozenset({"meta", "br"})
_DRAWN = frozenset({"path", "rect", "circle"})
"""Elements without content: of HTML, and of SVG, which must be closed."""


def tag(name: str, /, *children: Child, **attributes: str | None) -> Html:
    """An element. `class_` is class, `http_equiv` is http-equiv; an attribute of None is left out."""
    given = ((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items() if value is not None)
    written = "".join(f' {key}="{text(value)}"' for key, value in given)
    if name in _VOID | _DRAWN:
        return Html(f"<{name}{written}/>" if name in _DRAWN else f"<{name}{written}>")
    return Html(f"<{name}{written}>{join(*children)}</{name}>")


def join(*children: Child) -> Html:
    """Children side by side."""
    return Html("".join(_flat(child) for child in children))


def text(plain: str) -> Html:
    """Text as markup: escaped, its lines kept, what would hide or reorder made visible."""
    return Html(escape("\n".join(visible(line) for line in plain.split("\n")), quote=True))


def _flat(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Html):
        return child
    return text(child) if isinstance(child, str) else "".join(_flat(one) for one in child)
