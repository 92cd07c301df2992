"""The dashboard, the rules and the page in docs/ ask for metrics that there are; Grafana can read the dashboard."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import pytest

from streaming.record import ExchangeRecord, Tried
from telemetry.metrics import Metrics
from tests.servers import ROOT
from tests.telemetry.scraped import Samples

DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy/grafana/dragoman.json").read_text(encoding="utf-8"))
PROMETHEUS = (ROOT / "deploy/prometheus/prometheus.yml").read_text(encoding="utf-8")
RULES = (ROOT / "deploy/prometheus/rules.yml").read_text(encoding="utf-8")
PAGE = (ROOT / "docs/METRICS.md").read_text(encoding="utf-8")
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def queries() -> Iterator[str]:
    """Each query of the dashboard, of its variables too."""
    for panel in PANELS:
        yield from (target["expr"] for target in panel["targets"])
    yield from (each["definition"] for each in DASHBOARD["templating"]["list"] if each["type"] == "query")


@pytest.fixture(scope="module")
def labels() -> Mapping[str, set[str]]:
    """The names that can be asked for, and the labels that each of them has."""
    metrics = Metrics()
    record = ExchangeRecord("id", "/v1/chat/completions", "m", stream=True, status=200, pieces=2, first_word=0.1)
    record.tried, record.codes, record.error = [Tried(0.0, 200)], {"prompted"}, "backend_interrupted"
    record.bytes_in = record.bytes_out = 1
    record.gaps = [1] * 24
    record.notes.tokens = record.notes.tokens._replace(prompt=1)
    metrics.began()
    metrics.ended(record)
    found: dict[str, set[str]] = {}
    for name, given, _ in Samples(metrics.told("")[0].decode()):
        found.setdefault(name, set()).update(given)
    return found


def names_in(text: str) -> set[str]:
    return set(re.findall(r"\bdragoman_[a-z_]+\b", text))


def test_every_query_asks_for_what_there_is(labels: Mapping[str, set[str]]) -> None:
    asked = list(queries())
    assert len(asked) > 20
    for query in asked:
        names = names_in(query)
        assert names and names <= set(labels), query
        known = set().union(*(labels[name] for name in names))
        grouped = re.findall(r"\bby \(([^)]*)\)", query)
        matched = re.findall(r"[{,](\w+)[!=]~?=?\"", query)
        for label in [*matched, *(each.strip() for group in grouped for each in group.split(","))]:
            assert label in known, f"{label} in {query}"


def test_every_metric_is_shown(labels: Mapping[str, set[str]]) -> None:
    shown = names_in(" ".join(queries()))
    for name in labels:
        if name.endswith(("_bucket", "_total", "_in_flight")):
            assert name in shown, name


def test_rules_ask_for_what_there_is(labels: Mapping[str, set[str]]) -> None:
    assert names_in(RULES) <= set(labels) and len(re.findall(r"alert:", RULES)) >= 3
    assert "rules.yml" in PROMETHEUS and "/metrics" in PROMETHEUS


def test_the_page_names_every_metric_and_every_label(labels: Mapping[str, set[str]]) -> None:
    families = {name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count") for name in labels}
    rows = dict(re.findall(r"^\| `(dragoman_\w+)` \| ([^|]*) \|", PAGE, re.MULTILINE))
    assert set(rows) == families
    for name, told in rows.items():
        given = set().union(*(found for other, found in labels.items() if other.startswith(name))) - {"le"}
        assert set(re.findall(r"`(\w+)`", told)) == given, name


def test_grafana_can_read_it() -> None:
    """What its JSON model asks for: https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/"""
    assert DASHBOARD["schemaVersion"] >= 36 and DASHBOARD["uid"] and DASHBOARD["title"] == "Dragoman"
    assert DASHBOARD["id"] is None  # or an import would overwrite another dashboard
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    variables = {each["name"] for each in DASHBOARD["templating"]["list"]}
    for panel in PANELS:
        assert panel["type"] in ("stat", "timeseries", "table", "heatmap") and panel["title"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        refs = [target["refId"] for target in panel["targets"]]
        assert refs and len(set(refs)) == len(refs)
    used = set(re.findall(r"\$\{?(?!__)([a-z]+)\}?", json.dumps(DASHBOARD)))
    assert used == variables


def test_panels_do_not_cover_each_other() -> None:
    places = [panel["gridPos"] for panel in DASHBOARD["panels"]]
    for place in places:
        assert place["x"] >= 0 and place["x"] + place["w"] <= 24 and place["h"] > 0
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below, (one, other)
