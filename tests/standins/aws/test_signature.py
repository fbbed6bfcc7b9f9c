"""Signatures are computed anew: the secret, the body, the headers, the day and the age all count."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from stillfit.standins.aws import World
from stillfit.standins.aws.dispatch import answer
from stillfit.standins.server import Request, Response
from tests.standins.aws.kit import PROTOCOLS, ask, query

Connect = Callable[..., Any]
KEY, SECRET = "AKIDSIGNED", "a secret of our own"


@pytest.fixture
def known(world: World) -> World:
    world.identities.add_key(KEY, secret=SECRET)
    return world


def code_of(call: Callable[..., Any], **parameters: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return str(refused.value.response["Error"]["Code"])


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.usefixtures("known")
def test_the_right_secret_is_taken_in_every_protocol(connect: Connect, protocol: str) -> None:
    client = connect("cloudwatch", access_key=KEY, secret=SECRET, protocol=protocol)

    assert ask(client, query("orders"))["MetricDataResults"][0]["StatusCode"] == "Complete"


@pytest.mark.usefixtures("known")
def test_a_wrong_secret_is_refused_with_each_services_code(connect: Connect) -> None:
    wrong = {"access_key": KEY, "secret": "guess"}

    assert code_of(connect("dynamodb", **wrong).list_tables) == "InvalidSignatureException"
    assert code_of(connect("cloudwatch", **wrong).list_metrics) == "SignatureDoesNotMatch"
    assert code_of(connect("sts", **wrong).get_caller_identity) == "SignatureDoesNotMatch"


def signed(url: str = "http://stand-in/", body: bytes = b"{}") -> Request:
    """A request as botocore signs it."""
    headers = {"X-Amz-Target": "DynamoDB_20120810.ListTables", "Content-Type": "application/x-amz-json-1.0"}
    made = AWSRequest(method="POST", url=url, data=body, headers={**headers, "Host": "stand-in"})
    SigV4Auth(Credentials(KEY, SECRET), "dynamodb", "eu-west-1").add_auth(made)
    lower = {name.lower(): value for name, value in made.headers.items()}
    path, _, asked = url.removeprefix("http://stand-in").partition("?")
    return Request(method="POST", path=path, query=asked, headers=lower, body=body)


def altered(request: Request, *, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Request:
    return Request(
        method=request.method,
        path=request.path,
        query=request.query,
        headers={**request.headers, **(headers or {})},
        body=request.body if body is None else body,
    )


def refusal(response: Response) -> bytes:
    return b"" if response.status == 200 else response.body


def test_an_untouched_request_is_served(known: World) -> None:
    assert answer(known, signed()).status == 200
    assert answer(known, signed("http://stand-in/?b=2&a=%2F")).status == 200


@pytest.mark.parametrize(
    "change",
    [
        {"body": b'{"Limit":1}'},
        {"headers": {"host": "elsewhere"}},
        {"headers": {"x-amz-target": "DynamoDB_20120810.X"}},
    ],
    ids=["body", "host", "operation"],
)
def test_an_altered_request_is_refused(known: World, change: dict[str, Any]) -> None:
    assert b"The request signature we calculated does not match" in refusal(answer(known, altered(signed(), **change)))


@pytest.mark.parametrize(("off_s", "said"), [(-300, b""), (300, b""), (-301, b"not yet current"), (301, b"expired")])
def test_a_clock_may_be_off_by_five_minutes(known: World, off_s: float, said: bytes) -> None:
    request = signed()
    signed_at = datetime.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    known.wall = lambda: signed_at.timestamp() + off_s
    told = refusal(answer(known, request))

    assert (said in told, bool(told)) == (True, bool(said))


@pytest.mark.parametrize(
    ("moment", "said"),
    [("", b"existence of an 'X-Amz-Date'"), ("yesterday", b"X-Amz-Date"), ("19990101T000000Z", b"Date in Credential")],
)
def test_a_date_that_is_none_or_another_days_is_refused(known: World, moment: str, said: bytes) -> None:
    assert said in refusal(answer(known, altered(signed(), headers={"x-amz-date": moment})))


def test_the_date_must_be_signed_too(known: World) -> None:
    request = signed()
    header = request.headers["authorization"].replace(";x-amz-date", "")

    assert b"must be signed headers" in refusal(answer(known, altered(request, headers={"authorization": header})))


def test_a_key_whose_secret_nobody_told_may_sign_with_any(connect: Connect) -> None:
    assert connect("dynamodb", access_key="AKIDNOBODY", secret="any").list_tables()["TableNames"] == []


@pytest.mark.parametrize(("age_s", "served"), [(99, True), (100, False)])
def test_a_key_can_be_made_to_expire(known: World, connect: Connect, clock: Any, age_s: int, served: bool) -> None:
    known.identities.expire_key(KEY, clock.at + 100)
    clock.at += age_s
    client = connect("dynamodb", access_key=KEY, secret=SECRET)

    assert served or code_of(client.list_tables) == "ExpiredTokenException"
    assert not served or client.list_tables()["TableNames"] == []
