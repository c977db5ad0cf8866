"""The bidirectional speech socket: as the ordinary one, but an interruption keeps the connection
(shared/minimax t2a-websocket.md 2)."""

from __future__ import annotations

from realtime.errors import ProviderError
from realtime.minimax.speech_config import SpeechConfig
from realtime.minimax.speech_protocol import BidiProtocol, Phase, SpeechProtocol
from realtime.minimax.speech_socket import SpeechSocket

CONFIRM_S = 1.5  # for an interruption: a round trip, while the next reply may be waiting for this connection


class BidiSpeechSocket(SpeechSocket):
    """One open task that survives `cancel`."""

    path = "/v1/t2a_v2_bidi"

    @staticmethod
    def make_protocol(config: SpeechConfig) -> SpeechProtocol:
        return BidiProtocol(config)

    async def cancel(self) -> bool:
        protocol = self._protocol
        self._reply += 1
        if isinstance(protocol, BidiProtocol) and self.usable:
            try:
                await self._send([protocol.cancel()])
                while protocol.phase is Phase.CANCELLING:
                    await self._next_while_cancelling(protocol)
            except ProviderError:
                pass
            self._head_sounds = False
            if self.usable:
                return True
        await self.aclose()
        return False

    async def _next_while_cancelling(self, protocol: BidiProtocol) -> None:
        async with self._reading:
            # Whoever was still listening may have read the confirmation while we waited.
            if protocol.phase is Phase.CANCELLING:
                await self._next(min(CONFIRM_S, self._timeouts.finish_s), "did not confirm the interruption")
