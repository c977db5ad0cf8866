"""What a client gets that asks for nothing, by the server's settings and what is installed."""

from realtime.providers.base import Providers
from realtime.session.defaults import new_session_config
from realtime.settings import Settings
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber, FakeVad

SETTINGS = Settings(instructions="Be brief.", voice_id="v1")


def providers(transcriber: FakeTranscriber | None) -> Providers:
    return Providers(FakeVad(), transcriber, FakeChat(), FakeSpeech(), None)


def test_the_transcriber_is_named_and_its_absence_too():
    for transcriber, name in ((FakeTranscriber(name="whisper-base"), "whisper-base"), (None, "none")):
        config = new_session_config(SETTINGS, providers(transcriber), None, "")
        assert config.transcription is not None
        assert config.transcription.model == name
        assert (config.instructions, config.voice) == ("Be brief.", "v1")


def test_what_a_client_secret_binds_wins_and_extensions_are_added():
    config = new_session_config(SETTINGS, providers(None), {"instructions": "Be kind."}, "words,playback")
    assert config.instructions == "Be kind."
    assert config.has("words")
    assert config.has("playback")
    assert not config.has("latency")
