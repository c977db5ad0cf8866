"""Tells the variables that Kubernetes sets for a Service from settings.

A Service `realtime` gives every pod of its namespace `REALTIME_PORT=tcp://10.0.0.1:8000`, `REALTIME_SERVICE_HOST`,
`REALTIME_PORT_8000_TCP_ADDR` and more of that form; one called `realtime-web` gives `REALTIME_WEB_PORT` and so on. None
of them is a setting, even where one has that name. It knows no settings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_NAME = re.compile(r"[A-Z0-9_]+_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_\d+_(TCP|UDP|SCTP)(_[A-Z]+)?)")
_ADDRESS = re.compile(r"(tcp|udp|sctp)://\S+:\d+")


def service_links(environ: Mapping[str, str]) -> frozenset[str]:
    """The names of these variables in this environment."""
    return frozenset(name for name, value in environ.items() if is_service_link(name, value))


def is_service_link(name: str, value: str) -> bool:
    """Whether Kubernetes has set this one: by its name, or `..._PORT` with the address of a service."""
    if _NAME.fullmatch(name):
        return True
    return name.endswith("_PORT") and _ADDRESS.fullmatch(value.strip()) is not None
