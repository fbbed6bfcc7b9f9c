"""`stillfit explain`: the page of a detector, a rule or a piece of advice, with the lines as they are drawn here."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from rich.console import RenderableType
from rich.markdown import Markdown
from rich.table import Table
from rich.text import Text

from analyzers import ANALYZERS
from stillfit.case import Analyzer
from stillfit.cli.packaged import find
from stillfit.cli.terminal import console, length, number, safe, show
from stillfit.config import Config, ThresholdConfig
from stillfit.configfile import load
from stillfit.errors import UsageError
from stillfit.fit.declared import DECLARED, EXPIRES_AFTER, Question
from stillfit.rulebook import packaged_rules
from stillfit.rules.engine import Rule
from stillfit.yamlfile import did_you_mean

DECLARED_TOPIC = "declared"
_PLAIN = {"×": "x", "·": "-", "–": "-", "—": "-", "…": "...", "≥": ">=", "≤": "<=", "µ": "u", "→": "->", "’": "'"}
"""Signs of our pages, for a terminal that has ASCII only."""


def run_explain(topic: str, path: Path, *, path_given: bool) -> None:
    """Print what is known of a topic. Raises UsageError naming the nearest topic."""
    detectors = {one.id: one for one in ANALYZERS}
    rules = {one.id: one for one in packaged_rules()}
    if topic == DECLARED_TOPIC:
        show(*_declared())
    elif topic in detectors:
        show(*_detector(detectors[topic], _config(path, given=path_given), rules.values()))
    elif topic in rules:
        show(*_rule(rules[topic]))
    elif topic.upper().startswith("A-"):
        _explain_advice(topic, path, rules)
    else:
        raise UsageError(_unknown(topic, detectors, rules))


def _config(path: Path, *, given: bool) -> Config:
    """The configuration whose thresholds count; the defaults where there is no file and none was asked for."""
    return load(path) if given or path.exists() else Config()


def _explain_advice(topic: str, path: Path, rules: dict[str, Rule]) -> None:
    from stillfit.cli.advice import desk, whole

    with desk(path) as opened:
        record = opened.find(topic)
        history = opened.store.transitions(record.id)
    show(whole(record, history))
    if record.rule in rules:
        show("", *_rule(rules[record.rule]))


def _detector(analyzer: Analyzer, config: Config, rules: Iterable[Rule]) -> Iterator[RenderableType]:
    yield _page(f"docs/analyzers/{_stem(analyzer.id)}.md", analyzer.id)
    if analyzer.thresholds:
        yield Text(f"\nLines of {analyzer.id}", style="bold")
        yield _lines(analyzer, [one for one in config.thresholds if one.detector == analyzer.id])
        yield Text("Draw one elsewhere under thresholds: in stillfit.yaml, for all tables or for some.", style="dim")
    advised = [rule.id for rule in rules if rule.detector == analyzer.id]
    if advised:
        yield Text(f"\nRules that advise on it: {', '.join(advised)}")


def _lines(analyzer: Analyzer, drawn: list[ThresholdConfig]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("name", "value", "unit", "here", "why"):
        table.add_column(heading, justify="right" if heading == "value" else "left", no_wrap=heading != "why")
    for line in analyzer.thresholds:
        here = [f"{number(one.value)} for {', '.join(one.tables)}" for one in drawn if one.name == line.name]
        table.add_row(
            line.name, number(line.value), line.unit, Text("\n".join(map(safe, here)), style="bold"), Text(line.why)
        )
    return table


def _rule(rule: Rule) -> Iterator[RenderableType]:
    path = f"docs/rules/{_stem(rule.id)}.md"
    yield _page(path, rule.id) if find(path) else _advises(rule)
    yield Text(f"\nHow {rule.id} (version {rule.version}) decides", style="bold")
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in _decides(rule):
        table.add_row(name, Text(text))
    yield table


def _advises(rule: Rule) -> Table:
    """What a rule says, its places still open: for a rule without a page, such as a user's own."""
    texts = rule.texts
    steps = ((f"{place})", step) for place, step in enumerate(texts.steps, 1))
    useless = (("x", text) for text in texts.not_helpful)
    table = Table.grid(padding=(0, 2, 0, 0))
    for mark, text in (("advises", texts.title), ("", texts.summary), *steps, *useless, ("risk", texts.risk)):
        table.add_row(Text(mark, style="dim"), Text(safe(text)))
    return table


def _decides(rule: Rule) -> Iterator[tuple[str, str]]:
    yield (
        "asks about",
        f"findings of {rule.detector}" if rule.detector else f"every table of {', '.join(sorted(rule.engines))}",
    )
    for name, clauses in (("all of", rule.all), ("one of", rule.any)):
        for clause in clauses:
            yield name, f"{clause.id}: {clause.expression.text}"
    if rule.needs:
        yield "cannot tell without", ", ".join(rule.needs)
    yield "is told after", f"{length(rule.fire_after_s)} of observed time in which it held"
    yield "clears when", f"{rule.clear_when.text}, for {length(rule.clear_after_s)}"
    yield "stays quiet for", f"{length(rule.cooldown_s)} after it cleared"
    for source in rule.sources:
        yield "source", source


def _declared() -> Iterator[RenderableType]:
    days = EXPIRES_AFTER.days
    yield Text("What you may declare of a workload", style="bold")
    yield Text(
        "Few things decide whether a database fits that no metric tells. What is not declared counts as not known, "
        f"and so does what was declared more than {days} days ago. In stillfit.yaml:\n"
    )
    yield Text(
        "  workloads:\n    - name: orders\n      tables: [orders]\n      declared:\n"
        "        consistency_need: {value: strong, declared_at: 2026-11-02, owner: ann}\n",
        style="dim",
    )
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("fact", "value", "question"):
        table.add_column(heading, no_wrap=heading == "fact", overflow="fold")
    for name, question in DECLARED.items():
        table.add_row(Text(name, style="bold"), Text(_value(question)), Text(question.question))
    yield table


def _value(question: Question) -> str:
    if question.choices:
        return (" | " if question.type == "text" else ", ").join(question.choices)
    kinds = {"bool": "true | false", "number": question.unit or "number", "names": "[names]", "text": "text"}
    return kinds[question.type]


def _page(path: str, topic: str) -> RenderableType:
    """A page, rendered for a terminal, and as it is written for anything else."""
    text = find(path)
    if text is None:
        return Text(f"{topic} has no page of its own.", style="dim")
    if console().is_terminal and "utf" in (sys.stdout.encoding or "").lower():
        return Markdown(text)
    if "utf" not in (sys.stdout.encoding or "").lower():
        text = "".join(_PLAIN.get(char, char) for char in text)
    return Text(text)


def _stem(id_: str) -> str:
    return id_.replace("/", "_")


def _unknown(topic: str, detectors: Iterable[str], rules: Iterable[str]) -> str:
    """What there is to explain, and what is nearest."""
    topics = (*detectors, *rules, DECLARED_TOPIC)
    near = did_you_mean(topic, topics)
    near = near if near.startswith(", did") else ""
    listed = [f"  detectors  {' '.join(sorted(detectors))}", f"  rules      {' '.join(sorted(rules))}"]
    return "\n".join(
        [f"nothing is called {topic!r}{near}", *listed, f"  also       {DECLARED_TOPIC}, or the id of advice"]
    )
