"""A bare server for `bench.transfers`: takes uploads and forgets them, gives blobs of any size and speech in hex.

python -m bench.transfers_server [--hex-mb 30]
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
from collections.abc import Mapping
from typing import Any

from aiohttp import web

MB = 1_000_000
_OK: Mapping[str, Any] = {"status_code": 0, "status_msg": "success"}
_BLOCK = random.Random(1).randbytes(MB)


async def take(request: web.Request) -> web.Response:
    async for _ in request.content.iter_any():
        pass
    return web.json_response({"file": {"file_id": 1, "filename": "source.bin"}, "base_resp": _OK})


async def blob(request: web.Request) -> web.StreamResponse:
    size_mb = int(request.query["mb"])
    response = web.StreamResponse(headers={"ETag": '"1"', "Content-Length": str(size_mb * MB)})
    await response.prepare(request)
    for _ in range(size_mb):
        await response.write(_BLOCK)
    return response


async def serve(hex_mb: int) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    audio = (_BLOCK.hex() * ((hex_mb + 1) // 2))[: hex_mb * MB]

    async def speak(_: web.Request) -> web.Response:
        return web.json_response(
            {"data": {"audio": audio, "status": 2}, "extra_info": {"audio_length": 1000}, "base_resp": _OK}
        )

    app = web.Application(client_max_size=0)
    app.router.add_post("/v1/files/upload", take)
    app.router.add_get("/blob", blob)
    app.router.add_post("/v1/t2a_v2", speak)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"Ready: http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await stop.wait()
    await runner.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.transfers_server")
    parser.add_argument("--hex-mb", type=int, default=30)
    asyncio.run(serve(parser.parse_args().hex_mb))


if __name__ == "__main__":
    main()
