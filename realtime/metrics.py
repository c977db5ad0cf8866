"""The metrics for operators (docs/operations.md)."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Callable, Iterable

from prometheus_client import Counter, Histogram, Info, ProcessCollector, generate_latest

from realtime import __version__
from realtime.core.admission import AdmissionState, Load
from realtime.core.turn_marks import Marks
from realtime.metric_kinds import Budget, Joined, Permits, Registry, Traffic, added


class SeveralAccounts:
    """The metrics of a server with several accounts. One with a single account has none of them."""

    def __init__(self, registry: Registry) -> None:
        self._sessions = registry.gauge(
            "realtime_account_sessions", "Open sessions by account", ["account"], joined=added
        )
        self._usable = registry.gauge(
            "realtime_account_usable",
            "1: the account is asked, 0: it has run dry",
            ["account"],
            joined=min,  # a worker that has met it knows more than the others
        )
        self.moves = Counter(
            "realtime_account_moves",
            "Sessions that left an account, by reason",
            ["account", "reason"],
            registry=registry,
        )

    def show(
        self,
        account: str,
        sessions: Callable[[], float],
        usable: Callable[[], float],
        reasons: Iterable[str],
    ) -> None:
        """Ask both whenever the metrics are read. `reasons`: why sessions may leave it."""
        self._sessions.labels(account).set_function(sessions)
        self._usable.labels(account).set_function(usable)
        for reason in reasons:
            self.moves.labels(account, reason)


class RedisMetrics:
    """The metrics of the links to Redis, and of an account that several servers share through it. A server without
    Redis has none of them."""

    def __init__(self, registry: Registry) -> None:
        self.up = registry.gauge(
            "realtime_redis_up",
            "1: Redis does what this link asks, 0: this server goes on without",
            ["link"],
            joined=min,
        )
        self.seconds = Histogram(
            "realtime_redis_seconds",
            "Seconds of a round trip of the link of the account that was answered",
            buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25),
            registry=registry,
        )
        self.errors = Counter(
            "realtime_redis_errors", "Round trips that failed", ["link", "kind"], registry=registry
        )
        self.nodes = Budget("realtime_budget_nodes", "Servers that use the account", registry, joined=max)
        limit = "Requests a minute that the count allows now"
        self.limit = Budget("realtime_budget_limit", limit, registry, joined=min)

    def show_link(self, link: str, up: Callable[[], bool]) -> None:
        """Ask `up` whenever the metrics are read."""
        self.up.labels(link).set_function(lambda: float(up()))

    def round_trip(self, link: str, seconds: float, error: str | None) -> None:
        """One has ended, perhaps with this kind of error. What a link does beside the account may be large."""
        if error is not None:
            self.errors.labels(link, error).inc()
        elif link == "account":
            self.seconds.observe(seconds)

    def show(self, kind: str, nodes: Callable[[], int], limit: Callable[[], int], account: str = "") -> None:
        """Ask both whenever the metrics are read. `account` is its name where there are several."""
        self.nodes.show(kind, nodes, account)
        self.limit.show(kind, limit, account)


class Metrics:
    """The metrics of /metrics. Each server has its own registry: one process may run several servers."""

    def __init__(self) -> None:
        self.registry = Registry()
        seconds = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
        self._add_sessions()
        self._add_turns(seconds)
        self._add_load()
        self._add_stop()
        self._add_moves()
        self._add_upstream(seconds)
        self._add_process()

    def _add_sessions(self) -> None:
        """Sessions, and what their clients are told is wrong."""
        self.sessions = self.registry.gauge("realtime_sessions", "Open sessions", joined=added)
        self.sessions_total = Counter("realtime_sessions_opened", "Sessions opened", registry=self.registry)
        self.protocol_errors = Counter(
            "realtime_protocol_errors", "Errors sent to clients", ["code"], registry=self.registry
        )
        self.refused = Counter(
            "realtime_refused", "Handshakes that were refused", ["reason"], registry=self.registry
        )

    def _add_turns(self, seconds: tuple[float, ...]) -> None:
        """Turns, their answers, and who interrupted whom."""
        registry = self.registry
        self.responses = Counter(
            "realtime_responses", "Finished responses", ["status", "code"], registry=registry
        )
        self.marks = Histogram(
            "realtime_turn_mark_seconds",
            "Seconds from the origin of a turn to each mark",
            ["origin", "mark"],
            buckets=seconds,
            registry=registry,
        )
        self.false_starts = Counter(
            "realtime_false_starts", "Sounds during a reply that were no interruption", registry=registry
        )
        self.echoes = Counter(
            "realtime_echoes", "Replies heard again in the microphone", ["known_by"], registry=registry
        )
        self.interruptions = Counter("realtime_interruptions", "Barge-ins", registry=registry)
        self.interruptions_taken_back = Counter(
            "realtime_interruptions_taken_back",
            "Barge-ins without words, after which the reply went on",
            registry=registry,
        )
        self.speculations = Counter(
            "realtime_speculations", "Answers begun early", ["outcome"], registry=registry
        )
        self.turn_questions = Histogram(
            "realtime_turn_questions",
            "Chat requests that a turn took, with those about what seemed to be all",
            buckets=(1, 2, 3, 4, 5, 6, 7, 9),
            registry=registry,
        )
        self.speech_in_vain = Counter(
            "realtime_speech_in_vain", "Speech requests for answers that nobody heard", registry=registry
        )
        self.interim_missed = Counter(
            "realtime_interim_texts_missed",
            "Interim decodes that found no free worker, or failed",
            registry=registry,
        )
        self.cuts = Counter(
            "realtime_turns_cut",
            "Turns that the user went on with within 1.5 s of their end",
            registry=registry,
        )

    def _add_moves(self) -> None:
        """Sessions that go on at another server."""
        self.takeovers = Counter(
            "realtime_takeovers",
            "Sessions that went on after a lost connection, or could not",
            ["outcome"],
            registry=self.registry,
        )
        self.takeover_silence = Histogram(
            "realtime_takeover_silence_seconds",
            "Seconds without sound in an answer that went on at another server, since its client came back",
            buckets=(0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2.0, 3.0, 5.0, 10.0),
            registry=self.registry,
        )
        self.journal_writes = Counter(
            "realtime_journal_writes",
            "Records and positions of sessions for other servers, by what became of them",
            ["outcome"],
            registry=self.registry,
        )
        self.journal_seconds = Histogram(
            "realtime_journal_seconds",
            "Seconds from a change in a session to its record in Redis",
            buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0),
            registry=self.registry,
        )

    def _add_load(self) -> None:
        """What decides whether new sessions may begin."""
        registry = self.registry
        self.admission = registry.gauge(
            "realtime_admission_state",
            "0: open, 1: careful, 2: full, no new sessions",
            joined=min,  # a session may begin while one worker lets it
        )
        self.load_lag = registry.gauge(
            "realtime_load_lag_seconds", "How late the loop woke in 10 s, 99th percentile", joined=max
        )
        self.load_cpu = registry.gauge(
            "realtime_load_cpu_share", "Share of one core that the loop's thread uses", joined=max
        )
        self.load_memory = registry.gauge(
            "realtime_load_memory_share",
            "Share of the memory that the process may use",
            joined=max,  # of what one worker may use
        )

    def _add_stop(self) -> None:
        """How a stop goes on."""
        self.draining_sessions = self.registry.gauge(
            "realtime_draining_sessions", "Sessions that are left while the server stops", joined=added
        )
        self.drained_sessions = Counter(
            "realtime_drained_sessions",
            "Sessions that left while the server stops",
            ["how"],
            registry=self.registry,
        )

    def show_load(self, load: Load, state: AdmissionState) -> None:
        """The measurements of the last half second, and what follows from them."""
        self.admission.set(state)
        self.load_lag.set(load.lag_s)
        self.load_cpu.set(load.cpu)
        self.load_memory.set(load.memory)

    def _add_upstream(self, seconds: tuple[float, ...]) -> None:
        """What is asked of the services behind the server; `kind` is chat, speech or transcription."""
        registry = self.registry
        self.upstream_requests = Counter(
            "realtime_upstream_requests", "Requests to the services behind", ["kind"], registry=registry
        )
        self.upstream_errors = Counter(
            "realtime_upstream_errors",
            "Requests and connections that failed, also where another one took over",
            ["kind", "code", "upstream_code"],
            registry=registry,
        )
        self.upstream_waits = Histogram(
            "realtime_upstream_wait_seconds",
            "Seconds that requests waited before they were sent",
            ["kind", "reason"],
            buckets=seconds,
            registry=registry,
        )
        self.budget_left = Budget(
            "realtime_budget_requests_left",
            "Requests that the account allows in this minute, by our own count",
            registry,
            joined=added,
            shared=min,  # each worker tells what is left for all of them
        )
        self.permits = Permits(registry)
        self.transcriptions = Histogram(
            "realtime_transcription_seconds",
            "Seconds from audio to text",
            ["stage"],
            buckets=seconds,
            registry=registry,
        )

    def _add_process(self) -> None:
        """The event loop, bytes, traces, the process and the version."""
        registry = self.registry
        tasks = registry.gauge("realtime_tasks", "Tasks of the event loop", joined=added)
        tasks.set_function(_count_tasks)
        self.loop_lag = Histogram(
            "realtime_loop_lag_seconds",
            "How late the event loop wakes",
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5),
            registry=registry,
        )
        self.audio_bytes = Traffic("realtime_audio_bytes", "Bytes of sound, decoded", registry)
        self.socket_bytes = Traffic("realtime_socket_bytes", "Bytes of messages", registry)
        self.spans_lost = Counter(
            "realtime_spans_lost", "Spans that no collector got", ["reason"], registry=registry
        )
        build = {"version": __version__, "python": platform.python_version()}
        Info("realtime_build", "Versions", registry=registry).info(build)
        ProcessCollector(registry=registry)
        for of_each in ("virtual_memory_bytes", "resident_memory_bytes", "open_fds", "max_fds"):
            registry.joins(f"process_{of_each}", added)
        registry.joins("process_start_time_seconds", min)

    def add_redis(self) -> RedisMetrics:
        """The metrics of a server with Redis."""
        return RedisMetrics(self.registry)

    def add_accounts(self) -> SeveralAccounts:
        """The metrics of a server with several accounts."""
        return SeveralAccounts(self.registry)

    def show_budget(self, kind: str, requests_left: Callable[[], float], account: str = "") -> None:
        """Ask `requests_left` whenever the metrics are read. `account` is its name where there are several."""
        self.budget_left.show(kind, requests_left, account)

    def turn(self, marks: Marks) -> None:
        """Observe the marks of one turn."""
        for mark, ms in marks.since_origin_ms().items():
            if mark != marks.origin:
                self.marks.labels(marks.origin, mark).observe(max(0.0, ms / 1000))

    def text(self) -> bytes:
        """The Prometheus exposition text."""
        return generate_latest(self.registry)


def with_all() -> Metrics:
    """The metrics of a server that has all parts: Redis and several accounts."""
    metrics = Metrics()
    metrics.add_redis()
    metrics.add_accounts()
    return metrics


def joined_gauges() -> dict[str, Joined]:
    """How workers join each gauge, by its name."""
    return with_all().registry.joined


def _count_tasks() -> int:
    try:
        return len(asyncio.all_tasks())
    except RuntimeError:  # asked from outside of the loop
        return 0
