"""One HTTP exchange as a sink needs it: no redirects, a deadline, a bounded answer, and errors that hide the address.

The opener of urllib alone would follow a redirect and take the token along to wherever it leads.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    UnknownHandler,
)

from stillfit.errors import DeliveryError

TIMEOUT_S = 10.0
MAX_ANSWER = 4 * 1024 * 1024
"""A page of 100 messages of 13,000 characters and their metadata is well below."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: str


_HANDLERS = (UnknownHandler, HTTPHandler, HTTPSHandler, HTTPDefaultErrorHandler, HTTPErrorProcessor)
"""Those of `build_opener` without the one that follows redirects, files and FTP."""


def exchange(request: Request, *, timeout_s: float = TIMEOUT_S) -> Answer:
    """Send and read. Raises OSError or HTTPException as urllib does, but never follows a redirect."""
    opener = OpenerDirector()
    for handler in (ProxyHandler({} if _is_here(request) else None), *(kind() for kind in _HANDLERS)):
        opener.add_handler(handler)
    ends = time.monotonic() + timeout_s
    try:
        response = opener.open(request, timeout=timeout_s)
    except HTTPError as error:
        with error:
            return Answer(error.code, _lower(error.headers.items()), _read(error, ends))
    with response:
        return Answer(response.status, _lower(response.headers.items()), _read(response, ends))


@contextmanager
def delivery_errors(what: str) -> Iterator[None]:
    """Turn what the network does into DeliveryError. `what` names the call; the address and the token stay unsaid."""
    try:
        yield
    except (OSError, HTTPException, UnicodeError) as error:
        reason = error.reason if isinstance(error, URLError) else error
        why = f"{what}: {_said(reason)}"
        raise DeliveryError(why, permanent=False, unknown_outcome=not _never_sent(reason)) from None
    except ValueError:
        raise DeliveryError(f"{what}: its address or token cannot be used: check it", permanent=True) from None


def retry_after(headers: Mapping[str, str], default: float = 30.0) -> float:
    """Seconds by the Retry-After header; Slack always gives whole seconds."""
    value = headers.get("retry-after", "")
    return float(value) if value.isdecimal() else default


def _read(response: HTTPResponse | HTTPError, ends: float) -> str:
    """The body, unless it is endless or comes drop by drop."""
    parts, size = [], 0
    read: Callable[[int], bytes] = response.read1 if hasattr(response, "read1") else response.read
    while part := read(65_536):
        parts.append(part)
        size += len(part)
        if size > MAX_ANSWER:
            raise HTTPException(f"the answer is longer than {MAX_ANSWER} bytes")
        if time.monotonic() > ends:
            raise TimeoutError("the answer did not end in time")
    return b"".join(parts).decode("utf-8")


def _never_sent(reason: object) -> bool:
    """Failures from before the first byte of the request: nothing can have been shown."""
    return isinstance(reason, ConnectionRefusedError | socket.gaierror | ssl.SSLCertVerificationError)


def _said(reason: object) -> str:
    """The kind of failure and the system's own words for it; never a URL, which may be a secret."""
    words = getattr(reason, "strerror", None)
    kind = type(reason).__name__
    return f"{kind} ({words})" if isinstance(words, str) else kind


def _is_here(request: Request) -> bool:
    """This machine is never behind a proxy."""
    host = urlsplit(request.full_url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _lower(headers: Iterator[tuple[str, str]] | list[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}
