"""What the answers of a store mean where they are not data: a reason, and a sentence that says what to do next."""

from __future__ import annotations

from typing import Any

import orjson

from stillfit.errors import SourceError
from stillfit.model import GapReason

_SHOWN = 200  # of the store's own words: enough for its sentence, too little for a page
_TOO_MUCH = ("too many", "exceed", "limit", "maximum resolution", "maxsamples", "too long")

_UNSENDABLE = "header value"
"""What HTTP libraries say of a header with a control character. They quote the header, which holds the token."""


class TooMuchError(SourceError):
    """The store refuses the size of a question: a shorter stretch of time may pass."""


def unreachable(store: str, error: Exception) -> SourceError:
    if _UNSENDABLE in str(error):
        sentence = f"{store}: its token has a character that no request can carry: write it anew"
        return SourceError(sentence, reason=GapReason.DENIED, retryable=False)
    sentence = f"{store}: no answer ({_line(str(error) or type(error).__name__)}): check its address and the network"
    return SourceError(sentence, reason=GapReason.UNREACHABLE, retryable=True)


def timed_out(store: str, seconds: float) -> SourceError:
    sentence = f"{store}: no whole answer within {seconds:.0f} s: the next look asks again"
    return SourceError(f"{sentence}; the setting `timeout` allows more", reason=GapReason.TIMEOUT, retryable=True)


def too_large(store: str, limit: int) -> TooMuchError:
    sentence = f"{store}: an answer was larger than {limit >> 20} MiB: a shorter stretch is asked for"
    return TooMuchError(sentence, reason=GapReason.PARTIAL, retryable=True)


def payload(store: str, status: int, body: bytes) -> dict[str, Any]:
    """The answer as JSON where the store says success. Raises SourceError with what else it is."""
    if status in {401, 403, 407} or 300 <= status < 400:
        raise _denied(store, status)
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        said = None
    if not isinstance(said, dict) or "status" not in said:
        raise _not_prometheus(store, status)
    if said["status"] != "success" or status != 200:
        raise _refused(store, status, said)
    return said


def garbled(store: str, error: Exception) -> SourceError:
    sentence = f"{store}: an answer of another shape than the Prometheus API promises ({_line(repr(error))})"
    return SourceError(f"{sentence}: is this its query address?", reason=GapReason.GARBLED, retryable=True)


def _denied(store: str, status: int) -> SourceError:
    where = "sent us on to another address" if status < 400 else "refused us"
    sentence = (
        f"{store}: {where} (HTTP {status}): give it a token, --token-file or token_file in the configuration, or "
    )
    return SourceError(f"{sentence}a username with its password_file there", reason=GapReason.DENIED, retryable=False)


def _not_prometheus(store: str, status: int) -> SourceError:
    if status == 429:
        return _throttled(store)
    if status >= 500:
        sentence = f"{store}: failed (HTTP {status}): the next look asks again"
        return SourceError(sentence, reason=GapReason.UNREACHABLE, retryable=True)
    if status == 404:
        sentence = f"{store}: has no Prometheus API there (HTTP 404): give the address below which api/v1/query answers"
        return SourceError(sentence, reason=GapReason.UNSUPPORTED, retryable=False)
    sentence = (
        f"{store}: answered with something other than JSON (HTTP {status}): is a sign-in page or proxy in between?"
    )
    return SourceError(sentence, reason=GapReason.GARBLED, retryable=True)


def _refused(store: str, status: int, said: dict[str, Any]) -> SourceError:
    """Error types: Prometheus HTTP API, "Format overview" (2.42): timeout, execution, bad_data, internal, ..."""
    kind, words = str(said.get("errorType", "")), _line(str(said.get("error", "")))
    if status == 429:
        return _throttled(store)
    if any(word in words.lower() for word in _TOO_MUCH):
        sentence = f"{store}: the question is too large for it ({words}): raise its query limits"
        return TooMuchError(sentence, reason=GapReason.PARTIAL, retryable=True)
    if kind in {"timeout", "canceled"} or status == 503:
        sentence = f"{store}: gave up on a question ({words}): the next look asks again"
        return SourceError(sentence, reason=GapReason.TIMEOUT, retryable=True)
    if status >= 500:
        sentence = f"{store}: failed (HTTP {status}, {words}): the next look asks again"
        return SourceError(sentence, reason=GapReason.UNREACHABLE, retryable=True)
    sentence = f"{store}: did not understand a question (HTTP {status}, {words}): is it Prometheus 2.26 or newer?"
    return SourceError(sentence, reason=GapReason.UNSUPPORTED, retryable=False)


def _throttled(store: str) -> SourceError:
    sentence = f"{store}: too many requests (HTTP 429): the next look asks again; read it more rarely if it lasts"
    return SourceError(sentence, reason=GapReason.THROTTLED, retryable=True)


def _line(text: str) -> str:
    return (text.splitlines() or [""])[0][:_SHOWN]
