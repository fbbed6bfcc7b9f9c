"""Clients for one account and region: whose credentials, how patient, and what their exceptions mean.

One botocore session serves all clients of a source. Its timestamps are left as the wire has them (`instant` reads
them), because one datetime a datapoint is most of what plain boto3 spends on GetMetricData. Whoever rotates keys or
signs in again needs no restart: credentials that are refused as expired are looked up anew, once a cycle.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar

import boto3
import botocore.session
from botocore import xform_name
from botocore.config import Config
from botocore.loaders import create_loader

from collector.aws.wire.breakers import Lost, Slow
from collector.aws.wire.deadline import Deadlines, hang_up
from collector.aws.wire.failures import CALL_ERRORS, ExpiredError, GarbledError, failure, making, parsing
from collector.aws.wire.instants import instant
from collector.aws.wire.lane import Lane
from collector.aws.wire.limiter import Limiter
from collector.aws.wire.promised import unlike
from collector.aws.wire.sending import watch
from collector.aws.wire.signing import Signing
from collector.aws.wire.target import AwsTarget, Patience
from stillfit.clock import Clock
from stillfit.errors import SourceError
from stillfit.model import GapReason

RENEW_BEFORE = timedelta(minutes=5)
"""An assumed role is assumed again this long before it ends (as botocore's own mandatory refresh, 10 min, half)."""
ROLE_LASTS_S = 3_600
"""An hour: the longest that a chained role may last (STS AssumeRole, role chaining)."""
ROLE_SESSION = "stillfit"
POOL = 50
"""Connections a client keeps; more than the threads of a source that use it."""
MAX_PAGES = 10_000
"""A listing that goes on for longer is a loop (ours: a million tables)."""

CALLS_PER_S = {
    "cloudwatch": 20.0,
    "dynamodb": 200.0,
    "dynamodb:DescribeContinuousBackups": 10.0,
    "dynamodb:DescribeTimeToLive": 25.0,
    "dynamodb:ListTagsOfResource": 10.0,
    "dynamodb:DescribeExport": 10.0,
    "dynamodb:ListBackups": 5.0,
    "application-autoscaling": 10.0,
    "keyspaces": 20.0,
    "dax": 10.0,
    "resourcegroupstaggingapi": 10.0,
    "service-quotas": 2.0,
    "kms": 10.0,
    "pricing": 5.0,
    "ce": 2.0,
    "account": 2.0,
    "sts": 10.0,
}
"""Of everything but metric data, per service, or per operation that has a limit of its own: ListMetrics may be called
25 times a second (CloudWatch quotas), three of DynamoDB 10, 10 and 5 times (API reference of each). DescribeTimeToLive
was answered 27 times a second on connections of its own (ALONE), and DescribeExport is throttled apart too (the same,
DDB-TABLE-445), so neither may slow what describes tables. The others publish no figure for reads of settings and
are asked modestly (ours)."""
ALONE = ("dynamodb.DescribeTimeToLive",)
"""Asked on a new connection each: on one that is kept the service throttles after four calls and lets one more pass
every two seconds, on new ones it never did (recorded by ack-api-quirks in October 2026, DDB-TABLE-403)."""
_IAM_PREFIXES = {"keyspaces": "cassandra", "resourcegroupstaggingapi": "tag", "service-quotas": "servicequotas"}
"""Where the prefix of a service's actions is not botocore's name of it (Service Authorization Reference)."""

_T = TypeVar("_T")


class Clients:
    """The clients of one set of credentials; each is made when first used."""

    def __init__(
        self, session: boto3.Session, target: AwsTarget, patience: Patience, limiter: Limiter, deadlines: Deadlines
    ) -> None:
        self.session = session
        self._target = target
        self._patience = patience
        self._limiter = limiter
        self._deadlines = deadlines
        self._made: dict[str, Any] = {}
        self._lock = threading.RLock()

    def client(self, service: str) -> Any:
        """A boto3 client; making one is slow and not thread-safe, using one is neither."""
        with self._lock:
            if service not in self._made:
                with making():
                    self._made[service] = self.session.client(
                        service,
                        region_name=self._target.region,
                        endpoint_url=self._target.endpoint_url,
                        config=_config(self._patience, validate=service != "cloudwatch"),
                    )
                self._deadlines.watch(self._made[service])
                watch(self._made[service])
                for operation in ALONE:
                    self._made[service].meta.events.register(f"before-send.{operation}", _not_kept)
            return self._made[service]

    @property
    def lane(self) -> Lane:
        """The CloudWatch client for metric data."""
        with self._lock:
            if "lane" not in self._made:
                limiter, timed = self._limiter, self._deadlines.call
                self._made["lane"] = Lane(
                    self.client("cloudwatch"), on_throttle=limiter.complained, on_failure=limiter.failed, timed=timed
                )
            lane: Lane = self._made["lane"]
            return lane

    def close(self) -> None:
        with self._lock:
            for name, client in self._made.items():
                if name != "lane":
                    hang_up(client)
            self._made.clear()


class Connection:
    """How everything here reaches AWS. Thread-safe; every failure is a SourceError with a sentence."""

    def __init__(self, target: AwsTarget, clock: Clock, limiter: Limiter, patience: Patience) -> None:
        self._target = target
        self._clock = clock
        self._limiter = limiter
        self._patience = patience
        self._deadlines = Deadlines(patience.whole_s)
        self._signing = Signing(patience.whole_s)
        self._refused: SourceError | None = None
        self._refused_at = float("-inf")
        """When nobody could be signed in, and why: whoever stood in line meanwhile is told the same."""
        self._lost = Lost()
        self._slow = Slow(patience.slow_s, patience.waited_s)
        self._paces = {service: Limiter(clock, calls_per_s=rate) for service, rate in CALLS_PER_S.items()}
        self._lock = threading.RLock()
        self._clients: Clients | None = None
        self._ends: datetime | None = None
        self._may_renew = True
        self._calls: Counter[str] = Counter()
        self._retired: list[Clients] = []
        """Clients of refused credentials: other threads may still be in the middle of a call."""

    def join(self, other: Connection) -> None:
        """Call no more often than both may together: these are of the same account and region."""
        for service, pace in self._paces.items():
            pace.join(other._paces[service])

    def begin_cycle(self) -> None:
        """Expired credentials may be renewed once more, and what was given up is tried again."""
        self._may_renew = True
        self._lost.forget()
        self._slow.forget()

    def call(self, service: str, operation: str, about: str, *, expect: str, **parameters: Any) -> dict[str, Any]:
        """One call of an ordinary operation. `expect` is what an answer must have: an HTML page parses as nothing."""

        def attempt(clients: Clients) -> dict[str, Any]:
            self._pace(service, operation).wait()
            with self._lock:
                self._calls[self.action(service, operation)] += 1
            client = clients.client(service)
            with parsing(), self._slow.waiting(), self._deadlines.call():
                answer: dict[str, Any] = getattr(client, xform_name(operation))(**parameters)
            if expect not in answer:
                raise GarbledError(f"no {expect} in it")
            wrong = unlike(answer, client.meta.service_model.operation_model(operation).output_shape)
            if wrong:
                raise GarbledError(f"an answer of another shape: it{wrong}")
            return answer

        action = self.action(service, operation)
        self._slow.give_up(action, about)
        try:
            with self._lost.asking(action):
                answer = self.guarded(attempt, action=action, about=about)
        except SourceError as error:
            if error.reason is GapReason.THROTTLED:
                self._pace(service, operation).complained()
            raise
        self._pace(service, operation).answered()
        return answer

    def pages(
        self, service: str, operation: str, about: str, *, expect: str, tokens: tuple[str, str], **parameters: Any
    ) -> Iterator[list[Any]]:
        """The `expect` list of each page. `tokens` names the answer's token and the parameter that takes it.

        A token that repeats is a loop, and a listing with a loop is not whole: SourceError.
        """
        told, taken = tokens
        more: dict[str, Any] = {}
        seen: set[str] = set()
        while len(seen) < MAX_PAGES:
            answer = self.call(service, operation, about, expect=expect, **parameters, **more)
            yield answer[expect]
            if not answer.get(told):
                return
            if answer[told] in seen:
                break
            seen.add(answer[told])
            more = {taken: answer[told]}
        error = GarbledError("the list goes round in circles, its token repeats")
        raise failure(error, action=self.action(service, operation), about=about) from error

    def action(self, service: str, operation: str) -> str:
        """The permission that a call needs, by the name that botocore gives its service."""
        return f"{_IAM_PREFIXES.get(service, service)}:{operation}"

    def _pace(self, service: str, operation: str) -> Limiter:
        return self._paces.get(f"{service}:{operation}") or self._paces[service]

    def guarded(self, attempt: Callable[[Clients], _T], *, action: str, about: str) -> _T:
        """Run `attempt`; when the credentials have expired, once more with fresh ones."""
        clients = self._current(action, about)
        try:
            return attempt(clients)
        except (*CALL_ERRORS, GarbledError) as error:
            failed = failure(error, action=action, about=about)
            if not (isinstance(failed, ExpiredError) and self._renewed(clients)):
                raise failed from error
        try:
            return attempt(self._current(action, about))
        except (*CALL_ERRORS, GarbledError) as error:
            raise failure(error, action=action, about=about) from error

    @property
    def calls(self) -> dict[str, int]:
        """Calls of ordinary operations so far, by action; what botocore tried again by itself counts once."""
        with self._lock:
            return dict(self._calls)

    def stop(self) -> None:
        """Let no further call wait for its turn, and end those under way."""
        for pace in self._paces.values():
            pace.stop()
        self._signing.stop()
        self._deadlines.stop()

    def close(self) -> None:
        with self._lock:
            self._retire()
            for clients in self._retired:
                clients.close()
            self._retired.clear()
        self._deadlines.close()

    def _retire(self) -> None:
        if self._clients is not None:
            self._retired.append(self._clients)
        self._clients = None

    def _current(self, action: str, about: str) -> Clients:
        """Clients that can sign. One thread at a time finds out; those that stood in line do not try the same again."""
        asked = time.monotonic()
        with self._lock:
            if self._refused is not None and self._refused_at >= asked:
                raise self._refused
            if self._ends is not None and self._clock.now() >= self._ends - RENEW_BEFORE:
                self._retire()
            try:
                if self._clients is None:
                    made = (self._target, self._patience, self._limiter, self._deadlines)
                    self._clients = Clients(self._session(), *made)
                self._signing.ready(self._clients.session)
            except (*CALL_ERRORS, GarbledError) as error:
                self._refused = failure(error, action=self._signing_in(action), about=about)
                self._refused_at = time.monotonic()
                raise self._refused from error
            return self._clients

    def _renewed(self, refused: Clients) -> bool:
        """Drop refused credentials; True when there may be fresh ones. Another thread may have been faster."""
        with self._lock:
            if self._clients is not refused:
                return True
            if not self._may_renew:
                return False
            self._may_renew = False
            self._retire()
            return True

    def _session(self) -> boto3.Session:
        own = self._signing.unfinished or boto3.Session(
            botocore_session=_raw_session(self._target.profile, self._patience), region_name=self._target.region
        )
        self._ends = None
        if not self._target.role_arn:
            return own
        self._signing.ready(own)
        return self._assumed(own)

    def _assumed(self, own: boto3.Session) -> boto3.Session:
        """A session with the role's keys. They are ours to renew: boto3 does so for roles of profiles only."""
        with making():
            sts = own.client(
                "sts", endpoint_url=self._target.endpoint_url, config=_config(self._patience, validate=True)
            )
        self._deadlines.watch(sts)
        external = {"ExternalId": self._target.external_id} if self._target.external_id else {}
        with parsing(), self._deadlines.call():
            keys = sts.assume_role(
                RoleArn=self._target.role_arn, RoleSessionName=ROLE_SESSION, DurationSeconds=ROLE_LASTS_S, **external
            )["Credentials"]
            self._ends = instant(keys["Expiration"])
        hang_up(sts)
        return boto3.Session(
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
            botocore_session=_raw_session(None, self._patience),
            region_name=self._target.region,
        )

    def _signing_in(self, action: str) -> str:
        return f"sts:AssumeRole of {self._target.role_arn}" if self._target.role_arn else action


def account_of(connection: Connection, target: AwsTarget) -> str:
    """The account that the credentials belong to. Raises SourceError when `target` names another one."""
    answer = connection.call("sts", "GetCallerIdentity", f"region {target.region}", expect="Account")
    account = str(answer["Account"])
    if target.account not in {None, account}:
        whose = f"profile {target.profile!r}" if target.profile else "the credentials found"
        message = f"aws: {whose} belong to account {account}, not {target.account}: correct `account`, or sign in there"
        raise SourceError(message, reason=GapReason.DENIED, retryable=False)
    return account


def region_of(profile: str | None) -> str | None:
    """The region that a profile or the environment names. Raises SourceError where there is no such profile."""
    try:
        told = botocore.session.Session(profile=profile).get_config_variable("region")
    except CALL_ERRORS as error:
        raise failure(error, action="reading the configuration", about=f"profile {profile!r}") from error
    return str(told) if told else os.environ.get("AWS_REGION") or None  # botocore knows AWS_DEFAULT_REGION only


_MODELS = create_loader()
"""The service models, parsed once for all sources: without it each session reads them from disk anew."""


def _raw_session(profile: str | None, patience: Patience) -> botocore.session.Session:
    """The clients by which it signs in by itself (roles of profiles, SSO) wait no longer than ours."""
    session = botocore.session.Session(profile=profile)
    session.set_default_client_config(_config(patience, validate=True))
    session.register_component("data_loader", _MODELS)
    factory = session.get_component("response_parser_factory")
    factory.set_parser_defaults(timestamp_parser=lambda value: value)
    return session


@lru_cache(maxsize=1)
def _agent() -> str:
    """Who is calling; left to itself, botocore works a longer one out anew twice for each attempt."""
    return f"{botocore.session.Session().user_agent()} stillfit"


def _not_kept(request: Any, **_: object) -> None:
    """After signing: the header is no part of what is signed."""
    request.headers["Connection"] = "close"


def _config(patience: Patience, *, validate: bool) -> Config:
    return Config(
        connect_timeout=patience.connect_s,
        read_timeout=patience.read_s,
        retries={"mode": "standard", "total_max_attempts": patience.attempts},
        max_pool_connections=POOL,
        parameter_validation=validate,
        user_agent=_agent(),
    )
