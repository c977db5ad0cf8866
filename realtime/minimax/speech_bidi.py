"""The bidirectional speech socket. Unlike on the ordinary one, an interruption keeps the connection
(docs/minimax/t2a-websocket.md 2)."""

from __future__ import annotations

from realtime.errors import ProviderError
from realtime.minimax.speech_config import SpeechConfig
from realtime.minimax.speech_protocol import BidiProtocol, Phase, SpeechProtocol
from realtime.minimax.speech_socket import SpeechSocket

CONFIRM_S = 1.5  # timeout of `task_cancel`, short because the next reply may wait for this connection


class BidiSpeechSocket(SpeechSocket):
    """One open task that stays open after `cancel`."""

    path = "/v1/t2a_v2_bidi"

    @staticmethod
    def make_protocol(config: SpeechConfig) -> SpeechProtocol:
        return BidiProtocol(config)

    async def cancel(self) -> bool:
        protocol = self._protocol
        self._interruptions += 1
        if isinstance(protocol, BidiProtocol) and self.usable:
            try:
                self._leaving.clear()
                await self._send([protocol.cancel()])
                while protocol.phase is Phase.CANCELLING:
                    await self._next_while_cancelling(protocol)
            except ProviderError:
                pass
            self._head_has_audio = False
            if self.usable:
                return True
        await self.aclose()
        return False

    async def _next_while_cancelling(self, protocol: BidiProtocol) -> None:
        async with self._reading:
            # Another task in `receive` may have read the confirmation while we waited for the lock.
            if protocol.phase is Phase.CANCELLING:
                await self._next(min(CONFIRM_S, self._timeouts.finish_s), "did not confirm the interruption")
