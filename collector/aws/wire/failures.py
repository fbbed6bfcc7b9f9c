"""What botocore's exceptions mean: a reason, whether trying again helps, and a sentence that says what to do next."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004  (botocore's own, not Python's)
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    InvalidConfigError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    SSOError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError

from stillfit.errors import SourceError
from stillfit.model import GapReason

POLICY = "deploy/aws/iam-policy.json"

EXPIRED = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException", "RequestExpired"}
)
"""Credentials that were good once: worth one fresh session (AWS common errors; DynamoDB and STS name them apart)."""
DENIED = frozenset(
    {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized", "OptInRequired"}
    | {"AuthorizationError", "InvalidAccessKeyId", "IncompleteSignature", "MissingAuthenticationToken"}
)
CLOCK = frozenset({"SignatureDoesNotMatch", "InvalidSignatureException", "RequestTimeTooSkewed", "InvalidSignature"})
THROTTLED = frozenset(
    {"Throttling", "ThrottlingException", "ThrottledException", "RequestLimitExceeded", "TooManyRequestsException"}
    | {"LimitExceededException", "ProvisionedThroughputExceededException", "RequestThrottled", "SlowDown"}
)
GONE = frozenset({"ResourceNotFoundException", "TableNotFoundException", "ClusterNotFoundFault"}) | frozenset(
    {"ParameterGroupNotFoundFault", "ServiceLinkedRoleNotFoundFault", "ExportNotFoundException", "NotFoundException"}
)
"""The service-linked role: an account that never had a DAX cluster lacks the one that DAX works under (DAX API
reference)."""
UNAVAILABLE = frozenset({"DataUnavailableException", "BillExpirationException"})
"""Cost Explorer has no data of the kind: nothing was bought, or the account has not opted in (its API reference)."""
_FORBIDS = re.compile(
    "(with an explicit deny in|because no) (?:an? )?"
    "((?:identity-based|resource-based|service control|resource control|session|VPC endpoint) policy"
    "|permissions boundary)"
)
"""What kind of policy refused, and how (IAM User Guide, "Troubleshoot access denied error messages")."""
_NOT_SWITCHED_ON = (
    "Cost Explorer is not switched on here: open it once in the console; in an organization its payer has to, and to "
    "let its members in"
)
_GRANTS = {"cassandra": "cassandra:Select"}
"""Services with one permission for all reads of settings (Keyspaces API reference, GetTable and its sisters)."""


class OutOfTimeError(Exception):
    """The whole of a call, its attempts included, took longer than a call may."""


CALL_ERRORS = (BotoCoreError, ClientError, ResponseParserError, OutOfTimeError)
"""All that a boto3 call raises: service refusals, what happens on the way, unreadable answers, and our own deadline."""

_NO_CREDENTIALS = (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError, ProfileNotFound)
_SIGN_IN = (SSOError, TokenRetrievalError)
_UNSENDABLE = "Invalid header value"
"""What Python's http.client says of a header with a line break; it quotes the header, and so the key or the token."""
_NO_SUCH_NAME = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})
_SIGNED_ADDRESS = re.compile(r"(?<=://)[^/@\s]+@")
"""The name and password of an address, such as a proxy's or an endpoint's."""


class GarbledError(Exception):
    """An answer came that is not what the service's own model promises."""


def amiss(error: Exception) -> str:
    """What of an answer is not as promised, in words: Python says of a field that is missing only its name."""
    if isinstance(error, KeyError):
        return f"the field {error.args[0]} is missing" if error.args else "a field is missing"
    return f"{type(error).__name__}: {error}"


class ExpiredError(SourceError):
    """The credentials are no longer taken; a fresh session may be."""


class NoCredentialsFoundError(SourceError):
    """There is nothing to sign in with."""


class GoneError(SourceError):
    """The service does not know the table (any more)."""


class NoEndpointError(SourceError):
    """There is no such address: the region does not offer the service, or its name is wrong."""


@contextmanager
def parsing() -> Iterator[None]:
    """Around a boto3 call: its parsers let Python's own errors through where an answer is not of the promised shape."""
    try:
        yield
    except CALL_ERRORS:
        raise  # some of botocore's are ValueErrors too
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise GarbledError(f"an answer of another shape: {amiss(error)}") from error


@contextmanager
def making() -> Iterator[None]:
    """Around the making of a client: botocore lets Python's own errors through where an address is none."""
    try:
        yield
    except CALL_ERRORS:
        raise  # some of botocore's are ValueErrors too
    except ValueError as error:
        raise InvalidConfigError(error_msg=str(error)) from error


def failure(error: Exception, *, action: str, about: str) -> SourceError:
    """One of CALL_ERRORS or a GarbledError as a SourceError that names the call, the thing and the next step."""
    if isinstance(error, ClientError):
        return _refused(error, f"{action} for {about}", action)
    kind, reason, sentence = _lost(error, f"{action} for {about}")
    return kind(sentence, reason=reason, retryable=reason is not GapReason.DENIED)


def is_throttle(status: int, body: bytes) -> bool:
    """Whether a raw answer says that we ask too much."""
    return status in {400, 429, 503} and any(word in body for word in (b"hrottl", b"RequestLimitExceeded"))


def _refused(error: ClientError, call: str, action: str) -> SourceError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in EXPIRED:
        sentence = f"{call} was refused, the credentials have expired ({code}): sign in again or renew the keys"
        return ExpiredError(sentence, reason=GapReason.DENIED, retryable=True)
    message = str(error.response.get("Error", {}).get("Message", ""))
    if code in DENIED:
        return _denied(f"{call} was refused ({code})", action, message)
    if code in CLOCK:
        next_step = _clock_or_secret(code, message)
        return SourceError(f"{call} was refused ({code}): {next_step}", reason=GapReason.DENIED, retryable=True)
    if code in GONE:
        sentence = f"{call} found nothing ({code}): it may just have been deleted, the next look tells"
        return GoneError(sentence, reason=GapReason.NO_DATA, retryable=True)
    if code in UNAVAILABLE:
        sentence = (
            f"{call} has no data ({code}): there is nothing of the kind, or Cost Explorer was not told to keep it"
        )
        return SourceError(sentence, reason=GapReason.NO_DATA, retryable=True)
    return _failing(code, status, call)


def _denied(call: str, action: str, message: str) -> SourceError:
    """Of the message only the kind of policy is told: it names accounts, roles and resources.

    Cost Explorer that was never switched on refuses with the code of a missing permission, whatever is granted ("User
    not enabled for cost explorer access": github.com/aws-samples/aws-cost-explorer-report, issue 15).
    """
    service = action.partition(":")[0]
    if service == "ce" and "cost explorer" in message and "authorized to perform" not in message:
        return SourceError(f"{call}: {_NOT_SWITCHED_ON}", reason=GapReason.NOT_CONFIGURED, retryable=True)
    grant = _GRANTS.get(service, action)
    how, kind = found.groups() if (found := _FORBIDS.search(message)) else ("", "")
    if not how or (how, kind) == ("because no", "identity-based policy"):
        return SourceError(f"{call}: grant {grant} ({POLICY})", reason=GapReason.DENIED, retryable=False)
    forbids = "does not allow it" if how == "because no" else "denies it"
    which = f"{'an' if kind[0] == 'i' else 'a'} {kind} {forbids}"
    return SourceError(f"{call}, {which}: grant {grant} there", reason=GapReason.DENIED, retryable=False)


def _clock_or_secret(code: str, message: str) -> str:
    """One code says two things; its message tells which (IAM User Guide, "Troubleshoot Signature Version 4")."""
    if code == "RequestTimeTooSkewed" or "expired" in message or "not yet current" in message:
        return "the clock of this machine is more than five minutes off, set it; the keys are not to blame"
    if "does not match" in message:
        return "the secret key does not fit the access key, or a proxy changes requests: check the secret key"
    return "set this machine's clock, and check the secret key if it is right"


def _failing(code: str, status: int, call: str) -> SourceError:
    if code in THROTTLED or status == 429:
        sentence = f"{call} was throttled ({code}): the next look asks again; ask AWS for a higher quota if it lasts"
        return SourceError(sentence, reason=GapReason.THROTTLED, retryable=True)
    if status >= 500:
        said = f"HTTP {status}, {code}" if code else f"HTTP {status}"
        sentence = f"{call} failed inside the service ({said}): the next look asks again"
        return SourceError(sentence, reason=GapReason.UNREACHABLE, retryable=True)
    if code in {"", str(status)}:  # botocore names no code: no service wrote this
        sentence = f"{call} got an answer that cannot be read (HTTP {status}): is there a proxy in between?"
        return SourceError(sentence, reason=GapReason.GARBLED, retryable=True)
    sentence = f"{call} was not understood (HTTP {status}, {code}): look it up in the API reference"
    return SourceError(sentence, reason=GapReason.UNSUPPORTED, retryable=False)


def _lost(error: Exception, call: str) -> tuple[type[SourceError], GapReason, str]:
    line = _first_line(str(error))
    if isinstance(error, _SIGN_IN):
        return ExpiredError, GapReason.DENIED, f"{call} has no valid sign-in ({line}): run `aws sso login`"
    if isinstance(error, _NO_CREDENTIALS):
        sentence = f"{call} has no usable credentials ({line}): set a profile, a role or AWS_ACCESS_KEY_ID"
        return NoCredentialsFoundError, GapReason.DENIED, sentence
    if _UNSENDABLE in str(error):
        sentence = f"{call} has no usable credentials (the access key or the session token has a line break in it)"
        return NoCredentialsFoundError, GapReason.DENIED, f"{sentence}: set it again without"
    if isinstance(error, (ConnectTimeoutError, ReadTimeoutError, OutOfTimeError)):
        return SourceError, GapReason.TIMEOUT, f"{call} got no answer in time ({line}): the next look asks again"
    if isinstance(error, EndpointConnectionError) and is_nameless(error):
        sentence = f"{call} found no address ({line}): the region may not offer the service; check the region and DNS"
        return NoEndpointError, GapReason.UNREACHABLE, sentence
    if isinstance(error, (ConnectionError, HTTPClientError)):
        sentence = f"{call} could not reach the service ({line}): check the network, the region and AWS_ENDPOINT_URL"
        return SourceError, GapReason.UNREACHABLE, sentence
    if isinstance(error, (ResponseParserError, GarbledError)):
        sentence = f"{call} got an answer that cannot be read ({line}): is there a proxy in between?"
        return SourceError, GapReason.GARBLED, sentence
    return SourceError, GapReason.UNREACHABLE, f"{call} could not be made ({line}): check region, profile and endpoint"


def is_nameless(error: EndpointConnectionError) -> bool:
    """Whether the name of the endpoint is known not to exist, which a resolver that is down does not say."""
    cause: object = error.kwargs.get("error")
    while isinstance(cause, BaseException):
        if isinstance(cause, socket.gaierror):
            return cause.errno in _NO_SUCH_NAME
        cause = cause.__cause__ or cause.__context__
    return False


def _first_line(text: str) -> str:
    """Kept short: an answer may be a whole page. No password of an address is in it."""
    return _SIGNED_ADDRESS.sub("", (text.splitlines() or [""])[0])[:200]
