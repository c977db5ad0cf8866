"""What an object needs for a role: what is missing or wrong is named before the server starts."""

import ast
import asyncio
import contextlib
import inspect
import textwrap
from unittest.mock import MagicMock

import numpy as np
import pytest

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
from realtime.providers.catalog import ROLES
from realtime.providers.memory_store import MemoryStore
from realtime.providers.roles import (
    CANCEL_S,
    CLOSE_S,
    LEAST_CLOSE_S,
    NEEDED,
    OFFERED,
    PROTOCOLS,
    Closings,
    check,
    close,
    lacks,
)
from realtime.providers.store import DropsConversations, ListsConversations, Store
from tests import virtual_time
from tests.fakes import FakeChat, FakeEndOfTurnModel, FakeSpeech, FakeTranscriber, FakeVad


def stubs(protocol: type) -> tuple[str, ...]:
    """Its methods without a body: who does not write them has none."""
    (cls,) = ast.parse(textwrap.dedent(inspect.getsource(protocol))).body
    methods = (each for each in cls.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))
    last = ((each.name, each.body[-1]) for each in methods)
    return tuple(name for name, body in last if isinstance(body, ast.Expr) and body.value.value is Ellipsis)


def test_every_stub_of_a_protocol_is_needed():
    assert {protocol: stubs(protocol) for protocol in NEEDED} == NEEDED
    assert {protocol: stubs(protocol) for protocol in OFFERED} == {
        key: (name,) for key, name in OFFERED.items()
    }
    assert set(PROTOCOLS) == set(ROLES)


class Half(Store):
    async def load(self, owner, conversation_id):
        return None

    async def save(self, owner, conversation_id, epoch, changes):
        return None


class Misspelt(Half):
    async def forgett(self, owner, conversation_id):
        return None


class NoFunction(Half):
    forget = True


class Plain:
    name = "plain"

    async def stream(self, request):
        yield "Hello"


class Fails:
    @property
    def stream(self):
        raise RuntimeError


def made(base: type, **own: object) -> object:
    return type("Mine", (base,), own)()


@pytest.mark.parametrize(
    ("role", "provider", "said"),
    [
        ("store", Half(), "The store provider Half has no method `forget`."),
        ("store", Misspelt(), "The store provider Misspelt has no method `forget`."),
        ("store", NoFunction(), "The store provider NoFunction has no method `forget`."),
        ("store", made(Store), "The store provider Mine has no methods `save`, `load` and `forget`."),
        ("store", made(MemoryStore, forget=Store.forget), "The store provider Mine has no method `forget`."),
        ("store", made(Plain), "The store provider Mine has no methods `save`, `load` and `forget`."),
        ("chat", made(ChatModel, name="n"), "The chat provider Mine has no method `stream`."),
        ("chat", Fails(), "The chat provider Fails has no method `stream`."),
        ("speech", made(Speech), "The speech provider Mine has no method `open`."),
        (
            "transcriber",
            made(Transcriber, name="n"),
            "The transcriber provider Mine has no method `transcribe`.",
        ),
        ("vad", made(VoiceDetector), "The vad provider Mine has no method `open`."),
        ("end_of_turn", made(EndOfTurnModel), "The end_of_turn provider Mine has no method `finished`."),
    ],
)
def test_a_method_that_is_not_there_or_only_a_stub_is_named(role, provider, said):
    with pytest.raises(ConfigError) as caught:
        check(role, provider)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("role", "base", "own", "said"),
    [
        ("store", MemoryStore, {"save": lambda self, owner, conversation_id, items: None},
         "`save` that cannot be called as `save(owner, conversation_id, epoch, changes)`"),
        ("store", MemoryStore, {"take": lambda self: None}, "`take` that cannot be called as `take(owner, con"),
        ("chat", Plain, {"stream": lambda self: None}, "`stream` that cannot be called as `stream(request)`"),
        ("speech", FakeSpeech, {"prewarm": lambda self: None}, "`prewarm` that cannot be called as `prewarm(voice)`"),
        ("transcriber", FakeTranscriber, {"transcribe": lambda self, samples: None},
         "`transcribe` that cannot be called as `transcribe(samples, language=…, final=…)`"),
        ("store", MemoryStore, {"hold": lambda self: None}, "`hold` that cannot be called as `hold(owner, con"),
        ("store", MemoryStore, {"listing": lambda self: None}, "`listing` that cannot be called as `listing(owner, "),
        ("speech", FakeSpeech, {"voices": lambda self, kind: None}, "`voices` that cannot be called as `voices()`"),
    ],
)  # fmt: skip
def test_a_method_with_other_parameters_is_named(role, base, own, said):
    with pytest.raises(ConfigError) as caught:
        check(role, made(base, **own))
    assert str(caught.value).startswith(f"The {role} provider Mine has a method {said}")


def test_what_another_role_may_offer_is_anybodys_own_name():
    check("chat", made(Plain, voices=lambda self, kind: None, hold=lambda self: None))
    check("speech", made(FakeSpeech, listing=lambda self: None, voices=None))


@pytest.mark.parametrize(
    ("provider", "said"),
    [
        ("sqlite:/tmp/x", "is a value of the type str: give an object with the methods `save`, `load` and"),
        ({}, "is a value of the type dict: "),
        (len, "is a value of the type builtin_function_or_method: "),
        (MemoryStore, "is the class MemoryStore: give an object of it."),
    ],
)
def test_what_is_no_object_of_a_class_is_named(provider, said):
    with pytest.raises(ConfigError, match=f"^The store provider {said}"):
        check("store", provider)


@pytest.mark.parametrize(
    ("role", "base", "offer", "method"),
    [
        ("store", MemoryStore, ListsConversations, "listing"),
        ("store", MemoryStore, DropsConversations, "hold"),
        ("speech", FakeSpeech, ListsVoices, "voices"),
    ],
)
def test_who_offers_more_has_its_method(role, base, offer, method):
    class Offers(base, offer):
        pass

    setattr(Offers, method, getattr(offer, method))
    with pytest.raises(ConfigError, match=f"The {role} provider Offers has no method `{method}`."):
        check(role, Offers())


@pytest.mark.parametrize(
    ("role", "own", "said"),
    [
        ("chat", {"name": None}, "needs a `name`, a text that clients see."),
        ("chat", {"context_tokens": "8k"}, "has '8k' as `context_tokens`: a whole number above 0 is needed"),
        ("chat", {"context_tokens": 0}, "has 0 as `context_tokens`"),
        ("chat", {"context_tokens": 0.5}, "has 0.5 as `context_tokens`"),
        ("chat", {"context_tokens": float("nan")}, "has nan as `context_tokens`"),
        ("chat", {"context_tokens": lambda self: 5}, "has a value of the type method as `context_tokens`"),
        ("chat", {"sees_images": "no"}, "has 'no' as `sees_images`: True or False is needed."),
        ("chat", {"sees_images": lambda self: False}, "has a value of the type method as `sees_images`"),
        ("transcriber", {"name": ""}, "needs a `name`"),
        ("transcriber", {"interim": "yes"}, "has 'yes' as `interim`"),
    ],
)
def test_an_attribute_of_another_kind_is_named(role, own, said):
    base = (
        Plain
        if role == "chat"
        else type("Hears", (), {"name": "n", "transcribe": FakeTranscriber.transcribe})
    )
    with pytest.raises(ConfigError) as caught:
        check(role, type("Mine", (base,), own)())
    assert str(caught.value).startswith(f"The {role} provider Mine {said}")


def test_what_has_all_is_taken():
    for role, provider in {
        "chat": FakeChat(),
        "speech": FakeSpeech(),
        "transcriber": FakeTranscriber(),
        "vad": FakeVad(),
        "end_of_turn": FakeEndOfTurnModel([]),
        "store": MemoryStore(),
    }.items():
        check(role, provider)
    numbers = {"context_tokens": np.int64(8_000), "sees_images": np.bool_(True)}
    for any_parameters in (lambda self, *given, **named: None, MagicMock(), min):
        check("store", made(MemoryStore, save=any_parameters))
    for chat in (Plain(), made(Plain, **numbers), made(Plain, context_tokens=8e3, sees_images=None)):
        check("chat", chat)


def test_the_parts_that_a_provider_opens_have_their_methods():
    assert lacks(made(Utterance), Utterance) == "has no methods `say`, `finish` and `events`"
    assert lacks(made(VoiceStream), VoiceStream) == "has no method `probabilities`"
    assert lacks(None, VoiceStream) == "has no method `probabilities`"
    assert lacks(FakeVad().open(), VoiceStream) == ""


class Closes:
    closed = 0

    def aclose(self):
        self.closed += 1


class ClosesLater(Closes):
    async def aclose(self):
        self.closed += 1


class Breaks:
    def aclose(self):
        raise SystemExit(3)


class Hangs:
    async def aclose(self):
        await asyncio.Event().wait()


def test_a_provider_that_does_not_close_is_told_and_the_others_have_some_time_left(caplog):
    async def run():
        loop, closings, last = asyncio.get_running_loop(), Closings(), ClosesLater()
        began_s = loop.time()
        for provider in (Hangs(), Hangs(), Hangs(), last):
            await closings.close(provider)
        assert loop.time() - began_s == CLOSE_S + 2 * LEAST_CLOSE_S
        assert last.closed == 1

    virtual_time.run(run())
    said = [record.getMessage() for record in caplog.records]
    assert said[:2] == [
        "aclose() of Hangs took longer than 3 s and is cancelled",
        "aclose() of Hangs took longer than 0.5 s and is cancelled",
    ]


class Refuses:
    """As one that still has something to write, or catches too much."""

    def __init__(self, waits_s: float) -> None:
        self._waits_s = waits_s

    async def aclose(self):
        async with asyncio.timeout(60.0):  # this must not ring for the task later
            while True:
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.sleep(self._waits_s)


@pytest.mark.parametrize("waits_s", [0.01, 3600.0])
def test_a_provider_that_refuses_the_cancel_of_its_end_is_left(caplog, waits_s):
    async def run():
        loop, last, task = asyncio.get_running_loop(), ClosesLater(), asyncio.current_task()
        closings, began_s = Closings(), loop.time()
        for provider in (Refuses(waits_s), Refuses(waits_s), last):
            await closings.close(provider)
        assert loop.time() - began_s == pytest.approx(CLOSE_S + LEAST_CLOSE_S + 2 * CANCEL_S)
        assert (last.closed, task.cancelling()) == (1, 0)
        await asyncio.sleep(100.0)

    virtual_time.run(run())
    said = [record.getMessage() for record in caplog.records]
    assert said[0] == "aclose() of Refuses took longer than 3 s and is cancelled"
    assert (
        said[1] == "aclose() of Refuses does not end although it is cancelled: nobody waits for it any more"
    )
    assert len(said) == 4


def test_a_provider_may_take_a_moment_when_its_end_is_cancelled(caplog):
    class Writes:
        wrote = False

        async def aclose(self):
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(CANCEL_S / 2)
                self.wrote = True

    async def run():
        writes = Writes()
        await close(writes)
        assert writes.wrote

    virtual_time.run(run())
    assert len(caplog.records) == 1


def test_a_provider_that_cancels_a_task_of_its_own_has_all_of_its_time(caplog):
    class Cancels(Closes):
        async def aclose(self):
            task = asyncio.create_task(asyncio.Event().wait())
            await asyncio.sleep(0)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await asyncio.sleep(CLOSE_S - 0.1)
            self.closed += 1

    cancels = Cancels()
    virtual_time.run(close(cancels))
    assert cancels.closed == 1
    assert not caplog.records


def test_a_cancel_of_who_closes_a_provider_is_not_lost():
    async def run():
        closing = asyncio.create_task(close(Refuses(3600.0)))
        await asyncio.sleep(0.1)
        closing.cancel()
        began_s = asyncio.get_running_loop().time()
        await asyncio.wait([closing])
        assert closing.cancelled()
        assert asyncio.get_running_loop().time() - began_s == pytest.approx(CANCEL_S)

    virtual_time.run(run())


async def test_a_provider_is_closed_in_the_task_that_created_it():
    """Groups of tasks of other libraries end with an error in any other one."""

    class Group:
        task = asyncio.current_task()

        async def aclose(self):
            assert asyncio.current_task() is self.task
            self.closed = True

    group = Group()
    await Closings().close(group)
    assert group.closed


async def test_every_provider_can_be_closed(caplog):
    plain, coroutine = Closes(), ClosesLater()
    for provider in (plain, coroutine, Plain(), Breaks()):
        await close(provider)
    assert (plain.closed, coroutine.closed) == (1, 1)
    assert [record.getMessage() for record in caplog.records] == ["aclose() of Breaks failed"]


class FlushesLate:
    """Waits a moment for an answer to its goodbye, and writes the rest when there is none."""

    def __init__(self):
        self.flushed = False

    async def aclose(self):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.3):
                await asyncio.sleep(60)
        await asyncio.sleep(0.8)
        self.flushed = True


def test_a_provider_with_a_time_limit_of_its_own_closes_to_its_end(caplog):
    provider = FlushesLate()
    virtual_time.run(close(provider))
    assert provider.flushed
    assert not caplog.records
