"""A real Prometheus: its tool takes the alert rules and fires them when it should, and it scrapes the controller."""

from __future__ import annotations

import json
import pathlib
import shutil
import subprocess
import urllib.parse
import urllib.request
from typing import Any

import pytest
import yaml

from e2e import installing
from e2e.cluster import errors, processes
from e2e.controller import definitions
from e2e.controller.conftest import Scene, until

RULES = installing.ROOT / "kustomize/components/monitoring/alerts.yaml"
PORT = 9191  # 9090 is of Argo
TESTS = """\
rule_files: [alerts.yaml]
evaluation_interval: 1m
tests:
- interval: 1m
  input_series:
  - {series: 'alula_leader{pod="a"}', values: '1x5 0x20'}
  - {series: 'alula_leader{pod="b"}', values: '0x25'}
  - {series: 'alula_build_info{pod="a"}', values: '1x25'}
  alert_rule_test:
  - {eval_time: 7m, alertname: AlulaNoLeader, exp_alerts: []}
  - eval_time: 10m
    alertname: AlulaNoLeader
    exp_alerts:
    - exp_labels: {severity: critical}
      exp_annotations:
        summary: Replicas of alula's controller run, and none of them acts.
        description: No replica has held the Lease alula-controller for three minutes.
        runbook_url: https://github.com/alula-dev/alula/blob/main/docs/runbooks.md#alulanoleader
- interval: 1m
  input_series:
  - {series: 'alula_runs_total{namespace="dev",launch_plan="nightly",outcome="Failed"}', values: '0 1 2 3 4 4x60'}
  - {series: 'alula_runs_total{namespace="dev",launch_plan="nightly",outcome="Succeeded"}', values: '0 1 1x63'}
  - {series: 'alula_runs_total{namespace="dev",launch_plan="once",outcome="Failed"}', values: '0 1 1x63'}
  promql_expr_test:
  - expr: count(ALERTS{alertname="AlulaRunsFail",alertstate="firing"})
    eval_time: 30m
    exp_samples: [{labels: '{}', value: 1}]
  - expr: ALERTS{alertname="AlulaRunsFail",launch_plan="once"}
    eval_time: 30m
- interval: 1m
  input_series:
  - {series: 'alula_domain_oldest_waiting_seconds{namespace="free"}', values: '0+60x30'}
  - {series: 'alula_domain_oldest_waiting_seconds{namespace="full"}', values: '0+60x30'}
  - {series: 'alula_domain_quota_runs{namespace="full"}', values: '5x30'}
  promql_expr_test:
  - expr: count by (namespace) (ALERTS{alertname="AlulaAdmissionSlow",alertstate="firing"})
    eval_time: 20m
    exp_samples: [{labels: '{namespace="free"}', value: 1}]
"""


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise errors.Unavailable(f"no `{name}` on PATH; `make e2e-setup` installs it")
    return found


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The rules of the component as Prometheus itself takes them."""
    folder = tmp_path_factory.mktemp("prometheus")
    groups = yaml.safe_load(RULES.read_text())["spec"]["groups"]
    (folder / "alerts.yaml").write_text(json.dumps({"groups": groups}))
    return folder / "alerts.yaml"


def promtool(*words: str, folder: pathlib.Path) -> None:
    done = subprocess.run([program("promtool"), *words], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_alert_rules_are_sound_and_fire_when_they_should(rules: pathlib.Path) -> None:
    promtool("check", "rules", "alerts.yaml", folder=rules.parent)
    (rules.parent / "tests.yaml").write_text(TESTS)
    promtool("test", "rules", "tests.yaml", folder=rules.parent)


@pytest.fixture
def prometheus(installation: installing.Installation, rules: pathlib.Path) -> processes.Process:
    """Prometheus with the rules, scraping the controller each second."""
    job = {"job_name": "alula", "static_configs": [{"targets": ["127.0.0.1:8080"]}]}
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(rules)],
        "scrape_configs": [job],
    }
    (rules.parent / "prometheus.yaml").write_text(json.dumps(config))
    argv = [
        program("prometheus"),
        f"--config.file={rules.parent / 'prometheus.yaml'}",
        f"--storage.tsdb.path={rules.parent / 'data'}",
        f"--web.listen-address=127.0.0.1:{PORT}",
    ]
    found: processes.Process = installation.cluster.spawn("prometheus", argv, {"GOMAXPROCS": "1"})
    return found


def ask(query: str) -> list[dict[str, Any]]:
    """The series that a query finds now."""
    url = f"http://127.0.0.1:{PORT}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=10) as answer:
            found: list[dict[str, Any]] = json.loads(answer.read())["data"]["result"]
            return found
    except OSError:
        return []


def value(query: str) -> float:
    found = ask(query)
    return float(found[0]["value"][1]) if found else 0.0


def test_it_scrapes_what_the_alerts_ask_for_and_what_is_gone_is_gone(
    scene: Scene, prometheus: processes.Process
) -> None:
    here = f'namespace="{scene.space}"'
    until(lambda: value("alula_leader") == 1.0, 120)
    ended = f'alula_runs_total{{{here},launch_plan="",outcome="Succeeded"}}'
    before = value(ended)
    scene.define(definitions.workflow("watched"))
    for _ in range(2):
        assert scene.run("watched")["status"]["phase"] == "Succeeded"
    until(lambda: value(ended) - before == 2.0, 120)
    for name in ("alula_admission_duration_seconds_count", "alula_run_duration_seconds_count"):
        assert value(f"{name}{{{here}}}") >= 2.0, name
    assert value(f'alula_reconcile_condition{{{here},name="watched",type="Ready",status="True"}}') == 1.0
    assert value("alula_compile_duration_seconds_count") >= 1.0

    scene.apply(definitions.workflow("broken", [definitions.node("a", "nothing")]))
    stalled = f'ALERTS{{alertname="AlulaDefinitionStalled",{here},name="broken"}}'
    until(lambda: ask(stalled), 120)
    scene.api.delete(installing.ALULA, "Workflow", "broken", scene.space)
    until(lambda: not ask(stalled), 120)
    assert not ask(f'alula_reconcile_condition{{{here},name="broken"}}')

    scene.installation.kill()
    try:
        until(lambda: ask('ALERTS{alertname="AlulaDown"}'), 120)
    finally:
        scene.installation.start()
    until(lambda: not ask('ALERTS{alertname="AlulaDown"}') and value("alula_leader") == 1.0, 120)
    prometheus.kill()
