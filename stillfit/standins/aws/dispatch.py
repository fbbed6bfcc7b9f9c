"""From an HTTP request to a service's answer: protocol, signature, faults, quotas, checks, operation, and the way back.

Adding an operation is one function in its service's module and one line in that module's OPERATIONS.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from email.utils import formatdate
from typing import Any

from botocore.model import OperationModel

from stillfit.standins.aws import (
    account,
    cloudwatch,
    cost_explorer,
    dax,
    dynamodb,
    iam,
    keyspaces,
    kms,
    price_files,
    pricing,
    scaling,
    service_quotas,
    sts,
    tagging,
)
from stillfit.standins.aws.call_faults import refuse_or_wait, travelling, unsent
from stillfit.standins.aws.calls import Answer, Call, RefusedError, not_modelled
from stillfit.standins.aws.identities import Identity
from stillfit.standins.aws.policies import UNDENIABLE, resource_of
from stillfit.standins.aws.result_faults import no_numbers
from stillfit.standins.aws.services import (
    ACCOUNT,
    CLOUDWATCH,
    COSTS,
    DAX,
    DYNAMODB,
    IAM,
    KEYSPACES,
    KMS,
    PRICING,
    QUOTAS,
    SCALING,
    STS,
    TAGGING,
    Service,
    answer_check,
    by_path,
    by_signing_name,
    by_target,
    request_check,
)
from stillfit.standins.aws.shapes import Complaints
from stillfit.standins.aws.signature import check_age, check_signature, scope_of
from stillfit.standins.aws.wire import RefusalForm, Wire
from stillfit.standins.aws.wire_cbor import CBOR
from stillfit.standins.aws.wire_json import JSON_1_0, JSON_1_1, REST_JSON
from stillfit.standins.aws.wire_query import QUERY, fields
from stillfit.standins.aws.world import World
from stillfit.standins.server import Request, Response

Operation = Callable[[World, Call], Answer]

OPERATIONS: Mapping[str, Mapping[str, Operation]] = {
    CLOUDWATCH.name: cloudwatch.OPERATIONS,
    DYNAMODB.name: dynamodb.OPERATIONS,
    SCALING.name: scaling.OPERATIONS,
    TAGGING.name: tagging.OPERATIONS,
    IAM.name: iam.OPERATIONS,
    STS.name: sts.OPERATIONS,
    KEYSPACES.name: keyspaces.OPERATIONS,
    DAX.name: dax.OPERATIONS,
    QUOTAS.name: service_quotas.OPERATIONS,
    KMS.name: kms.OPERATIONS,
    PRICING.name: pricing.OPERATIONS,
    COSTS.name: cost_explorer.OPERATIONS,
    ACCOUNT.name: account.OPERATIONS,
}


class MisshapenAnswerError(Exception):
    """The stand-in's own answer breaks the service model: a defect of the stand-in, never to be served."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a request is addressed to, before anything in it was believed."""

    service: Service
    operation: str
    wire: Wire
    version: str | None = None


def answer(world: World, request: Request) -> Response:
    if request.path.startswith(price_files.ROOT):
        return price_files.answer(world, request)
    request_id = str(uuid.uuid4())
    target = _target_of(request)
    if target is None:
        return Response(status=404, body=b'{"__type":"UnknownOperationException"}')
    try:
        return _answered(world, request, target, request_id)
    except RefusedError as error:
        return _refused(world, request, target, error, request_id)


def _target_of(request: Request) -> Target | None:
    parts = request.path.strip("/").split("/")
    if request.headers.get("smithy-protocol") == "rpc-v2-cbor":
        if len(parts) != 4 or (parts[0], parts[2]) != ("service", "operation"):
            return None
        return _target(by_target(parts[1]), parts[3], CBOR)
    if "x-amz-target" in request.headers:
        prefix, _, operation = request.headers["x-amz-target"].rpartition(".")
        wire = JSON_1_1 if request.headers.get("content-type", "").startswith(JSON_1_1.content_type) else JSON_1_0
        return _target(by_target(prefix), operation, wire)
    addressed = by_path(request.path) if request.method == "POST" else None
    if addressed is not None:
        return Target(service=addressed[0], operation=addressed[1], wire=REST_JSON)
    return _query_target(request)


def _target(service: Service | None, operation: str, wire: Wire) -> Target | None:
    return None if service is None else Target(service=service, operation=operation, wire=wire)


def _query_target(request: Request) -> Target | None:
    """The query protocol names no service: the signature's scope does."""
    try:
        form, service = fields(request.body), by_signing_name(scope_of(request).service)
    except RefusedError:
        return None
    if service is None or not service.speaks_query or "Action" not in form:
        return None
    return Target(service=service, operation=form["Action"], wire=QUERY, version=form.get("Version"))


def _answered(world: World, request: Request, target: Target, request_id: str) -> Response:
    call, identity = _call(world, request, target)
    model = _model(target)
    try:
        lost = unsent(world, call)
        if lost is not None:
            return lost
        refuse_or_wait(world, call)
        world.quotas.spend_call(call)
        call = replace(call, parameters=_parameters(request, target, model))
        _authorize(identity, call)
        body = _body(world, call, (target, model), request_id)
    except RefusedError:
        world.bill.turned_away(call)
        raise
    world.bill.served(call)
    return travelling(world, call, Response(headers=_headers(world, target, request_id), body=body))


def _call(world: World, request: Request, target: Target) -> tuple[Call, Identity]:
    """The call, and who was proven to make it."""
    scope = scope_of(request)
    if scope.service != target.service.signing:
        scoped = f"Credential should be scoped to correct service: '{target.service.signing}'."
        raise RefusedError("InvalidSignatureException", scoped)
    at = world.now()
    identity = world.identities.find(scope.access_key, scope.session_token, at)
    if not world.regions.is_enabled(identity.account, scope.region):
        raise RefusedError("UnrecognizedClientException", "The security token included in the request is invalid.")
    check_age(request, scope, world.wall())
    if identity.secret is not None:
        check_signature(request, scope, identity.secret)
    call = Call(
        service=target.service.name,
        operation=target.operation,
        account=identity.account,
        region=scope.region,
        arn=identity.arn,
        user_id=identity.user_id,
        at=at,
        parameters={},
        client_port=request.client_port,
    )
    return call, identity


def _authorize(identity: Identity, call: Call) -> None:
    if identity.policy is not None and call.action not in UNDENIABLE:
        identity.policy.check(call, resource_of(call))


def _model(target: Target) -> OperationModel:
    """The operation's model; refuses what the service does not know, and says so when only the stand-in does not."""
    model = target.service.operation(target.operation)
    if model is None or target.version not in (None, target.service.version):
        version = target.version or target.service.version
        raise RefusedError(
            "UnknownOperationException", f"Could not find operation {target.operation} for version {version}."
        )
    if target.operation not in OPERATIONS[target.service.name]:
        raise not_modelled(f"{target.service.name}:{target.operation}")
    return model


def _parameters(request: Request, target: Target, model: OperationModel) -> dict[str, Any]:
    parameters = target.wire.parameters(request.body, model.input_shape)
    complaints = Complaints()
    if model.input_shape is not None:
        request_check(target.service, model.input_shape.name)(parameters, "", complaints)
    if complaints:
        code = "SerializationException" if complaints.types else "ValidationException"
        raise RefusedError(code, complaints.text())
    return {name: value for name, value in parameters.items() if value is not None}


def _body(world: World, call: Call, served: tuple[Target, OperationModel], request_id: str) -> bytes:
    target, model = served
    for hook in tuple(world.before_call):
        hook(call)
    result = OPERATIONS[target.service.name][target.operation](world, call)
    complaints = Complaints()
    if model.output_shape is not None:
        answer_check(target.service, model.output_shape.name)(result, "", complaints)
    if complaints:
        raise MisshapenAnswerError(f"{call.action}: {complaints.text()}")
    return target.wire.answer(model, no_numbers(world, call, result), request_id)


def _refused(world: World, request: Request, target: Target, error: RefusedError, request_id: str) -> Response:
    form = RefusalForm.of(target.service, error)
    headers = _headers(world, target, request_id)
    if target.wire is REST_JSON:
        headers["x-amzn-ErrorType"] = form.shape
    if target.service.speaks_query and request.headers.get("x-amzn-query-mode") == "true":
        headers["x-amzn-query-error"] = f"{form.code};{'Sender' if form.sender else 'Receiver'}"
    return Response(status=form.status, headers=headers, body=target.wire.refusal(target.service, form, request_id))


def _headers(world: World, target: Target, request_id: str) -> dict[str, str]:
    sent_at = formatdate(world.now(), usegmt=True)
    headers = {"x-amzn-RequestId": request_id, "Content-Type": target.wire.content_type, "Date": sent_at}
    return {**headers, "smithy-protocol": "rpc-v2-cbor"} if target.wire is CBOR else headers
