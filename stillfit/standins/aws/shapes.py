"""Checks requests and answers against botocore's own service models; each shape is compiled once into a function.

A check walks a value and writes down what is wrong with it. Wrong types are kept apart from broken constraints,
because the services answer them with different codes. Unknown members are refused in both directions: some services
ignore them in requests, a stand-in that did would hide a misspelt parameter.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape


@dataclass(slots=True)
class Complaints:
    types: list[str] = field(default_factory=list)
    constraints: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.types or self.constraints)

    def constraint(self, value: object, path: str, rule: str) -> None:
        shown = "null" if value is None else f"'{value}'"
        self.constraints.append(f"Value {shown} at '{path}' failed to satisfy constraint: {rule}")

    def text(self) -> str:
        found = self.types + self.constraints
        plural = "" if len(found) == 1 else "s"
        return f"{len(found)} validation error{plural} detected: " + "; ".join(found)


Check = Callable[[Any, str, Complaints], None]


@dataclass(frozen=True, slots=True)
class _Compiler:
    """One compilation: the checks by shape name, None while a shape is being compiled."""

    bounds: bool
    known: dict[str, Check | None] = field(default_factory=dict)


def compile_check(shape: Shape, *, bounds: bool) -> Check:
    """Compile one shape; with `bounds`, lengths, ranges and patterns count.

    They do in requests. The services' own answers break them: DescribeTable says NumberOfDecreasesToday 0 where its
    model wants 1 and more.
    """
    return _compile(shape, _Compiler(bounds))


def _compile(shape: Shape, compiler: _Compiler) -> Check:
    if shape.name not in compiler.known:
        compiler.known[shape.name] = None
        compiler.known[shape.name] = _COMPILERS.get(shape.type_name, _scalar)(shape, compiler)
    return compiler.known[shape.name] or _later(shape.name, compiler)


def _later(name: str, compiler: _Compiler) -> Check:
    """A recursive shape meets itself: its check is looked up when it runs."""

    def check(value: Any, path: str, complaints: Complaints) -> None:
        compiled = compiler.known[name]
        assert compiled is not None
        compiled(value, path, complaints)

    return check


def _structure(shape: StructureShape, compiler: _Compiler) -> Check:
    members = {name: (_lower(name), _compile(member, compiler)) for name, member in shape.members.items()}
    required = tuple(shape.required_members)

    def check(value: Any, path: str, complaints: Complaints) -> None:
        if type(value) is not dict:
            complaints.types.append(_unexpected(path, "a structure", value))
            return
        dot = f"{path}." if path else ""
        for name, member in value.items():
            if name not in members:
                complaints.constraint(name, path or "request", "Member must be known to the operation")
            elif member is not None:
                lower, inner = members[name]
                inner(member, dot + lower, complaints)
        for name in required:
            if value.get(name) is None:
                complaints.constraint(None, dot + _lower(name), "Member must not be null")

    return check


def _list(shape: ListShape, compiler: _Compiler) -> Check:
    member = _compile(shape.member, compiler)
    numeric = shape.member.type_name in _NUMBERS | {"timestamp"}
    bounds = _length(shape, compiler)

    def check(value: Any, path: str, complaints: Complaints) -> None:
        if isinstance(value, np.ndarray) and numeric:
            if value.ndim != 1 or value.dtype.kind not in "if" or not np.isfinite(value).all():
                complaints.types.append(_unexpected(path, "a row of finite numbers", value.dtype))
            return
        if not isinstance(value, list | tuple):
            complaints.types.append(_unexpected(path, "a list", value))
            return
        bounds(value, path, complaints)
        for position, item in enumerate(value, 1):
            member(item, f"{path}.{position}.member", complaints)

    return check


def _map(shape: MapShape, compiler: _Compiler) -> Check:
    key, member = _compile(shape.key, compiler), _compile(shape.value, compiler)

    def check(value: Any, path: str, complaints: Complaints) -> None:
        if type(value) is not dict:
            complaints.types.append(_unexpected(path, "a map", value))
            return
        for name, item in value.items():
            key(name, f"{path}.key", complaints)
            member(item, f"{path}.{name}.member", complaints)

    return check


def _string(shape: StringShape, compiler: _Compiler) -> Check:
    enum = frozenset(shape.enum)
    listed = ", ".join(shape.enum)
    pattern = _pattern(shape.metadata["pattern"]) if compiler.bounds and "pattern" in shape.metadata else None
    bounds = _length(shape, compiler)

    def check(value: Any, path: str, complaints: Complaints) -> None:
        if type(value) is not str:
            complaints.types.append(_unexpected(path, "a string", value))
            return
        if enum and value not in enum:
            complaints.constraint(value, path, f"Member must satisfy enum value set: [{listed}]")
        bounds(value, path, complaints)
        if pattern is not None and not pattern.fullmatch(value):
            complaints.constraint(value, path, f"Member must satisfy regular expression pattern: {pattern.pattern}")

    return check


def _pattern(java: str) -> re.Pattern[str]:
    r"""The models' patterns are Java's: two surrogate escapes (\uD800\uDC00) are one character, \p names a class.

    \w and \s are a little wider than the classes they stand for. A hyphen after a class is a hyphen to Java.
    """
    for name, python in _JAVA_CLASSES.items():
        java = java.replace(name, python)
    java = _HYPHENS.sub(r"\1\\-", java)
    return re.compile(_SURROGATES.sub(lambda pair: chr(_joined(int(pair[1], 16), int(pair[2], 16))), java))


def _joined(high: int, low: int) -> int:
    return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)


def _number(shape: Shape, compiler: _Compiler) -> Check:
    whole = shape.type_name in {"integer", "long"}
    accepted = (int,) if whole else (int, float)
    low, high = _bounds(shape, compiler)

    def check(value: Any, path: str, complaints: Complaints) -> None:
        if type(value) not in accepted or value in _NOT_FINITE or value != value:  # noqa: PLR0124  (NaN)
            complaints.types.append(_unexpected(path, "an integer" if whole else "a number", value))
            return
        if low is not None and value < low:
            complaints.constraint(value, path, f"Member must have value greater than or equal to {low}")
        if high is not None and value > high:
            complaints.constraint(value, path, f"Member must have value less than or equal to {high}")

    return check


def _scalar(shape: Shape, _: _Compiler) -> Check:
    kinds, said = _SCALARS[shape.type_name]

    def check(value: Any, path: str, complaints: Complaints) -> None:
        if type(value) not in kinds:
            complaints.types.append(_unexpected(path, said, value))

    return check


def _length(shape: Shape, compiler: _Compiler) -> Check:
    low, high = _bounds(shape, compiler)

    def check(value: Any, path: str, complaints: Complaints) -> None:
        if low is not None and len(value) < low:
            complaints.constraint(value, path, f"Member must have length greater than or equal to {low}")
        if high is not None and len(value) > high:
            shown = value if isinstance(value, str) else f"[{len(value)} members]"
            complaints.constraint(shown, path, f"Member must have length less than or equal to {high}")

    return check


def _bounds(shape: Shape, compiler: _Compiler) -> tuple[float | None, float | None]:
    return (shape.metadata.get("min"), shape.metadata.get("max")) if compiler.bounds else (None, None)


def _unexpected(path: str, wanted: str, value: object) -> str:
    return f"{type(value).__name__.upper()}_VALUE at '{path or 'request'}' can not be converted to {wanted}"


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


_JAVA_CLASSES = {r"\p{L}": r"\w", r"\p{N}": r"\w", r"\p{Z}": r"\s"}
_HYPHENS = re.compile(r"(\\[sSwWdD])-(?!\])")
_SURROGATES = re.compile(r"\\u(D[89AB][0-9A-F]{2})\\u(D[C-F][0-9A-F]{2})")
_NUMBERS = frozenset({"integer", "long", "float", "double"})
_NOT_FINITE = (float("inf"), float("-inf"))
_SCALARS: dict[str, tuple[tuple[type, ...], str]] = {
    "boolean": ((bool,), "a boolean"),
    "timestamp": ((int, float), "a timestamp"),
    "blob": ((bytes,), "a blob"),
}
_COMPILERS: dict[str, Callable[[Any, _Compiler], Check]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    **dict.fromkeys(_NUMBERS, _number),
}
