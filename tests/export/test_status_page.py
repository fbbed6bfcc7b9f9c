from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from collector.aws.looks.history import Backlog
from stillfit.advice import Advice, AdviceState
from stillfit.export.html import Html, join, tag
from stillfit.export.sections import sources, unknowns
from stillfit.export.status_page import STYLE, status_page
from stillfit.export.view import SourceStatus, View, view_of
from stillfit.model import Judgement, Unknown
from tests.builders import BY_STATUS, NOON, ORDERS, gap, subject
from tests.export.fleet import AWS, CARTS, CLUSTER, EMPTY, HOT, SNAPSHOT, TURN, VIEW
from tests.export.golden import check_golden
from tests.servers.chromium import screenshot

HOSTILE = "<script>alert(1)</script>\"'&{{x}}\u202e\x00\n<!channel>"


class Elements(HTMLParser):
    """What a browser would make of a page: elements, attributes, and whether every one is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def draw(view: View, *troubles: str) -> str:
    return status_page(view, NOON, troubles=troubles)


def headline(view: View) -> str:
    found = re.search(r"<h1>(.*?)</h1>", draw(view))
    assert found
    return re.sub(r"<[^>]*>", "", found[1])


def with_advice(*records: Advice) -> View:
    return view_of(EMPTY, replace(TURN, advice=records), SNAPSHOT, ())


def test_the_page_reads_as_committed() -> None:
    check_golden("status_page.html", draw(VIEW).replace(STYLE, "").replace("><", ">\n<"))


def test_the_page_is_well_formed_and_fetches_nothing() -> None:
    elements = Elements(draw(VIEW))

    assert elements.open == []
    assert not [tag for tag, _ in elements.seen if tag in {"script", "link", "img", "iframe", "object"}]
    assert not [
        name for _, attributes in elements.seen for name in attributes if name == "style" or name.startswith("on")
    ]
    assert "url(" not in STYLE
    assert "@import" not in STYLE


def test_the_headline_says_how_many_need_somebody_and_which_is_worst() -> None:
    told = headline(VIEW)

    assert told == (
        "3 of 4 tables and 1 cluster need you. Worst: shop.jobs: used as a queue: reads wade through tombstones."
    )


def test_before_the_first_turn_the_headline_promises_nothing() -> None:
    assert headline(EMPTY) == "Nothing is judged yet: the first look is under way."


def test_a_quiet_fleet_is_said_to_be_quiet_only_as_far_as_it_could_be_judged() -> None:
    quiet = replace(VIEW, advice=())

    assert headline(quiet) == "Nothing to do on what could be judged: 4 tables and 1 cluster."
    assert "3 questions not answered" in draw(quiet)


def test_an_index_and_its_table_are_one_table_that_needs_somebody() -> None:
    view = with_advice(HOT, replace(HOT, id="A-2", subject=BY_STATUS))

    assert headline(view).startswith("1 of 4 tables")


@pytest.mark.parametrize("state", [AdviceState.ACKNOWLEDGED, AdviceState.SNOOZED])
def test_what_somebody_has_taken_on_is_shown_but_asks_for_nobody(state: AdviceState) -> None:
    view = with_advice(replace(HOT, state=state))

    assert headline(view).startswith("Nothing to do")
    assert HOT.title in draw(view)
    assert "1 acknowledged or snoozed" in draw(view)


def test_advice_that_waits_for_its_dwell_time_is_not_shown() -> None:
    assert HOT.title not in draw(with_advice(replace(HOT, state=AdviceState.PENDING)))


def test_advice_that_waits_for_its_dwell_time_is_not_denied_either() -> None:
    early = replace(HOT, state=AdviceState.PENDING)

    assert headline(with_advice(early)) == "Nothing to do yet: 1 problem is seen, not for long enough to be told."
    assert headline(with_advice(early, replace(early, id="A-2"))).startswith("Nothing to do yet: 2 problems are seen")
    assert headline(with_advice(early, replace(HOT, id="A-3"))).startswith("1 of 4 tables")


def test_troubles_of_the_daemon_stand_first() -> None:
    page = draw(VIEW, "the store takes no writes")

    assert page.index("the store takes no writes") < page.index("<h1>")


def test_a_source_that_fails_says_why() -> None:
    assert "10.0.0.2 did not answer within 5 s: check its port 9042" in draw(VIEW)


def _hostile_gap(view: View) -> View:
    return replace(view, gaps=(gap(HOSTILE, of=subject(HOSTILE), detail=HOSTILE),))


def _hostile_unknown(view: View) -> View:
    judged = Judgement(detector=HOSTILE, subject=subject(HOSTILE), answer=Unknown(HOSTILE))
    return replace(view, turn=replace(TURN, judgements=(judged,)))


def _hostile_advice(view: View) -> View:
    option = replace(HOT.option, steps=(HOSTILE,), commands=(HOSTILE,), not_helpful=(HOSTILE,), risk=HOSTILE)
    evidence = tuple(replace(one, signal=HOSTILE, unit=HOSTILE, text=HOSTILE) for one in HOT.evidence)
    record = replace(HOT, id=HOSTILE, subject=subject(HOSTILE), title=HOSTILE, summary=HOSTILE, option=option)
    return replace(view, advice=(replace(record, rule=HOSTILE, evidence=evidence),))


def _hostile_source(view: View) -> View:
    return replace(view, instance=HOSTILE, sources=(replace(CLUSTER, id=HOSTILE, error=HOSTILE),))


def _hostile_fit(view: View) -> View:
    fits = tuple(replace(one, workload=HOSTILE, candidate=HOSTILE, missing=(HOSTILE,)) for one in TURN.fits)
    costs = tuple(replace(one, subject=subject(HOSTILE)) for one in TURN.costs if one.subject == ORDERS)
    return replace(view, turn=replace(TURN, fits=fits, costs=costs))


@pytest.mark.parametrize(
    "spoil",
    [_hostile_gap, _hostile_unknown, _hostile_advice, _hostile_source, _hostile_fit],
    ids=lambda one: one.__name__,
)
def test_a_hostile_name_stays_text(spoil: Callable[[View], View]) -> None:
    page = draw(spoil(VIEW))

    elements = Elements(page)
    assert elements.open == []
    assert "script" not in {tag for tag, _ in elements.seen}
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert not {"\u202e", "\x00"} & set(page)


def test_text_is_escaped_and_markup_is_not() -> None:
    assert tag("p", "a<b", tag("i", "&"), class_='"') == '<p class="&quot;">a&lt;b<i>&amp;</i></p>'
    assert join("<", None, ["a", Html("<br>")]) == "&lt;a<br>"


@pytest.mark.server("chromium")
@pytest.mark.parametrize("width", [1360, 500], ids=["desk", "phone"])
def test_a_browser_draws_the_page(tmp_path: Path, width: int) -> None:
    page = tmp_path / "page.html"
    page.write_text(draw(VIEW), encoding="utf-8")

    picture = screenshot(page.as_uri(), tmp_path / "page.png", width=width, height=2_000)

    assert picture.stat().st_size > 60_000  # a page without style or text is a tenth of that


@pytest.mark.parametrize(("subjects", "word"), [(0, ">no data<"), (1, ">stale<")])
def test_a_source_that_has_nothing_to_read_is_neither_fresh_nor_stale(subjects: int, word: str) -> None:
    clusters = SourceStatus(id="aws/1/eu-west-1/dax", engine="dax", last_success=NOON, subjects=subjects)
    page = str(sources([clusters], NOON, NOON))

    assert [one in page for one in (word, ">fresh<")] == [True, False]


def test_regions_that_are_not_used_are_one_row() -> None:
    idle = [SourceStatus(id=f"aws/1/{name}", engine="dynamodb", last_success=NOON) for name in ("a", "b", "c", "d")]
    few, many = (str(sources([AWS, *some], NOON, NOON)) for some in (idle[:3], idle))

    assert [few.count(">no data<"), many.count(">no data<")] == [3, 1]
    assert "aws/1/a, aws/1/b, aws/1/c and 1 more" in many
    assert "aws/123456789012/us-east-1" in many


def test_before_the_first_look_nothing_is_called_well() -> None:
    waiting = SourceStatus(id="aws/1/us-east-1", engine="dynamodb")
    early, looked = (
        draw(replace(VIEW, subjects=(), advice=(), sources=(one,))) for one in (waiting, replace(waiting, error="no"))
    )

    assert "Nothing is judged yet" in early
    assert "Nothing is judged yet" not in looked


def test_one_reason_of_many_tables_is_one_row() -> None:
    answers = [
        Judgement(detector="cost/drift", subject=of, answer=Unknown(f"{of.name}: what it costs is not known"))
        for of in (ORDERS, CARTS)
    ]

    assert str(unknowns(answers)).count("what it costs is not known") == 1


def test_a_source_that_answers_too_slowly_says_so() -> None:
    slow = replace(AWS, reading_since=NOON - timedelta(minutes=12), every=timedelta(minutes=5))
    page = str(sources([slow], NOON, NOON))

    assert ">slow<" in page
    assert "being read for 12 min, longer than its interval of 5 min: what it watches is told late" in page


def test_what_is_owed_of_the_past_is_told_with_its_end() -> None:
    owed = Backlog(1, 3_601, NOON + timedelta(hours=3))

    assert "2 hours of the past of 1 subject not read yet; they are by 15:00 at this pace, in 3 h" in _told(owed)
    assert "2 hours of the past of 1 subject not read yet; the last look brought none of them" in _told(
        Backlog(1, 3_601)
    )
    assert "of the past" not in _told(Backlog(0, 0))


def _told(owed: Backlog) -> str:
    return str(sources((replace(AWS, backlog=owed),), NOON, NOON))
