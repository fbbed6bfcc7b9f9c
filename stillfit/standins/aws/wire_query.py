"""The AWS query protocol: form fields in, XML out."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

import numpy as np
from botocore.model import ListShape, OperationModel, Shape, StructureShape

from stillfit.standins.aws.calls import Answer
from stillfit.standins.aws.services import Service
from stillfit.standins.aws.wire import RefusalForm, Wire, malformed, spelt

_ENVELOPE = frozenset({"Action", "Version"})
Tree = dict[str, Any]  # a field name split at its dots: {"Dimensions": {"member": {"1": {"Name": "TableName"}}}}


def fields(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(body), errors="strict")
    except ValueError as error:
        raise malformed(f"The request body is no form: {error}") from error
    if len(pairs) != len(dict(pairs)):
        raise malformed("A form field was given twice.")
    return dict(pairs)


def _parameters(body: bytes, shape: Shape | None) -> dict[str, Any]:
    tree: Tree = {}
    for name, value in fields(body).items():
        if name not in _ENVELOPE:
            _plant(tree, name, value)
    if shape is None:
        if tree:
            raise malformed(f"Unknown parameter: {next(iter(tree))}")
        return {}
    read: dict[str, Any] = _read(shape, tree, "request")
    return read


def _plant(tree: Tree, name: str, value: str) -> None:
    *branches, leaf = name.split(".")
    for branch in branches:
        tree = tree.setdefault(branch, {})
        if not isinstance(tree, dict):
            raise malformed(f"The field {name} is both a value and a structure.")
    if leaf in tree:
        raise malformed(f"The field {name} is both a value and a structure.")
    tree[leaf] = value


def _read(shape: Shape, node: Tree | str, path: str) -> Any:
    """The node as the shape means it; unknown members stay in, under their names, for the check to refuse."""
    match shape:
        case StructureShape():
            inside = _branch(node, path)
            return {
                name: _read(shape.members[name], item, name) if name in shape.members else item
                for name, item in inside.items()
            }
        case ListShape():
            return [_read(shape.member, item, path) for item in _numbered(_branch(node, path), path)]
    if isinstance(node, dict):
        raise malformed(f"Unexpected structure at {path}.")
    return _scalar(shape.type_name, node, path)


def _branch(node: Tree | str, path: str) -> Tree:
    if node == "":  # botocore sends an empty list as "Name="
        return {}
    if isinstance(node, str):
        raise malformed(f"Unexpected value at {path}.")
    return node


def _numbered(node: Tree, path: str) -> list[Any]:
    unknown = set(node) - {"member"}
    if unknown:
        raise malformed(f"Unknown parameter: {path}.{min(unknown)}")
    items = _branch(node.get("member", ""), path)
    wanted = [str(number) for number in range(1, len(items) + 1)]
    if set(items) != set(wanted):
        raise malformed(f"The members of {path} are not numbered from 1 without a gap.")
    return [items[number] for number in wanted]


def _scalar(kind: str, text: str, path: str) -> Any:
    try:
        match kind:
            case "integer" | "long":
                return int(text)
            case "float" | "double":
                return float(text)
            case "boolean":
                return {"true": True, "false": False}[text.lower()]
            case "timestamp":
                return _moment(text).timestamp()
    except (ValueError, KeyError) as error:
        raise malformed(f"The value {text} for parameter {path} is no {kind}.") from error
    return text


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _answer(operation: OperationModel, answer: Answer, request_id: str) -> bytes:
    name, shape = operation.name, operation.output_shape
    namespace = operation.service_model.metadata.get("xmlNamespace", "")
    inside = "" if shape is None else _written(shape, answer)
    result = f"<{name}Result>{inside}</{name}Result>"
    metadata = f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
    return f'<{name}Response xmlns="{namespace}">{result}{metadata}</{name}Response>'.encode()


def _refusal(service: Service, form: RefusalForm, request_id: str) -> bytes:
    kind = "Sender" if form.sender else "Receiver"
    error = f"<Error><Type>{kind}</Type><Code>{form.code}</Code><Message>{_text(form.message)}</Message></Error>"
    tail = f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    return f'<ErrorResponse xmlns="{service.xml_namespace}">{error}{tail}'.encode()


def _written(shape: Shape, value: Any) -> str:
    match shape:
        case StructureShape():
            parts = (f"<{name}>{_written(shape.members[name], item)}</{name}>" for name, item in value.items())
            return "".join(parts)
        case ListShape():
            return _written_list(shape, value)
    match shape.type_name:
        case "boolean":
            return "true" if value else "false"
        case "timestamp":
            return datetime.fromtimestamp(value, UTC).isoformat().replace("+00:00", "Z")
        case "float" | "double":
            return str(spelt(value))
    return _text(str(value))


def _written_list(shape: ListShape, value: Any) -> str:
    if not isinstance(value, np.ndarray):
        items = [_written(shape.member, item) for item in value]
    elif shape.member.type_name == "timestamp":
        items = [f"{moment}Z" for moment in np.datetime_as_string(value.astype("datetime64[s]"))]
    else:
        items = [repr(number) for number in value.tolist()]
    return "".join(f"<member>{item}</member>" for item in items)


def _text(value: str) -> str:
    return escape(value, {"\r": "&#13;"})


QUERY = Wire(content_type="text/xml", parameters=_parameters, answer=_answer, refusal=_refusal)
