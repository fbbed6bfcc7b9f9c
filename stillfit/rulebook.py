"""Reads rule files: those of the package, and those in folders that an operator adds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path

from stillfit.errors import ConfigError
from stillfit.rules.loader import load_rules
from stillfit.rules.rule import Rule


def packaged_rules(detectors: Mapping[str, frozenset[str]] | None = None) -> tuple[Rule, ...]:
    """The rules that stillfit comes with. `detectors`: their causes, to check the rules' names against."""
    return load_rules(packaged_texts(), detectors)


def packaged_texts() -> dict[str, str]:
    """The packaged rule files by name."""
    folder = files("stillfit.rules")
    return {
        f"stillfit/rules/{entry.name}": entry.read_text(encoding="utf-8")
        for entry in folder.iterdir()
        if entry.name.endswith(".yaml")
    }


def read_folders(folders: Iterable[Path]) -> dict[str, str]:
    """Rule files in folders by path. Raises ConfigError where one cannot be read."""
    texts: dict[str, str] = {}
    mistakes: list[str] = []
    for folder in folders:
        if not folder.is_dir():
            mistakes.append(f"{folder}:1: file: is no folder that can be read; name one that holds rule files")
            continue
        for path in sorted(folder.glob("*.yaml")):
            try:
                texts[str(path)] = path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
                mistakes.append(f"{path}:1: file: cannot be read: {reason}; mend it or move it away")
    if mistakes:
        raise ConfigError(tuple(mistakes))
    return texts
