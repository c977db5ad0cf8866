"""What the files of `deploy/` say: settings, ports, paths, expressions. Reads files, starts nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
BASE = DEPLOY / "kubernetes" / "base"
OUR_PREFIXES = ("REALTIME_", "MINIMAX_", "CHAT_", "TRANSCRIBER", "SPECULATE", "OTEL_")
SUBSTITUTED = re.compile(r"\$\{(\w+):-([^}]*)\}")


def read_yaml(path: Path) -> Any:
    """The one document of a file, with its anchors and merges."""
    return yaml.safe_load(path.read_text())


def compose() -> dict[str, Any]:
    return dict(read_yaml(DEPLOY / "compose.yaml"))


def manifests() -> dict[str, Any]:
    """All objects of Kubernetes by file, without the lists of kustomize."""
    paths = sorted((DEPLOY / "kubernetes").glob("*/*.yaml"))
    return {str(path.relative_to(DEPLOY)): read_yaml(path) for path in paths if path.stem != "kustomization"}


def deployment() -> dict[str, Any]:
    return dict(read_yaml(BASE / "deployment.yaml"))


def container() -> dict[str, Any]:
    (only,) = deployment()["spec"]["template"]["spec"]["containers"]
    return dict(only)


def unit() -> dict[str, list[str]]:
    """The lines of the systemd unit by name."""
    lines: dict[str, list[str]] = {}
    for line in (DEPLOY / "systemd" / "realtime@.service").read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            lines.setdefault(name, []).append(value)
    return lines


def environments() -> dict[str, dict[str, str]]:
    """What each kind of node is started with, by the name of its file."""
    services = compose()["services"]
    kustomized = read_yaml(BASE / "kustomization.yaml")["configMapGenerator"][0]["literals"]
    env_file = (DEPLOY / "systemd" / "realtime.env").read_text()
    settings = [line.removeprefix("#") for line in env_file.splitlines() if re.match(r"#?[A-Z_]+=", line)]
    return {
        **{f"compose {name}": _filled(service["environment"]) for name, service in services.items()
           if "environment" in service},
        "kubernetes": {**pairs(kustomized), "REALTIME_NODE": "pod-1"},
        "systemd": {name: value.replace("%i", "8001").replace("%C", "/var/cache")
                    for name, value in pairs(unit()["Environment"]).items()},
        "systemd, the file for all": pairs(settings),
    }  # fmt: skip


def pairs(lines: list[str]) -> dict[str, str]:
    return dict(line.split("=", 1) for line in lines)


def _filled(environment: dict[str, str]) -> dict[str, str]:
    """As compose fills variables that nobody has set."""
    return {name: SUBSTITUTED.sub(lambda found: found[2], value) for name, value in environment.items()}


def dashboard() -> dict[str, Any]:
    return dict(json.loads((DEPLOY / "grafana" / "realtime.json").read_text()))


def expressions() -> Iterator[tuple[str, str]]:
    """Every expression of dashboard, alerts and autoscaler with its place; without the variables of Grafana."""
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", []):
            expression = target["expr"].replace("$__rate_interval", "1m").replace("$instance", ".*")
            yield f"dashboard: {panel['title']}", expression
    for group in read_yaml(DEPLOY / "prometheus" / "rules.yml")["groups"]:
        for rule in group["rules"]:
            yield f"alert: {rule['alert']}", rule["expr"]
    for trigger in read_yaml(DEPLOY / "kubernetes" / "keda" / "autoscaler.yaml")["spec"]["triggers"]:
        yield "autoscaler", trigger["metadata"]["query"]
