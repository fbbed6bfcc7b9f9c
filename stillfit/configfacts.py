"""Names in stillfit.yaml that only the rest of the program knows: declared facts, detectors and their thresholds."""

from __future__ import annotations

from collections.abc import Iterator

from analyzers import ANALYZERS
from stillfit.config import Config
from stillfit.fit.declared import DECLARED, Question
from stillfit.model import Value
from stillfit.yamlfile import Place, did_you_mean

_KINDS = {
    "bool": "true or false",
    "number": "a number that is not negative",
    "text": "text",
    "names": "a list of names",
}

Mistake = tuple[Place, str]


def fact_mistakes(config: Config) -> Iterator[Mistake]:
    """Facts that nobody asks for, and answers of another kind than the question's."""
    for number, workload in enumerate(config.workloads):
        for name, fact in workload.declared.items():
            place: Place = ("workloads", number, "declared", name)
            question = DECLARED.get(name)
            if question is None:
                near = did_you_mean(name, DECLARED) or "; `stillfit explain declared` lists them"
                yield place, f"no fact has this name{near}"
            elif not question.accepts(fact.value):
                yield (*place, "value"), _answer_needed(question, fact.value)


def threshold_mistakes(config: Config) -> Iterator[Mistake]:
    """Thresholds of detectors that do not exist, or that the detector does not have."""
    known = {one.id: [line.name for line in one.thresholds] for one in ANALYZERS}
    for number, one in enumerate(config.thresholds):
        if one.detector not in known:
            place: Place = ("thresholds", number, "detector")
            yield place, f"no detector is called {one.detector!r}{did_you_mean(one.detector, known)}"
        elif one.name not in known[one.detector]:
            near = did_you_mean(one.name, known[one.detector])
            yield ("thresholds", number, "name"), f"{one.detector} has no threshold {one.name!r}{near}"


def _answer_needed(question: Question, value: Value) -> str:
    """What the answer must be; words that are not among the choices are named."""
    if not question.choices:
        return f"{_KINDS[question.type]} is needed ({question.question})"
    given = value if isinstance(value, tuple) else (str(value),)
    wrong = next((word for word in given if word not in question.choices), "")
    need = "each must be one of" if question.type == "names" else "must be one of"
    near = did_you_mean(wrong, question.choices) if wrong else ""
    return f"{need} {', '.join(question.choices)}{near if near.startswith(', did') else ''}"
