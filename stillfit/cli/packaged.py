"""Files that come with stillfit: from the installed package, or from the source tree it runs in."""

from __future__ import annotations

from pathlib import Path

import stillfit
from stillfit.errors import StillfitError

_PACKAGE = Path(stillfit.__file__).parent
_HOMES = (("docs/analyzers/", "pages/analyzers/"), ("docs/rules/", "pages/rules/"))
"""Where a folder of the source tree is in the wheel, when not under its own name (pyproject.toml, force-include)."""


def find(path: str) -> str | None:
    """The text of a file by its path in the source tree, such as docs/rules/x.md; None where there is none."""
    home = next((path.replace(source, wheel, 1) for source, wheel in _HOMES if path.startswith(source)), path)
    for candidate in (_PACKAGE / home, _PACKAGE.parent / path):
        if candidate.is_file():
            return candidate.read_text(encoding="utf-8")
    return None


def read(path: str) -> str:
    """The text of a file that must be there. Raises StillfitError where the installation is not whole."""
    text = find(path)
    if text is None:
        raise StillfitError(f"{path} is missing from this installation of stillfit: install it again")
    return text
