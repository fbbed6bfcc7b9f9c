"""An answer that is whole, and in one place of another shape than the service's own model promises.

A list where a text was promised, a text where a list was, null, a number, a field that is left out. What a service
never sends, a proxy, another version of an API or a defect may; whoever reads answers must end in data or in an error.
"""

from collections.abc import Callable, Iterator
from typing import Any

import orjson

from stillfit.standins.aws import cbor
from stillfit.standins.aws.faults import Faults

Place = tuple[Any, Any]
"""A map or list, and the key or position of one value in it."""

_WRITERS: dict[str, tuple[Callable[[bytes], Any], Callable[[Any], bytes]]] = {
    "json": (orjson.loads, orjson.dumps),
    "cbor": (cbor.loads, cbor.dumps),
}
LEFT_OUT = object()
STRANGERS: tuple[Callable[[Any], Any], ...] = (
    lambda _: None,
    lambda _: LEFT_OUT,
    lambda _: "",
    lambda _: "none of these",
    lambda _: 7,
    lambda _: -1e300,
    lambda _: True,
    lambda _: [],
    lambda _: {},
    lambda value: [value],
    lambda value: [value, None, [value]],
    lambda value: {"Key": value},
    lambda _: [None],
    lambda _: [{}],
)
"""What may stand in the place of a value."""


def misshapen(body: bytes, content_type: str, faults: Faults) -> bytes:
    """The answer with one value replaced or left out. XML is left as it is: there everything is text."""
    form = next((writer for name, writer in _WRITERS.items() if name in content_type), None)
    if form is None:
        return body
    read, write = form
    answer = {"": read(body)}
    holder, key = faults.chosen(list(_places(answer, faults)))
    stranger = faults.chosen(STRANGERS)(holder[key])
    if stranger is LEFT_OUT:
        del holder[key]
    else:
        holder[key] = stranger
    return write(answer.get(""))


def _places(answer: Any, faults: Faults) -> Iterator[Place]:
    """One way from the top down to some value: of all depths as likely, however many values there are below."""
    while isinstance(answer, dict | list) and answer:
        key = faults.chosen(list(answer) if isinstance(answer, dict) else range(len(answer)))
        yield answer, key
        answer = answer[key]
