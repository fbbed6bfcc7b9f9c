"""What a rule that compiles may still have wrong: names, places, needs, and examples that do not hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from stillfit.rules.envelope import RuleIn
from stillfit.rules.examples import outcome, value_of
from stillfit.rules.render import ALWAYS, PLACE
from stillfit.rules.rule import Expected, Rule
from stillfit.signals import SIGNALS, Origin
from stillfit.yamlfile import Document, Place, did_you_mean

Causes = Mapping[str, frozenset[str]]
"""Each detector with its closed set of causes."""

_OUTCOMES: tuple[Expected, ...] = ("fires", "quiet", "unknown")
_CAUSES = re.compile(r"""\bcause\s*(?:==|!=)\s*['"]([^'"]*)['"]|\bcause\s+in\s*\[([^\]]*)\]""")
_OF_DETECTOR = frozenset({Origin.FINDING, Origin.EVIDENCE})
_JOINED = frozenset({Origin.METRIC, Origin.SETTING, Origin.COST, Origin.FIT, Origin.DECLARED})


def review(rule: Rule, written: RuleIn, document: Document, detectors: Causes | None) -> list[str]:
    """Complete lines, in order of what they are about."""
    found = [
        *_detector(rule, written, detectors),
        *_joins(rule),
        *_needs(rule),
        *_places(rule, written),
        *_numbers(rule),
        *_group(rule),
        *_given(rule),
    ]
    found = found or list(_tests(rule))
    return [document.mistake(place, sentence) for place, sentence in found]


Found = Iterator[tuple[Place, str]]


def _detector(rule: Rule, written: RuleIn, detectors: Causes | None) -> Found:
    if not rule.detector:
        of_finding = [name for name in rule.names if SIGNALS[name].origin in _OF_DETECTOR]
        if of_finding or "finding" in {written.severity, written.confidence}:
            yield ("when",), f"asks of a finding ({', '.join(of_finding) or 'severity'}) and names no detector"
        return
    if detectors is None:
        return
    if rule.detector not in detectors:
        yield ("detector",), f"no detector {rule.detector!r}{did_you_mean(rule.detector, detectors)}"
        return
    for place, text in _expressions(written):
        for cause in _causes(text):
            if cause and cause not in detectors[rule.detector]:
                nearest = did_you_mean(cause, detectors[rule.detector])
                yield place, f"{rule.detector} has no cause {cause!r}{nearest}"


def _joins(rule: Rule) -> Found:
    clauses = (*rule.all, *rule.any)
    if not any(SIGNALS[name].origin in _JOINED for clause in clauses for name in clause.expression.names):
        yield (
            ("when",),
            "turns on the finding alone: join it with a setting, metric, cost or declared fact, or delete the rule",
        )
    ids = [clause.id for clause in clauses]
    for id_ in sorted({id_ for id_ in ids if ids.count(id_) > 1}):
        yield ("when",), f"two clauses are called {id_!r}; rename one"


def _needs(rule: Rule) -> Found:
    used = {name for clause in (*rule.all, *rule.any) for name in clause.expression.names}
    worked_out = (one for number in rule.computed for one in number.expressions)
    used |= {*rule.clear_when.names, *(name for one in worked_out for name in one.names)}
    used |= {place for text in _texts(rule) for place in PLACE.findall(text)}
    for position, name in enumerate(rule.needs):
        if name not in SIGNALS:
            yield ("needs", position), f"no signal {name!r}{did_you_mean(name, SIGNALS)}"
        elif name not in used:
            yield ("needs", position), f"{name!r} is used nowhere; remove it"


def _places(rule: Rule, written: RuleIn) -> Found:
    """A place must be a signal; in what is always shown it must be one that cannot be absent."""
    computed = {number.name for number in rule.computed}
    sure = ALWAYS | set(rule.needs) | {name for name, one in SIGNALS.items() if one.origin is Origin.SUBJECT}
    unconditional = [number for number in rule.computed if number.when is None]
    sure |= {number.name for number in unconditional if set(number.expression.names) <= set(rule.needs)}
    texts = rule.texts
    for key in ("title", "summary", "effect", "risk", "rollback"):
        for name in PLACE.findall(getattr(texts, key)):
            if name not in sure and name in {*SIGNALS, *computed}:
                yield ("option", key), f"{{{name}}} may be absent here; add what it needs to `needs`"
    for place, text in _written_texts(written):
        for name in PLACE.findall(text):
            if name not in {*SIGNALS, *computed, *ALWAYS}:
                yield place, f"no signal {name!r} for {{{name}}}{did_you_mean(name, {*SIGNALS, *computed})}"


def _numbers(rule: Rule) -> Found:
    places = {place for text in _texts(rule) for place in PLACE.findall(text)}
    for position, number in enumerate(rule.computed):
        if number.name in SIGNALS or number.name in ALWAYS:
            yield ("numbers", position, "name"), f"{number.name!r} is a signal's name already; rename it"
        elif number.name not in places:
            yield ("numbers", position, "name"), f"{number.name!r} is used in no text; remove it"


def _group(rule: Rule) -> Found:
    if bool(rule.group) != bool(rule.rank):
        yield ("group" if rule.group else "rank",), "a group and a rank in it go together; give both or none"


def _given(rule: Rule) -> Found:
    """Each of fires, quiet and unknown needs an example, and each example only signals that exist, of their type."""
    for expected in _OUTCOMES:
        if expected not in {test.expect for test in rule.tests}:
            yield ("tests",), f"no test expects {expected!r}; a rule shows when it fires, is quiet and cannot tell"
    for position, test in enumerate(rule.tests):
        for name, value in test.given:
            place = ("tests", position, "given", name)
            if name not in SIGNALS:
                yield place, f"no signal {name!r}{did_you_mean(name, SIGNALS)}"
            elif value_of(name, value) is None:
                yield place, f"{value!r} is no {SIGNALS[name].type}"


def _tests(rule: Rule) -> Found:
    for position, test in enumerate(rule.tests):
        came_to = outcome(rule, dict(test.given))
        if came_to != test.expect:
            yield ("tests", position), f"{test.name!r} expects {test.expect!r} and the rule says {came_to!r}"


def _expressions(written: RuleIn) -> Iterator[tuple[Place, str]]:
    for kind, clauses in (("all", written.when.all), ("any", written.when.any)):
        yield from ((("when", kind, position, "expr"), one.expr) for position, one in enumerate(clauses))
    yield ("clear_when",), written.clear_when


def _causes(text: str) -> Iterator[str]:
    for one, several in _CAUSES.findall(text):
        yield from re.findall(r"""['"]([^'"]*)['"]""", several) if several else (one,)


def _written_texts(written: RuleIn) -> Iterator[tuple[Place, str]]:
    option = written.option
    yield from ((("option", key), getattr(option, key)) for key in ("title", "summary", "effect", "risk", "rollback"))
    for key in ("steps", "commands", "not_helpful"):
        yield from ((("option", key, position), line) for position, line in enumerate(getattr(option, key)))
    for kind, clauses in (("all", written.when.all), ("any", written.when.any)):
        yield from ((("when", kind, position, "because"), one.because) for position, one in enumerate(clauses))


def _texts(rule: Rule) -> Iterator[str]:
    texts = rule.texts
    yield from (texts.title, texts.summary, *texts.steps, *texts.commands, *texts.not_helpful)
    yield from (texts.effect, texts.risk, texts.rollback)
    yield from (clause.because for clause in (*rule.all, *rule.any))
