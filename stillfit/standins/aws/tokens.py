"""Opaque paging tokens, bound to the caller, the operation and the request they came from."""

import hashlib
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import orjson

from stillfit.standins.aws.calls import Call, RefusedError

MAX_TOKENS = 1_000  # the oldest expire, as the service's tokens do


@dataclass(frozen=True, slots=True)
class _Issued:
    bound_to: tuple[str, ...]
    position: Any


class Tokens:
    def __init__(self) -> None:
        self._issued: OrderedDict[str, _Issued] = OrderedDict()
        self._lock = threading.Lock()

    def issue(self, call: Call, position: Any) -> str:
        """A token that brings `position` back when the same caller repeats the same request with it."""
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._issued[token] = _Issued(_binding(call), position)
            while len(self._issued) > MAX_TOKENS:
                self._issued.popitem(last=False)
        return token

    def redeem(self, call: Call, *, refusal: str, parameter: str = "NextToken") -> Any | None:
        """The position behind the request's token; None without one; `refusal` is the code for a bad one."""
        token = call.parameters.get(parameter)
        if token is None:
            return None
        with self._lock:
            issued = self._issued.get(token)
        if issued is None or issued.bound_to != _binding(call):
            raise RefusedError(refusal, "The token is not valid, has expired, or belongs to another request.")
        return issued.position


def _binding(call: Call) -> tuple[str, ...]:
    """What must not change from page to page. The page size may: it is not part of the question."""
    question = {name: value for name, value in call.parameters.items() if name not in _FREE}
    digest = hashlib.sha256(orjson.dumps(question, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return call.account, call.region, call.action, digest


_FREE = frozenset({"NextToken", "MaxResults", "MaxDatapoints", "PaginationToken", "ResourcesPerPage"})
