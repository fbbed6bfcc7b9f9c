"""Dashboards as files: made by the generator, well formed, and in themselves complete."""

from __future__ import annotations

import re
import warnings
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.generate import fleet
from tests.dashboards.expressions import BOARDS, DASHBOARDS, ROOT, board

PANELS = [pytest.param(panel, id=panel["title"]) for path in BOARDS for panel in board(path)["panels"]]
ASKING = [one for one in PANELS if one.values[0]["type"] != "text"]  # type: ignore[index]  # a panel is a dict
UNITS = {"short", "none", "percentunit", "currencyUSD", "s", "ops", "bytes"}


def test_the_committed_dashboard_is_what_the_generator_writes() -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*dashboardv2.*", category=DeprecationWarning)
        written = fleet()

    assert (DASHBOARDS / "stillfit-fleet.json").read_text(encoding="utf-8") == written


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_grafana_loses_nothing_of_a_dashboard(path: Path) -> None:
    import json

    read = board(path)

    assert json.loads(json.dumps(Dashboard.from_json(read), cls=JSONEncoder)) == read


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_a_dashboard_can_be_found_and_is_not_edited_in_place(path: Path) -> None:
    read = board(path)

    assert re.fullmatch(r"stillfit-[a-z-]{1,31}", read["uid"])
    assert (read["uid"], read["editable"], "stillfit" in read["tags"]) == (path.stem, False, True)
    assert [one["name"] for one in read["templating"]["list"]] == ["datasource", "job", "target"]
    assert {one["refresh"] for one in read["templating"]["list"][1:]} == {2}
    assert "__inputs" not in read


def test_uids_are_unique() -> None:
    uids = [board(path)["uid"] for path in BOARDS]

    assert len(set(uids)) == len(uids)


@pytest.mark.parametrize("panel", PANELS)
def test_every_panel_has_a_title_and_says_what_to_do(panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert len(panel["description"]) >= 15
    assert panel["description"].endswith(".")


@pytest.mark.parametrize("panel", ASKING)
def test_every_panel_asks_the_chosen_source_with_a_unit_and_words_for_nothing(panel: dict[str, Any]) -> None:
    defaults = panel["fieldConfig"]["defaults"]

    assert panel["targets"]
    assert {one["datasource"]["uid"] for one in (panel, *panel["targets"])} == {"${datasource}"}
    assert defaults["unit"] in UNITS
    assert defaults["noValue"]
    assert panel["type"] != "stat" or defaults["thresholds"]["steps"]
    assert all(one["expr"].count("(") == one["expr"].count(")") for one in panel["targets"])


@pytest.mark.parametrize("panel", ASKING)
def test_every_line_of_a_graph_has_a_name(panel: dict[str, Any]) -> None:
    assert panel["type"] == "table" or all(one["legendFormat"] for one in panel["targets"])


@pytest.mark.parametrize("panel", ASKING)
def test_rates_follow_the_scrape_interval_and_counters_stand_inside_them(panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        ranges = re.findall(r"\[([^]]*)\]", target["expr"])
        bare = re.sub(r"(rate|increase|changes)\([^()]*(\{[^}]*\})?[^()]*\)", "", target["expr"])
        assert set(ranges) <= {"$__rate_interval"}
        assert not re.search(r"_total\b", bare)


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_panels_stay_on_the_grid_and_off_each_other(path: Path) -> None:
    places = [panel["gridPos"] for panel in board(path)["panels"]]

    assert all(one["x"] + one["w"] <= 24 for one in places)
    for one, other in combinations(places, 2):
        apart_x = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        apart_y = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert apart_x or apart_y, (one, other)


def test_provisioning_points_at_a_folder_and_leaves_files_in_charge() -> None:
    (provider,) = yaml.safe_load((DASHBOARDS / "provisioning/dashboards/stillfit.yaml").read_text())["providers"]

    assert (provider["type"], provider["allowUiUpdates"], provider["folder"]) == ("file", False, "stillfit")
    assert provider["options"]["path"].startswith("/")


def test_the_provisioned_source_is_a_prometheus() -> None:
    (source,) = yaml.safe_load((DASHBOARDS / "provisioning/datasources/stillfit.yaml").read_text())["datasources"]

    assert (source["type"], source["uid"]) == ("prometheus", "stillfit-prometheus")


def test_the_wheel_carries_the_dashboards() -> None:
    assert '"dashboards" = "stillfit/dashboards"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
