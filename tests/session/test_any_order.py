"""A client that does anything it may, in any order, in virtual time: the promises of docs/wire.md hold."""

from __future__ import annotations

import asyncio
import base64
import random

import pytest

from realtime.core.conversation import MAX_ITEMS, Message
from realtime.core.messages import ChatFinish
from realtime.errors import ProviderUnavailable
from realtime.settings import Settings
from tests import virtual_time
from tests.conversing import LOUD, SILENT, Talk
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber, call, functions
from tests.wire_laws import WireLaws

CONVERSATIONS = 15  # in each of the parts; 2,000 were run when this was written
SAID = ["What time is it?", "Stop it now.", "mm-hmm", "", "好的，请继续。", "Tell me more about Oslo."]
WRITTEN = [
    "It is noon in Oslo, and the sun is shining on everybody.",
    "One. Two. Three. Four. Five. Six. Seven.",
    "好的，我们今天去公园散步，然后回家。",
    "**Well**, that is 3.5 km.\n\nIs that all?",
    "😀",
]


class Client:
    """One client and its dice."""

    def __init__(self, talk: Talk, dice: random.Random, extensions: str) -> None:
        self.talk, self.dice, self.laws, self._seen = talk, dice, WireLaws(extensions), 0
        self.playback = "playback" in extensions
        self.detects = self.told = True

    def look(self) -> None:
        """Check what has come."""
        while self._seen < len(self.talk.events):
            event = self.talk.events[self._seen]
            self.laws.see(event)
            if event["type"] == "input_audio_buffer.committed" and not self.told:
                self.laws.untold.add(event["item_id"])
            self._seen += 1

    async def send(self, type: str, **fields) -> bool:
        """Whether the server had no objection; it may be the first to end open speech."""
        await self.settle()
        before = len(self.talk.of("error"))
        await self.talk.send(type, **fields)
        return len(self.talk.of("error")) == before

    async def settle(self) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        self.look()

    def item(self) -> str:
        return self.dice.choice([*self.laws.items[-8:], *list(self.laws.texts)[-3:], "item_unknown"])

    def response(self) -> dict:
        ids = list(self.laws.responses)[-3:]
        return self.dice.choice([{}, {}, {"response_id": self.dice.choice([*ids, "resp_unknown"])}])

    async def act(self) -> None:
        dice, talk = self.dice, self.talk
        match dice.randrange(23):
            case 0 | 1 | 2:
                await talk.microphone(LOUD, dice.choice([0.1, 0.2, 0.3, 0.7, 1.0]))
            case 3 | 4:
                await talk.microphone(SILENT, dice.choice([0.1, 0.3, 0.7, 1.2]))
            case 5:
                await talk.append(bytes(dice.randrange(4)) + (LOUD * 40 + SILENT * 40) * dice.randrange(3))
            case 6:
                text = [{"type": "input_text", "text": "Hello?"}]
                after = {"previous_item_id": dice.choice(["root", self.item()])}
                message = {"type": "message", "role": "user", "content": text}
                known = {"id": dice.choice(["mine_1", "mine_2"])} if dice.random() < 0.3 else {}
                calls = [event["call_id"] for event in talk.of("response.function_call_arguments.done")]
                output = {
                    "type": "function_call_output",
                    "call_id": dice.choice([*calls, "x"]),
                    "output": "4",
                }
                item = output if calls and dice.random() < 0.5 else message | known
                await self.send(
                    "conversation.item.create", item=item, **(after if dice.random() < 0.3 else {})
                )
            case 7 | 8:
                await self.send("response.create", response=self.options())
            case 9 | 10:
                await self.send("response.cancel", **self.response())
            case 11:
                ms = dice.choice([0, 400, 900, 3000])
                self.laws.did("truncate")
                await self.send(
                    "conversation.item.truncate", item_id=self.item(), content_index=0, audio_end_ms=ms
                )
            case 12:
                await self.send("conversation.item.delete", item_id=self.item())
            case 13:
                await self.end_speech("input_audio_buffer.clear", "clear")
            case 14:
                await self.end_speech("input_audio_buffer.commit", "commit")
            case 15 | 16:
                await self.update()
            case 17:
                await self.report()
            case 18:
                talk.session.suspend()
                await asyncio.sleep(dice.choice([0, 0.4, 3]))
                talk.session.resume()
            case 19 | 20 if self.laws.texts:
                await self.report()
            case 21:
                await self.talk.ask("Hello?")
            case _:
                await asyncio.sleep(dice.choice([0.05, 0.4, 1.5, 6]))
        await self.settle()

    def options(self) -> dict:
        return self.dice.choice(
            [
                {},
                {"output_modalities": ["text"]},
                {"conversation": "none", "input": []},
                {"conversation": "none", "output_modalities": ["text"]},
                {"instructions": "Be quick."},
                {"input": [{"type": "item_reference", "id": self.item()}]},
            ]
        )

    async def end_speech(self, type: str, done: str) -> None:
        """Open speech ends here, if the server takes it; what came before this event is judged first."""
        if await self.send(type):
            self.look()
            self.laws.did(done)

    async def update(self) -> None:
        dice = self.dice
        detection = dice.choice(
            [
                None,
                {"type": "server_vad"},
                {"type": "semantic_vad"},
                {"type": "server_vad", "create_response": False},
                {"type": "server_vad", "interrupt_response": False},
                {"type": "server_vad", "idle_timeout_ms": 5000},
            ]
        )
        patch = dice.choice(
            [
                {"audio": {"input": {"turn_detection": detection}}},
                {"audio": {"input": {"turn_detection": detection}}},
                {"audio": {"input": {"format": {"type": "audio/pcm", "rate": 24000}}}},
                {"output_modalities": [dice.choice(["text", "audio"])]},
                {"truncation": dice.choice(["disabled", "auto"])},
                {"audio": {"input": {"transcription": dice.choice([None, {}])}}},
            ]
        )
        manual = patch.get("audio", {}).get("input", {}).get("turn_detection", 0) is None
        if await self.send("session.update", session={"type": "realtime", **patch}):
            self.look()
            sent = patch.get("audio", {}).get("input", {})
            self.detects = not manual if "turn_detection" in sent else self.detects
            if "transcription" in sent:  # what is being read now may be told or not
                self.laws.untold |= set(self.laws.committed)
                self.told = sent["transcription"] is not None
            if manual:
                self.laws.did("manual")

    async def report(self) -> None:
        """What a player says: a position, its end, or that it was emptied."""
        if not self.playback:
            return
        if self.dice.random() < 0.3:
            await self.send("output_audio_buffer.clear")
        items = list(self.laws.texts) or ["item_unknown"]
        await self.send(
            "output_audio_buffer.played",
            item_id=self.dice.choice(items[-2:]),
            played_ms=self.dice.choice([0, 100, 900, 5000]),
            state=self.dice.choice(["playing", "playing", "drained", "flushed"]),
        )


def answers(dice: random.Random) -> list:
    """What the model says: text, calls, nothing, too much, trouble."""
    made = []
    for _ in range(40):
        delay_s = dice.choice([0.02, 0.3, 1.5])
        match dice.randrange(10):
            case 0:
                made.append([(delay_s, call("look", "{}", f"call_{len(made)}"))])
            case 1:
                made.append([(delay_s, dice.choice(WRITTEN)), (0.1, call("look", "{}", f"call_{len(made)}"))])
            case 2:
                made.append([(delay_s, ProviderUnavailable("no"))])
            case 3:
                made.append([(delay_s, dice.choice(WRITTEN)), (0.2, ProviderUnavailable("no"))])
            case 4:
                made.append([(delay_s, "")])
            case 5:
                made.append([(delay_s, dice.choice(WRITTEN)), (0.1, ChatFinish("length"))])
            case _:
                made.append([(delay_s, dice.choice(WRITTEN)), (0.3, " " + dice.choice(WRITTEN))])
    return made


async def one_conversation(seed: str) -> None:
    dice = random.Random(seed)
    texts = [dice.choice([*SAID, ProviderUnavailable("no")]) for _ in range(60)]
    speech = FakeSpeech(factor=dice.choice([1.2, 8, 50]), gives_words=dice.random() < 0.7)
    speech.errors = [ProviderUnavailable("no")] * (dice.random() < 0.1)
    extensions = dice.choice(["", "playback", "words", "playback,words,latency"])
    async with Talk(
        chat=FakeChat(answers(dice)),
        speech=speech,
        transcriber=FakeTranscriber(texts, delay_s=dice.choice([0.02, 0.3]), interim=dice.random() < 0.7),
        extensions=extensions,
        settings=Settings(
            instructions="Be brief.", voice_id="v1", speculate=dice.choice(["off", "chat", "speech"])
        ),
        truncation=dice.choice(["auto", "disabled"]),
        tools=functions(*dice.choice([["look"], []])),
    ) as talk:
        client = Client(talk, dice, extensions)
        if dice.random() < 0.3:
            for number in range(MAX_ITEMS - dice.randrange(5)):
                talk.session.conversation.add(Message(f"old_{number}", "user"))
                client.laws.items.append(f"old_{number}")
        if dice.random() < 0.7:
            await talk.ask("Hello?")
        for _ in range(dice.randrange(3, 24)):
            await client.act()
        await finish(client)


async def finish(client: Client) -> None:
    """Let everything end, then ask what history holds."""
    talk = client.talk
    await talk.silence(4.0)
    await client.settle()
    assert not client.detects or not client.laws.speaks, "speech_started without speech_stopped"
    await client.end_speech("input_audio_buffer.clear", "clear")
    await client.send(
        "session.update", session={"type": "realtime", "audio": {"input": {"turn_detection": None}}}
    )
    await asyncio.sleep(60)
    await client.settle()
    assert not talk._run.done(), "the session has ended"
    heard = {}
    for item_id in list(client.laws.texts):
        if item_id in client.laws.items:
            await talk.send("conversation.item.retrieve", item_id=item_id)
            await client.settle()
            item = talk.of("conversation.item.retrieved")[-1]["item"]
            for part in item.get("content", ()):
                heard[item_id] = part.get("transcript", part.get("text"))
    client.laws.close(heard=heard, silent=True)
    ids = [item.id for item in talk.session.conversation.items]
    assert ids == client.laws.items, "the client believes in another conversation"
    for event in talk.of("response.output_audio.delta"):
        assert len(base64.b64decode(event["delta"])) % 2 == 0


@pytest.mark.parametrize("part", ["a", "b", "c"])
def test_whatever_a_client_does_the_wire_keeps_its_promises(part: str) -> None:
    for number in range(CONVERSATIONS):
        seed = f"{part} {number}"
        try:
            virtual_time.run(one_conversation(seed))
        except Exception as error:
            raise AssertionError(f"seed {seed!r}: {error!r}") from error
