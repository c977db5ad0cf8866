"""Calls upwards that keep nobody alive: from a part to its owner.

An owner holds its parts; a part that held its owner's method would close a cycle, and what an ended session held would
come back only at the next full garbage collection, which is rare (`server/run.py`). So whoever is given a method of its
owner is given a weak one. Knows nothing of what is called.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import ParamSpec, cast
from weakref import ref

P = ParamSpec("P")


def weak_call(method: Callable[P, None]) -> Callable[P, None]:
    """Calls this bound method for as long as its object lives; then it does nothing."""
    bound = cast("MethodType", method)
    owner, function = ref(bound.__self__), bound.__func__  # a WeakMethod makes a method for each call

    def call(*args: P.args, **kwargs: P.kwargs) -> None:
        alive = owner()
        if alive is not None:
            function(alive, *args, **kwargs)

    return call
