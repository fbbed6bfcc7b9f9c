"""What may stand at a place of stillfit.yaml: a section with its keys, a list. Read off the models of config.py."""

from __future__ import annotations

from types import UnionType
from typing import Union, get_args, get_origin

from pydantic import BaseModel

from stillfit.config import Config
from stillfit.yamlfile import Place


def keys_at(place: Place) -> tuple[str, ...]:
    """The keys that are valid at a place of the file."""
    section = section_at(place)
    return tuple(section.model_fields) if section else ()


def section_at(place: Place) -> type[BaseModel] | None:
    """The section that a place of the file is; None where it is a plain value or unknown."""
    return _section(annotation_at(place))


def is_list(place: Place) -> bool:
    return get_origin(_present(annotation_at(place))) is tuple


def annotation_at(place: Place) -> object:
    """The type that a place must have; None where nothing is known of it."""
    here: object = Config
    for part in place:
        kind = _present(here)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            field = kind.model_fields.get(str(part))
            here = field.annotation if field else None
        elif get_origin(kind) in {tuple, dict}:
            here = get_args(kind)[0 if get_origin(kind) is tuple else 1]
        else:
            return None
    return here


def _section(annotation: object) -> type[BaseModel] | None:
    kind = _present(annotation)
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _present(annotation: object) -> object:
    """Slack for Slack | None; anything else as it is."""
    if get_origin(annotation) in {Union, UnionType}:
        kinds = [one for one in get_args(annotation) if one is not type(None)]
        return kinds[0] if len(kinds) == 1 else annotation
    return annotation
