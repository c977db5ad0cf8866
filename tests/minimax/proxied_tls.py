"""A program for a test: one answer and one speech socket over TLS, on the event loop and with the proxy it is told.

Trust comes from SSL_CERT_FILE, which the libraries read when they are imported: so this is a process of its own.
"""

from __future__ import annotations

import asyncio
import sys

from realtime.minimax import MiniMax
from tests.minimax.test_proxied import ask, speak


async def main() -> None:
    async with MiniMax("key", "https://api.voice.example") as mm:
        assert await ask(mm)
        print(await speak(mm))


if __name__ == "__main__":
    if sys.argv[1] == "uvloop":
        import uvloop

        uvloop.run(main())
    else:
        asyncio.run(main())
