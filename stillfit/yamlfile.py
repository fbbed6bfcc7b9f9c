"""YAML (and so JSON) that people write: parsed with the line of every key, so that a mistake names its place.

Safe on any input: no tags, anchors or aliases, no duplicate keys, bounded size and depth. Pure: takes text. A mistake
names places and keys, never a value: it may be a secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

import yaml

from stillfit.errors import ConfigError

MAX_BYTES = 1_000_000
MAX_DEPTH = 32

Place = tuple[str | int, ...]
"""Where in a document: keys and list positions from the top."""


class _Loader(yaml.SafeLoader):
    """Plain values only; a date stays the text that was written, for whoever knows which kind is meant."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A parsed file: plain values, and the line of each place in it."""

    name: str
    value: object
    lines: Mapping[Place, int]

    def mistake(self, place: Place, sentence: str) -> str:
        """One complete line: file:line: key: what is wrong."""
        return f"{self.name}:{self.line(place)}: {dotted(place) or 'file'}: {sentence}"

    def line(self, place: Place) -> int:
        """The line of a place, or of its nearest parent that was written."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def parse(text: str, *, name: str) -> Document:
    """Parse one document. Raises ConfigError with every structural mistake at once."""
    if len(text.encode()) > MAX_BYTES:
        raise ConfigError((f"{name}:1: file: larger than {MAX_BYTES} bytes; split it",))
    try:
        _refuse_bombs(text, name)
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError((f"{name}:{line}: file: not YAML: {error.problem or error.context}",)) from error
    except yaml.YAMLError as error:
        line = _line_of_control_character(text)
        raise ConfigError((f"{name}:{line}: file: not YAML: a control character is not allowed",)) from error
    lines: dict[Place, int] = {}
    mistakes: list[str] = []
    for place, line, problem in _walk(root, ()):
        lines.setdefault(place, line)
        mistakes += [f"{name}:{line}: {dotted(place) or 'file'}: {problem}"] if problem else []
    if mistakes:
        raise ConfigError(tuple(mistakes))
    return Document(name=name, value=_construct(root, name), lines=lines)


def dotted(place: Place) -> str:
    """aws[0].regions, as a person reads it."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).removeprefix(".")


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """The end of a sentence: the nearest valid word, or a short list of what is valid, or nothing."""
    valid = sorted(choices)
    near = get_close_matches(word, valid, n=1, cutoff=0.6)
    if near:
        return f", did you mean {near[0]!r}?"
    return f"; valid are {', '.join(valid)}" if 0 < len(valid) <= 16 else ""


_NOT_PLAIN = "a value that begins with {sign} is not plain text: put it in quotes"


def _refuse_bombs(text: str, name: str) -> None:
    """Aliases, anchors, tags and depth are refused on the event stream, before anything is built from it.

    A password that begins with *, & or ! is one of these by accident, so the sentence must not repeat it.
    """
    depth, mistakes = 0, []
    for event in yaml.parse(text, Loader=_Loader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise ConfigError((f"{name}:{line}: file: nested deeper than {MAX_DEPTH} levels",))
        if sign := _sign(event):
            mistakes.append(f"{name}:{line}: file: {_NOT_PLAIN.format(sign=sign)}")
    if mistakes:
        raise ConfigError(tuple(mistakes))


def _sign(event: yaml.Event) -> str:
    """What makes an event more than plain text, as it is written."""
    if isinstance(event, yaml.AliasEvent):
        return "*"
    if getattr(event, "anchor", None):
        return "&"
    return "!" if getattr(event, "tag", None) else ""


def _walk(node: yaml.Node | None, place: Place) -> Iterator[tuple[Place, int, str]]:
    """Each place with its line and, where its structure is wrong, why."""
    if node is None:
        return
    yield place, node.start_mark.line + 1, _HALF if _half_of_a_character(node) else ""
    if isinstance(node, yaml.SequenceNode):
        for position, child in enumerate(node.value):
            yield from _walk(child, (*place, position))
    if isinstance(node, yaml.MappingNode):
        yield from _walk_mapping(node, place)


def _walk_mapping(node: yaml.MappingNode, place: Place) -> Iterator[tuple[Place, int, str]]:
    first: dict[str, int] = {}
    for key, child in node.value:
        line = key.start_mark.line + 1
        here = (*place, str(key.value))
        if not isinstance(key, yaml.ScalarNode) or _half_of_a_character(key):
            yield place, line, "a key must be plain text"
            continue
        if key.value in first:
            yield here, line, f"given twice, first on line {first[key.value]}; remove one"
            continue
        first[key.value] = line
        yield here, line, ""
        yield from _walk(child, here)


_HALF = "an escape in it is half of a character: write the character itself, or \\U and its eight digits"


def _half_of_a_character(node: yaml.Node) -> bool:
    """Whether a text holds a surrogate, which no file, no database and no message can be written with."""
    return isinstance(node, yaml.ScalarNode) and any("\ud800" <= one <= "\udfff" for one in node.value)


def _line_of_control_character(text: str) -> int:
    """The line of the first character that YAML forbids; the reader's own message would quote its surroundings."""
    found = yaml.reader.Reader.NON_PRINTABLE.search(text)
    return text.count("\n", 0, found.start()) + 1 if found else 1


def _construct(root: yaml.Node | None, name: str) -> object:
    loader = _Loader("")
    try:
        return loader.construct_document(root) if root is not None else None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError((f"{name}:{line}: file: {error.problem}",)) from error
    except ValueError as error:  # an integer of thousands of digits
        raise ConfigError((f"{name}:1: file: a number in it has too many digits to be read",)) from error
    finally:
        loader.dispose()
