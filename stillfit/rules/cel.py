"""CEL, the language of clauses, behind one wrapper: everything of cel-expr-python that the rules rely on is here.

Three-valued: a clause is true, false, or not known because a signal it turns on is absent. What the engine does with
cel-expr-python 0.1.3, held by tests/rules/test_cel.py:

- an absent variable makes an ERROR value "UNKNOWN: ...", which `&&` with false and `||` with true absorb;
- None or a value of the wrong type is an ERROR value; NaN compares false and infinity true: none of them is ever bound;
- a double divided by zero is infinity, so `x / 0.0 > 1.0` would be true: divisors are guarded at load;
- an int literal against a double is refused when compiled; every number is declared a double;
- a loop over more than 10,000 elements raises RuntimeError; macros nested deeper than two are refused at load.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import isfinite
from typing import Any, NamedTuple

from cel_expr_python import cel

from stillfit.model import Value
from stillfit.signals import SIGNALS, SignalType
from stillfit.yamlfile import did_you_mean

MAX_MACRO_DEPTH = 2
"""The second guard beside the engine's own budget of 10,000 steps (ours: the third loop is never needed)."""

_MACROS = frozenset({"all", "exists", "exists_one", "map", "filter"})
_RESERVED = frozenset({"true", "false", "null", "in"})
_TOKEN = re.compile(
    r"""(?P<space>\s+)|(?P<text>[rRbB]{0,2}(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"))"""
    r"""|(?P<number>\d+\.\d*(?:[eE][+-]?\d+)?|\.\d+|\d+(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)"""
    r"""|(?P<sign>&&|\|\||[=!<>]=|.)""",
    re.DOTALL,
)
_DECIMAL = re.compile(r"\d+\.\d*|\.\d+")
_CLOSING = {"(": ")", "[": "]", "{": "}"}


class Mistake(Exception):  # noqa: N818 -- it is what the file's author made, and ends as a line of ConfigError
    """A clause that cannot be used. `sentences`: what is wrong, one each."""

    def __init__(self, *sentences: str) -> None:
        super().__init__("; ".join(sentences))
        self.sentences = sentences


class Outcome(NamedTuple):
    """What an expression came to; None with the engine's words where it is not known."""

    value: bool | float | None
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """A compiled expression. `names`: the signals it mentions, in order."""

    text: str
    names: tuple[str, ...]
    compiled: Any

    def evaluate(self, bound: Any) -> Outcome:
        """Evaluate against what `bind` made. Never raises: what cannot be told is None."""
        try:
            result = self.compiled.eval(bound)
        except RuntimeError as error:  # the iteration budget, the only thing that the engine raises here
            return Outcome(None, str(error))
        if result.type() == cel.Type.ERROR:
            return Outcome(None, str(result.value()))
        value = result.value()
        if isinstance(value, float) and not isfinite(value):
            return Outcome(None, "not a finite number")
        return Outcome(value)


def compile_clause(text: str) -> Expression:
    """A yes-or-no expression. Raises Mistake."""
    return _compile(text, cel.Type.BOOL, "a clause must be true or false")


def compile_number(text: str) -> Expression:
    """An expression of a double. Raises Mistake."""
    return _compile(text, cel.Type.DOUBLE, "a number is needed")


def bind(values: Mapping[str, Value]) -> Any:
    """An activation for several expressions. What has no value, or none that CEL could hold, stays absent."""
    return _environment().Activation({name: _bindable(value) for name, value in values.items() if _fits(name, value)})


def _fits(name: str, value: Value | None) -> bool:
    match SIGNALS[name].type:
        case SignalType.DOUBLE:
            return isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)
        case SignalType.BOOL:
            return isinstance(value, bool)
        case SignalType.STRING:
            return isinstance(value, str)
        case SignalType.LIST:
            return isinstance(value, tuple)


def _bindable(value: Value) -> object:
    """Text is made valid UTF-8, which the engine demands: a lone surrogate becomes "?"."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    return [part.encode(errors="replace").decode() for part in value] if isinstance(value, tuple) else value


@cache
def _environment() -> Any:
    types = {
        SignalType.DOUBLE: cel.Type.DOUBLE,
        SignalType.BOOL: cel.Type.BOOL,
        SignalType.STRING: cel.Type.STRING,
        SignalType.LIST: cel.Type.List(cel.Type.STRING),
    }
    return cel.NewEnv(variables={name: types[signal.type] for name, signal in SIGNALS.items()})


def _compile(text: str, wanted: Any, otherwise: str) -> Expression:
    tokens = list(_tokens(text))
    if _macro_depth(tokens) > MAX_MACRO_DEPTH:
        raise Mistake(f"loops are nested deeper than {MAX_MACRO_DEPTH}; split the clause")
    compiled = _compiled(text)
    if compiled.return_type() != wanted:
        raise Mistake(f"{otherwise}, this is of type {compiled.return_type().name().lower()}")
    guarded = _guarded(tokens)
    if guarded != text:
        compiled = _compiled_guard(guarded)
    return Expression(text=text, names=_names(tokens), compiled=compiled)


def _compiled(text: str) -> Any:
    try:
        return _environment().compile(text)
    except RuntimeError as error:
        raise Mistake(*_sentences(str(error))) from error


def _compiled_guard(guarded: str) -> Any:
    try:
        return _environment().compile(guarded)
    except RuntimeError as error:
        raise Mistake("a divisor must be a double: write size(x) / 2, or double(...)") from error


def _sentences(message: str) -> Iterator[str]:
    """The engine's messages as sentences, with the nearest signal for a name it does not know."""
    for column, problem in re.findall(r"ERROR: <input>:\d+:(\d+): (.*)", message):
        unknown = re.match(r"undeclared reference to '([^']+)'", problem)
        if unknown:
            yield f"column {column}: no signal {unknown[1]!r}{did_you_mean(unknown[1], SIGNALS)}"
        elif "(double, int)" in problem or "(int, double)" in problem:
            yield f"column {column}: numbers are doubles: write 2.0 and not 2 ({problem})"
        else:
            yield f"column {column}: {problem}"


def _tokens(text: str) -> Iterator[str]:
    return (found[0] for found in _TOKEN.finditer(text))


def _names(tokens: Sequence[str]) -> tuple[str, ...]:
    """Signals among the words: not a field or method after a dot, not a function before a bracket."""
    words = [token for token in tokens if not token.isspace()]
    around = zip(["", *words], words, [*words[1:], ""], strict=False)
    found = (word for before, word, after in around if before != "." and after != "(" and word in SIGNALS)
    return tuple(dict.fromkeys(word for word in found if word not in _RESERVED))


def _macro_depth(tokens: Sequence[str]) -> int:
    """How deep loops stand inside loops."""
    words = [token for token in tokens if not token.isspace()]
    depth = deepest = 0
    open_brackets: list[bool] = []
    for position, word in enumerate(words):
        if word == "(":
            is_macro = position >= 2 and words[position - 1] in _MACROS and words[position - 2] == "."
            open_brackets.append(is_macro)
            depth += is_macro
            deepest = max(deepest, depth)
        elif word == ")" and open_brackets:
            depth -= open_brackets.pop()
    return deepest


def _guarded(tokens: Sequence[str]) -> str:
    """The same expression in which a division by zero is an error instead of infinity, as it is for integers."""
    written: list[str] = []
    position = 0
    while position < len(tokens):
        written.append(tokens[position])
        position += 1
        if written[-1] == "/":
            end = _operand_end(tokens, position)
            divisor = _guarded(tokens[position:end]).strip()
            safe = divisor.isdecimal() or (_DECIMAL.fullmatch(divisor) is not None and float(divisor) != 0)
            written.append(divisor if safe else f"(({divisor}) == 0.0 ? double('zero') : ({divisor}))")
            position = end
    return "".join(written)


def _operand_end(tokens: Sequence[str], start: int) -> int:
    """Where the operand ends that starts here: signs, then a word, number or bracket, with what hangs on it."""
    position = start
    while position < len(tokens) and (tokens[position].isspace() or tokens[position] == "-"):
        position += 1
    position = _past(tokens, position)
    while position < len(tokens) and tokens[position] in {"(", "[", "."}:
        position = _past(tokens, position + 1) if tokens[position] == "." else _past(tokens, position)
    return position


def _past(tokens: Sequence[str], position: int) -> int:
    """Behind one token, or behind the bracket that it opens."""
    if position >= len(tokens) or tokens[position] not in _CLOSING:
        return min(position + 1, len(tokens))
    opening, depth = tokens[position], 0
    for behind in range(position, len(tokens)):
        depth += (tokens[behind] == opening) - (tokens[behind] == _CLOSING[opening])
        if depth == 0:
            return behind + 1
    return len(tokens)
