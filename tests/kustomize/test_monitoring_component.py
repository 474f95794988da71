"""The optional component of monitoring: every query names what the controller exports, every alert has its runbook."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from alula.emit import kustomize
from alula_controller import metrics

ROOT = Path(__file__).resolve().parents[2]
COMPONENT = ROOT / "kustomize/components/monitoring"
RUNBOOKS = "https://github.com/alula-dev/alula/blob/main/docs/runbooks.md#"
_NAME = re.compile(r"\balula_[a-z_]+")
_SELECTED = re.compile(r"(alula_[a-z_]+)\{([^}]*)\}")
_BY = re.compile(r"\b(?:by|on) \(([^)]*)\)")


def alerts() -> list[dict[str, Any]]:
    (rules,) = yaml.safe_load_all((COMPONENT / "alerts.yaml").read_text(encoding="utf-8"))
    return [rule for group in rules["spec"]["groups"] for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((COMPONENT / "alula.json").read_text(encoding="utf-8"))
    return found


def queries() -> Iterator[tuple[str, str]]:
    """Every query of the alerts and of the dashboard, with where it stands."""
    yield from ((rule["alert"], rule["expr"]) for rule in alerts())
    for panel in dashboard()["panels"]:
        yield from ((panel["title"], target["expr"]) for target in panel.get("targets", ()))
    yield from ((each["name"], each["query"]) for each in dashboard()["templating"]["list"] if each["type"] == "query")


def exported() -> dict[str, set[str]]:
    """Every name of a series, with its labels."""
    found: dict[str, set[str]] = {each.name: set(each.labels) for each in metrics.STATES}
    for each in metrics.ALL:
        labels = set(each._labelnames)
        if each._type == "histogram":
            found |= {
                f"{each._name}_bucket": {*labels, "le"},
                f"{each._name}_sum": labels,
                f"{each._name}_count": labels,
            }
        else:
            found[f"{each._name}_total" if each._type == "counter" else each._name] = labels
    return found


def test_every_query_names_a_metric_that_is_exported_and_labels_that_it_has() -> None:
    known = exported()
    for where, query in queries():
        names = set(_NAME.findall(query))
        assert names, (where, query)
        assert names <= set(known), (where, names - set(known))
        for name, selectors in _SELECTED.findall(query):
            selected = {each.strip().partition("=")[0].rstrip("!") for each in selectors.split(",") if each.strip()}
            assert selected <= known[name], (where, name, selected - known[name])
        grouped = {each.strip() for group in _BY.findall(query) for each in group.split(",")} - {""}
        assert grouped <= set().union(*(known[name] for name in names)), (where, grouped)


def test_what_is_described_is_what_is_exported() -> None:
    names = {re.sub("_(bucket|sum|count)$", "", name) for name in exported()}
    assert names == set(metrics.described())


def test_every_alert_has_a_severity_two_sentences_and_a_runbook_that_is_there() -> None:
    page = (ROOT / "docs/runbooks.md").read_text(encoding="utf-8")
    sections = re.findall(r"(?m)^## (\w+)$", page)
    assert [rule["alert"] for rule in alerts()] == [*dict.fromkeys(rule["alert"] for rule in alerts())]
    assert {rule["alert"] for rule in alerts()} == set(sections)
    for rule in alerts():
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"]["runbook_url"] == f"{RUNBOOKS}{rule['alert'].lower()}"
        for sentence in (rule["annotations"]["summary"], rule["annotations"]["description"]):
            assert sentence.endswith(".")


def test_no_two_panels_lie_over_each_other_or_have_one_id() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for panel in panels
        for place in (panel["gridPos"],)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert all(x < 24 for x, _ in cells)


def test_the_component_is_added_to_an_installation(tmp_path: Path) -> None:
    builder = kustomize.builder()
    if builder is None:
        pytest.skip("neither kubectl nor kustomize is on PATH")
    here = os.path.relpath(ROOT / "kustomize", tmp_path)
    text = f"resources: [{here}/overlays/dev]\ncomponents: [{here}/components/monitoring]\n"
    (tmp_path / "kustomization.yaml").write_text(text)
    done = subprocess.run([*builder, str(tmp_path)], capture_output=True, text=True, check=True)
    made = {(each["kind"], each["metadata"]["name"]): each for each in yaml.safe_load_all(done.stdout)}
    assert made["PrometheusRule", "alula"]["spec"]["groups"]
    assert json.loads(made["ConfigMap", "alula-dashboard"]["data"]["alula.json"]) == dashboard()
    pods = made["Deployment", "alula-controller"]["spec"]["template"]
    monitor = made["PodMonitor", "alula-controller"]["spec"]
    assert monitor["selector"]["matchLabels"].items() <= pods["metadata"]["labels"].items()
    (endpoint,) = monitor["podMetricsEndpoints"]
    assert endpoint["port"] in [port["name"] for port in pods["spec"]["containers"][0]["ports"]]
