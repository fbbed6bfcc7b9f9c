"""What botocore's public events tell of each attempt of a call, for whoever counts them (spending/attempts.py)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError

from collector.aws.spending.attempts import current
from collector.aws.wire.failures import THROTTLED

_NEVER_ARRIVED = (ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError)
"""No connection came about, so no service has seen the request."""


def watch(client: Any) -> None:
    """Let the attempts of a boto3 client be counted."""
    events = client.meta.events
    events.register("request-created", _begins)
    events.register("before-send", _leaves)
    events.register("response-received", _ends)


def _begins(**_: object) -> None:
    if (attempts := current()) is not None:
        attempts.begins()


def _leaves(**_: object) -> None:
    """Must return None: anything else would be taken for the answer."""
    if (attempts := current()) is not None:
        attempts.leaves()


def _ends(
    response_dict: Mapping[str, Any] | None,
    parsed_response: Mapping[str, Any] | None,
    exception: Exception | None,
    **_: object,
) -> None:
    """Not called for an answer that botocore cannot parse, which therefore stays lost."""
    attempts = current()
    if attempts is None:
        return
    if isinstance(exception, _NEVER_ARRIVED) or (response_dict and is_refusal(response_dict, parsed_response or {})):
        attempts.refused()


def is_refusal(response: Mapping[str, Any], parsed: Mapping[str, Any]) -> bool:
    """Whether a service says that it did not serve a request.

    A page of a proxy has no code of a service, and what fails inside the service may have failed after the work.
    """
    status, code = int(response["status_code"]), str(parsed.get("Error", {}).get("Code", ""))
    if status < 300 or code in {"", str(status)}:
        return False
    return status < 500 or code in THROTTLED
