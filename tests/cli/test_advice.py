"""`stillfit advice`: seen, taken on, snoozed, dismissed, beside a daemon or without one."""

import json
from dataclasses import replace
from pathlib import Path

from stillfit.advice import Advice, AdviceState
from stillfit.clock import SystemClock
from stillfit.store.outbox import OutboxState
from stillfit.store.store import Store
from tests.cli.conftest import Stillfit


def kept(config: Path) -> Advice:
    store = Store.open(f"sqlite:///{config.parent}/stillfit.db", clock=SystemClock(), exclusive=False)
    try:
        return store.advice()[0]
    finally:
        store.close()


def test_the_list_names_what_stands(stillfit: Stillfit, config: Path, standing: Advice) -> None:
    told = stillfit("advice", "list", "-c", config)

    assert told.code == 0
    assert standing.id in told.out
    assert "Raise the minimum capacity of" in told.out


def test_advice_that_waits_is_counted_and_listed_on_request(stillfit: Stillfit, config: Path, standing: Advice) -> None:
    store = Store.open(f"sqlite:///{config.parent}/stillfit.db", clock=SystemClock(), ballast_bytes=0)
    later = replace(standing, id="A-000001", fingerprint="another", state=AdviceState.PENDING)
    store.commit([later], [], epoch=None)
    store.close()

    told = stillfit("advice", "list", "-c", config).out
    assert "1 more waits until the cause was seen for long enough" in told
    assert later.id not in told
    assert later.id in stillfit("advice", "list", "--all", "-c", config).out


def test_the_list_as_json_is_that_of_the_findings_document(stillfit: Stillfit, config: Path, standing: Advice) -> None:
    (only,) = json.loads(stillfit("advice", "list", "-c", config, "--format", "json").out)

    assert (only["id"], only["state"], only["subject"]["name"]) == (standing.id, "open", "terraform-lock")


def test_show_tells_evidence_steps_and_what_became_of_it(stillfit: Stillfit, config: Path, standing: Advice) -> None:
    told = stillfit("advice", "show", standing.id, "-c", config).out

    for part in (
        "What it rests on",
        "provisioned_read_units",
        "What became of it",
        "capacity was lowered",
        "1)",
        "risk",
    ):
        assert part in told


def test_the_beginning_of_an_id_is_enough(stillfit: Stillfit, config: Path, standing: Advice) -> None:
    told = stillfit("advice", "show", standing.id[:5].lower(), "-c", config, "--format", "json")

    assert json.loads(told.out)["history"][0]["after"] == "open"


def test_acknowledged_advice_is_kept_with_who_did_it(stillfit: Stillfit, config: Path, standing: Advice) -> None:
    told = stillfit("advice", "acknowledge", standing.id, "-c", config, "--by", "ann")

    assert told.code == 0
    assert (kept(config).state, kept(config).state_by) == (AdviceState.ACKNOWLEDGED, "ann")


def test_snoozed_advice_comes_back_at_its_time(stillfit: Stillfit, config: Path, standing: Advice) -> None:
    stillfit("advice", "snooze", standing.id, "--for", "4h", "-c", config, "--by", "ann")

    record = kept(config)
    assert record.state is AdviceState.SNOOZED
    assert record.snooze_until is not None
    assert (record.snooze_until - record.state_since).total_seconds() == 4 * 3600


def test_dismissed_advice_keeps_its_reason_and_leaves_the_list(
    stillfit: Stillfit, config: Path, standing: Advice
) -> None:
    stillfit("advice", "dismiss", standing.id, "--reason", "a test table", "-c", config, "--by", "ann")

    assert kept(config).state_reason == "a test table"
    assert standing.id not in stillfit("advice", "list", "-c", config).out
    assert standing.id in stillfit("advice", "list", "--all", "-c", config).out


def test_what_a_person_does_is_told_in_slack(stillfit: Stillfit, config: Path, standing: Advice) -> None:
    config.write_text(config.read_text() + "slack: {channel: databases, token: xoxb-1}\n")
    stillfit("advice", "acknowledge", standing.id, "-c", config, "--by", "ann")

    store = Store.open(f"sqlite:///{config.parent}/stillfit.db", clock=SystemClock(), exclusive=False)
    assert store.outbox.counts()[OutboxState.QUEUED] == 1
    store.close()


def test_an_unknown_id_names_the_nearest(stillfit: Stillfit, config: Path, standing: Advice) -> None:
    told = stillfit("advice", "show", "A-7b6a691805", "-c", config)

    assert told.code == 2
    assert f"nearest are\n  {standing.id}  terraform-lock: " in told.err


def test_what_a_state_does_not_allow_is_refused(stillfit: Stillfit, config: Path, standing: Advice) -> None:
    stillfit("advice", "acknowledge", standing.id, "-c", config, "--by", "ann")
    told = stillfit("advice", "acknowledge", standing.id, "-c", config, "--by", "ann")

    assert told.code == 2
    assert "is acknowledged and cannot be acknowledged" in told.err


def test_a_length_that_is_none_is_refused(stillfit: Stillfit, config: Path, standing: Advice) -> None:
    told = stillfit("advice", "snooze", standing.id, "--for", "a while", "-c", config)

    assert (told.code, told.err) == (2, "--for a while is no length of time: write 4h, 1d, 7d or 30d\n")


def test_a_store_that_is_not_there_yet_is_said_so(stillfit: Stillfit, config: Path) -> None:
    told = stillfit("advice", "list", "-c", config)

    assert told.code == 4
    assert "start the daemon once" in told.err


def test_no_advice_is_said_in_words(stillfit: Stillfit, config: Path) -> None:
    Store.open(f"sqlite:///{config.parent}/stillfit.db", clock=SystemClock(), ballast_bytes=0).close()

    assert stillfit("advice", "list", "-c", config).out.startswith("No advice stands.")
