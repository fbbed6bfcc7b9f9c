"""`stillfit config check` on a real account: the plan, its price, and a budget that cannot hold the promise."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.aws.spending.month import month_name
from stillfit.clock import SystemClock
from stillfit.standins.aws import World
from stillfit.store.store import Store
from tests.cli.cloud import put_table
from tests.cli.conftest import Outcome, Stillfit


@pytest.fixture
def check(stillfit: Stillfit, tmp_path: Path, world: World) -> "Check":
    """Fifty more tables that serve nothing."""
    for number in range(50):
        put_table(world, f"idle{number}")
    return Check(stillfit, tmp_path / "stillfit.yaml")


class Check:
    def __init__(self, stillfit: Stillfit, path: Path) -> None:
        self._stillfit, self._path = stillfit, path

    def __call__(self, *options: str, **settings: object) -> Outcome:
        lines = "".join(f"    {name}: {value}\n" for name, value in settings.items())
        self._path.write_text(f"aws:\n  - regions: [eu-west-1]\n{lines}")
        return self._stillfit("config", "check", "-c", self._path, *options)


def test_the_plan_and_its_price_are_told_and_nothing_is_billed(check: Check, world: World) -> None:
    told = check()

    assert told.code == 0
    assert "warm: 1 table, tripwires every 5 min, the rest every 1 h; a message at most 7 min late" in told.out
    assert "cold: 50 tables, tripwires every 15 min, the rest every 3 h; a message at most 17 min late" in told.out
    assert "USD a month, and more only while requests are refused" in told.out
    assert world.bill.metrics == 0


def test_what_is_assumed_of_causes_is_told_where_a_table_is_hot(check: Check) -> None:
    causes = "causes of refused requests: counted with every tripwire of hot tables, the most it can be"

    assert causes in " ".join(check(hot="[idle7]").out.split())
    assert "causes of refused requests" not in check().out


def test_a_budget_that_is_enough_passes(check: Check) -> None:
    assert check(monthly_budget=1000).code == 0


def test_a_tight_budget_is_kept_by_stretching_and_told_so(check: Check) -> None:
    told = check(monthly_budget=3.40)

    assert told.code == 0
    assert "stretched to keep to the budget" in told.out


def test_a_budget_that_breaks_the_promise_fails_with_the_delay_and_what_would_do(check: Check) -> None:
    told = check(monthly_budget=1.50)

    assert told.code == 3
    assert "aws[0].monthly_budget: 1.50 USD cannot hold the freshness promise" in told.err
    assert "Raise it to" in told.err
    assert "accepted_delay: " in told.err


def test_the_printed_delay_is_the_one_to_accept(check: Check) -> None:
    refused = check(monthly_budget=1.50)
    minutes = int(refused.err.rsplit("accepted_delay: ", 1)[1].split("m")[0])

    assert check(monthly_budget=1.50, accepted_delay=f"{minutes - 1}m").code == 3
    assert check(monthly_budget=1.50, accepted_delay=f"{minutes}m").code == 0


def test_the_budget_that_it_names_is_enough(check: Check) -> None:
    needed = check(monthly_budget=1.50).err.split("Raise it to ")[1].split(",")[0]

    assert check(monthly_budget=float(needed)).code == 0


def test_a_budget_that_nothing_can_hold_fails_whatever_is_accepted(check: Check) -> None:
    told = check(monthly_budget=0.01, accepted_delay="1d")

    assert told.code == 3
    assert "even the slowest reading of 51 tables costs" in told.err


def test_offline_nothing_is_asked_and_each_kind_of_table_is_priced(check: Check, world: World) -> None:
    told = check("--offline", monthly_budget=0.01)

    assert (told.code, dict(world.bill.calls)) == (0, {})
    assert "a table on demand" in told.out


def test_without_credentials_it_says_what_was_not_counted(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    told = check(monthly_budget=1)

    assert told.code == 0
    assert "not counted: sts:GetCallerIdentity" in told.out
    assert "a table on demand" in told.out


@pytest.mark.parametrize("chosen", [{"include": "[nothing-*]"}, {"exclude": "['*']"}, {"tags": "{team: nobody}"}])
def test_an_entry_that_watches_nothing_says_so(check: Check, chosen: dict[str, str]) -> None:
    told = check(**chosen)

    assert told.code == 0
    assert "found no table that this entry watches: look at its regions, include, exclude and tags" in told.out


def test_a_budget_that_is_refused_is_told_once_and_in_words(check: Check) -> None:
    told = check(monthly_budget=0.01)

    assert "no mistakes" not in told.out
    assert told.err.count("budget") == told.err.count("aws[0].monthly_budget") + 1
    assert "[error" not in told.err


def test_lines_too_long_for_the_terminal_go_on_further_in(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    told = check().out.partition("Reading CloudWatch")[2].splitlines()[2:]

    assert max(map(len, told)) <= 60
    assert any(line.startswith("    ") for line in told)
    assert all(line.startswith("  ") for line in told if line)


def test_what_the_month_has_come_to_is_told_where_there_is_a_store(
    stillfit: Stillfit, tmp_path: Path, world: World
) -> None:
    path = tmp_path / "stillfit.yaml"
    url = f"sqlite:///{tmp_path}/stillfit.db"
    path.write_text(f"store: {url}\naws:\n  - regions: [eu-west-1]\n    monthly_budget: 1000\n")
    now = datetime.now(UTC)
    with closing(Store.open(url, clock=SystemClock(), ballast_bytes=4096)) as store:
        for month in {month_name(now), month_name(now + timedelta(hours=1))}:
            store.spending.add(month, "aws/default/eu-west-1", 1.25)
    told = stillfit("config", "check", "-c", path)

    assert told.code == 0
    assert "1.25 USD spent in 20" in told.out
    assert "of the budget of 1,000.00 USD" in told.out
