"""Conversion between items of the protocol and items of the history."""

from __future__ import annotations

import msgspec
import pytest

from realtime.core import conversation as core
from realtime.protocol import objects as wire
from realtime.translate import to_core_item, to_wire_item


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (
            wire.MessageItem(id="s", role="system", content=(wire.InputText("Be brief."),)),
            core.Message("s", "system", (core.Text("Be brief."),)),
        ),
        (
            wire.MessageItem(
                id="u",
                role="user",
                status="incomplete",
                content=(
                    wire.InputText("Hi"),
                    wire.InputAudio("there"),
                    wire.InputAudio(None),
                    wire.InputImage("data:image/png;base64,AA", "low"),
                    wire.InputImage("data:image/png;base64,BB"),
                ),
            ),
            core.Message(
                "u",
                "user",
                (
                    core.Text("Hi"),
                    core.InputSpeech("there"),
                    core.InputSpeech(None),
                    core.Image("data:image/png;base64,AA", "low"),
                    core.Image("data:image/png;base64,BB"),
                ),
                "incomplete",
            ),
        ),
        (
            wire.MessageItem(
                id="a", role="assistant", content=(wire.OutputText("Hello"), wire.OutputAudio("It is noon."))
            ),
            core.Message("a", "assistant", (core.Text("Hello"), core.OutputSpeech("It is noon."))),
        ),
        (
            wire.MessageItem(id="b", role="assistant", status="in_progress"),
            core.Message("b", "assistant", (), "in_progress"),
        ),
        (
            wire.FunctionCallItem(id="f", name="weather", call_id="c", arguments="{}", status="incomplete"),
            core.FunctionCall("f", "c", "weather", "{}", "incomplete"),
        ),
        (
            wire.FunctionCallOutputItem(id="o", call_id="c", output="4"),
            core.FunctionCallOutput("o", "c", "4"),
        ),
    ],
    ids=lambda item: item.id,
)
def test_an_item_is_unchanged_after_both_conversions(sent, kept):
    assert to_core_item(sent) == kept
    assert to_wire_item(kept) == sent


def test_audio_is_dropped():
    sent = wire.MessageItem(id="u", role="user", content=(wire.InputAudio(None, b"\0\0"),))
    back = to_wire_item(to_core_item(sent))
    assert list(msgspec.to_builtins(back)["content"]) == [{"type": "input_audio", "transcript": None}]
