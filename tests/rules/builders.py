"""Short ways to say rules and facts in tests."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from types import MappingProxyType
from typing import Any

import yaml

from stillfit.evidence import Facts
from stillfit.model import Answer, Money, Subject
from stillfit.rules.examples import example_facts
from stillfit.rules.loader import load_rules
from stillfit.rules.rule import Rule

BASE: dict[str, Any] = yaml.safe_load("""
id: dynamodb/example
version: 1
detector: dynamodb/throttling
engines: [dynamodb]
levels: [table]
needs: [cause]
when:
  all:
    - {id: limit, expr: "cause == 'provisioned'", because: the provisioned limit refuses}
    - {id: mode, expr: "billing_mode == 'PROVISIONED'", because: "it is {billing_mode}"}
clear_when: cause != 'provisioned'
for: 10m
clear_for: 20m
cooldown: 1h
severity: warning
confidence: high
option:
  kind: do_it
  title: Do it to {table}
  summary: Because {table} needs it.
  steps: [Do it.]
  effect: It is done.
  effort: low
  risk: None.
  rollback: Undo it.
verify: {metric: write_throttle_events, window: 1d, success: none}
sources: [ours]
tests:
  - {name: fires, given: {cause: provisioned, billing_mode: PROVISIONED}, expect: fires}
  - {name: quiet, given: {cause: key_range, billing_mode: PROVISIONED}, expect: quiet}
  - {name: unknown, given: {cause: provisioned}, expect: unknown}
""")


def text(changes: Mapping[str, Any] | None = None) -> str:
    """The base rule as YAML, with keys replaced; a dotted key reaches inside, None removes."""
    document = deepcopy(BASE)
    for key, value in (changes or {}).items():
        *path, last = key.split(".")
        section: Any = document
        for part in path:
            section = section[int(part)] if part.isdigit() else section[part]
        if value is None:
            section.pop(last)
        else:
            section[last] = value
    return yaml.safe_dump(document, sort_keys=False)


def rule(changes: Mapping[str, Any] | None = None) -> Rule:
    (loaded,) = load_rules({"example.yaml": text(changes)})
    return loaded


def facts(
    of: Rule,
    *,
    about: Subject | None = None,
    answer: Answer = None,
    savings: Mapping[str, Money] | None = None,
    **given: Any,
) -> Facts:
    """Facts with nothing but the given signals."""
    example = example_facts(of, given)
    return Facts(
        subject=about or example.subject,
        at=example.at,
        window=example.window,
        answer=answer,
        named=example.named,
        savings=MappingProxyType(dict(savings or {})),
    )
