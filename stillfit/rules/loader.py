"""Makes rules of YAML texts, or names every mistake in all of them at once. Pure: it reads no disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from pydantic import ValidationError

from stillfit.errors import ConfigError
from stillfit.model import Confidence, Severity
from stillfit.rules.build import Builder
from stillfit.rules.envelope import RuleIn
from stillfit.rules.review import Causes, review
from stillfit.rules.rule import Rule
from stillfit.rules.sentences import envelope_mistakes
from stillfit.yamlfile import Document, parse


def load_rules(texts: Mapping[str, str], detectors: Causes | None = None) -> tuple[Rule, ...]:
    """Rules out of texts by file name, in order of id. `detectors`: their causes, to check names against.

    Raises ConfigError with a line for each mistake: file:line: key: what is wrong, nearest key.
    """
    rules: list[Rule] = []
    mistakes: list[str] = []
    for name, text in sorted(texts.items()):
        try:
            rules.append(_load(parse(text, name=name), detectors))
        except ConfigError as error:
            mistakes += error.mistakes
    doubles = [id_ for id_, count in Counter(rule.id for rule in rules).items() if count > 1]
    mistakes += [f"rules:1: id: {id_!r} is given by more than one file; rename one" for id_ in doubles]
    if mistakes:
        raise ConfigError(tuple(mistakes))
    return tuple(sorted(rules, key=lambda rule: rule.id))


def _load(document: Document, detectors: Causes | None) -> Rule:
    if not isinstance(document.value, dict):
        raise ConfigError((document.mistake((), "a mapping is needed: id, version, when, option and so on"),))
    try:
        written = RuleIn.model_validate(document.value)
    except ValidationError as error:
        raise ConfigError(envelope_mistakes(document, error)) from error
    builder = Builder(document)
    rule = _rule(written, builder)
    mistakes = builder.mistakes or review(rule, written, document, detectors)
    if mistakes:
        raise ConfigError(tuple(mistakes))
    return rule


def _rule(written: RuleIn, builder: Builder) -> Rule:
    return Rule(
        id=written.id,
        version=written.version,
        detector=written.detector,
        engines=written.engines,
        levels=written.levels,
        needs=written.needs,
        all=builder.clauses(written.when.all, "all"),
        any=builder.clauses(written.when.any, "any"),
        clear_when=builder.clause(written.clear_when, ("clear_when",)),
        fire_after_s=written.fire_for,
        clear_after_s=written.clear_for,
        cooldown_s=written.cooldown,
        severity=written.severity if isinstance(written.severity, Severity) else None,
        confidence=written.confidence if isinstance(written.confidence, Confidence) else None,
        group=written.group,
        rank=written.rank,
        option=written.option.kind,
        effort=written.option.effort,
        texts=builder.texts(written.option),
        saves=written.option.saves,
        computed=builder.numbers(written.numbers),
        verify=builder.verify(written.verify),
        sources=written.sources,
        tests=builder.tests(written.tests),
    )
