"""What an object needs for a role, looked at before somebody waits for it: at the start, and where a stream is opened.

A subclass inherits the stubs of its Protocol. They answer None without a word, so a method that is only inherited from
there is missing. Does not call the methods of a role: what they give is looked at in `server/given.py`.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import operator
from typing import Any

from realtime import deadlines
from realtime.contained import Leavable, awaited, contained
from realtime.errors import ConfigError
from realtime.providers.base import (
    ChatModel,
    EndOfTurnModel,
    ListsVoices,
    Speech,
    Transcriber,
    Utterance,
    VoiceDetector,
    VoiceStream,
)
from realtime.providers.store import DropsConversations, ListsConversations, Store

log = logging.getLogger(__name__)

PROTOCOLS: dict[str, type] = {
    "vad": VoiceDetector,
    "transcriber": Transcriber,
    "end_of_turn": EndOfTurnModel,
    "chat": ChatModel,
    "speech": Speech,
    "store": Store,
}
NEEDED: dict[type, tuple[str, ...]] = {
    VoiceDetector: ("open",),
    VoiceStream: ("probabilities",),
    Transcriber: ("transcribe",),
    EndOfTurnModel: ("finished",),
    ChatModel: ("stream",),
    Speech: ("open",),
    Utterance: ("say", "finish", "events"),
    Store: ("save", "load", "forget"),
}
# What an object may offer beside its role. Who says so by its class must have the method, and it is asked for by its
# name of every other object, too.
OFFERED: dict[type, str] = {ListsVoices: "voices", ListsConversations: "listing", DropsConversations: "hold"}
_OFFERED_BESIDE: dict[type, tuple[type, ...]] = {
    Speech: (ListsVoices,),
    Store: (ListsConversations, DropsConversations),
}


def check(role: str, provider: Any) -> None:
    """Look at what the caller gave or a package created. Raises ConfigError for what cannot play this role."""
    if isinstance(provider, type):
        raise ConfigError(f"The {role} provider is the class {provider.__name__}: give an object of it.")
    needed = PROTOCOLS[role]
    if not any(_has(provider, method, needed) for method in NEEDED[needed]) and _is_plain(provider):
        raise ConfigError(
            f"The {role} provider is a value of the type {type(provider).__name__}: give an object with the "
            f"{_methods(NEEDED[needed])}."
        )
    lacking = lacks(provider, needed)
    for offer, method in OFFERED.items():
        if not lacking and offer in type(provider).__mro__ and not _has(provider, method, offer):
            lacking = f"has no {_methods((method,))}"
    for protocol in (needed, *_OFFERED_BESIDE.get(needed, ())):
        lacking = lacking or _misfit(provider, protocol)
    if lacking:
        raise ConfigError(f"The {role} provider {type(provider).__name__} {lacking}.")
    if role in ("chat", "transcriber"):
        name_of(provider, role)
    if role == "chat":
        context_tokens_of(provider)
        flag_of(provider, role, "sees_images")
    if role == "transcriber":
        flag_of(provider, role, "interim")


def lacks(found: Any, protocol: type) -> str:
    """As "has no method `forget`"; "" for an object that has all that this Protocol needs."""
    missing = [method for method in NEEDED[protocol] if not _has(found, method, protocol)]
    return f"has no {_methods(missing)}" if missing else ""


def inherits(found: Any, method: str, protocol: type) -> bool:
    """Whether this method is the Protocol's own, or is not there."""
    return not _has(found, method, protocol)


def _has(found: Any, method: str, protocol: type) -> bool:
    try:
        own = getattr(found, method, None)
    except Exception:  # a property of somebody's class
        return False
    return callable(own) and getattr(own, "__func__", own) is not getattr(protocol, method)


def _misfit(provider: Any, protocol: type) -> str:
    """As "has a method `save` that cannot be called with (owner, conversation_id)"; "" where all can be called."""
    for name, promised in vars(protocol).items():
        if not inspect.isfunction(promised) or name.startswith("_") or not _has(provider, name, protocol):
            continue
        _, *parameters = inspect.signature(promised).parameters.values()
        by_name = {each.name for each in parameters if each.kind is each.KEYWORD_ONLY}
        try:
            signature = inspect.signature(getattr(provider, name))
        except (TypeError, ValueError):  # of a method that is not written in Python
            continue
        try:
            signature.bind(*([None] * (len(parameters) - len(by_name))), **dict.fromkeys(by_name))
        except TypeError:
            shown = ", ".join(f"{each.name}=…" if each.name in by_name else each.name for each in parameters)
            return f"has a method `{name}` that cannot be called as `{name}({shown})`"
    return ""


def _is_plain(provider: Any) -> bool:
    """A text, a dictionary, a function: what belongs elsewhere, or is no object of anybody's class."""
    return type(provider).__module__ == "builtins"


def _methods(names: tuple[str, ...] | list[str]) -> str:
    quoted = [f"`{name}`" for name in names]
    if len(quoted) == 1:
        return f"method {quoted[0]}"
    return f"methods {', '.join(quoted[:-1])} and {quoted[-1]}"


# -- attributes ----------------------------------------------------------------------------------------------


def name_of(provider: Any, role: str) -> str:
    """Raises ConfigError."""
    name = getattr(provider, "name", None)
    if not isinstance(name, str) or not name:
        needed = "needs a `name`, a text that clients see"
        raise ConfigError(f"The {role} provider {type(provider).__name__} {needed}.")
    return str(name)


def context_tokens_of(chat: Any) -> int | None:
    """How long a prompt may be; None where nobody knows. Raises ConfigError."""
    given = getattr(chat, "context_tokens", None)
    if given is None:
        return None
    try:
        tokens = int(given if isinstance(given, float) and given == int(given) else operator.index(given))
    except (TypeError, ValueError, OverflowError):
        tokens = 0
    if tokens < 1 or isinstance(given, bool):
        raise ConfigError(
            f"The chat provider {type(chat).__name__} has {_shown(given)} as `context_tokens`: a whole number above 0 "
            "is needed, or None."
        )
    return tokens


def flag_of(provider: Any, role: str, name: str) -> bool:
    """Raises ConfigError for what is neither yes nor no, such as "no" or a method."""
    given = getattr(provider, name, False)
    plain = given.item() if getattr(given, "shape", None) == () and hasattr(given, "item") else given
    if plain is None or plain in (0, 1):
        return bool(plain)
    of = f"The {role} provider {type(provider).__name__}"
    raise ConfigError(f"{of} has {_shown(given)} as `{name}`: True or False is needed.")


def _shown(given: Any) -> str:
    """A text or a number as it is written; of all else its class."""
    if isinstance(given, str | int | float):
        return repr(given)[:40]
    return f"a value of the type {type(given).__name__}"


# -- the end -------------------------------------------------------------------------------------------------


CLOSE_S = 3.0  # for all providers of a server that ends
LEAST_CLOSE_S = 0.5  # for one of them, also after others have used all of that
CANCEL_S = 0.5  # for its end, once it is cancelled


class Closings:
    """Closes providers one after the other, in the task that has created them: some libraries need that."""

    def __init__(self) -> None:
        self._left_s = CLOSE_S

    def __repr__(self) -> str:
        return f"<Closings {self._left_s:.1f} s left>"

    async def close(self, provider: Any) -> None:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        await close(provider, max(LEAST_CLOSE_S, self._left_s))
        self._left_s -= loop.time() - began_s


async def close(provider: Any, within_s: float = CLOSE_S) -> None:
    """Its `aclose`, where it has one. One that fails or hangs is told, and keeps nothing else from its end: if it does
    not let itself be cancelled either, it is left where it is."""
    name, limit = type(provider).__name__, deadlines.timeout(within_s)
    # Not after it: what is cancelled may go on all the same
    told = "aclose() of %s took longer than %g s and is cancelled"
    late = asyncio.get_running_loop().call_later(within_s, log.error, told, name, round(within_s, 1))
    closing = Leavable(_close(provider), CANCEL_S)
    try:
        async with limit:
            await contained(closing)
    except Exception as error:  # of a provider from anywhere
        if not limit.expired():
            log.error("aclose() of %s failed", name, exc_info=error)
    finally:
        late.cancel()
    if closing.left:
        log.error("aclose() of %s does not end although it is cancelled: nobody waits for it any more", name)


async def _close(provider: Any) -> None:
    aclose = getattr(provider, "aclose", None)
    await awaited(None if aclose is None else aclose())
