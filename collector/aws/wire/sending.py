"""What botocore's public events tell of each attempt of a call, for whoever counts them (spending/attempts.py).

And the one failure that no further attempt can mend: an address that is known not to exist, as in a region that does
not offer the service, is asked once a look instead of for seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError

from collector.aws.spending.attempts import current
from collector.aws.wire.failures import THROTTLED, is_nameless

_NEVER_ARRIVED = (ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError)
"""No connection came about, so no service has seen the request."""


def watch(client: Any) -> None:
    """Let the attempts of a boto3 client be counted, and none be made anew at an address that does not exist."""
    events = client.meta.events
    events.register("request-created", _begins)
    events.register("before-send", _leaves)
    events.register("response-received", _ends)
    events.register_first("needs-retry", _give_up)


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


def _give_up(caught_exception: Exception | None, **_: object) -> None:
    """Ends the call with what ended the attempt. A resolver that is down is tried again as ever."""
    if isinstance(caught_exception, EndpointConnectionError) and is_nameless(caught_exception):
        raise caught_exception


def is_refusal(response: Mapping[str, Any], parsed: Mapping[str, Any]) -> bool:
    """Whether a service says that it did not serve a request.

    A page of a proxy has no code of a service, and what fails inside the service may have failed after the work.
    """
    status, code = int(response["status_code"]), str(parsed.get("Error", {}).get("Code", ""))
    if status < 300 or code in {"", str(status)}:
        return False
    return status < 500 or code in THROTTLED
