"""One call of the Web API, read as Slack reads it: form, query or JSON; nested values as JSON text or as they are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from stillfit.standins.server import Request

NESTED = frozenset({"blocks", "attachments", "metadata"})


class RefusedError(Exception):
    """An answer with ok: false. `details` go beside `error`."""

    def __init__(self, error: str, **details: Any) -> None:
        super().__init__(error)
        self.error = error
        self.details = details


@dataclass(frozen=True, slots=True)
class Call:
    """A method with its arguments; `token` from wherever Slack accepts it."""

    method: str
    arguments: Mapping[str, Any]
    token: str
    warnings: tuple[str, ...] = ()

    def text(self, name: str) -> str:
        value = self.arguments.get(name, "")
        if not isinstance(value, str):
            raise RefusedError("invalid_arguments", response_metadata=_messages(f"must be a string: {name}"))
        return value

    def flag(self, name: str) -> bool:
        return str(self.arguments.get(name, "0")).lower() in {"1", "true"}

    def number(self, name: str, default: int, most: int) -> int:
        value = str(self.arguments.get(name, default))
        if not value.isdecimal() or not 1 <= int(value) <= most:
            raise RefusedError("invalid_limit")
        return int(value)

    def check(self, known: frozenset[str], required: frozenset[str]) -> None:
        """Refuse what the method does not have: a typing error must not look like success."""
        unknown = sorted(set(self.arguments) - known - required)
        missing = sorted(name for name in required if not self.arguments.get(name))
        wrong = [f"unsupported argument: {name}" for name in unknown] + [f"missing: {name}" for name in missing]
        if wrong:
            raise RefusedError("invalid_arguments", response_metadata=_messages(*wrong))


def read_call(method: str, request: Request) -> Call:
    arguments: dict[str, Any] = dict(parse_qsl(request.query, keep_blank_values=True))
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    warnings: tuple[str, ...] = ()
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
    if request.method != "POST":
        pass
    elif kind.strip() == "application/json":
        warnings = () if "charset" in parameters else ("missing_charset",)
        arguments |= _json_object(request.body)
        return Call(method, _unfolded(arguments), bearer, warnings)  # a token in a JSON body is not looked at
    elif kind.strip() == "application/x-www-form-urlencoded" or not request.body:
        arguments |= dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    else:
        raise RefusedError("invalid_post_type")
    token = arguments.pop("token", "")
    return Call(method, _unfolded(arguments), bearer or token, warnings)


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except ValueError as error:
        raise RefusedError("invalid_json") from error
    if not isinstance(value, dict):
        raise RefusedError("json_not_object")
    return value


def _unfolded(arguments: dict[str, Any]) -> dict[str, Any]:
    for name in NESTED & set(arguments):
        if isinstance(arguments[name], str):
            try:
                arguments[name] = json.loads(arguments[name])
            except ValueError as error:
                wrong = {"metadata": "invalid_metadata_format", "blocks": "invalid_blocks_format"}
                raise RefusedError(wrong.get(name, "invalid_attachments")) from error
    return arguments


def _messages(*texts: str) -> dict[str, list[str]]:
    return {"messages": [f"[ERROR] {text}" for text in texts]}
