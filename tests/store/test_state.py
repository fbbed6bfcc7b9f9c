"""Settings, inventory and gaps."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from stillfit.model import AttributeChange, Attributes, Engine, GapReason, Span, Subject
from stillfit.store.store import Store
from tests.store.builders import (
    BY_STATUS,
    CARTS,
    DAY,
    NOON,
    NOON_S,
    ORDERS,
    READS,
    SCOPE,
    around_noon,
    batch,
    gap,
    series,
    settings,
)

LATER = NOON + timedelta(minutes=5)
SHOP = Subject(engine=Engine.KEYSPACES, scope=("123456789012", "eu-west-1"), keyspace="shop")
JOBS = replace(SHOP, table="jobs")
ALWAYS = Span(0, NOON_S + 1000 * DAY)


def test_settings_come_back_with_their_types(store: Store) -> None:
    read = settings(
        billing_mode="PROVISIONED", provisioned_read_units=5.0, ttl=True, replica_regions=("eu-west-1", "x"), empty=()
    )
    store.write(batch(attributes=(read,)))

    assert store.attributes() == (read,)


def test_a_changed_added_or_removed_setting_is_a_dated_change(store: Store) -> None:
    store.write(batch(attributes=(settings(mode="A", kept=1.0, removed="x"),)))
    store.write(batch(attributes=(settings(at=LATER, mode="B", kept=1.0, added=2.0),), at=LATER))

    assert store.changes(ALWAYS) == (
        AttributeChange(subject=ORDERS, name="added", before=None, after=2.0, at=LATER),
        AttributeChange(subject=ORDERS, name="mode", before="A", after="B", at=LATER),
        AttributeChange(subject=ORDERS, name="removed", before="x", after=None, at=LATER),
    )
    assert store.changes(Span(NOON_S, NOON_S + 60)) == ()


def test_settings_of_several_sources_are_one_and_never_compared_with_each_other(store: Store) -> None:
    store.write(batch(attributes=(settings(mode="A"),), source="describe"))
    store.write(batch(attributes=(settings(at=LATER, minimum=5.0),), source="scaling", at=LATER))

    assert store.attributes() == (Attributes.of(ORDERS, LATER, {"mode": "A", "minimum": 5.0}),)
    assert store.changes(ALWAYS) == ()


@pytest.mark.parametrize(("missing", "kept"), [("minimum", True), ("maximum", False)])
def test_a_setting_that_could_not_be_read_is_not_removed(store: Store, missing: str, kept: bool) -> None:
    store.write(batch(attributes=(settings(mode="A", minimum=5.0),)))
    unread = batch(attributes=(settings(at=LATER, mode="B"),), gaps=(gap(missing=missing),), at=LATER)
    store.write(unread)

    (known,) = store.attributes()
    assert known.get("minimum") == (5.0 if kept else None)
    assert [one.name for one in store.changes(ALWAYS)] == (["mode"] if kept else ["minimum", "mode"])


def test_what_is_unread_of_a_whole_region_is_not_removed(store: Store) -> None:
    store.write(batch(attributes=(settings(tags=("a=b",)), settings(CARTS, tags=()))))
    told = (settings(at=LATER), settings(CARTS, at=LATER))
    store.write(batch(attributes=told, gaps=(gap(SCOPE, missing="tags"),), at=LATER))

    assert [one.get("tags") for one in store.attributes()] == [(), ("a=b",)]
    assert store.changes(ALWAYS) == ()


@pytest.mark.parametrize("subject", [ORDERS, SCOPE], ids=["of the table", "of the region"])
def test_what_comes_to_be_known_when_a_gap_ends_is_no_change(store: Store, subject: Subject) -> None:
    """It may have been set years ago."""
    store.write(batch(attributes=(settings(mode="A"),), gaps=(gap(subject, missing="tags"),)))
    store.write(batch(attributes=(settings(at=LATER, mode="A", tags=("a=b",), other=1.0),), at=LATER))

    assert [(one.name, one.before, one.after) for one in store.changes(ALWAYS)] == [("other", None, 1.0)]


def test_what_changed_while_it_could_not_be_read_is_a_change(store: Store) -> None:
    store.write(batch(attributes=(settings(mode="A"),)))
    store.write(batch(attributes=(settings(at=LATER),), gaps=(gap(missing="mode"),), at=LATER))
    after = LATER + timedelta(minutes=5)
    store.write(batch(attributes=(settings(at=after, mode="B"),), at=after))

    assert store.changes(ALWAYS) == (AttributeChange(subject=ORDERS, name="mode", before="A", after="B", at=after),)


def test_an_older_read_does_not_undo_a_newer(store: Store) -> None:
    store.write(batch(attributes=(settings(at=LATER, mode="B"),)))
    store.write(batch(attributes=(settings(mode="A"),)))

    assert store.attributes() == (settings(at=LATER, mode="B"),)
    assert store.changes(ALWAYS) == ()


def test_a_change_that_the_source_dated_is_not_counted_twice(store: Store) -> None:
    scaled = AttributeChange(subject=ORDERS, name="units", before=5.0, after=9.0, at=NOON + timedelta(minutes=2))
    store.write(batch(attributes=(settings(units=5.0),)))
    again = batch(attributes=(settings(at=LATER, units=9.0),), changes=(scaled,), at=LATER)
    store.write(again)
    store.write(again)

    assert store.changes(ALWAYS) == (scaled,)


def test_what_a_complete_inventory_lacks_is_gone_with_its_indexes(store: Store) -> None:
    store.write(batch(series({}, [(-1, 0)], subject=BY_STATUS), subjects_seen=(ORDERS, CARTS), inventory=True))
    store.write(batch(subjects_seen=(CARTS,), inventory=True, at=LATER))

    assert store.subjects() == (CARTS,)
    assert store.changes(ALWAYS) == tuple(
        AttributeChange(subject=one, name="exists", before=True, after=False, at=LATER) for one in (ORDERS, BY_STATUS)
    )


@pytest.mark.parametrize("other", [{"source": "elsewhere", "inventory": True}, {"inventory": False}], ids=str)
def test_an_inventory_of_another_source_or_in_part_makes_nothing_gone(store: Store, other: dict[str, object]) -> None:
    store.write(batch(subjects_seen=(ORDERS, CARTS), inventory=True))
    store.write(batch(subjects_seen=(SCOPE,), at=LATER, **other))  # type: ignore[arg-type]  # fields of Batch

    assert store.subjects() == (SCOPE, CARTS, ORDERS)


def test_what_an_inventory_could_not_describe_is_not_gone_nor_are_its_indexes(store: Store) -> None:
    store.write(batch(subjects_seen=(ORDERS, BY_STATUS, CARTS), inventory=True))
    store.write(batch(inventory=True, undescribed=(ORDERS,), at=LATER))

    assert store.subjects() == (ORDERS, BY_STATUS)


@pytest.mark.parametrize("undescribed", [SHOP, JOBS], ids=["its keyspace", "the table"])
def test_a_table_of_a_keyspace_is_not_gone_where_either_could_not_be_described(
    store: Store, undescribed: Subject
) -> None:
    other = replace(JOBS, keyspace="office")
    store.write(batch(subjects_seen=(JOBS, other), inventory=True))
    store.write(batch(inventory=True, undescribed=(undescribed,), at=LATER))

    assert store.subjects() == (JOBS,)


def test_an_index_that_is_added_to_a_known_table_exists_from_then_on(store: Store) -> None:
    store.write(batch(attributes=(settings(),), subjects_seen=(ORDERS,)))
    store.write(batch(attributes=(settings(at=LATER),), subjects_seen=(ORDERS, BY_STATUS), at=LATER))

    assert store.changes(ALWAYS) == (
        AttributeChange(subject=BY_STATUS, name="exists", before=False, after=True, at=LATER),
    )


def test_what_is_seen_for_the_first_time_has_not_just_been_added(store: Store) -> None:
    store.write(batch(attributes=(settings(),), subjects_seen=(ORDERS,), source="elsewhere"))
    store.write(batch(attributes=(settings(at=LATER),), subjects_seen=(ORDERS, BY_STATUS, CARTS), at=LATER))

    assert store.changes(ALWAYS) == ()


def test_what_comes_back_exists_again(store: Store) -> None:
    for minute, seen in enumerate([(ORDERS,), (), (ORDERS,)]):
        store.write(batch(subjects_seen=seen, inventory=True, at=NOON + timedelta(minutes=minute)))

    assert store.subjects() == (ORDERS,)
    assert [change.after for change in store.changes(ALWAYS)] == [False, True]


def test_a_gap_stands_until_its_metric_is_delivered(store: Store) -> None:
    store.write(batch(gaps=(gap(), gap(missing="other"))))
    store.write(batch(series({}, [(-5, 0)], subject=CARTS), at=LATER))
    assert store.gaps() == (gap(), gap(missing="other"))

    store.write(batch(series({}, [(-5, 0)]), at=LATER))

    assert store.gaps() == (gap(missing="other"),)


@pytest.mark.parametrize("subject", [ORDERS, SCOPE], ids=["the subject", "its scope"])
def test_a_gap_on_everything_ends_with_anything(store: Store, subject: object) -> None:
    store.write(batch(gaps=(gap(subject=subject, missing="*"),)))  # type: ignore[arg-type]  # both are subjects
    store.write(batch(attributes=(settings(at=LATER, mode="A"),), at=LATER))

    assert store.gaps() == ()


def test_a_gap_said_with_partial_data_stands(store: Store) -> None:
    partial = gap(reason=GapReason.PARTIAL)
    store.write(batch(series({}, [(-5, 0)]), gaps=(partial,)))
    store.write(batch(series({}, [(-5, 0)]), gaps=(partial,), at=LATER))

    assert store.gaps() == (partial,)


def test_a_new_reason_is_a_new_gap_and_the_old_one_is_history(store: Store) -> None:
    store.write(batch(gaps=(gap(),)))
    store.write(batch(gaps=(gap(reason=GapReason.TIMEOUT),), at=LATER))

    assert store.gaps() == (gap(reason=GapReason.TIMEOUT),)
    assert store.past_gaps(around_noon()) == (
        (gap(), Span(NOON_S, NOON_S + 300)),
        (gap(reason=GapReason.TIMEOUT), Span(NOON_S + 300, NOON_S + 300)),
    )


@pytest.mark.parametrize(("hours", "stands"), [(26, True), (26.1, False)])
def test_a_gap_that_its_source_no_longer_says_is_forgotten_after_a_day(
    store: Store, hours: float, stands: bool
) -> None:
    store.write(batch(gaps=(gap(),)))
    store.write(batch(at=NOON + timedelta(hours=hours)))

    assert store.gaps() == ((gap(),) if stands else ())


def test_another_source_does_not_end_a_gap(store: Store) -> None:
    store.write(batch(gaps=(gap(),)))
    store.write(batch(series({}, [(-5, 0)]), source="other"))

    assert store.gaps() == (gap(),)


def test_gaps_of_what_is_gone_are_not_shown(store: Store) -> None:
    store.write(batch(gaps=(gap(),), subjects_seen=(ORDERS,), inventory=True))
    store.write(batch(inventory=True, at=LATER))

    assert store.gaps() == ()


def told(store: Store) -> tuple[int, int, int]:
    return len(store.subjects()), len(store.attributes()), len(store.gaps())


def test_what_a_removed_source_told_ends_and_comes_back_with_it(store: Store) -> None:
    listed = batch(
        series({}, [(-1, 0)], subject=BY_STATUS),
        attributes=(settings(mode="A"),),
        gaps=(gap(),),
        subjects_seen=(ORDERS, CARTS),
        inventory=True,
    )
    store.write(listed)
    store.retire_sources(frozenset({"another"}), LATER)
    store.retire_sources(frozenset({"another"}), LATER + timedelta(minutes=1))  # twice changes nothing

    assert told(store) == (0, 0, 0)
    assert [(one.subject, one.at) for one in store.changes(ALWAYS)] == [
        (one, LATER) for one in (CARTS, ORDERS, BY_STATUS)
    ]

    store.write(replace(listed, at=LATER + timedelta(minutes=2)))
    assert told(store) == (2, 1, 1)


def test_what_a_source_that_stays_told_stays(store: Store) -> None:
    store.write(batch(gaps=(gap(),), attributes=(settings(mode="A"),), subjects_seen=(ORDERS,), source="stays"))
    store.write(batch(gaps=(gap(),), subjects_seen=(ORDERS, CARTS), source="removed", at=LATER))
    store.retire_sources(frozenset({"stays"}), LATER)

    assert store.subjects() == (ORDERS,)
    assert told(store) == (1, 1, 1)
    store.write(batch(inventory=True, source="stays", at=LATER))
    assert store.subjects() == ()


def test_a_gap_keeps_its_span(store: Store) -> None:
    spanned = gap(missing=READS).__class__(
        subject=ORDERS, missing=READS, reason=GapReason.PARTIAL, detail="d", source="s", span=Span(1, 2)
    )
    store.write(batch(gaps=(spanned,)))

    assert store.gaps() == (spanned,)
