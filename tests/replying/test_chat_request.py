"""What a chat model is asked: the items that count for one response, within the truncation that its options ask for."""

import pytest

from realtime.core.conversation import Message, Text
from realtime.core.history import MAX_CHARACTERS
from realtime.errors import ProviderRejected
from realtime.protocol.response_options import ResponseOptions, response_options
from realtime.protocol.session_config import SessionConfig
from realtime.providers.base import Providers
from realtime.replying.chat_request import build_request
from realtime.session.defaults import new_session_config
from realtime.settings import Settings
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber, FakeVad

INSTRUCTIONS = "Be brief."
QUARTER = (MAX_CHARACTERS - len(INSTRUCTIONS)) // 4  # four items of this length fit


def config(truncation: object = "auto") -> SessionConfig:
    settings = Settings(instructions=INSTRUCTIONS, voice_id="v1")
    providers = Providers(FakeVad(), FakeTranscriber(), FakeChat(), FakeSpeech(), None)
    return new_session_config(settings, providers, {"truncation": truncation}, "")


def shown(options: ResponseOptions, texts: list[str]) -> list[str]:
    """What the model is shown of these messages of the user, without the instructions."""
    items = [Message(f"item_{number}", "user", (Text(text),)) for number, text in enumerate(texts)]
    request = build_request(options, items, sees_images=False)
    assert request.messages[0].content == INSTRUCTIONS
    return [message.content for message in request.messages[1:]]


TOO_LONG = [mark * QUARTER for mark in "01234"]


@pytest.mark.parametrize(
    ("truncation", "kept"),
    [
        ("auto", ["1", "2", "3", "4"]),
        ({"type": "retention_ratio", "retention_ratio": 0.8}, ["2", "3", "4"]),
        ({"type": "retention_ratio", "retention_ratio": 0.6}, ["3", "4"]),
        ({"type": "retention_ratio", "retention_ratio": 0}, ["4"]),
    ],
)
def test_a_conversation_that_is_too_long_loses_its_oldest_items(truncation, kept):
    assert [text[0] for text in shown(response_options(config(truncation), None), TOO_LONG)] == kept


def test_a_conversation_that_is_too_long_is_refused_where_nothing_may_be_left_out():
    with pytest.raises(ProviderRejected) as refused:
        shown(response_options(config("disabled"), None), TOO_LONG)
    assert refused.value.code == "context_length_exceeded"


@pytest.mark.parametrize("truncation", ["disabled", {"type": "retention_ratio", "retention_ratio": 0}])
def test_a_conversation_that_fits_is_shown_whole_whatever_the_truncation(truncation):
    assert shown(response_options(config(truncation), None), TOO_LONG[:4]) == TOO_LONG[:4]


def test_a_limit_after_the_instructions_is_kept():
    """1,000 tokens are 2,500 bytes beside the instructions."""
    limit = {"type": "retention_ratio", "retention_ratio": 1, "token_limits": {"post_instructions": 1_000}}
    options = response_options(config(limit), None)
    assert [text[0] for text in shown(options, [mark * 800 for mark in "01234"])] == ["2", "3", "4"]
