"""The terminal plays as loud as the server asks."""

from __future__ import annotations

from array import array
from types import SimpleNamespace

from realtime_client.playback import Playback
from realtime_client.player import PartKey, Player


async def test_the_gain_that_the_server_asks_for_is_the_players_and_a_new_session_takes_it_back():
    player = Player()
    conversation = SimpleNamespace(extensions=("playback",), session={})
    playback = Playback(conversation, SimpleNamespace(player=player, now=lambda: 0.0))
    player.write(PartKey("item_A"), (1000).to_bytes(2, "little") * 24_000)

    def level() -> int:
        return array("h", player.read(2400, 0.0))[-1]

    assert level() == 1000
    await playback.handle({"type": "output_audio_buffer.gain_changed", "response_id": "r", "gain_db": -12})
    assert level() == 251
    await playback.handle({"type": "output_audio_buffer.gain_changed", "response_id": "r", "gain_db": 0})
    assert level() == 1000
    await playback.handle({"type": "output_audio_buffer.gain_changed", "response_id": "r", "gain_db": -12})
    await playback.handle({"type": "session.created"})
    assert level() == 1000


async def test_another_server_that_goes_on_with_the_session_has_asked_for_no_gain():
    player = Player()
    conversation = SimpleNamespace(extensions=("playback",), session={})
    playback = Playback(conversation, SimpleNamespace(player=player, now=lambda: 0.0))
    player.write(PartKey("item_A"), (1000).to_bytes(2, "little") * 24_000)
    await playback.handle({"type": "output_audio_buffer.gain_changed", "response_id": "r", "gain_db": -12})
    await playback.handle({"type": "session.resumed", "restored": False})
    assert array("h", player.read(2400, 0.0))[-1] == 251
    await playback.handle({"type": "session.resumed", "restored": True})
    assert array("h", player.read(2400, 0.0))[-1] == 1000
