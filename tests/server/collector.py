"""A collector of traces in a thread: takes OTLP over HTTP and decodes it with OpenTelemetry's own definitions."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Collector:
    """`spans` are those received so far, `bodies` what they came in. `status`: what it answers; None: nothing, ever."""

    def __init__(self, status: int | None = 200) -> None:
        self.status = status
        self.asked = 0
        self.spans: list[Any] = []
        self.bodies: list[bytes] = []
        self.resource: dict[str, Any] = {}
        self.over = threading.Event()

    def take(self, body: bytes) -> int:
        """What it answers to this request."""
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        self.asked += 1
        if self.status is None:
            self.over.wait()
        if self.status == 200:
            self.bodies.append(body)
            for group in ExportTraceServiceRequest.FromString(body).resource_spans:
                self.resource = attributes(group.resource)
                self.spans += [span for scope in group.scope_spans for span in scope.spans]
        return self.status or 503

    def named(self, name: str) -> list[Any]:
        return [span for span in self.spans if span.name == name]


def attributes(holder: Any) -> dict[str, Any]:
    """The attributes of a span, an event or a resource, as Python values."""
    return {each.key: _value(each.value) for each in holder.attributes}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(each) for each in value.array_value.values]
    return getattr(value, kind)


@contextmanager
def open_collector(status: int | None = 200) -> Iterator[tuple[Collector, str]]:
    """A collector, and its address for OTEL_EXPORTER_OTLP_ENDPOINT."""
    collector = Collector(status)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(collector.take(body) if self.path == "/v1/traces" else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Not on standard error."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield collector, f"http://127.0.0.1:{server.server_port}"
    finally:
        collector.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
