"""The status page: one file of HTML with its own style, no script, nothing fetched, readable on a phone."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from datetime import datetime
from hashlib import sha256
from importlib.resources import files

from stillfit.advice import LIVE_STATES, Advice, AdviceState
from stillfit.cycle import UNJUDGED
from stillfit.export import sections
from stillfit.export.cards import cards
from stillfit.export.findings import worst_first
from stillfit.export.html import Child, Html, join, tag
from stillfit.export.view import View
from stillfit.export.wording import ago, dollars, plural
from stillfit.model import Engine, Level, Severity, Unknown

REFRESH_S = 20
STYLE = files("stillfit.export").joinpath("status_page.css").read_text(encoding="utf-8")
STYLE_SOURCE = f"'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'"
"""For the content security policy: this style and no other."""


def status_page(view: View, now: datetime, *, troubles: tuple[str, ...]) -> str:
    """The whole page. `troubles` are sentences on the daemon itself."""
    body = tag("body", _top(view, now), tag("main", _verdict(view, troubles), _columns(view, now)), _bottom(view))
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", http_equiv="refresh", content=str(REFRESH_S)),
        tag("title", _title(view)),
        tag("style", Html(STYLE)),
    )
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _open(view: View) -> list[Advice]:
    return [record for record in worst_first(view.advice) if record.state is AdviceState.OPEN]


def _title(view: View) -> str:
    count = len(_open(view))
    return f"({count}) stillfit · {view.instance}" if count else f"stillfit · {view.instance}"


def _top(view: View, now: datetime) -> Html:
    judged = f"judged {ago(view.at, now)}" if view.turn else "not judged yet"
    return tag(
        "header",
        tag("b", "still", tag("i", "fit")),
        tag("span", view.instance),
        tag("time", f"{now:%Y-%m-%d %H:%M} UTC · {judged}", datetime=f"{now:%Y-%m-%dT%H:%M:%SZ}"),
        class_="top",
    )


def _verdict(view: View, troubles: tuple[str, ...]) -> Html:
    alarms = [tag("p", sentence, class_="alarm") for sentence in (*troubles, *_failing(view))]
    return tag("div", alarms, tag("h1", _headline(view)), tag("p", _counts(view), class_="pills"), class_="verdict")


def _failing(view: View) -> tuple[str, ...]:
    failing = [one.id for one in view.sources if one.error]
    return (f"{plural(len(failing), 'source')} cannot be read: {', '.join(failing)}",) if failing else ()


def _headline(view: View) -> Child:
    """The one sentence that somebody reads who reads only one."""
    if view.turn is None or not (view.subjects or _tried(view)):
        return "Nothing is judged yet: the first look is under way."
    open_ = _open(view)
    if not open_ and (early := _pending(view)):
        return f"Nothing to do yet: {early} seen, not for long enough to be told."
    if not open_:
        return f"Nothing to do on what could be judged: {_watched(view)}."
    tables = len({record.subject.parent for record in open_})
    needs = "needs" if tables == 1 else "need"
    worst = f"{open_[0].subject.name}: {open_[0].title[:1].lower()}{open_[0].title[1:]}"
    return (f"{tables} of {_watched(view)} {needs} you. ", tag("span", f"Worst: {worst.rstrip('.')}.", class_="worst"))


def _tried(view: View) -> bool:
    """Whether every source was looked at once: before, that there is nothing would say that all is well."""
    return all(one.last_success or one.error for one in view.sources)


def _pending(view: View) -> str:
    """What was found and waits for its dwell time: "nothing" would deny what the detectors count."""
    count = sum(record.state is AdviceState.PENDING for record in view.advice)
    return f"{plural(count, 'problem')} {'is' if count == 1 else 'are'}" if count else ""


def _watched(view: View) -> str:
    """What could be judged at all: not what no detector knows."""
    unjudged = {one.subject for one in view.turn.judgements if one.detector == UNJUDGED} if view.turn else set()
    tables = {one for one in view.subjects if one.level is Level.TABLE and one not in unjudged}
    clusters = {one.scope[0] for one in view.subjects if one.engine is Engine.CASSANDRA}
    told = plural(len(tables), "table")
    return f"{told} and {plural(len(clusters), 'cluster')}" if clusters else told


def _counts(view: View) -> list[Html]:
    open_ = Counter(record.severity for record in _open(view))
    worst = [
        tag("span", f"{open_[severity]} {severity.value}", class_=f"pill {severity.value}")
        for severity in reversed(Severity)
        if open_[severity]
    ]
    handled = sum(record.state in LIVE_STATES for record in view.advice) - sum(open_.values())
    judged = (*view.turn.judgements, *view.turn.unpriced) if view.turn else ()
    unknown = sum(isinstance(one.answer, Unknown) for one in judged)
    saving = sum(record.saving.mid for record in _open(view) if record.saving and record.saving.mid > 0)
    rest = (
        (handled, f"{handled} acknowledged or snoozed", "unknown"),
        (unknown, f"{plural(unknown, 'question')} not answered", "unknown"),
        (saving, f"{dollars(saving)} a month to save", "ok"),
    )
    return [*worst, *(tag("span", said, class_=f"pill {kind}") for count, said, kind in rest if count)]


def _columns(view: View, now: datetime) -> Html:
    turn = view.turn
    judged = (*turn.judgements, *turn.unpriced) if turn else ()
    left = (
        cards(worst_first(view.advice), view.trends, now),
        sections.costs(turn.costs) if turn else None,
        sections.unknowns(judged),
        sections.gaps(view.gaps),
    )
    right = (
        sections.fits(turn.fits) if turn else None,
        sections.sources(view.sources, view.started_at, now),
        sections.looked_at(judged),
        sections.closed(view.advice, now),
    )
    sides = (("left", left), ("right", right))
    return tag("div", [tag("div", filter(None, parts), class_=side) for side, parts in sides], class_="columns")


def _bottom(view: View) -> Html:
    links = (("findings.json", "/api/findings.json"), ("metrics", "/metrics"), ("ready", "/-/ready"))
    drawn = [tag("a", name, href=path) for name, path in links]
    note = "Metrics and settings only: no row of any table is ever read. Dollars are list prices."
    return tag("footer", join(drawn), tag("span", note), tag("span", f"stillfit {view.version}"), class_="bottom")
