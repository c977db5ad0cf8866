"""The files of `deploy/`: what they name exists here, their times fit together, and the tools that read them accept them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from realtime.settings import Settings
from realtime.settings.load import load_settings
from realtime.settings.table import SETTINGS
from tests.cluster.balancer import require
from tests.deploy.files import (
    BASE,
    DEPLOY,
    OUR_PREFIXES,
    ROOT,
    compose,
    container,
    deployment,
    environments,
    manifests,
    read_yaml,
    unit,
)

KNOWN = {name for setting in SETTINGS for name in setting.names}
STOP_S = 30  # for a slow store, beside delay and drain
SECRET = "0123456789abcdef0123456789abcdef"


def settings_of(environment: dict[str, str]) -> Settings:
    more = {"REALTIME_SERVER_SECRET": SECRET, "MINIMAX_API_KEY": "k", "REALTIME_API_KEYS": "k"}
    empty = {name: value or more.get(name, value) for name, value in environment.items()}
    return load_settings({}, {**more, **empty}).settings


@pytest.mark.parametrize("where", sorted(environments()))
def test_every_variable_is_a_setting_and_its_value_is_valid(where: str) -> None:
    environment = environments()[where]
    assert {name for name in environment if name not in KNOWN} == set()
    settings_of(environment)


def test_no_other_file_names_a_variable_that_is_none() -> None:
    found = {
        (path.name, name)
        for path in DEPLOY.rglob("*") if path.is_file()
        for name in re.findall(r"\b[A-Z][A-Z_]+[A-Z]\b", path.read_text())
        if name.startswith(OUR_PREFIXES)
    }  # fmt: skip
    assert len(found) > 20
    assert {(place, name) for place, name in found if name not in KNOWN} == set()


def test_a_stop_has_the_time_that_it_needs() -> None:
    by_file = environments()
    kubernetes, node, systemd = (settings_of(by_file[w]) for w in ("kubernetes", "compose node1", "systemd"))
    given_s = {
        "kubernetes": deployment()["spec"]["template"]["spec"]["terminationGracePeriodSeconds"],
        "compose": int(compose()["services"]["node1"]["stop_grace_period"].removesuffix("s")),
        "systemd": int(unit()["TimeoutStopSec"][0]),
    }
    for name, settings in {"kubernetes": kubernetes, "compose": node, "systemd": systemd}.items():
        assert settings.drain_delay_s is not None
        assert given_s[name] == settings.drain_delay_s + settings.drain_s + STOP_S, name
    assert kubernetes.drain_s == 600


def test_ports_are_those_of_the_server() -> None:
    image_port = int(re.search(r"REALTIME_PORT=(\d+)", (ROOT / "Dockerfile").read_text())[1])  # type: ignore[index]
    nodes = {name: service for name, service in compose()["services"].items() if name.startswith("node")}
    ports = {port["name"]: port["containerPort"] for port in container()["ports"]}
    assert ports == {"http": image_port, "admin": _port(environments()["kubernetes"]["REALTIME_ADMIN"])}
    for name in ("haproxy.cfg", "nginx.conf"):
        named = re.findall(
            r"^\s*server (?:node\d )?(node\d):(\d+)", (DEPLOY / name).read_text(), re.MULTILINE
        )
        assert named == [(node, str(image_port)) for node in nodes]
    (job,) = read_yaml(DEPLOY / "prometheus" / "prometheus.yml")["scrape_configs"]
    admin = _port(environments()["compose node1"]["REALTIME_ADMIN"])
    assert job["static_configs"][0]["targets"] == [f"{name}:{admin}" for name in nodes]


def _port(address: str) -> int:
    return int(address.rpartition(":")[2])


def test_probes_ask_for_addresses_that_the_server_has() -> None:
    probes = {
        name: container()[name]["httpGet"]["path"]
        for name in ("startupProbe", "readinessProbe", "livenessProbe")
    }
    assert probes == {"startupProbe": "/readyz", "readinessProbe": "/readyz", "livenessProbe": "/healthz"}
    assert read_yaml(BASE / "service.yaml")["metadata"]["annotations"]["haproxy.org/check-http"] == "/lb"
    served = (ROOT / "realtime" / "server" / "app.py").read_text()
    assert all(f'"{path}"' in served for path in {*probes.values(), "/lb"})


def test_the_ingress_has_the_rules_of_the_balancer() -> None:
    own = {line.strip() for line in (DEPLOY / "haproxy.cfg").read_text().splitlines()}
    annotations = read_yaml(BASE / "service.yaml")["metadata"]["annotations"]
    snippet = annotations["haproxy.org/backend-config-snippet"].splitlines()
    assert {line for line in snippet if not any(mine.startswith(line) for mine in own)} == set()
    assert f"balance {annotations['haproxy.org/load-balance']}" in own
    assert f"timeout tunnel {annotations['haproxy.org/timeout-tunnel']}" in own


def test_every_path_and_command_exists() -> None:
    services = compose()["services"]
    for service in services.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in compose()["volumes"] or (DEPLOY / source).exists(), volume
        if "build" in service:
            assert (DEPLOY / service["build"]["context"] / "Dockerfile").is_file()
        assert set(service.get("depends_on", [])) <= set(services)
    assert container()["args"] == ["realtime", "serve"]
    assert unit()["ExecStart"] == ["/opt/realtime/.venv/bin/realtime serve"]
    assert 'CMD ["realtime", "serve"]' in (ROOT / "Dockerfile").read_text()


def test_the_image_has_the_client_of_redis() -> None:
    lines = (ROOT / "requirements" / "dev-3.12.txt").read_text().splitlines()
    assert {line.split("==")[0] for line in lines if line.startswith(("redis==", "hiredis=="))} == {
        "redis",
        "hiredis",
    }
    assert "keep = /^(redis|hiredis)==/" in (ROOT / "Dockerfile").read_text()


def test_a_node_has_one_core_and_no_limit_of_it() -> None:
    resources = container()["resources"]
    assert resources["requests"]["cpu"] == "1"
    assert "cpu" not in resources["limits"]


@pytest.mark.parametrize("overlay", ["hpa", "keda"])
def test_autoscalers_go_from_2_to_50_and_down_slowly(overlay: str) -> None:
    spec = read_yaml(DEPLOY / "kubernetes" / overlay / "autoscaler.yaml")["spec"]
    least, most = (
        ("minReplicas", "maxReplicas") if overlay == "hpa" else ("minReplicaCount", "maxReplicaCount")
    )
    assert (spec[least], spec[most]) == (2, 50)
    behavior = (
        spec["behavior"]
        if overlay == "hpa"
        else spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    )
    down = behavior["scaleDown"]
    assert down["stabilizationWindowSeconds"] == 600
    assert down["policies"] == [{"type": "Pods", "value": 1, "periodSeconds": 300}]


# -- what other programs say


def versions(module: Any) -> list[str]:
    """The oldest one that clouds still run, and the newest one that the schemas know."""
    return ["1.30", module.latest_version()]


@pytest.mark.parametrize("name", [name for name in manifests() if not name.startswith("kubernetes/keda/")])
def test_the_schemas_of_kubernetes_accept_it(name: str) -> None:
    validate = pytest.importorskip("kubernetes_validate", reason="pip install kubernetes-validate")
    for version in versions(validate):
        validate.validate(manifests()[name], version, strict=True)


def kustomized(overlay: str) -> list[dict[str, Any]]:
    if shutil.which("kubectl") is None:
        pytest.skip("this test needs kubectl")
    command = ["kubectl", "kustomize", str(DEPLOY / "kubernetes" / overlay)]
    built = subprocess.run(command, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return list(yaml.safe_load_all(built.stdout))


@pytest.mark.parametrize("overlay", ["base", "hpa", "keda"])
def test_kustomize_builds_it_and_all_selectors_find_the_pods(overlay: str) -> None:
    objects = {each["kind"]: each for each in kustomized(overlay)}
    pods = objects["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert objects["Service"]["spec"]["selector"].items() <= pods.items()
    for kind, name in {
        "Deployment": "selector",
        "PodDisruptionBudget": "selector",
        "NetworkPolicy": "podSelector",
    }.items():
        chosen = objects[kind]["spec"][name]["matchLabels"]
        assert chosen, kind
        assert chosen.items() <= pods.items()
    assert ("replicas" in objects["Deployment"]["spec"]) == (overlay == "base")
    if validate := sys.modules.get("kubernetes_validate"):
        for each in objects.values():
            if not each["apiVersion"].startswith("keda.sh/"):
                validate.validate(each, versions(validate)[-1], strict=True)


def test_haproxy_accepts_its_file(tmp_path: Path) -> None:
    require("haproxy")
    checked = subprocess.run(
        ["haproxy", "-c", "-f", str(DEPLOY / "haproxy.cfg")], capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stderr


def test_nginx_accepts_its_file(tmp_path: Path) -> None:
    if shutil.which("nginx") is None:
        pytest.skip("this test needs nginx")
    text = re.sub(r"node\d:8000", "127.0.0.1:8000", (DEPLOY / "nginx.conf").read_text())
    (tmp_path / "nginx.conf").write_text(f"pid {tmp_path}/pid;\nerror_log stderr;\n{text}")
    ran = subprocess.run(
        ["nginx", "-t", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")],
        capture_output=True,
        text=True,
    )
    assert "syntax is ok" in ran.stderr, ran.stderr  # the rest of its test is about folders of this machine


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("this test needs systemd-analyze")
    text = (DEPLOY / "systemd" / "realtime@.service").read_text()
    text = text.replace("/opt/realtime/.venv/bin/realtime", sys.executable).replace(
        "/opt/realtime/docs", str(ROOT / "docs")
    )
    (tmp_path / "realtime@8001.service").write_text(text)
    shutil.copy(DEPLOY / "systemd" / "realtime.target", tmp_path)
    units = [str(tmp_path / "realtime@8001.service"), str(tmp_path / "realtime.target")]
    ran = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True)
    about_ours = [line for line in ran.stderr.splitlines() if "realtime" in line]
    assert about_ours == []
    command = ["systemd-analyze", "security", "--offline=yes", "--threshold=20", units[0]]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout.splitlines()[-3:] or ran.stderr
