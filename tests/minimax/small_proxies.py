"""Small real proxies on this machine for tests: HTTP (forwarding and CONNECT) and SOCKS 4, 4a, 5.

Whatever name a client asks for, the proxy connects it to one port of this machine. So a test can use names that do not
exist, and a request that arrives has certainly passed the proxy.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class SmallProxy:
    """A proxy to `target_port`. `asked` are the names it was asked for; `refuse` is a status (HTTP) or a code (SOCKS)."""

    target_port: int
    user: str | None = None
    password: str = ""
    refuse: int | None = None
    silent: bool = False  # takes a connection and never answers
    port: int = 0
    asked: list[str] = field(default_factory=list)

    @property
    def login(self) -> tuple[str, str] | None:
        return None if self.user is None else (self.user, self.password)

    async def http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, target, _ = head.split(b"\r\n")[0].decode().split()
        self.asked.append(target if method == "CONNECT" else target.split("/")[2])
        status = self.refuse or (None if self._admits(head) else 407)
        if status is not None:
            writer.write(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        elif method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await self._pipe(reader, writer)
        else:
            await self._pipe(reader, writer, head)  # the target understands the absolute form

    async def socks(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        version = (await reader.readexactly(1))[0]
        await (self._socks5 if version == 5 else self._socks4)(reader, writer)

    def _admits(self, head: bytes) -> bool:
        if self.user is None:
            return True
        token = base64.b64encode(f"{self.user}:{self.password}".encode())
        return b"\r\nproxy-authorization: basic " + token.lower() + b"\r\n" in head.lower()

    async def _socks5(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        methods = await reader.readexactly((await reader.readexactly(1))[0])
        wanted = 0 if self.user is None else 2
        if wanted not in methods:
            writer.write(b"\x05\xff")
            return
        writer.write(bytes([5, wanted]))
        if wanted == 2:
            await reader.readexactly(1)
            user = await reader.readexactly((await reader.readexactly(1))[0])
            password = await reader.readexactly((await reader.readexactly(1))[0])
            right = (user.decode(), password.decode()) == self.login
            writer.write(b"\x01\x00" if right else b"\x01\x01")
            if not right:
                return
        kind = (await reader.readexactly(4))[3]
        if kind == 3:
            host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
        else:
            host = ".".join(str(byte) for byte in await reader.readexactly(4 if kind == 1 else 16))
        (port,) = struct.unpack(">H", await reader.readexactly(2))
        self.asked.append(f"{host}:{port}")
        writer.write(bytes([5, self.refuse or 0, 0, 1]) + bytes(6))
        if self.refuse is None:
            await self._pipe(reader, writer)

    async def _socks4(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, port, address = struct.unpack(">BH4s", await reader.readexactly(7))
        await reader.readuntil(b"\0")  # the user
        host = ".".join(map(str, address))
        if address[:3] == b"\0\0\0":
            host = (await reader.readuntil(b"\0"))[:-1].decode()
        self.asked.append(f"{host}:{port}")
        writer.write(bytes([0, self.refuse or 90]) + bytes(6))
        if self.refuse is None:
            await self._pipe(reader, writer)

    async def _pipe(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes = b""
    ) -> None:
        await pipe(self.target_port, reader, writer, head)


async def pipe(
    port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes = b""
) -> None:
    """Copy both ways between this connection and a port of this machine, until one side ends."""
    their_reader, their_writer = await asyncio.open_connection("127.0.0.1", port)
    their_writer.write(head)
    try:
        ways = [
            asyncio.create_task(_copy(reader, their_writer)),
            asyncio.create_task(_copy(their_reader, writer)),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
    finally:
        their_writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def listening(handle: object, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The port of a server that gives each connection to `handle`. All connections end with the block."""
    tasks: set[asyncio.Task[None]] = set()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            try:
                await handle(reader, writer)  # type: ignore[operator]
            finally:
                writer.close()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(one(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(begin, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def proxying(
    kind: str, target_port: int, *, context: ssl.SSLContext | None = None, **options: object
) -> AsyncIterator[SmallProxy]:
    """A running proxy of the kind "http" or "socks"."""
    proxy = SmallProxy(target_port, **options)  # type: ignore[arg-type]

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    handle = wait if proxy.silent else proxy.http if kind == "http" else proxy.socks
    async with listening(handle, context) as proxy.port:
        yield proxy
