"""Many conversations of random behaviour against a server in a process of its own: what it holds must stay flat.

`python -m tests.adversarial.soak --rounds 30 --seed 1` runs it for longer than the test does, about a minute. Needs Linux (/proc).
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import websockets

from tests.clips import clips
from tests.server.harness import WireClient, eventually, open_socket
from tests.server.test_connections import small_buffer_socket

ROOT = Path(__file__).parents[2]
CUTS = 163  # messages of one reply, and some more: a disconnect after each of them
AT_ONCE = 12
QUIET_S = 30.0  # for everything to end
CLIENT_S = 4.0  # a conversation that waits for what does not come ends then
MOST_TASKS = 120  # with 20 speech connections, of which each end has two or three
MORE_FILES = 20  # these connections have two each
QUESTIONS = ("Count to twenty.", "Hello.", "What is two plus three?", "Tell me a short story.")
TROUBLE = (
    AssertionError,
    OSError,
    TimeoutError,
    websockets.WebSocketException,
)  # of a client that misbehaves


@dataclass
class Process:
    """The server's process."""

    process: asyncio.subprocess.Process
    log: Path
    url: str = ""
    done: Counter[str] = field(default_factory=Counter)  # conversations by behaviour

    async def line(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        async with asyncio.timeout(60):
            line = await self.process.stdout.readline()
        assert line, f"the server has ended:\n{self.log.read_text()[-3000:]}"
        return dict(json.loads(line))

    async def report(self) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")
        return await self.line()

    async def quiet(self) -> dict[str, Any]:
        """What it holds when all sessions have ended and nothing changes any more."""
        before = await self.report()
        async with asyncio.timeout(QUIET_S):
            while True:
                await asyncio.sleep(0.7)
                now = await self.report()
                if now["sessions"] == 0 and (now["tasks"], now["files"]) == (
                    before["tasks"],
                    before["files"],
                ):
                    return now
                before = now


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[Process]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("MINIMAX_", "REALTIME_", "CHAT_"))}
    environment = {**inherited, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "clients")])}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.adversarial.soak_server",
                cwd=ROOT, env=environment, stderr=errors,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
        server = Process(process, log)
        try:
            server.url = (await server.line())["url"].replace("http", "ws", 1) + "/v1/realtime"
            yield server
            assert process.stdin is not None
            process.stdin.close()
            async with asyncio.timeout(QUIET_S):
                await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


# -- behaviours --------------------------------------------------------------------------------------------------------

Behaviour = Callable[[str, random.Random], Awaitable[None]]


async def begin(wire: WireClient, chance: random.Random) -> None:
    await wire.until("session.created")
    await wire.say(chance.choice(QUESTIONS))
    await wire.send("response.create")


async def talks(url: str, chance: random.Random) -> None:
    """As clients should."""
    async with open_socket(url) as wire:
        await wire.until("session.created")
        for _ in range(chance.randint(1, 3)):
            assert (await wire.ask(chance.choice(QUESTIONS)))["status"] == "completed"


async def cut_off(url: str, chance: random.Random) -> None:
    """Gone after some messages of a reply."""
    cut = chance.randint(1, CUTS)
    async with open_socket(url) as wire:
        await begin(wire, chance)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                await eventually(lambda: len(wire.events) >= cut)
        wire.socket.transport.abort()


async def resumes(url: str, chance: random.Random) -> None:
    """Gone in the middle of a reply, and back soon or late."""
    async with open_socket(url + "?extensions=resume,playback") as wire:
        await begin(wire, chance)
        await asyncio.sleep(chance.random() * 0.2)
        session, seq = wire.events[0]["session"]["id"], max(event.get("seq", 0) for event in wire.events)
        wire.socket.transport.abort()
    await asyncio.sleep(chance.choice((0.0, 0.1, 0.8)))
    async with open_socket(f"{url}?extensions=resume&resume={session}&last_seq={seq}") as wire:
        await wire.ask("Hello.")


async def interrupts(url: str, chance: random.Random) -> None:
    """Speaks, cancels or leaves while a reply sounds."""
    async with open_socket(url + "?extensions=playback") as wire:
        await begin(wire, chance)
        await wire.until("response.output_audio.delta", chance.randint(1, 5))
        await wire.append(clips()[0].samples.repeat(3)[::2][: chance.randint(2_000, 40_000)].tobytes())
        if chance.random() < 0.5:
            await wire.send("response.cancel")
        await asyncio.sleep(chance.random() * 0.2)


async def reads_slowly(url: str, chance: random.Random) -> None:
    """Asks for much and reads nothing."""
    client = small_buffer_socket()
    host, port = url.removeprefix("ws://").split("/")[0].split(":")
    await asyncio.get_running_loop().sock_connect(client, (host, int(port)))
    async with open_socket(url, sock=client) as wire:
        await begin(wire, chance)
        wire.reading.clear()
        await wire.say("x" * 100_000)
        await asyncio.sleep(chance.choice((0.2, 1.5)))
        wire.socket.transport.abort()


async def sends_garbage(url: str, chance: random.Random) -> None:
    """Sends what is no event, or half of one."""
    async with open_socket(url, protocols=chance.choice(((), ("realtime.bin.v1",)))) as wire:
        await wire.until("session.created")
        for _ in range(chance.randint(1, 120)):
            kind, data = chance.randrange(4), chance.randbytes(chance.randint(0, 60))
            good = json.dumps({"type": "response.create", "response": {"metadata": {"a": "b"}}})
            await wire.socket.send(
                data if kind == 0
                else data.decode("latin-1") if kind == 1
                else good[: chance.randint(0, len(good))] if kind == 2
                else json.dumps({"type": chance.choice(("x", "session.update")), "session": data.hex()})
            )  # fmt: skip
        await asyncio.sleep(0.02)


BEHAVIOURS: tuple[Behaviour, ...] = (
    talks,
    cut_off,
    cut_off,
    resumes,
    interrupts,
    reads_slowly,
    sends_garbage,
)


async def storm(server: Process, rounds: int, seed: int) -> None:
    """AT_ONCE clients, each with so many conversations one after the other."""

    async def clients(number: int) -> None:
        chance = random.Random(f"{seed}:{number}")
        for turn in range(rounds):
            behaviour = BEHAVIOURS[(number + turn) % len(BEHAVIOURS)]
            server.done[behaviour.__name__] += 1
            with contextlib.suppress(*TROUBLE):
                async with asyncio.timeout(CLIENT_S):
                    await behaviour(server.url, chance)

    await asyncio.gather(*map(clients, range(AT_ONCE)))


async def soak(rounds: int, seed: int) -> dict[str, Any]:
    """Warm up, then the same again for longer. Raises AssertionError if anything grew, or the log tells of a bug."""
    async with serving() as server:
        await storm(server, max(1, rounds // 3), seed)
        before = await server.quiet()
        await storm(server, rounds, seed + 1)
        after = await server.quiet()
        await talks(server.url, random.Random(seed))  # the next conversation works
        assert after["kinds"] == before["kinds"], (before, after)
        assert after["tasks"] <= MOST_TASKS, (before, after)
        assert after["files"] <= before["files"] + MORE_FILES, (before, after)
        assert after["memory_mb"] <= before["memory_mb"] + 40, (before, after)
        assert "Traceback" not in server.log.read_text(), server.log.read_text()[-5_000:]
        return {"before": before, "after": after, "conversations": dict(server.done)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    print(json.dumps(asyncio.run(soak(arguments.rounds, arguments.seed)), indent=2))


if __name__ == "__main__":
    main()
