"""Sentences: what, which and what next, for everything boto3 raises."""

import socket

import pytest
import urllib3.exceptions
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    InvalidRegionError,
    NoCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    UnauthorizedSSOTokenError,
)
from botocore.parsers import ResponseParserError

from collector.aws.wire.failures import (
    ExpiredError,
    GarbledError,
    GoneError,
    NoCredentialsFoundError,
    NoEndpointError,
    OutOfTimeError,
    amiss,
    failure,
    is_throttle,
    parsing,
)
from stillfit.errors import SourceError
from stillfit.model import GapReason


def refused(code: str, status: int = 400, message: str = "m") -> ClientError:
    answer = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "GetMetricData")  # type: ignore[arg-type]  # the part of an answer that counts


@pytest.mark.parametrize(
    ("code", "status", "reason", "retryable"),
    [
        ("AccessDeniedException", 400, GapReason.DENIED, False),
        ("ExpiredTokenException", 400, GapReason.DENIED, True),
        ("InvalidClientTokenId", 403, GapReason.DENIED, True),
        ("SignatureDoesNotMatch", 403, GapReason.DENIED, True),
        ("ThrottlingException", 400, GapReason.THROTTLED, True),
        ("SomethingElse", 429, GapReason.THROTTLED, True),
        ("InternalFailure", 500, GapReason.UNREACHABLE, True),
        ("ResourceNotFoundException", 400, GapReason.NO_DATA, True),
        ("ValidationException", 400, GapReason.UNSUPPORTED, False),
        ("403", 403, GapReason.GARBLED, True),
        ("503", 503, GapReason.UNREACHABLE, True),
    ],
)
def test_a_refusal_has_its_reason(code: str, status: int, reason: GapReason, retryable: bool) -> None:
    error = failure(refused(code, status), action="cloudwatch:GetMetricData", about="aws/1/r")

    assert (error.reason, error.retryable) == (reason, retryable)
    assert str(error).startswith("cloudwatch:GetMetricData for aws/1/r ")
    assert code in str(error)


@pytest.mark.parametrize(
    ("code", "message", "next_step"),
    [
        (
            "InvalidSignatureException",
            "Signature expired: 1 is now earlier than 2",
            "the clock of this machine is more",
        ),
        ("SignatureDoesNotMatch", "Signature not yet current: 1", "the keys are not to blame"),
        ("RequestTimeTooSkewed", "", "the clock of this machine is more"),
        ("SignatureDoesNotMatch", "The signature we calculated does not match yours", "check the secret key"),
        ("InvalidSignature", "no", "set this machine's clock, and check the secret key"),
    ],
)
def test_a_clock_that_is_off_is_told_from_a_wrong_secret(code: str, message: str, next_step: str) -> None:
    assert next_step in str(failure(refused(code, 403, message), action="a", about="b"))


DENIED = "User: arn:aws:sts::123456789012:assumed-role/r/s is not authorized to perform: dynamodb:ListTables "
LEAST = "(AccessDeniedException): grant dynamodb:ListTables (deploy/aws/iam-policy.json)"


@pytest.mark.parametrize(
    ("message", "next_step"),
    [
        ("", LEAST),
        (f"{DENIED}because no identity-based policy allows the dynamodb:ListTables action", LEAST),
        (
            f"{DENIED}with an explicit deny in an identity-based policy",
            "an identity-based policy denies it: grant dynamodb:ListTables there",
        ),
        (
            f"{DENIED}with an explicit deny in a service control policy: arn:aws:organizations::1:policy/o-1/p-1",
            "a service control policy denies it: grant dynamodb:ListTables there",
        ),
        (
            f"{DENIED}because no permissions boundary allows the dynamodb:ListTables action",
            "a permissions boundary does not allow it: grant dynamodb:ListTables there",
        ),
        (
            f"{DENIED}because no VPC endpoint policy allows the dynamodb:ListTables action",
            "a VPC endpoint policy does not allow it: grant dynamodb:ListTables there",
        ),
    ],
)
def test_a_denial_says_which_kind_of_policy_to_look_into(message: str, next_step: str) -> None:
    error = failure(refused("AccessDeniedException", message=message), action="dynamodb:ListTables", about="b")

    assert str(error).endswith(next_step)
    assert (error.reason, "arn:" in str(error)) == (GapReason.DENIED, False)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("User not enabled for cost explorer access", GapReason.NOT_CONFIGURED),
        ("Linked account doesn't have access to cost explorer.", GapReason.NOT_CONFIGURED),
        ("User: arn:aws:iam::1:user/cost explorer is not authorized to perform: ce:GetCostAndUsage", GapReason.DENIED),
    ],
)
def test_cost_explorer_that_is_not_switched_on_is_no_missing_permission(message: str, reason: GapReason) -> None:
    error = failure(refused("AccessDeniedException", message=message), action="ce:GetCostAndUsage", about="b")

    assert (error.reason, "grant ce:" in str(error)) == (reason, reason is GapReason.DENIED)


@pytest.mark.parametrize(
    ("error", "reason", "next_step"),
    [
        (NoCredentialsError(), GapReason.DENIED, "set a profile, a role or AWS_ACCESS_KEY_ID"),
        (ProfileNotFound(profile="ops"), GapReason.DENIED, "set a profile"),
        (UnauthorizedSSOTokenError(), GapReason.DENIED, "aws sso login"),
        (ConnectTimeoutError(endpoint_url="u"), GapReason.TIMEOUT, "the next look asks again"),
        (ReadTimeoutError(endpoint_url="u"), GapReason.TIMEOUT, "the next look asks again"),
        (OutOfTimeError("no whole answer in 60 s"), GapReason.TIMEOUT, "no whole answer in 60 s"),
        (EndpointConnectionError(endpoint_url="u"), GapReason.UNREACHABLE, "AWS_ENDPOINT_URL"),
        (InvalidRegionError(region_name="moon"), GapReason.UNREACHABLE, "check region"),
        (ResponseParserError("<html>\n<body>"), GapReason.GARBLED, "proxy"),
        (GarbledError("no Table in it"), GapReason.GARBLED, "no Table in it"),
    ],
)
def test_what_happens_on_the_way_has_its_reason_and_next_step(
    error: Exception, reason: GapReason, next_step: str
) -> None:
    told = failure(error, action="dynamodb:ListTables", about="aws/1/r")

    assert told.reason is reason
    assert next_step in str(told)
    assert "\n" not in str(told)


def test_kinds_that_callers_act_on_are_types() -> None:
    assert isinstance(failure(refused("ExpiredToken"), action="a", about="b"), ExpiredError)
    assert isinstance(failure(refused("ResourceNotFoundException"), action="a", about="b"), GoneError)


def test_a_whole_page_of_html_is_cut_to_a_line() -> None:
    assert len(str(failure(ResponseParserError("x" * 10_000), action="a", about="b"))) < 350


def test_a_token_with_a_line_break_is_not_quoted() -> None:
    broken = HTTPClientError(error=ValueError("Invalid header value b'IQoJb3JpZ2luX2VjE\\r'"))
    told = failure(broken, action="sts:GetCallerIdentity", about="region r")

    assert isinstance(told, NoCredentialsFoundError)
    assert "line break" in str(told)
    assert "IQoJb3" not in str(told)


@pytest.mark.parametrize(("number", "kind"), [(socket.EAI_NONAME, NoEndpointError), (socket.EAI_AGAIN, SourceError)])
def test_a_name_that_does_not_exist_is_told_from_a_resolver_that_is_down(number: int, kind: type[SourceError]) -> None:
    refused_name = urllib3.exceptions.NewConnectionError(None, "m")  # type: ignore[arg-type]  # as botocore meets it
    refused_name.__cause__ = socket.gaierror(number, "m")
    told = failure(EndpointConnectionError(endpoint_url="https://dax.r.x", error=refused_name), action="a", about="b")

    assert type(told) is kind
    assert (told.reason, told.retryable) == (GapReason.UNREACHABLE, True)


def test_the_password_of_an_address_is_not_quoted() -> None:
    lost = EndpointConnectionError(endpoint_url="https://ann:hunter2@proxy:3128/")

    assert '"https://proxy:3128/"' in str(failure(lost, action="a", about="b"))


def test_a_failure_without_a_code_is_told_by_its_status_alone() -> None:
    assert "(HTTP 503):" in str(failure(refused("", 503), action="a", about="b"))


@pytest.mark.parametrize("error", [ValueError(), TypeError(), UnicodeDecodeError("utf-8", b"", 0, 1, "")])
def test_pythons_own_errors_out_of_a_parser_are_garbled(error: Exception) -> None:
    with pytest.raises(GarbledError), parsing():
        raise error


def test_botocores_own_errors_pass_through_the_parser_guard() -> None:
    with pytest.raises(InvalidRegionError), parsing():
        raise InvalidRegionError(region_name="moon")


@pytest.mark.parametrize(
    ("status", "body", "throttled"),
    [
        (400, b'{"__type":"ThrottlingException"}', True),
        (400, b'{"__type":"Validation"}', False),
        (200, b"hrottl", False),
    ],
)
def test_a_throttle_is_seen_in_the_raw_answer(status: int, body: bytes, throttled: bool) -> None:
    assert is_throttle(status, body) is throttled


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KeyError("TableName"), "the field TableName is missing"),
        (KeyError(), "a field is missing"),
        (ValueError("no date"), "ValueError: no date"),
    ],
)
def test_what_is_amiss_in_an_answer_is_said_in_words(error: Exception, said: str) -> None:
    assert amiss(error) == said
