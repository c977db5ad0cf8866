"""The objects that all request handlers share, as typed keys of the application."""

from __future__ import annotations

from aiohttp import web

from realtime.metrics import Metrics
from realtime.server.access import Access
from realtime.server.registry import Registry
from realtime.server.runtime import Runtime

RUNTIME = web.AppKey("runtime", Runtime)
METRICS = web.AppKey("metrics", Metrics)
ACCESS = web.AppKey("access", Access)
REGISTRY = web.AppKey("registry", Registry)
