"""The metrics of several workers as one: they add up, and never run backwards."""

from prometheus_client.parser import text_string_to_metric_families

from realtime.metrics import Metrics, with_all
from realtime.server.metrics_sum import MetricsSum


def values(text: str) -> dict[str, float]:
    """By name and labels, as they stand in the text."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def worker(sessions: int, *, failed: int = 0, lag_s: float = 0.0) -> Metrics:
    metrics = Metrics()
    metrics.sessions.set(sessions)
    metrics.sessions_total.inc(sessions)
    metrics.responses.labels("failed", "x").inc(failed)
    metrics.loop_lag.observe(lag_s)
    metrics.load_lag.set(lag_s)
    metrics.load_memory.set(0.25)
    metrics.admission.set(2 if lag_s else 0)
    return metrics


def told(total: MetricsSum, number: int, metrics: Metrics) -> None:
    total.reported(number, metrics.text().decode())


def test_the_metrics_of_all_workers_add_up():
    total = MetricsSum()
    told(total, 0, worker(3, failed=1))
    told(total, 1, worker(4, failed=2, lag_s=0.04))
    seen = values(total.text())
    assert seen["realtime_sessions"] == 7
    assert seen["realtime_sessions_opened_total"] == 7
    assert seen["realtime_responses_total{code=x,status=failed}"] == 3
    assert seen["realtime_loop_lag_seconds_count"] == 2
    assert seen["realtime_loop_lag_seconds_bucket{le=0.001}"] == 1
    assert seen["realtime_load_lag_seconds"] == 0.04
    assert seen["realtime_load_memory_share"] == 0.25, "each of its own part"
    assert seen["realtime_admission_state"] == 0, "one of them lets sessions begin"
    assert [value for name, value in seen.items() if name.startswith("realtime_build_info")] == [1]


def test_every_gauge_says_how_workers_join_it():
    registry = with_all().registry
    gauges = {family.name for family in registry.collect() if family.type == "gauge"}
    assert registry.joined.keys() >= gauges, "make it with registry.gauge(..., joined=...)"


def sharing(left: int, *, up: bool = True, asked: int = 0) -> Metrics:
    """A worker that shares its account."""
    metrics = worker(1)
    shared = metrics.add_redis()
    shared.show_link("account", lambda: up)
    shared.show("speech", lambda: 2, lambda: 48 if up else 27)
    shared.round_trip("account", 0.001, None)
    shared.round_trip("account", 0.25, "timeout")
    shared.round_trip("sessions", 0.001, None)
    metrics.show_budget("speech", lambda: left)
    metrics.permits.show("speech", lambda: {"asked": asked})
    return metrics


def test_what_is_left_of_an_account_that_workers_share_is_not_added():
    total = MetricsSum()
    told(total, 0, sharing(11, asked=3))
    told(total, 1, sharing(12, up=False, asked=4))
    seen = values(total.text())
    assert seen["realtime_budget_requests_left{kind=speech}"] == 11
    assert seen["realtime_budget_nodes{kind=speech}"] == 2
    assert seen["realtime_budget_limit{kind=speech}"] == 27
    assert seen["realtime_redis_up{link=account}"] == 0
    assert seen["realtime_redis_seconds_count"] == 2
    assert seen["realtime_redis_errors_total{kind=timeout,link=account}"] == 2
    assert seen["realtime_budget_permits_total{kind=speech,outcome=asked}"] == 7


def test_what_is_left_of_shares_of_an_account_is_added():
    total = MetricsSum()
    for number, left in enumerate((11, 12)):
        metrics = worker(1)
        metrics.show_budget("speech", lambda left=left: left)
        told(total, number, metrics)
    assert values(total.text())["realtime_budget_requests_left{kind=speech}"] == 23


def test_an_account_is_usable_while_no_worker_has_found_it_dry():
    total = MetricsSum()
    for number, usable in enumerate((True, False)):
        metrics = worker(1)
        metrics.add_accounts().show("one", lambda: 3, lambda usable=usable: usable, ("dry",))
        told(total, number, metrics)
    seen = values(total.text())
    assert seen["realtime_account_usable{account=one}"] == 0
    assert seen["realtime_account_sessions{account=one}"] == 6


def test_every_metric_of_a_worker_is_in_the_sum_and_alone_it_is_the_same():
    total, metrics = MetricsSum(), worker(3)
    text = metrics.text().decode()
    total.reported(0, text)
    assert total.text() == text


def test_what_a_worker_counted_stays_when_it_is_gone_and_what_it_held_does_not():
    total = MetricsSum()
    told(total, 0, worker(3, failed=1))
    told(total, 1, worker(4, failed=2))
    before = values(total.text())
    total.ended(1)
    told(total, 1, worker(0))
    total.ended(1)
    after = values(total.text())
    assert after["realtime_sessions"] == 3
    for name in before:
        if name.endswith(("_total", "_count", "_sum")) or "_bucket" in name:
            assert after[name] >= before[name], name


def test_a_worker_that_tells_nothing_counts_as_it_did_before():
    total = MetricsSum()
    told(total, 0, worker(3))
    told(total, 1, worker(4))
    told(total, 0, worker(5))
    assert values(total.text())["realtime_sessions"] == 9
