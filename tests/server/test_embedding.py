"""A server inside another program, with the providers of that program."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from realtime.errors import ConfigError
from realtime.providers import FakeChat, FakeEndOfTurnModel, FakeSpeech, FakeTranscriber, FakeVad
from realtime.providers.memory_store import MemoryStore
from realtime.server.run import RunningServer, running, serve
from realtime.settings import Settings
from tests.eventually import eventually
from tests.server.harness import open_socket

TEXT = {"output_modalities": ["text"]}
LOUD = (np.sin(np.arange(24_000) / 3) * 12_000).astype("<i2").tobytes()  # one second
SILENT = bytes(14_400)  # 300 ms
SEMANTIC = {"audio": {"input": {"turn_detection": {"type": "semantic_vad"}}}}


class Closes:
    """Counts how often it is closed."""

    closed = 0

    async def aclose(self) -> None:
        self.closed += 1


class OwnChat(Closes, FakeChat):
    pass


class OwnSpeech(Closes, FakeSpeech):
    pass


class OwnTranscriber(Closes, FakeTranscriber):
    prewarmed = 0

    async def prewarm(self) -> None:
        self.prewarmed += 1


class OwnVad(Closes, FakeVad):
    pass


class OwnEndOfTurnModel(Closes, FakeEndOfTurnModel):
    pass


class OwnStore(Closes, MemoryStore):
    pass


def address(server: RunningServer) -> str:
    return server.url.replace("http", "ws", 1) + "/v1/realtime"


async def test_the_caller_can_give_every_provider():
    """One spoken turn in which every provider is an object of the test."""
    own = {
        "vad": OwnVad(),
        "transcriber": OwnTranscriber(["What time is it?"], delay_s=0.0),
        "end_of_turn": OwnEndOfTurnModel([0.99] * 9, delay_s=0.0),
        "chat": OwnChat([[(0.0, "It is noon.")]]),
        "speech": OwnSpeech(first_s=0.0, factor=1000),
        "store": OwnStore(),
    }
    async with running(Settings(port=0), providers=own) as server:
        assert not server.runtime.sandbox, "no provider uses the platform"
        assert server.runtime.missing == ()
        async with open_socket(address(server)) as wire:
            await wire.send("session.update", session=SEMANTIC)
            await wire.append(LOUD + SILENT)
            await eventually(lambda: own["end_of_turn"].asked)  # in the pause, before the turn ends
            for _ in range(5):
                await wire.append(SILENT)
            done = await wire.until("response.done")
            said = await wire.until("conversation.item.input_audio_transcription.completed")
            assert said["transcript"] == "What time is it?"
            assert done["response"]["output"][0]["content"][0]["transcript"] == "It is noon."
            assert len(wire.audio()) == 11 * 60 * 48
            assert wire.of("session.created")[0]["session"]["model"] == "fake-chat"
            conversation_id = wire.of("conversation.created")[0]["conversation"]["id"]
    assert own["transcriber"].prewarmed == 1
    assert own["end_of_turn"].asked
    assert len(await own["store"].load("open", conversation_id) or ()) == 2
    assert [part.closed for part in own.values()] == [0] * 6, (
        "the server does not close the caller's providers"
    )


async def test_the_settings_select_what_is_left_out_and_none_turns_a_role_off():
    settings = Settings(port=0, transcriber="minimax", voice_detector="none", end_of_turn_model="none")
    async with running(
        settings, providers={"chat": FakeChat(), "transcriber": None, "store": None}
    ) as server:
        runtime = server.runtime
        assert runtime.sandbox, "the speech provider uses the platform, and none is configured"
        assert (runtime.transcriber_name, runtime.store) == ("none", None)
        assert runtime.providers.vad is None


async def test_two_servers_can_use_the_same_chat_model():
    chat = FakeChat([[(0.0, "One.")], [(0.0, "Two.")]])
    own = {"chat": chat, "speech": FakeSpeech(), "transcriber": None, "vad": None, "end_of_turn": None}
    said = []
    for _ in range(2):
        async with running(Settings(port=0), providers=own) as server, open_socket(address(server)) as wire:
            said.append((await wire.ask("Count on.", **TEXT))["output"][0]["content"][0]["text"])
    assert said == ["One.", "Two."]


@pytest.mark.parametrize(
    ("own", "sentence"),
    [
        ({"brain": FakeChat()}, "There is no provider role 'brain'; the roles are vad, transcriber, "),
        ({"chat": None}, "A server needs the role chat: leave it out"),
        ({"speech": FakeSpeech}, "The speech provider is the class FakeSpeech: give an object of it."),
        ({"store": "sqlite:/a"}, "The store provider is a value of the type str: give an object with "),
        ({"store": FakeChat()}, "The store provider FakeChat has no methods `save`, `load` and `forget`."),
    ],
)
async def test_a_wrong_provider_is_a_config_error(own, sentence):
    with pytest.raises(ConfigError) as caught:
        async with running(Settings(port=0), providers=own):
            pass
    assert str(caught.value).startswith(sentence)


async def test_serve_in_a_loop_that_runs_says_what_to_call_instead():
    for workers in (1, 2):
        with pytest.raises(RuntimeError, match="use `async with running"):
            serve(Settings(port=0), workers=workers)


def test_serve_in_another_thread_says_what_to_call_instead():
    with ThreadPoolExecutor(1) as threads, pytest.raises(RuntimeError, match="in this thread use `running`"):
        threads.submit(serve, Settings(port=0)).result()


def test_several_workers_cannot_share_providers():
    with pytest.raises(ConfigError, match="use one worker, or an entry point"):
        serve(Settings(port=0), providers={"chat": FakeChat()}, workers=2)
