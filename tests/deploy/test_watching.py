"""Alerts and dashboard: promtool reads them, the alerts fire when they should, and every metric exists."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import pytest

from realtime.metrics import with_all
from realtime.server.metrics_sum import MetricsSum
from realtime.server.run import running
from realtime.server.spread import WorkerTable, shared_rows
from realtime.server.supervisor import Supervisor
from realtime.settings import Settings
from tests.cluster.balancer import require
from tests.deploy.files import DEPLOY, dashboard, expressions, read_yaml

NAME = re.compile(r"\b(?:realtime|process)_\w+")


def promtool(*arguments: str) -> None:
    require("promtool")
    ran = subprocess.run(["promtool", *arguments], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_prometheus_reads_its_files_and_the_alerts_fire_when_they_should() -> None:
    promtool("check", "config", str(DEPLOY / "prometheus" / "prometheus.yml"))
    promtool("test", "rules", str(DEPLOY / "prometheus" / "rules_test.yml"))


def test_every_alert_has_a_test() -> None:
    tests = read_yaml(DEPLOY / "prometheus" / "rules_test.yml")["tests"]
    fired = {case["alertname"] for test in tests for case in test["alert_rule_test"] if case["exp_alerts"]}
    rules = read_yaml(DEPLOY / "prometheus" / "rules.yml")["groups"][0]["rules"]
    assert fired == {rule["alert"] for rule in rules}


def test_every_expression_can_be_read(tmp_path) -> None:
    found = [{"record": f"e:{number}", "expr": each} for number, (_, each) in enumerate(expressions())]
    rules = tmp_path / "rules.json"  # JSON is YAML
    rules.write_text(json.dumps({"groups": [{"name": "all", "rules": found}]}))
    assert len(found) > 30
    promtool("check", "rules", str(rules))


def test_a_wrong_expression_would_be_seen(tmp_path) -> None:
    rules = tmp_path / "rules.json"
    rules.write_text('{"groups": [{"name": "all", "rules": [{"record": "e", "expr": "sum(rate(a)"}]}]}')
    with pytest.raises(AssertionError, match="could not parse expression"):
        promtool("check", "rules", str(rules))


def of_workers() -> str:
    """What the parent of several workers adds."""
    nothing: Any = None
    table = WorkerTable([0.0] * len(shared_rows(1)))
    parent = Supervisor(table, nothing, on_ready=nothing, on_stop=nothing, longest_stop_s=1.0)
    return MetricsSum().text(parent._own_metrics())


async def scraped() -> set[str]:
    """The names of all series that a server can have, as its metrics name their families."""
    metrics = with_all()
    own = Settings(port=0, transcriber="none", voice_detector="none", end_of_turn_model="none")
    async with running(own, metrics=metrics):
        text = metrics.text().decode() + of_workers()
    families = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    assert len(families) > 30
    parts = {
        name + part
        for name, kind in families.items()
        if kind == "histogram"
        for part in ("_bucket", "_sum", "_count")
    }
    return set(families) | parts


def test_the_operators_page_has_a_row_for_every_metric() -> None:
    """And none for one that is not there."""
    text = with_all().text().decode() + of_workers()
    there = set(re.findall(r"^# TYPE (realtime_\w+(?<!_created)) (\w+)$", text, re.MULTILINE))
    page = (DEPLOY.parent / "docs" / "operations.md").read_text()
    table = page.split("| metric | type | labels | meaning |")[1].split("\n\n")[0]
    rows = re.findall(r"^\| (`realtime_[^|]+) \| (\w+) \|", table, re.MULTILINE)
    told = {(name, kind) for names, kind in rows for name in re.findall(r"`(\w+)`", names)}
    assert told == there, "the table of docs/operations.md and realtime/metrics.py"


async def test_every_metric_that_is_asked_for_exists() -> None:
    there = await scraped()
    asked = {(place, name) for place, each in expressions() for name in NAME.findall(each)}
    assert len(asked) > 30
    assert {(place, name) for place, name in asked if name not in there} == set()


def test_the_dashboard_has_its_four_rows_and_a_source() -> None:
    panels = dashboard()["panels"]
    rows = [panel["title"] for panel in panels if panel["type"] == "row"]
    assert rows == ["What people hear", "Load and admission", "Account", "Nodes"]
    provisioned = read_yaml(DEPLOY / "grafana" / "provisioning" / "datasources" / "prometheus.yaml")
    (source,) = provisioned["datasources"]
    used = {panel["datasource"]["uid"] for panel in panels if "datasource" in panel}
    assert used == {source["uid"]}
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_the_rules_have_what_the_documents_say() -> None:
    text = (DEPLOY.parent / "docs" / "operations.md").read_text()
    rows = re.findall(
        r"^\| ([^|]+) \| (.+) \|$", text.split("| alert | expression |")[1].split("\n\n")[0], re.MULTILINE
    )
    rules = (DEPLOY / "prometheus" / "rules.yml").read_text()
    missing = [
        alert for alert, expression in rows if not set(NAME.findall(expression)) <= set(NAME.findall(rules))
    ]
    assert len(rows) > 10
    assert missing == ["nearly full"]  # its number is the operator's
